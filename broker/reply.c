/* SPDX-License-Identifier: MPL-2.0 */
#include "reply.h"

#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "outbox.h"
#include "status.h"

static uint64_t us(int64_t ns)
{
    return ns > 0 ? (uint64_t) (ns + CLOCK_US / 2) / CLOCK_US : 0;
}

static struct said say(int status, const struct job *job)
{
    if (!job) {
        return (struct said){.status = status};
    }
    return (struct said){
        .ran = true,
        .status = status,
        .batch = job->batch,
        .attempt = job->attempt,
        .queue_us = us(job->started_ns ? job->started_ns - job->ready_ns : job->total_ns),
        .decode_us = us(job->decode_ns),
        .run_us = us(job->run_ns),
        .encode_us = us(job->encode_ns),
        .total_us = us(job->total_ns),
    };
}

static bool same_timing(const struct said *a, const struct said *b)
{
    return a->queue_us == b->queue_us && a->decode_us == b->decode_us && a->run_us == b->run_us &&
           a->encode_us == b->encode_us && a->total_us == b->total_us;
}

static void put_timing(struct buf *out, const struct said *s)
{
    buf_put_map(out, 5);
    buf_put_str_const(out, "queue_us");
    buf_put_u64(out, s->queue_us);
    buf_put_str_const(out, "decode_us");
    buf_put_u64(out, s->decode_us);
    buf_put_str_const(out, "run_us");
    buf_put_u64(out, s->run_us);
    buf_put_str_const(out, "encode_us");
    buf_put_u64(out, s->encode_us);
    buf_put_str_const(out, "total_us");
    buf_put_u64(out, s->total_us);
}

void reply_timing(struct buf *out, const struct job *job)
{
    struct said s = say(KILN_OK, job);
    put_timing(out, &s);
}

/* Which of the pairs of s must be written, given what is said around them already. */
struct pairs {
    bool status, timing, batch, attempt;
    uint32_t n;
};

static struct pairs differing(const struct said *s, const struct said *around)
{
    struct pairs p = {
        .status = !around || s->status != around->status,
        .timing = s->ran && (!around || !same_timing(s, around)),
        .batch = s->ran && (!around || s->batch != around->batch),
        .attempt = s->ran && (!around || s->attempt != around->attempt),
    };
    p.n = 0u + p.status + p.timing + p.batch + p.attempt;
    return p;
}

static void put_said(struct buf *out, const struct said *s, const struct pairs *p)
{
    if (p->status) {
        buf_put_str_const(out, "status");
        buf_put_text(out, status_name(s->status));
    }
    if (p->timing) {
        buf_put_str_const(out, "timing");
        put_timing(out, s);
    }
    if (p->batch) {
        buf_put_str_const(out, "batch");
        buf_put_u64(out, s->batch);
    }
    if (p->attempt) {
        buf_put_str_const(out, "attempt");
        buf_put_u64(out, s->attempt);
    }
}

