/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "stall.h"

enum {
    PACK_SEND_BYTES = 1 << 20,
    PACK_KEEP_BYTES = 4 << 20
}; /* reported when so long; not kept when grown so large */

/* What the message says of a job, beside its token. */
struct job_room {
    int64_t run_limit_ns;
    int64_t deadline_ns; /* nobody waits for it any longer; INT64_MAX: none */
    bool solo;
    int status; /* not KILN_OK: refused without being run */
    struct err why;
};

/* ---- what plugin code is at, for the scoreboard ---- */

static void enter(void *arg, size_t first, size_t count)
{
    struct worker_jobs *w = arg;
    size_t at = w->slice_first + first;
    int64_t limit_ns = INT64_MAX;
    for (size_t i = at; i < at + count; i++) {
        /* Jobs together have the time of the most impatient one: its limit was promised to its producer. */
        limit_ns = w->room[i].run_limit_ns < limit_ns ? w->room[i].run_limit_ns : limit_ns;
    }
    scoreboard_enter(w->slot, w->tokens + at, count, clock_ns(), limit_ns);
}

static void leave(void *arg, size_t first, size_t count)
{
    const struct worker_jobs *w = arg;
    (void) first;
    (void) count;
    scoreboard_leave(w->slot);
}

static int cancelled(void *arg, size_t index)
{
    const struct worker_jobs *w = arg;
    return atomic_load_explicit(&w->slot->cancelled, memory_order_relaxed) != 0 ||
           clock_ns() > w->room[w->slice_first + index].deadline_ns;
}

static void progress(void *arg, size_t index, double fraction)
{
    struct worker_jobs *w = arg;
    (void) index;
    (void) fraction;
    atomic_store_explicit(&w->slot->heartbeat_ns, clock_ns(), memory_order_relaxed);
}

/* ---- life ---- */

void worker_jobs_init(struct worker_jobs *w, struct engine *engine, struct worker_link *link,
                      struct slot *slot, int64_t run_limit_ns)
{
    *w = (struct worker_jobs){.engine = engine, .link = link, .slot = slot, .run_limit_ns = run_limit_ns};
    w->longest_ns = mem_alloc(engine_functions(engine) * sizeof *w->longest_ns);
}

void worker_jobs_done(struct worker_jobs *w)
{
    mem_free(w->room);
    mem_free(w->jobs);
    mem_free(w->done);
    mem_free(w->results);
    buf_done(&w->pack);
    mem_free(w->tokens);
    mem_free(w->longest_ns);
    *w = (struct worker_jobs){0};
}

static void reserve(struct worker_jobs *w, size_t n)
{
    if (n > w->n_room) {
        w->room = mem_grow(w->room, n * sizeof *w->room);
        w->jobs = mem_grow(w->jobs, n * sizeof *w->jobs);
        w->done = mem_grow(w->done, n * sizeof *w->done);
        w->results = mem_grow(w->results, n * sizeof *w->results);
        w->tokens = mem_grow(w->tokens, n * sizeof *w->tokens);
        w->n_room = n;
    }
}

/* ---- the header ---- */

/* What a job's map says, or the message around it. */
struct terms {
    uint64_t left_ms, run_ms; /* UINT64_MAX: none */
};

static int read_terms(const msgpack_object_map *m, struct terms *t, struct err *err)
{
    int status = header_uint(m, "left_ms", 0, UINT64_C(1) << 40, &t->left_ms, err);
    return status ? status : header_uint(m, "run_ms", 1, UINT64_C(1) << 40, &t->run_ms, err);
}

static int read_job(struct worker_jobs *w, const msgpack_object *o, const struct terms *around,
                    int64_t now_ns, size_t i)
{
    struct job_room *r = &w->room[i];
    struct terms t = *around;
    r->run_limit_ns = w->run_limit_ns;
    r->deadline_ns = INT64_MAX;
    r->solo = false;
    w->tokens[i] = 0;
    if (o->type != MSGPACK_OBJECT_MAP) {
        return err_set(&r->why, KILN_INTERNAL, "jobs", "job %zu of the message is not a map", i);
    }
    const msgpack_object_map *m = &o->via.map;
    int status = header_uint(m, "token", 0, UINT64_MAX, &w->tokens[i], &r->why);
    if (m->size > 1) {
        status = status ? status : read_terms(m, &t, &r->why);
        status = status ? status : header_bool(m, "solo", &r->solo, &r->why);
    }
    uint64_t left_ms = t.left_ms, run_ms = t.run_ms;
    if (left_ms != UINT64_MAX) {
        r->deadline_ns = now_ns + (int64_t) left_ms * CLOCK_MS;
    }
    if (run_ms != UINT64_MAX) {
        r->run_limit_ns = (int64_t) run_ms * CLOCK_MS;
    }
    return status;
}

