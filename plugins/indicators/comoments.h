/* SPDX-License-Identifier: MPL-2.0 */
/* comoments - how two series move together over a moving window: correlation and slope.
 *
 * The sums are those of blocks.h, with its history; scratch: blocks_scratch(COMOMENTS_SUMS, period). Each writes the bars of
 * the part whose number is at least period-1. */
#ifndef COMOMENTS_H
#define COMOMENTS_H

#include "blocks.h"

enum { COMOMENTS_SUMS = 5 };

/* Pearson's correlation coefficient, in -1..1; 0 where one of the two does not vary. */
void comoments_correlation_part(const double *x, const double *y, struct part part, size_t period,
                                double *scratch, double *out);

/* Slope of the regression of y on x; 0 where the sum of squares of x around its mean is below least. */
void comoments_slope_part(const double *x, const double *y, struct part part, size_t period, double least,
                          double *scratch, double *out);

/* (x_i - x_{i-1}) / x_{i-1}, 0 where |x_{i-1}| < 1e-14; bars begin .. end-1, begin >= 1; out[0] is that of bar `begin`. */
void comoments_returns(const double *x, size_t begin, size_t end, double *out);

#endif
