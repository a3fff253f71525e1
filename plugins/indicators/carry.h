/* SPDX-License-Identifier: MPL-2.0 */
/* carry - a series computed on the way, of which a later stage needs some earlier values.
 *
 * The last `kept` values are carried from one advance() to the next in its state, the oldest first. In between
 * the series lies in kept + room doubles of scratch: kept values, and room behind them for the next ones.
 *
 *     struct carry c = carry_open(state, scratch, kept);
 *     for (; bars are left; carry_shift(&c, length)) {
 *         length = least(room, bars left);
 *         write `length` values to c.next; c.next[-kept] .. c.next[length-1] can be read
 *     }
 *     carry_close(&c, state); */
#ifndef CARRY_H
#define CARRY_H

#include <stddef.h>
#include <string.h>

#include "kernel.h"

struct carry {
    double *next;
    size_t kept;
};

/* Values that a carry has room for, when the longest of those of a chain keeps `kept`: as many at least, so that no value is moved
 * more often than once. */
static inline size_t carry_room(size_t kept)
{
    return kept < KERNEL_CHUNK ? KERNEL_CHUNK : kept;
}

static inline struct carry carry_open(const double *state, double *scratch, size_t kept)
{
    if (kept > 0) { /* there may be no state then */
        memcpy(scratch, state, kept * sizeof(double));
    }
    return (struct carry){.next = scratch + kept, .kept = kept};
}

static inline void carry_shift(struct carry *c, size_t length)
{
    memmove(c->next - c->kept, c->next - c->kept + length, c->kept * sizeof(double));
}

static inline void carry_close(const struct carry *c, double *state)
{
    if (c->kept > 0) {
        memcpy(state, c->next - c->kept, c->kept * sizeof(double));
    }
}

#endif
