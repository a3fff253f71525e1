/* SPDX-License-Identifier: MPL-2.0 */
/* cell - the best levels within one cell: a box of staking levels in which no redemption size and no
 * baseline lies.
 *
 * There every excess is linear in its level, so that the benefit is linear and TE^2 a convex quadratic
 * form,
 *
 *     B(u) = B(0) + g'u,   V(u) = u'Qu + 2 q'u + c,   0 <= u <= h        (u: above the lower corner)
 *
 * and B + min(0, budget - POINT_SHORTFALL sqrt(V)) with sqrt(V) <= cap is a concave problem. Its solution
 * maximises g'u - mu V / 2 over the box for one multiplier mu, in which sqrt(V) falls: mu is found by
 * bisection, u for each mu by coordinates and Newton steps in the free ones. */
#ifndef STAKING_CELL_H
#define STAKING_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "portfolio.h"

/* What is wanted: the largest net benefit (or, with by_yield, benefit) with TE <= cap; HUGE_VAL: no cap. */
struct goal {
    bool by_yield;
    double cap;
};

/* Times the cap: what a measured TE may be for its rounding. */
#define GOAL_CAP_SLACK (1 + 1e-12)

/* Working memory, made once: held elements each unless said otherwise. */
struct cell {
    double *width, *gain, *linear, *u, *trial;
    double *form;   /* Q, held x held */
    double *factor; /* held x held */
    double constant;
};

int cell_init(struct kiln_call *call, const struct portfolio *portfolio, struct cell *ret_cell);

/* The best levels in low..high, which must be a cell; false when none meets the cap. ret_level may be low
 * or high. */
bool cell_solve(const struct portfolio *portfolio, const struct goal *goal, const double *low,
                const double *high, struct cell *cell, double *ret_level);

/* The objective at a measure, -HUGE_VAL above the cap. */
double goal_value(const struct goal *goal, const struct measure *measure);

#endif
