/* SPDX-License-Identifier: MPL-2.0 */
/* link - the supervisor's conversation with the broker, as a node: hello, beat, gone.
 *
 * The node's beats renew the leases of all its workers, so that a worker busy with a long job is not taken for dead; and
 * `gone` tells of a dead one at once. The broker may be away for any time: the link comes back by itself.
 *
 *     link_init(&l, endpoint, keys, wid, &err);
 *     for (;;) {
 *         while (link_recv(&l)) {}
 *         if (link_beat_due(&l, now)) { fill a buf; link_beat(&l, &pairs, n, now) }
 *         until = link_tend(&l, now)       poll l.dealer until then
 *     }
 *     link_bye(&l); link_done(&l); */
#ifndef LINK_H
#define LINK_H

#include "dealer.h"
#include "wire.h"

/* The last dead workers, and how the last reloads ended, are told again after a reconnection: the first telling may have been
 * lost with it. */
enum { LINK_KEPT = 16 };

struct link {
    struct dealer dealer;
    struct frames frames;
    struct header header;
    struct buf out;
    char wid[64], session[33];
    bool welcome;
    bool quiet; /* the broker gives our workers nothing new: an operator drains this node */
    bool spoke; /* something was sent since the owner cleared this */
    int64_t beat_ns;
    int64_t asked_ns; /* of the unanswered hello or beat; 0: none is */
    int64_t next_beat_ns;
    struct buf kept[LINK_KEPT]; /* encoded; ring */
    uint64_t n_kept;
    /* Set by the owner: what the broker asks of this node. */
    void (*on_ask)(void *arg, const char *op, size_t op_bytes, const msgpack_object_map *map);
    void *arg;
};

int link_init(struct link *l, const char *endpoint, const struct curve_keys *keys, const char *wid,
              struct err *err);
void link_done(struct link *l, int linger_ms);

/* Deals with one message; false when there is none. */
bool link_recv(struct link *l);

bool link_beat_due(const struct link *l, int64_t now_ns);
/* `pairs` are those of the beat beside op. */
void link_beat(struct link *l, const struct buf *pairs, uint32_t n_pairs, int64_t now_ns);

/* kind: "crash", "deadline", "memory" or "stop". */
void link_gone(struct link *l, const char *wid, const char *cause, const char *kind, const uint64_t *running,
               size_t n);

/* A message that shall not be lost: fill what is returned, which is empty, then link_told(). */
struct buf *link_tell(struct link *l);
void link_told(struct link *l, const struct buf *b);

/* Hello on a new socket after a silence. Returns when to be called again. */
int64_t link_tend(struct link *l, int64_t now_ns);
/* The connection was seen to end. */
void link_ended(struct link *l, int64_t now_ns);
void link_bye(struct link *l);

#endif
