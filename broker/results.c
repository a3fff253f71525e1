/* SPDX-License-Identifier: MPL-2.0 */
#include "results.h"

#include <assert.h>

#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "outbox.h"
#include "status.h"

/* One waiting request, and its place in the list of each job it waits for. */
struct watcher {
    struct watcher *next;
    struct watch *watch;
    struct job *job; /* NULL: not waiting for this one */
};

struct watch {
    struct timer timer;
    struct watch *next, *prev;
    struct route route;
    struct wire_id rid;
    struct wire_id *ids;
    size_t n, pending;
    struct watcher *watchers; /* n of them */
};

static size_t id_hash(const void *key)
{
    const struct wire_id *id = key;
    size_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < id->size; i++) {
        h = (h ^ id->bytes[i]) * UINT64_C(1099511628211);
    }
    return h;
}

static int id_compare(const void *a, const void *b)
{
    return id_equal(a, b) ? 0 : 1;
}

void results_init(struct results *rs)
{
    *rs = (struct results){.by_id = zhashx_new()};
    assert(rs->by_id);
    zhashx_set_key_hasher(rs->by_id, id_hash);
    zhashx_set_key_comparator(rs->by_id, id_compare);
    zhashx_set_key_duplicator(rs->by_id, NULL); /* keys live in their jobs */
    zhashx_set_key_destructor(rs->by_id, NULL);
}

struct job *results_find(struct results *rs, const struct wire_id *id)
{
    return zhashx_lookup(rs->by_id, id);
}

void results_enter(struct broker *b, struct job *job)
{
    int taken = zhashx_insert(b->results.by_id, &job->id, job);
    assert(!taken);
}

/* ---- kept results ---- */

/* What a done job holds in memory, its texts roughly: small results and failures must count too. */
static uint64_t weight(struct job *job)
{
    return zmq_msg_size(&job->payload) + sizeof *job + (job->error ? strlen(job->error) : 0);
}

static void unlink_done(struct results *rs, struct job *job)
{
    *(job->prev ? &job->prev->next : &rs->oldest) = job->next;
    *(job->next ? &job->next->prev : &rs->newest) = job->prev;
    job->next = job->prev = NULL;
    rs->bytes -= weight(job);
}

void results_drop(struct broker *b, struct job *job)
{
    assert(job->state == JOB_DONE && job->submitted);
    unlink_done(&b->results, job);
    timers_clear(&b->timers, &job->timer);
    zhashx_delete(b->results.by_id, &job->id);
    job_free(&b->pool, &job);
}

static void tell_watchers(struct broker *b, struct job *job);

void results_keep(struct broker *b, struct job *job)
{
    struct results *rs = &b->results;
    job->prev = rs->newest;
    job->next = NULL;
    *(rs->newest ? &rs->newest->next : &rs->oldest) = job;
    rs->newest = job;
    rs->bytes += weight(job);
    timers_set(&b->timers, &job->timer, b->now_ns + job->keep_ns);
    tell_watchers(b, job);
}

bool results_over(const struct broker *b)
{
    return b->results.oldest && b->results.bytes > (uint64_t) b->config.results_mb << 20;
}

/* ---- what a job looks like from outside ---- */

static const char *state_name(enum job_state state)
{
    static const char *const names[] = {"delayed", "queued", "running", "done"};
    return names[state];
}

void results_put(struct buf *out, const struct wire_id *id, const struct job *job)
{
    bool done = job && job->state == JOB_DONE;
    buf_put_map(out,
                3u + (done ? 2u + (job->error != NULL) + (job->field != NULL) + (job->worker != NULL) : 0));
    buf_put_str_const(out, "id");
    buf_id(out, id);
    buf_put_str_const(out, "state");
    buf_put_text(out, job ? state_name(job->state) : "unknown");
    if (!job) {
        buf_put_str_const(out, "status");
        buf_put_text(out, status_name(KILN_UNKNOWN_JOB));
        return;
    }
    buf_put_str_const(out, "attempt");
    buf_put_u64(out, job->attempt);
    if (!done) {
        return;
    }
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(job->status));
    buf_put_str_const(out, "timing");
    reply_timing(out, job);
    if (job->error) {
        buf_put_str_const(out, "error");
        buf_put_text(out, job->error);
    }
    if (job->field) {
        buf_put_str_const(out, "field");
        buf_put_text(out, job->field);
    }
    if (job->worker) {
        buf_put_str_const(out, "worker");
        buf_put_text(out, job->worker);
    }
}

