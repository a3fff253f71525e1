/* SPDX-License-Identifier: MPL-2.0 */
/* levels - support and resistance: the extremes of a moving window, and how much they hold.
 *
 *     struct levels l = {0};
 *     levels_begin(&l, call, window, n)       room for pieces of n windows; more often, for other windows in the same room
 *     for (; windows are left; ) levels_next(&l, ..)
 *
 * A piece is some windows that follow each other; each has `window` bars. */
#ifndef LEVELS_H
#define LEVELS_H

#include <stddef.h>

#include "analysis.h"

/* Bars of a window near its extreme are those within this part of the closing price. */
#define LEVELS_TOLERANCE 0.001

struct levels_side {
    double *level, *touches, *weight; /* of each window of the piece */
};

struct levels {
    size_t window, most;
    double *room; /* of this many doubles */
    size_t doubles;
    struct levels_side low, high;
    double *max_volume;
    double *tolerance;
};

enum levels_weight { LEVELS_FIRST, LEVELS_MEAN };

int levels_begin(struct levels *l, struct kiln_call *call, size_t window, size_t windows);

/* The `length` (at most l->most) windows of which the first begins at these pointers; close is that of the bar which each window is
 * for. */
int levels_next(struct levels *l, const double *low, const double *high, const double *volume,
                const double *close, size_t length, enum levels_weight weight, struct pace *pace);

#endif