/* The function's index, or -1 with why. "plugin.function": the plugin is ours, or the broker is mistaken. */
static int find(const struct worker_jobs *w, struct err *why)
{
    const char *fn = "";
    size_t bytes = 0;
    if (header_text(&w->link->header.map, "fn", 256, &fn, &bytes, why)) {
        return -1;
    }
    const char *plugin = engine_name(w->engine);
    size_t n = strlen(plugin);
    int at = bytes > n + 1 && memcmp(fn, plugin, n) == 0 && fn[n] == '.'
                 ? engine_find(w->engine, fn + n + 1, bytes - n - 1)
                 : -1;
    if (at < 0) {
        err_set(why, KILN_UNKNOWN_FUNCTION, "fn",
                "fn is \"%.*s\", expected a function of this worker's plugin %s", (int) bytes, fn, plugin);
    }
    return at;
}

static size_t read_message(struct worker_jobs *w, int *ret_fn)
{
    const msgpack_object_array *list = NULL;
    if (header_list(&w->link->header.map, "jobs", WIRE_JOBS, &list, NULL) || !list) {
        return 0;
    }
    struct err why;
    int64_t now_ns = clock_ns();
    struct terms around = {UINT64_MAX, UINT64_MAX};
    reserve(w, list->size);
    buf_shrink(&w->pack, PACK_KEEP_BYTES);
    if (read_terms(&w->link->header.map, &around, NULL)) {
        around = (struct terms){UINT64_MAX, UINT64_MAX};
    }
    *ret_fn = find(w, &why);
    for (uint32_t i = 0; i < list->size; i++) {
        struct job_room *r = &w->room[i];
        r->status = read_job(w, &list->ptr[i], &around, now_ns, i);
        if (!r->status && *ret_fn < 0) {
            r->why = why;
            r->status = why.status;
        }
        w->jobs[i].payload = w->link->payloads[i].data;
        w->jobs[i].payload_bytes = w->link->payloads[i].bytes;
    }
    return list->size;
}

/* ---- results ---- */

/* The payload of done[i], a copy, since the engine's buffer is used again: behind the others when the jobs came packed,
 * else a frame of its own. */
static bool set_payload(struct worker_jobs *w, size_t i, const void *data, size_t bytes)
{
    struct done_job *d = &w->done[i];
    if (w->packed) {
        buf_put_raw(&w->pack, data, bytes);
        d->bytes = bytes;
        return !w->pack.failed;
    }
    if (zmq_msg_init_size(&w->results[i], bytes)) {
        return false;
    }
    d->payload = &w->results[i];
    memcpy(zmq_msg_data(d->payload), data, bytes);
    return true;
}

static void set_nil(struct worker_jobs *w, size_t i)
{
    static const uint8_t nil = 0xc0;
    w->pack.failed = false; /* what did not fit was not written */
    if (!set_payload(w, i, &nil, 1)) {
        fprintf(stderr, "out of memory for one byte\n");
        abort();
    }
}

/* A function that stopped because it was asked to: nobody cancelled the job, so the answer is why it was asked. */
static void explain_cancelled(const struct worker_jobs *w, struct engine_job *j, size_t i)
{
    if (clock_ns() > w->room[i].deadline_ns) {
        j->status = KILN_DEADLINE;
        snprintf(j->error, sizeof j->error, "not finished in time: it was running, and stopped");
    } else if (atomic_load_explicit(&w->slot->cancelled, memory_order_relaxed)) {
        j->status = KILN_UNAVAILABLE;
        snprintf(j->error, sizeof j->error, "the daemon stops and could not let the job finish");
    }
}

/* Makes done[i] from what the engine left in jobs[i]. */
static void take_result(struct worker_jobs *w, size_t i)
{
    struct engine_job *j = &w->jobs[i];
    struct done_job *d = &w->done[i];
    if (j->status == KILN_CANCELLED) {
        explain_cancelled(w, j, i);
    }
    *d = (struct done_job){.token = w->tokens[i],
                           .status = j->status,
                           .decode_ns = j->decode_ns,
                           .run_ns = j->run_ns,
                           .encode_ns = j->encode_ns,
                           .batch = j->batch};
    if (j->status == KILN_OK && j->result_bytes > w->link->max_bytes) {
        /* The broker would close the connection over it, again and again. */
        snprintf(j->error, sizeof j->error, "the result has %zu bytes, more than broker.max_bytes = %zu",
                 j->result_bytes, w->link->max_bytes);
        j->field[0] = '\0';
        d->status = KILN_RESOURCE;
    } else if (j->status == KILN_OK && !set_payload(w, i, j->result, j->result_bytes)) {
        snprintf(j->error, sizeof j->error, "no memory for a result of %zu bytes", j->result_bytes);
        j->field[0] = '\0';
        d->status = KILN_RESOURCE;
    }
    if (d->status != KILN_OK) {
        d->error = j->error;
        d->field = j->field;
        set_nil(w, i);
    }
}

static void refuse_job(struct worker_jobs *w, size_t i)
{
    w->done[i] = (struct done_job){.token = w->tokens[i],
                                   .status = w->room[i].status,
                                   .error = w->room[i].why.text,
                                   .field = w->room[i].why.field,
                                   .batch = 1};
    set_nil(w, i);
}

/* ---- running ---- */

