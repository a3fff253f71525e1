/* SPDX-License-Identifier: MPL-2.0 */
/* outbox - sends one message to one peer, or counts that it could not be.
 *
 * Never waits. A peer that is gone or does not read loses the message, nobody else does. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "broker.h"

/* Payloads are moved out in any case. 0, or -1 when the peer is gone or its pipe is full. */
int outbox_worker(struct broker *b, const struct peer_route *to, const struct buf *header,
                  zmq_msg_t *payloads, size_t n);
int outbox_producer(struct broker *b, const struct route *to, const struct buf *header, zmq_msg_t *payloads,
                    size_t n);

/* Keeps a header for a producer until outbox_release(), which sends all that were held. */
void outbox_hold(struct broker *b, const struct route *to, const struct buf *header);
void outbox_release(struct broker *b);

/* Scratch for n payloads, uninitialised. */
zmq_msg_t *outbox_parts(struct broker *b, size_t n);

/* A msgpack nil as a payload. */
void outbox_nil(zmq_msg_t *ret);

void route_from(struct route *to, const struct frames *f);

#endif
