/* SPDX-License-Identifier: MPL-2.0 */
/* rate - what exponential averages are made of: the rate, the step, the seed. For kernels (see smooth.h). */
#ifndef RATE_H
#define RATE_H

#include <stdbool.h>

#include "kernel.h"

/* TA-Lib's measure of nothing. */
static const double nothing = 1e-14;

struct rate {
    double keep, take;
};

/* Of a weight of the new value in (0, 1]. One of the two differences is exact whatever the weight, hence keep + take == 1. */
ALWAYS_INLINE struct rate rate_of(double weight)
{
    struct rate rate = {.keep = 1.0 - weight};
    rate.take = 1.0 - rate.keep;
    return rate;
}

ALWAYS_INLINE struct rate rate_ema(size_t period)
{
    return rate_of(2.0 / ((double) period + 1.0));
}

ALWAYS_INLINE struct rate rate_wilder(size_t period)
{
    return rate_of(1.0 / (double) period);
}

ALWAYS_INLINE double step(struct rate rate, double y, double x)
{
    return mul_add(rate.keep, y, rate.take * x);
}

/* What an average carries. */
enum { Y, SUM };

/* Takes one value of the seed: the last one makes the mean of them, exact when they are equal. */
ALWAYS_INLINE void seed_with(double x, bool is_first, bool is_last, size_t period, double *state)
{
    if (is_first) {
        state[Y] = x;
        state[SUM] = 0.0;
    } else {
        state[SUM] += x - state[Y];
    }
    if (is_last) {
        state[Y] += state[SUM] / (double) period;
    }
}

#endif