static void answer(struct broker *b, const struct route *to, const struct wire_id *rid,
                   const struct wire_id *ids, size_t n)
{
    struct buf *out = &b->out;
    zmq_msg_t *parts = outbox_parts(b, n);
    buf_clear(out);
    buf_put_map(out, 2 + (rid->size != 0));
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "result");
    if (rid->size) {
        buf_put_str_const(out, "rid");
        buf_id(out, rid);
    }
    buf_put_str_const(out, "jobs");
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        struct job *job = results_find(&b->results, &ids[i]);
        results_put(out, &ids[i], job);
        if (job && job->state == JOB_DONE && job->status == KILN_OK) {
            zmq_msg_init(&parts[i]);
            zmq_msg_copy(&parts[i], &job->payload);
        } else {
            outbox_nil(&parts[i]);
        }
    }
    outbox_producer(b, to, out, parts, n);
}

/* ---- waiting ---- */

static void watch_end(struct broker *b, struct watch *w)
{
    struct results *rs = &b->results;
    timers_clear(&b->timers, &w->timer);
    for (size_t i = 0; i < w->n; i++) {
        struct watcher *me = &w->watchers[i];
        if (me->job) {
            struct watcher **at = &me->job->watchers;
            while (*at != me) {
                at = &(*at)->next;
            }
            *at = me->next;
        }
    }
    *(w->prev ? &w->prev->next : &rs->watches) = w->next;
    if (w->next) {
        w->next->prev = w->prev;
    }
    rs->n_watched -= w->n;
    mem_free(w->watchers);
    mem_free(w->ids);
    mem_free(w);
}

static void watch_answer(struct broker *b, struct watch *w)
{
    answer(b, &w->route, &w->rid, w->ids, w->n);
    watch_end(b, w);
}

static void watch_fire(void *arg, struct timer *t)
{
    watch_answer(arg, (struct watch *) t); /* the timer is its first member */
}

static void tell_watchers(struct broker *b, struct job *job)
{
    while (job->watchers) {
        struct watcher *me = job->watchers;
        job->watchers = me->next;
        me->job = NULL;
        if (--me->watch->pending == 0) {
            watch_answer(b, me->watch);
        }
    }
}

void results_answer(struct broker *b, const struct route *to, const struct wire_id *rid,
                    const struct wire_id *ids, size_t n, uint64_t wait_ms)
{
    struct results *rs = &b->results;
    size_t pending = 0;
    for (size_t i = 0; i < n && wait_ms; i++) {
        struct job *job = results_find(rs, &ids[i]);
        pending += job && job->state != JOB_DONE;
    }
    if (pending == 0 || rs->n_watched + n > RESULTS_WATCHED_MOST) {
        answer(b, to, rid, ids, n);
        return;
    }
    struct watch *w = mem_alloc(sizeof *w);
    w->timer.fire = watch_fire;
    memcpy(&w->route, to, offsetof(struct route, bytes) + to->size);
    w->rid = *rid;
    w->n = n;
    w->pending = pending;
    w->ids = mem_alloc(n * sizeof *w->ids);
    memcpy(w->ids, ids, n * sizeof *w->ids);
    w->watchers = mem_alloc(n * sizeof *w->watchers);
    for (size_t i = 0; i < n; i++) {
        struct job *job = results_find(rs, &ids[i]);
        if (job && job->state != JOB_DONE) {
            w->watchers[i] = (struct watcher){.next = job->watchers, .watch = w, .job = job};
            job->watchers = &w->watchers[i];
        }
    }
    w->next = rs->watches;
    if (w->next) {
        w->next->prev = w;
    }
    rs->watches = w;
    rs->n_watched += n;
    timers_set(&b->timers, &w->timer, b->now_ns + (int64_t) wait_ms * CLOCK_MS);
}

void results_done(struct broker *b)
{
    struct results *rs = &b->results;
    while (rs->watches) {
        watch_end(b, rs->watches);
    }
    while (rs->oldest) {
        results_drop(b, rs->oldest);
    }
    zhashx_destroy(&rs->by_id);
}
