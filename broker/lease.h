/* SPDX-License-Identifier: MPL-2.0 */
/* lease - a job in a worker's hands, fenced by a token.
 *
 * A token names a slot and how often the slot was used, so that only the lease it opened can be closed with it, once; late and
 * repeated completions find nothing. The first use numbers are random for each start of the broker: tokens of an earlier
 * life do not match. The job may leave its lease before the worker is done with it (its deadline came, say): lease->job is NULL then and
 * the outcome is dropped. */
#ifndef LEASE_H
#define LEASE_H

#include <stddef.h>
#include <stdint.h>

struct job;
struct worker;
struct function;

struct lease {
    struct lease *next, *prev; /* of the worker's */
    struct job *job;           /* NULL: abandoned, or the slot is free */
    struct worker *worker;     /* NULL: the slot is free */
    struct function *fn;
    int64_t cost_ns; /* what it was expected to cost when opened */
    uint32_t slot, use;
    uint8_t delivery; /* which message to the worker, as deliveries[] in struct worker */
};

struct leases {
    struct lease **chunks; /* of LEASE_CHUNK each, never moved */
    size_t n_chunks;
    struct lease *free;
    uint32_t first_use;
    size_t open;
};

enum { LEASE_CHUNK = 512 };

void leases_init(struct leases *ls);
void leases_done(struct leases *ls);

/* Opens a lease for a job that is in no other place, and puts it into the worker's list. */
struct lease *lease_open(struct leases *ls, struct job *job, struct worker *worker);
static inline uint64_t lease_token(const struct lease *l)
{
    return (uint64_t) l->use << 32 | l->slot;
}

/* The open lease of a token, or NULL. */
struct lease *lease_find(struct leases *ls, uint64_t token);

/* Closes it: its worker's list and figures are put right. The job, if it is still there, is the caller's to place
 * (returned; it may be NULL). */
struct job *lease_close(struct leases *ls, struct lease *lease);

/* The job goes its own way; the lease stays open until the worker is done. */
void lease_abandon(struct lease *lease);

#endif
