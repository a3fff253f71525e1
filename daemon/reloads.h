/* SPDX-License-Identifier: MPL-2.0 */
/* reloads - what the broker has asked of this node by reload and rollback: each is answered once, when the last of the plugins
 * it is about has come to an end, or at once when it cannot be.
 *
 *     reloads_open(&r, number)      false: that one was asked before
 *     ... plugin_store_apply(): reloads_begun() and reloads_ended() are told of every attempt
 *     reloads_close(&r, &err)       from now on it waits for what was begun in between; err: nothing was, and why
 *     reloads_answer(&r, link)      whenever something may have ended */
#ifndef RELOADS_H
#define RELOADS_H

#include "link.h"
#include "plugin_store.h"

enum { RELOADS_MOST = 16 }; /* under way; further ones are refused */

struct reload;

/* The keys of a reload, or (back) of a rollback, checked. The names lie in memory that the next call uses again. */
int reloads_read(const msgpack_object_map *map, bool back, struct store_order *ret_order, struct err *err);

struct reloads {
    struct reload *under_way[RELOADS_MOST + 1]; /* and one that is about to be refused */
    size_t n;
    struct reload *open;
    uint64_t answered[LINK_KEPT]; /* numbers; ring: the broker may ask again after a reconnection */
    size_t n_answered;
};

bool reloads_open(struct reloads *r, uint64_t number);
void reloads_close(struct reloads *r, const struct err *refused);

void reloads_begun(void *reloads, const struct hosted *h);
void reloads_ended(void *reloads, const struct hosted *h);

void reloads_answer(struct reloads *r, struct link *link);
void reloads_done(struct reloads *r);

#endif