/* The map of one outcome, for `more` pairs that the caller has yet to write. */
static void put_outcome(struct buf *out, const struct outcome *o, const struct said *s,
                        const struct said *around, uint32_t more)
{
    struct pairs p = differing(s, around);
    buf_put_map(out, more + p.n + (o->id->size != 0) + (o->error != NULL) + (o->field != NULL));
    if (o->id->size) {
        buf_put_str_const(out, "id");
        buf_id(out, o->id);
    }
    put_said(out, s, &p);
    if (o->error) {
        buf_put_str_const(out, "error");
        buf_put_text(out, o->error);
    }
    if (o->field) {
        buf_put_str_const(out, "field");
        buf_put_text(out, o->field);
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

static void take_result(zmq_msg_t *to, const struct outcome *o)
{
    if (!o->result || payload_take(o->result, to)) {
        outbox_nil(to);
    }
}

static void add_single(struct broker *b, struct request *r, const struct outcome *o)
{
    struct buf *out = &b->out;
    struct said s = say(o->status, o->job);
    buf_clear(out);
    put_outcome(out, o, &s, NULL, common_pairs(r, o->worker));
    put_common(out, r, o->worker);
    zmq_msg_t payload;
    take_result(&payload, o);
    outbox_producer(b, &r->route, out, &payload, 1);
    request_free(&b->pool, &r);
}

static void add_packed(struct reply *r, const struct outcome *o, const struct said *s)
{
    static const uint8_t nil = 0xc0;
    put_outcome(&r->items, o, s, &r->common, 0);
    buf_put_raw(&r->pack, o->result ? o->result->data : &nil, o->result ? o->result->bytes : 1);
    buf_put_u64(&r->sizes, o->result ? o->result->bytes : 1);
    r->n++;
}

static void add_framed(struct reply *r, const struct outcome *o, const struct said *s)
{
    put_outcome(&r->items, o, s, NULL, 0);
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->payloads = mem_grow(r->payloads, r->room * sizeof *r->payloads);
    }
    take_result(&r->payloads[r->n++], o);
}

void reply_add(struct broker *b, struct request *request, const struct outcome *o)
{
    struct reply *r = &b->reply;
    request->open--;
    if (!request->list) {
        add_single(b, request, o);
        return;
    }
    struct said s = say(o->status, o->job);
    if (r->request != request || r->worker != o->worker || r->common.ran != s.ran ||
        r->pack.bytes > REPLY_PACK_BYTES || r->items.bytes > REPLY_ITEMS_BYTES) {
        reply_flush(b);
        r->request = request;
        r->worker = o->worker;
        r->common = s;
    }
    if (request->packed) {
        add_packed(r, o, &s);
    } else {
        add_framed(r, o, &s);
    }
}

static void flush_packed(struct broker *b, struct request *request)
{
    struct reply *r = &b->reply;
    struct buf *out = &b->out;
    struct pairs p = differing(&r->common, NULL);
    zmq_msg_t payload;
    if (zmq_msg_init_size(&payload, r->pack.bytes)) {
        log_error("answer_lost", "jobs=%u bytes=%zu error=\"no memory\"", r->n, r->pack.bytes);
        b->counters.answers_dropped++;
        return;
    }
    memcpy(zmq_msg_data(&payload), r->pack.data, r->pack.bytes);
    buf_clear(out);
    buf_put_map(out, common_pairs(request, r->worker) + p.n + 2);
    put_common(out, request, r->worker);
    put_said(out, &r->common, &p);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, r->n);
    buf_put_raw(out, r->items.data, r->items.bytes);
    buf_put_str_const(out, "sizes");
    buf_put_list(out, r->n);
    buf_put_raw(out, r->sizes.data, r->sizes.bytes);
    outbox_producer(b, &request->route, out, &payload, 1);
}

static void flush_framed(struct broker *b, struct request *request)
{
    struct reply *r = &b->reply;
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, common_pairs(request, r->worker) + 1);
    put_common(out, request, r->worker);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, r->n);
    buf_put_raw(out, r->items.data, r->items.bytes);
    outbox_producer(b, &request->route, out, r->payloads, r->n);
}

void reply_flush(struct broker *b)
{
    struct reply *r = &b->reply;
    struct request *request = r->request;
    if (!request) {
        return;
    }
    if (request->packed) {
        flush_packed(b, request);
    } else {
        flush_framed(b, request);
    }
    buf_clear(&r->items);
    buf_shrink(&r->pack, 1 << 20);
    buf_clear(&r->sizes);
    r->n = 0;
    r->request = NULL;
    r->worker = NULL;
    if (request->open == 0) {
        request_free(&b->pool, &request);
    }
}

void reply_done(struct reply *r)
{
    mem_free(r->payloads); /* nothing is gathered any more: reply_flush() came before */
    buf_done(&r->items);
    buf_done(&r->pack);
    buf_done(&r->sizes);
    *r = (struct reply){0};
}
