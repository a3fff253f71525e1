/* SPDX-License-Identifier: MPL-2.0 */
/* trend - averages of a moving window that weigh its bars by their age: the regression line at any of its points, its slope, the
 * weighted and the triangular average, the plain sum.
 *
 * Of a window of `period` values y_0 .. y_{period-1} with the mean m, every linear weighting is
 *
 *     level m + tilt D      D = sum of (k - (period-1)/2) y_k
 *
 * (the slope of the regression line is 12 D/(period (period^2 - 1)), and the line passes through m in the middle).
 *
 * The sums are those of blocks.h, with its history. Each writes the bars of the part whose number is at least period-1. */
#ifndef TREND_H
#define TREND_H

#include "blocks.h"

struct trend {
    size_t period;
    double level; /* 0 or 1 */
    double tilt;
};

enum { TREND_SUMS = 2 }; /* for blocks_scratch() */

/* Weights 1, 2, .. period, the newest bar the most. */
struct trend trend_weighted(size_t period);

/* The regression line, `ahead` bars after the newest; its slope. period >= 2. */
struct trend trend_line(size_t period, double ahead);
struct trend trend_slope(size_t period);

void trend_part(const double *x, struct part part, const struct trend *trend, double *scratch, double *out);

/* Sum of the window. scratch: blocks_scratch(1, period) */
void trend_sum_part(const double *x, struct part part, size_t period, double *scratch, double *out);

/* Triangular average: weights 1, 2, .., 2, 1, two equal ones in the middle when the period is even; that is the mean of
 * period/2 + 1 or (period + 1)/2 means of as many bars as make up the rest. */
size_t trend_triangle_history(size_t period);
size_t trend_triangle_scratch(size_t period); /* and one for each bar of the part */
void trend_triangle_part(const double *x, struct part part, size_t period, double *scratch, double *out);

#endif
