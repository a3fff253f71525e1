/* SPDX-License-Identifier: MPL-2.0 */
/* link - a moving average of a series that is computed on the way: %D of %K, the signal of MACD.
 *
 *     struct link l = link_open(stage, first, &state, &scratch, room);
 *     for (; bars are left; link_shift(&l, length)) {
 *         write the next `length` values, at most `room`, to l.in.next
 *         link_average(&l, number of the bar of the first of them, length, out);
 *     }
 *     link_close(&l);
 *
 * State and scratch are taken from the front of what is given. */
#ifndef LINK_H
#define LINK_H

#include "carry.h"
#include "stage.h"

struct link {
    struct stage stage;
    struct carry in;
    uint64_t
        first; /* number of the bar at which the series begins; what is written for earlier ones is not looked at */
    double *kept, *state, *scratch;
};

static inline size_t link_state(const struct stage *stage)
{
    return stage->history + stage->state;
}

/* Parts of scratch begin at multiples of 64 bytes. */
enum { LINK_ALIGNMENT = 8 };

static inline size_t link_aligned(size_t doubles)
{
    return (doubles + LINK_ALIGNMENT - 1) / LINK_ALIGNMENT * LINK_ALIGNMENT;
}

static inline double *link_cut(double **scratch, size_t doubles)
{
    double *part = *scratch;
    *scratch += link_aligned(doubles);
    return part;
}

/* Doubles of scratch. */
size_t link_scratch(const struct stage *stage, size_t room);

struct link link_open(const struct stage *stage, uint64_t first, double **state, double **scratch,
                      size_t room);

/* out[0] is of bar `number`; 0 where there is no average yet. Before `out` the same memory has room for stage.history doubles, which
 * are not touched. */
void link_average(struct link *link, uint64_t number, size_t length, double *out);

static inline void link_shift(struct link *link, size_t length)
{
    carry_shift(&link->in, length);
}

void link_close(struct link *link);

#endif
