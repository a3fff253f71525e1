/* SPDX-License-Identifier: MPL-2.0 */
/* parabolic - Wilder's parabolic stop and reverse (SAR).
 *
 * The stop follows the price and never falls (while long) or rises (while short): each bar it goes a part `af` of the way to the extreme
 * point, the best price since the position began; af grows with each new extreme. When the price touches the stop, the position turns and
 * the extreme point becomes the stop. The stop never lies inside the last two bars.
 *
 * Reads one bar before the part; writes from bar number 1 on. The first position, at bar 1, is short when the low fell by more than
 * the high rose (and fell at all), else long. */
#ifndef PARABOLIC_H
#define PARABOLIC_H

#include <stdbool.h>

#include "kernel.h"

enum { PARABOLIC_STATE = 4, PARABOLIC_HISTORY = 1 };

/* How af starts, by what it grows, and what it does not exceed. */
struct parabolic_side {
    double first, step, most;
};

struct parabolic {
    double
        start; /* the first stop of a long (> 0) or, negated, of a short position; 0: found by the rule above */
    double offset;  /* part of itself by which the stop is moved away on a turn */
    bool is_signed; /* stops of short positions are written negated */
    struct parabolic_side up, down;
};

void parabolic_part(const double *high, const double *low, struct part part, const struct parabolic *p,
                    double *state, double *out);

#endif
