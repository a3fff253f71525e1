/* SPDX-License-Identifier: MPL-2.0 */
/* client_pending - the requests that are under way, by number, each with the time at which it is given up, and
 * the inbox of answers that nobody waits for.
 *
 * A hash table with linear probing. It owns its entries from pending_add until pending_remove. The two calls at the end
 * turn messages, or their absence, into outcomes: they live in client_dispatch.c. */
#ifndef CLIENT_PENDING_H
#define CLIENT_PENDING_H

#include "client_answer.h"
#include "client_request.h"

struct entry {
    uint64_t rid;
    enum request_op op;
    bool waited; /* a function of the client waits for it: its answer is gathered here */
    bool done;   /* nothing further will come */
    int64_t deadline_ns;
    size_t n, left;        /* jobs or ids; those without an outcome so far. Documents: 1 */
    bool *seen;            /* n */
    char **ids;            /* n; NULL for calls and documents */
    struct answer *answer; /* what came and was not handed on yet; or NULL */
};

struct pending {
    struct entry **slots; /* room, a power of two */
    size_t room, count;
    size_t jobs;                 /* sum of left */
    int64_t soonest_ns;          /* no deadline is earlier; INT64_MAX when empty */
    struct answer *first, *last; /* the inbox: answers that nobody has asked for yet */
};

struct entry *pending_add(struct pending *p, uint64_t rid, enum request_op op, size_t n, int64_t deadline_ns);
struct entry *pending_find(const struct pending *p, uint64_t rid); /* NULL when there is none */
void pending_remove(struct pending *p, struct entry **entry);      /* frees it, with its answer */

/* The oldest answer of the inbox, now the caller's; NULL when it is empty. */
struct answer *pending_take(struct pending *p);

/* Any entry that is due at now_ns and not done, or NULL; then soonest_ns is exact. */
struct entry *pending_due(struct pending *p, int64_t now_ns);

void pending_done(struct pending *p);

/* Gives a message to the request it answers; what answers none, or makes no sense, is dropped. Takes the part. */
void pending_dispatch(struct pending *p, struct part **message);

/* No further answer is waited for: what has no outcome yet is KILN_LOST. */
void pending_lose(struct pending *p, struct entry *e);

#endif
