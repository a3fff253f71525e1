/* SPDX-License-Identifier: MPL-2.0 */
#include "reply.h"

#include "broker.h"
#include "clock.h"
#include "mem.h"
#include "outbox.h"
#include "status.h"

static uint64_t us(int64_t ns)
{
    return ns > 0 ? (uint64_t) (ns + CLOCK_US / 2) / CLOCK_US : 0;
}

void reply_timing(struct buf *out, const struct job *job)
{
    int64_t queue_ns = job->started_ns ? job->started_ns - job->ready_ns : job->total_ns;
    buf_put_map(out, 5);
    buf_put_str_const(out, "queue_us");
    buf_put_u64(out, us(queue_ns));
    buf_put_str_const(out, "decode_us");
    buf_put_u64(out, us(job->decode_ns));
    buf_put_str_const(out, "run_us");
    buf_put_u64(out, us(job->run_ns));
    buf_put_str_const(out, "encode_us");
    buf_put_u64(out, us(job->encode_ns));
    buf_put_str_const(out, "total_us");
    buf_put_u64(out, us(job->total_ns));
}

/* The pairs of one outcome, behind `more` pairs that the caller has yet to write. */
static void put_outcome(struct buf *out, const struct outcome *o, uint32_t more)
{
    uint32_t pairs = more + 1 + (o->id->size != 0) + (o->error != NULL) + (o->field != NULL) + 3u * (o->job != NULL);
    buf_put_map(out, pairs);
    if (o->id->size) {
        buf_put_str_const(out, "id");
        buf_id(out, o->id);
    }
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(o->status));
    if (o->error) {
        buf_put_str_const(out, "error");
        buf_put_text(out, o->error);
    }
    if (o->field) {
        buf_put_str_const(out, "field");
        buf_put_text(out, o->field);
    }
    if (o->job) {
        buf_put_str_const(out, "timing");
        reply_timing(out, o->job);
        buf_put_str_const(out, "batch");
        buf_put_u64(out, o->job->batch);
        buf_put_str_const(out, "attempt");
        buf_put_u64(out, o->job->attempt);
    }
}

static void put_common(struct buf *out, const struct request *r, const struct worker *w)
{
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "reply");
    if (r->rid.size) {
        buf_put_str_const(out, "rid");
        buf_id(out, &r->rid);
    }
    if (w) {
        buf_put_str_const(out, "worker");
        buf_put_text(out, w->wid);
        buf_put_str_const(out, "plugin");
        buf_put_text(out, w->label);
    }
}

static uint32_t common_pairs(const struct request *r, const struct worker *w)
{
    return 1 + (r->rid.size != 0) + 2u * (w != NULL);
}

static void move_result(zmq_msg_t *to, const struct outcome *o)
{
    if (o->result) {
        zmq_msg_init(to);
        zmq_msg_move(to, o->result);
    } else {
        outbox_nil(to);
    }
}

static void add_single(struct broker *b, struct request *r, const struct outcome *o)
{
    struct buf *out = &b->out;
    buf_clear(out);
    put_outcome(out, o, common_pairs(r, o->worker));
    put_common(out, r, o->worker);
    zmq_msg_t payload;
    move_result(&payload, o);
    outbox_producer(b, &r->route, out, &payload, 1);
    request_free(&b->pool, &r);
}

void reply_add(struct broker *b, struct request *request, const struct outcome *o)
{
    struct reply *r = &b->reply;
    request->open--;
    if (!request->list) {
        add_single(b, request, o);
        return;
    }
    if (r->request != request || r->worker != o->worker) {
        reply_flush(b);
        r->request = request;
        r->worker = o->worker;
    }
    put_outcome(&r->items, o, 0);
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->payloads = mem_grow(r->payloads, r->room * sizeof *r->payloads);
    }
    move_result(&r->payloads[r->n++], o);
}

void reply_flush(struct broker *b)
{
    struct reply *r = &b->reply;
    struct request *request = r->request;
    if (!request) {
        return;
    }
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, common_pairs(request, r->worker) + 1);
    put_common(out, request, r->worker);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, r->n);
    buf_put_raw(out, r->items.data, r->items.bytes);
    outbox_producer(b, &request->route, out, r->payloads, r->n);
    buf_clear(&r->items);
    r->n = 0;
    r->request = NULL;
    r->worker = NULL;
    if (request->open == 0) {
        request_free(&b->pool, &request);
    }
}

void reply_done(struct reply *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        zmq_msg_close(&r->payloads[i]);
    }
    mem_free(r->payloads);
    buf_done(&r->items);
    *r = (struct reply){0};
}
