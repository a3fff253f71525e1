/* SPDX-License-Identifier: MPL-2.0 */
#include "schedule.h"

#include <assert.h>

#include "backend.h"
#include "clock.h"
#include "outbox.h"

/* ---- the ring of functions with waiting jobs ---- */

void schedule_ready(struct broker *b, struct function *fn)
{
    if (fn->ready) {
        return;
    }
    fn->ready = true;
    if (!b->ready) {
        fn->next_ready = fn->prev_ready = fn;
        b->ready = fn;
        return;
    }
    /* Before the one whose turn is next: behind all others. */
    fn->next_ready = b->ready;
    fn->prev_ready = b->ready->prev_ready;
    fn->prev_ready->next_ready = fn;
    fn->next_ready->prev_ready = fn;
}

void schedule_unready(struct broker *b, struct function *fn)
{
    if (!fn->ready || fn->queue.count) {
        return;
    }
    fn->ready = false;
    if (fn->next_ready == fn) {
        b->ready = NULL;
    } else {
        fn->prev_ready->next_ready = fn->next_ready;
        fn->next_ready->prev_ready = fn->prev_ready;
        if (b->ready == fn) {
            b->ready = fn->next_ready;
        }
    }
    fn->next_ready = fn->prev_ready = NULL;
}

/* ---- choosing ---- */

static bool can_take(const struct broker *b, const struct worker *w, int64_t cost_ns)
{
    if (w->quiet || w->credit <= w->delivered || worker_slot(w) < 0) {
        return false;
    }
    return w->running == 0 || w->running_ns + cost_ns <= b->config.ahead_us * CLOCK_US;
}

/* The worker with the least to do, and how many could take something. */
static struct worker *choose(const struct broker *b, const struct function *fn, size_t *ret_able)
{
    struct worker *best = NULL;
    *ret_able = 0;
    for (size_t i = 0; i < fn->n_workers; i++) {
        struct worker *w = fn->workers[i];
        if (can_take(b, w, fn->cost_ns)) {
            ++*ret_able;
            if (!best || w->running_ns < best->running_ns) {
                best = w;
            }
        }
    }
    return best;
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
    return n;
}

/* ---- sending ---- */

static void put_job(struct buf *out, const struct broker *b, const struct job *job, uint64_t token)
{
    int64_t left_ns = job->deadline_ns ? job->deadline_ns - b->now_ns : 0;
    buf_put_map(out, 2u + (job->deadline_ns != 0) + (job->run_ms != 0) + job->solo);
    buf_put_str_const(out, "token");
    buf_put_u64(out, token);
    buf_put_str_const(out, "attempt");
    buf_put_u64(out, job->attempt);
    if (job->deadline_ns) {
        buf_put_str_const(out, "left_ms");
        buf_put_u64(out, left_ns > CLOCK_MS ? (uint64_t) (left_ns / CLOCK_MS) : 1);
    }
    if (job->run_ms) {
        buf_put_str_const(out, "run_ms");
        buf_put_u64(out, job->run_ms);
    }
    if (job->solo) {
        buf_put_str_const(out, "solo");
        buf_put_bool(out, true);
    }
}

static void deliver(struct broker *b, struct function *fn, struct worker *w, size_t n)
{
    struct buf *out = &b->out;
    zmq_msg_t *parts = outbox_parts(b, n);
    int slot = worker_slot(w);
    bool tell = w->stored_seq != w->done_seq;
    buf_clear(out);
    buf_put_map(out, 3u + tell);
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "jobs");
    buf_put_str_const(out, "fn");
    buf_put_text(out, fn->name);
    if (tell) {
        buf_put_str_const(out, "stored");
        buf_put_u64(out, w->stored_seq = w->done_seq);
    }
    buf_put_str_const(out, "jobs");
    size_t count_at = buf_open_list(out), sent = 0;
    while (sent < n) {
        struct job *job = queue_first(&fn->queue);
        if (job->solo && sent > 0) {
            break; /* it travels alone, next time */
        }
        bool solo = job->solo;
        queue_remove(&fn->queue, job);
        job->state = JOB_RUNNING;
        job->attempt++;
        job->started_ns = b->now_ns;
        struct lease *l = lease_open(&b->leases, job, w);
        l->delivery = (uint8_t) slot;
        put_job(out, b, job, lease_token(l));
        zmq_msg_init(&parts[sent]);
        zmq_msg_copy(&parts[sent++], &job->payload); /* shared: kept here for another attempt */
        if (solo) {
            break;
        }
    }
    buf_close(out, count_at, sent);
    w->deliveries[slot] = (uint32_t) sent;
    w->delivered += sent;
    b->counters.jobs_delivered += sent;
    b->counters.deliveries++;
    if (outbox_worker(b, &w->route, out, parts, sent)) {
        backend_lose(b, w, "cannot be reached");
    }
    schedule_unready(b, fn);
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
            deliver(b, fn, w, how_many(b, fn, w, able));
        } else if (!stop) {
            stop = fn;
        }
    }
}
