/* SPDX-License-Identifier: MPL-2.0 */
/* kept - done messages that were sent, and that the broker has not yet said to be stored.
 *
 * A ring, oldest first. The frames share their contents with what ZeroMQ is sending, so keeping costs no copy. It is
 * bounded in messages, bytes and jobs: the worker gives no further credit while it is kept_full().
 *
 *     kept_init(&k)
 *     struct kept_done *d = kept_add(&k, seq, frames, jobs);  fill d->frames, d->tokens;  kept_weigh(&k, d)
 *     kept_stored(&k, seq)  kept_lost(&k, tokens)             what is dropped
 *     for (i = 0; i < k.n; i++) kept_at(&k, i)                what is sent again
 *     kept_finish(&k) */
#ifndef KEPT_H
#define KEPT_H

#include "wire.h"

enum { KEPT_MESSAGES = 512, KEPT_BYTES = 64 << 20, KEPT_TOKENS = 8192 };

struct kept_done {
    uint64_t seq;
    size_t bytes, n_frames;
    zmq_msg_t *frames;
    size_t n_tokens;
    uint64_t *tokens; /* of its jobs */
};

struct kept {
    struct kept_done *ring; /* of KEPT_MESSAGES */
    size_t first, n;
    size_t bytes, tokens; /* of all */
};

void kept_init(struct kept *k);
void kept_finish(struct kept *k);

static inline struct kept_done *kept_at(const struct kept *k, size_t i)
{
    return &k->ring[(k->first + i) % KEPT_MESSAGES];
}

/* A new last one, whose frames and tokens the caller fills (every frame must be initialised before the next call). When
 * there is no room the oldest goes: that cannot happen to a broker that heeds credit. */
struct kept_done *kept_add(struct kept *k, uint64_t seq, size_t n_frames, size_t n_tokens);
/* Counts the filled one's bytes: of all frames but the header. */
void kept_weigh(struct kept *k, struct kept_done *d);

/* Drops every message up to this seq. */
void kept_stored(struct kept *k, uint64_t seq);
/* Drops messages of which every job is among these. */
void kept_lost(struct kept *k, const msgpack_object_array *lost);

bool kept_full(const struct kept *k);

#endif
