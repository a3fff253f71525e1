/* SPDX-License-Identifier: MPL-2.0 */
#include "schedule.h"

#include <assert.h>

#include "clock.h"
#include "lifecycle.h"
#include "outbox.h"
#include "ready.h"
#include "trial.h"

enum {
    PACK_BYTES = 4096, /* payloads up to this size travel packed, to workers that take them so */
    PASSED_MOST = 2,   /* messages to a worker that may overtake a function whose turn it was */
};

/* ---- choosing ---- */

static bool is_overdue(const struct broker *b, const struct function *fn)
{
    return fn->passed_from && b->counters.deliveries + 1 - fn->passed_from >= PASSED_MOST * fn->n_workers;
}

static bool can_take(const struct broker *b, const struct worker *w, int64_t cost_ns)
{
    if (w->quiet || w->deaf || w->credit <= w->delivered || worker_slot(w) < 0) {
        return false;
    }
    return w->running == 0 || w->running_ns + cost_ns <= b->config.ahead_us * CLOCK_US;
}

enum { SERVING = 1 << WORKER_SERVES, CANARIES = 1 << WORKER_CANARY };

/* The worker with the least to do, and among how many like it the jobs should be shared: the idle ones, while there is one. */
static struct worker *choose_of(const struct broker *b, const struct function *fn, unsigned kinds,
                                size_t *ret_able)
{
    struct worker *best = NULL;
    size_t idle = 0, busy = 0;
    const int64_t cost_ns = is_overdue(b, fn) ? 0 : fn->cost_ns;
    for (size_t i = 0; i < fn->n_workers; i++) {
        struct worker *w = fn->workers[i];
        if ((kinds >> w->trial & 1) && can_take(b, w, cost_ns)) {
            *(w->running ? &busy : &idle) += 1;
            if (!best || w->running_ns < best->running_ns) {
                best = w;
            }
        }
    }
    *ret_able = idle ? idle : busy;
    return best;
}

/* Canaries take what is due to them and no more, unless nobody else has the function. */
static struct worker *choose(const struct broker *b, const struct function *fn, size_t *ret_able)
{
    if (!fn->canaries || fn->canaries == fn->n_workers) {
        return choose_of(b, fn, SERVING | CANARIES, ret_able);
    }
    struct worker *w =
        trial_due(fn) && !queue_first(&fn->queue)->shy ? choose_of(b, fn, CANARIES, ret_able) : NULL;
    return w ? w : choose_of(b, fn, SERVING, ret_able);
}

static size_t least(size_t a, uint64_t b)
{
    return b < a ? (size_t) b : a;
}

static size_t how_many(const struct broker *b, const struct function *fn, const struct worker *w, size_t able)
{
    size_t n = (fn->queue.count + able - 1) / able;
    n = least(n, w->credit - w->delivered);
    n = least(n, (uint64_t) b->config.batch_jobs);
    int64_t room_ns = b->config.ahead_us * CLOCK_US - w->running_ns;
    n = least(n, room_ns > fn->cost_ns ? (uint64_t) (room_ns / fn->cost_ns) : 1);
    if (w->trial && fn->canaries < fn->n_workers) {
        n = least(n, (uint64_t) fn->due);
    }
    return n;
}

/* ---- sending ---- */

/* What a job's map says beside its token; the message around says it once for all that agree. */
struct terms {
    uint64_t attempt, left_ms, run_ms; /* 0: none */
};

static struct terms terms_of(const struct broker *b, const struct job *job)
{
    int64_t left_ns = job->deadline_ns ? job->deadline_ns - b->now_ns : 0;
    return (struct terms){
        .attempt = job->attempt,
        .left_ms = !job->deadline_ns    ? 0
                   : left_ns > CLOCK_MS ? (uint64_t) (left_ns / CLOCK_MS)
                                        : 1,
        .run_ms = job->run_ms,
    };
}

static void put_terms(struct buf *out, const struct terms *t, const struct terms *around)
{
    if (t->attempt != around->attempt) {
        buf_put_str_const(out, "attempt");
        buf_put_u64(out, t->attempt);
    }
    if (t->left_ms != around->left_ms) {
        buf_put_str_const(out, "left_ms");
        buf_put_u64(out, t->left_ms);
    }
    if (t->run_ms != around->run_ms) {
        buf_put_str_const(out, "run_ms");
        buf_put_u64(out, t->run_ms);
    }
}

static uint32_t n_terms(const struct terms *t, const struct terms *around)
{
    return 0u + (t->attempt != around->attempt) + (t->left_ms != around->left_ms) +
           (t->run_ms != around->run_ms);
}

/* Takes up to n jobs that may travel together out of the queue, in turns of their tenants, and gives them as a list (next) in
 * which each tenant's jobs stand together: they are computed as one batch, so their order says nothing of fairness, but answers to
 * one request that follow each other leave in one message. */
static struct job *pick(struct broker *b, struct queue *q, size_t n, const struct worker *w, bool packed)
{
    struct job *first = queue_first(q), *end = NULL;
    const uint64_t delivery = b->counters.deliveries + 1;
    size_t picked = 0;
    for (struct job *job = first; picked < n && job; job = queue_first(q)) {
        if (picked && (job->solo || (packed && zmq_msg_size(&job->payload) > PACK_BYTES))) {
            break; /* it travels in another message */
        }
        if (picked && job->shy && w->trial) {
            break; /* it goes to somebody else */
        }
        queue_pop(q);
        struct tenant *t = job->tenant;
        struct job *behind = picked && t->delivery == delivery ? t->picked : end;
        job->next = behind ? behind->next : NULL;
        *(behind ? &behind->next : &first) = job;
        end = behind == end ? job : end;
        t->picked = job;
        t->delivery = delivery;
        picked++;
        if (job->solo) {
            break;
        }
    }
    return first;
}

