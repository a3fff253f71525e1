/* SPDX-License-Identifier: MPL-2.0 */
#include "outbox.h"

#include <assert.h>

#include "mem.h"

static void drop(zmq_msg_t *payloads, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        zmq_msg_close(&payloads[i]);
    }
}

/* Only the first frame can be refused: it is where a ROUTER looks for the peer and for room in its pipe. */
static int send_rest(void *socket, const struct buf *header, zmq_msg_t *payloads, size_t n)
{
    int failed = frame_send(socket, header->data, header->bytes, n ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; i < n; i++) {
        if (failed) {
            zmq_msg_close(&payloads[i]);
        } else {
            failed = frame_send_msg(socket, &payloads[i], i + 1 < n ? ZMQ_SNDMORE : 0);
        }
    }
    return failed;
}

int outbox_worker(struct broker *b, const struct peer_route *to, const struct buf *header,
                  zmq_msg_t *payloads, size_t n)
{
    assert(!header->failed);
    if (frame_send(b->back, to->bytes, to->size, ZMQ_SNDMORE)) {
        drop(payloads, n);
        return -1;
    }
    return send_rest(b->back, header, payloads, n);
}

int outbox_producer(struct broker *b, const struct route *to, const struct buf *header, zmq_msg_t *payloads,
                    size_t n)
{
    assert(!header->failed);
    if (frame_send(b->front, to->bytes, to->size, ZMQ_SNDMORE)) {
        drop(payloads, n);
        b->counters.answers_dropped++;
        return -1;
    }
    b->counters.answers_sent++;
    if (to->delimited) {
        frame_send(b->front, "", 0, ZMQ_SNDMORE);
    }
    return send_rest(b->front, header, payloads, n);
}

struct held {
    struct held *next;
    struct route route;
    struct buf header;
};

void outbox_hold(struct broker *b, const struct route *to, const struct buf *header)
{
    struct held *h = mem_alloc(sizeof *h);
    memcpy(&h->route, to, offsetof(struct route, bytes) + to->size);
    buf_put_raw(&h->header, header->data, header->bytes);
    struct held **last = &b->held;
    while (*last) {
        last = &(*last)->next;
    }
    *last = h;
}

void outbox_release(struct broker *b)
{
    while (b->held) {
        struct held *h = b->held;
        b->held = h->next;
        outbox_producer(b, &h->route, &h->header, NULL, 0);
        buf_done(&h->header);
        mem_free(h);
    }
}

zmq_msg_t *outbox_parts(struct broker *b, size_t n)
{
    if (b->parts_room < n) {
        b->parts_room = n < 64 ? 64 : 2 * n;
        b->parts = mem_grow(b->parts, b->parts_room * sizeof *b->parts);
    }
    return b->parts;
}

void outbox_nil(zmq_msg_t *ret)
{
    zmq_msg_init_size(ret, 1);
    *(uint8_t *) zmq_msg_data(ret) = 0xc0;
}

void route_from(struct route *to, const struct frames *f)
{
    zmq_msg_t *frame = (zmq_msg_t *) (uintptr_t) &f->route;
    to->size = (uint8_t) zmq_msg_size(frame);
    memcpy(to->bytes, zmq_msg_data(frame), to->size);
    to->delimited = f->delimited;
}
