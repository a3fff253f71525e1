/* SPDX-License-Identifier: MPL-2.0 */
/* timers - what is due next: a binary heap of timers that live inside the things they belong to.
 *
 * A zeroed struct timer is not set. timers_set() moves it if it is; timers_clear() is harmless if it is not.
 * The owner of a timer must clear it before it is freed. */
#ifndef TIMERS_H
#define TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_ns;
    size_t place; /* 1-based index in the heap; 0: not set */
    void (*fire)(void *arg, struct timer *t);
};

struct timers {
    struct timer **heap; /* heap[0] unused */
    size_t n, room;
};

void timers_done(struct timers *ts);
void timers_set(struct timers *ts, struct timer *t, int64_t at_ns);
void timers_clear(struct timers *ts, struct timer *t);

/* Clears and fires every timer due at now_ns; firing may set, clear and free timers. */
void timers_fire(struct timers *ts, int64_t now_ns, void *arg);

/* When the next one is due; INT64_MAX when none is set. */
int64_t timers_next(const struct timers *ts);

#endif