static struct lease *take_job(struct broker *b, struct job *job, struct worker *w, int slot)
{
    job->next = NULL;
    job->state = JOB_RUNNING;
    job->attempt++;
    job->started_ns = b->now_ns;
    struct lease *l = lease_open(&b->leases, job, w);
    l->delivery = (uint8_t) slot;
    return l;
}

/* The payload stays here too, for another attempt: packed ones are copied, frames share their contents. */
static void put_payload(struct broker *b, const struct job *job, bool packed, zmq_msg_t *part)
{
    if (packed) {
        size_t bytes = zmq_msg_size(&job->payload);
        buf_put_raw(&b->pack, zmq_msg_data((zmq_msg_t *) (uintptr_t) &job->payload), bytes);
        buf_put_u64(&b->sizes, bytes);
    } else {
        zmq_msg_init(part);
        zmq_msg_copy(part, (zmq_msg_t *) (uintptr_t) &job->payload);
    }
}

static void put_head(struct buf *out, const struct function *fn, struct worker *w, const struct terms *common,
                     bool packed)
{
    static const struct terms none;
    bool tell = w->stored_seq != w->done_seq;
    buf_put_map(out, 3u + tell + packed + n_terms(common, &none));
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "jobs");
    buf_put_str_const(out, "fn");
    buf_put_text(out, fn->name);
    if (tell) {
        buf_put_str_const(out, "stored");
        buf_put_u64(out, w->stored_seq = w->done_seq);
    }
    put_terms(out, common, &none);
}

/* The message did not leave: its jobs wait again. The worker is dead, or its connection is; it is given nothing more until
 * it is heard. What it held before stays with it: its node, or its silence, will tell what became of it, and which
 * job was to blame. */
static void take_back(struct broker *b, struct worker *w, int slot)
{
    w->deaf = true;
    for (struct lease *l = w->leases, *next; l; l = next) {
        next = l->next;
        if (l->delivery == slot) {
            struct job *job = lease_close(&b->leases, l);
            job_give_back(b, job);
            w->delivered--;
        }
    }
}

static void deliver(struct broker *b, struct function *fn, struct worker *w, size_t n)
{
    struct buf *out = &b->out;
    zmq_msg_t *parts = outbox_parts(b, n);
    struct job *job = queue_first(&fn->queue);
    job->attempt++;
    /* Who does not take packed messages is told everything with each job. */
    struct terms common = w->packed ? terms_of(b, job) : (struct terms){0};
    job->attempt--;
    bool packed = w->packed && n > 1 && !job->solo && zmq_msg_size(&job->payload) <= PACK_BYTES;
    int slot = worker_slot(w);
    buf_clear(out);
    buf_clear(&b->pack);
    buf_clear(&b->sizes);
    put_head(out, fn, w, &common, packed);
    buf_put_str_const(out, "jobs");
    size_t count_at = buf_open_list(out), sent = 0;
    job = pick(b, &fn->queue, n, w, packed);
    for (struct job *next = NULL; job; job = next) {
        next = job->next;
        bool solo = job->solo;
        struct lease *l = take_job(b, job, w, slot);
        struct terms t = terms_of(b, job);
        buf_put_map(out, 1u + n_terms(&t, &common) + solo);
        buf_put_str_const(out, "token");
        buf_put_u64(out, lease_token(l));
        put_terms(out, &t, &common);
        if (solo) {
            buf_put_str_const(out, "solo");
            buf_put_bool(out, true);
        }
        put_payload(b, job, packed, &parts[sent]);
        sent++;
    }
    buf_close(out, count_at, sent);
    size_t n_parts = sent;
    if (packed) {
        buf_put_str_const(out, "sizes");
        buf_put_list(out, sent);
        buf_put_raw(out, b->sizes.data, b->sizes.bytes);
        zmq_msg_init_size(&parts[0], b->pack.bytes);
        memcpy(zmq_msg_data(&parts[0]), b->pack.data, b->pack.bytes);
        n_parts = 1;
    }
    w->deliveries[slot] = (uint32_t) sent;
    w->delivered += sent;
    b->counters.jobs_delivered += sent;
    b->counters.deliveries++;
    if (fn->canaries) {
        trial_count(b, fn, w, sent);
    }
    if (outbox_worker(b, &w->route, out, parts, n_parts)) {
        take_back(b, w, slot);
    }
    ready_drop(b, fn);
}

void schedule_run(struct broker *b)
{
    /* Round the ring until a whole round sent nothing; each function sends one message a turn. */
    struct function *stop = NULL;
    while (b->ready && b->ready != stop) {
        struct function *fn = b->ready;
        b->ready = fn->next_ready;
        size_t able;
        struct worker *w = choose(b, fn, &able);
        if (w) {
            stop = NULL;
            fn->passed_from = 0;
            deliver(b, fn, w, how_many(b, fn, w, able));
        } else {
            fn->passed_from = fn->passed_from ? fn->passed_from : b->counters.deliveries + 1;
            stop = stop ? stop : fn;
        }
    }
}
