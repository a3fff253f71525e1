/* SPDX-License-Identifier: MPL-2.0 */
/* directional - Wilder's system of directional movement: DM, DI, DX, ADX.
 *
 * The movement of a bar is how far its high rose above the high before (plus), or its low fell below the low before (minus),
 * whichever is more, if it is positive. Movements and true ranges are summed over bars 1 .. period-1, and from then on each sum loses
 * 1/period of itself at each bar: s = keep s + x in one rounding.
 *
 * The bar before the part is read, and what a function carries stands in `state`, all zero before bar 0. Bar 0 has
 * no value; the lookback of each is said with it, and what stands before it in the outputs is undefined. */
#ifndef DIRECTIONAL_H
#define DIRECTIONAL_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel.h"

enum {
    DIRECTIONAL_HISTORY = 1,
    DIRECTIONAL_MOVEMENT = 3, /* what a movement, an indicator of one direction and an index carry */
    DIRECTIONAL_INDEX = 4,
    DIRECTIONAL_ADX = 5,
};

/* The sum of the movements; `plus` says which. Lookback max(period-1, 1). */
void directional_movement(bool plus, const double *high, const double *low, struct part part, size_t period,
                          double *state, double *out);

/* 100 times the sum of the movements over that of the true ranges; 0 where these are nothing. With period 1, without the 100.
 * Lookback period. */
void directional_indicator(bool plus, const double *high, const double *low, const double *close,
                           struct part part, size_t period, double *state, double *out);

/* DX: 100 |p - m|/(p + m) of the sums of both movements; what it was at the bar before, at first 0, where nothing moves.
 * Lookback period >= 2. */
void directional_index(const double *high, const double *low, const double *close, struct part part,
                       size_t period, double *state, double *out);

/* Wilder's average of DX, seeded with the sum of the first `period` of them over `period`; a bar where nothing moves adds nothing to
 * the seed and leaves the average as it is. Lookback 2 period - 1. */
void directional_adx(const double *high, const double *low, const double *close, struct part part,
                     size_t period, double *state, double *out);

/* The mean of each two values. */
void directional_mean(const double *now, const double *before, size_t n, double *out);

#endif