/* Jobs from `first` on that go into one engine_run. */
static size_t slice(const struct worker_jobs *w, size_t fn, size_t first, size_t n)
{
    size_t most = engine_function_max_batch(w->engine, fn);
    most = most < SCOREBOARD_TOKENS ? most : SCOREBOARD_TOKENS;
    size_t last = first + 1;
    while (last < n && last - first < most && !w->room[first].solo && !w->room[last].solo &&
           !w->room[last].status) {
        last++;
    }
    return last - first;
}

/* Somebody compares generations: how each job ended, and what it took. */
static void tally(const struct worker_jobs *w, uint32_t counting, size_t first, size_t count,
                  int64_t stalled_ns)
{
    for (size_t i = first; i < first + count; i++) {
        const struct engine_job *j = &w->jobs[i];
        int64_t run_ns = j->run_ns > stalled_ns ? j->run_ns - stalled_ns : 0;
        scoreboard_count(w->slot, counting, j->status == KILN_OK, run_ns / (j->batch ? j->batch : 1));
    }
}

static void run_slice(struct worker_jobs *w, size_t fn, size_t first, size_t count)
{
    const struct engine_watch watch = {
        .enter = enter, .leave = leave, .cancelled = cancelled, .progress = progress, .arg = w};
    uint32_t counting = atomic_load_explicit(&w->slot->counting, memory_order_relaxed);
    int64_t stalled_ns = counting ? stall_ns() : 0;
    w->slice_first = first;
    engine_run(w->engine, fn, w->jobs + first, count, w->room[first].solo, &watch);
    if (counting) {
        tally(w, counting, first, count, stall_ns() - stalled_ns);
    }
    uint64_t jobs = atomic_load_explicit(&w->slot->jobs, memory_order_relaxed);
    atomic_store_explicit(&w->slot->jobs, jobs + count, memory_order_relaxed);
}

/* Whether results that wait since `oldest_ns` must be sent now, with more jobs to come. A function that was slow of late
 * may be slow again with the next job, so they do not wait for it. */
static bool report_due(int64_t oldest_ns, int64_t now_ns, int64_t longest_ns)
{
    return now_ns - oldest_ns + longest_ns >= REPORT_NS;
}

static void report(struct worker_jobs *w, size_t first, size_t n)
{
    if (n) {
        worker_link_done(w->link, w->done + first, n, w->packed ? &w->pack : NULL);
        scoreboard_settle(w->slot);
        buf_clear(&w->pack);
    }
}

/* Takes the results of a slice that has run. Large ones do not go into the pack: what waits is reported before them, and
 * they are at once, each in a frame of its own. Returns how many jobs are reported now; `sent` of them were. */
static size_t take_slice(struct worker_jobs *w, size_t sent, size_t first, size_t count)
{
    size_t bytes = 0;
    for (size_t i = first; i < first + count; i++) {
        bytes += w->jobs[i].status == KILN_OK ? w->jobs[i].result_bytes : 1;
    }
    bool large = w->packed && bytes > PACK_SEND_BYTES;
    if (large) {
        report(w, sent, first - sent);
        w->packed = false;
    }
    for (size_t i = first; i < first + count; i++) {
        take_result(w, i);
    }
    if (large) {
        report(w, first, count);
        w->packed = true;
        return first + count;
    }
    return sent;
}

void worker_jobs_run(struct worker_jobs *w)
{
    int fn = -1;
    size_t n = read_message(w, &fn);
    size_t sent = 0, at = 0;
    int64_t begun_ns = clock_ns(), oldest_ns = begun_ns;
    w->packed = w->link->frames.packed;
    while (at < n && !engine_damaged(w->engine)) {
        if (atomic_load_explicit(&w->slot->draining, memory_order_relaxed)) {
            break;
        }
        size_t count = 1;
        if (w->room[at].status) {
            refuse_job(w, at);
        } else {
            count = slice(w, (size_t) fn, at, n);
            if (w->room[at].solo || count > scoreboard_room(w->slot)) {
                report(w, sent, at - sent);
                sent = at;
            }
            run_slice(w, (size_t) fn, at, count);
            sent = take_slice(w, sent, at, count);
        }
        at += count;
        int64_t now_ns = clock_ns(), longest_ns = 0;
        if (fn >= 0) {
            /* The longest slice, forgotten by a hundredth with each shorter one. */
            int64_t *longest = &w->longest_ns[fn];
            *longest -= *longest / 100;
            *longest = now_ns - begun_ns > *longest ? now_ns - begun_ns : *longest;
            longest_ns = *longest;
        }
        begun_ns = now_ns;
        /* One that is to run alone is also reported alone: if damage it did ends us now, nobody else is suspected. */
        if (at < n && (w->room[at - 1].solo || w->pack.bytes > PACK_SEND_BYTES ||
                       report_due(oldest_ns, now_ns, longest_ns))) {
            report(w, sent, at - sent);
            sent = at;
            oldest_ns = now_ns;
        }
    }
    report(w, sent, at - sent);
    worker_link_release(w->link, w->tokens + at, n - at);
}

void worker_jobs_refuse(struct worker_jobs *w)
{
    int fn;
    size_t n = read_message(w, &fn);
    worker_link_release(w->link, w->tokens, n);
}
