/* SPDX-License-Identifier: MPL-2.0 */
/* extremes - the greatest and the least of a moving window, and where they stand, in time that depends neither on the data nor,
 * beyond its logarithm, on the period.
 *
 * A window is the `period` bars that end at a bar. Each function writes bars begin .. end-1 of `out` and reads x[begin+1-period]
 * .. x[end-1], all of which must be there: begin + 1 >= period >= 1. There are no NaN among them.
 *
 * To stream: nothing is kept but the last bars. The extreme of a window is the same number in whatever order its bars are
 * compared, except that zero has two signs: every zero that comes out is +0. */
#ifndef EXTREMES_H
#define EXTREMES_H

#include <stddef.h>
#include <stdint.h>

void extremes_max(const double *x, size_t begin, size_t end, size_t period, double *out);
void extremes_min(const double *x, size_t begin, size_t end, size_t period, double *out);

/* The number of the bar that has the extreme, the latest on ties; origin is the number of the bar at x[0]. scratch: room for
 * `period` doubles. */
void extremes_max_at(const double *x, size_t begin, size_t end, size_t period, uint64_t origin,
                     double *scratch, double *out);
void extremes_min_at(const double *x, size_t begin, size_t end, size_t period, uint64_t origin,
                     double *scratch, double *out);

/* Bars a caller may best ask for at once when it needs several extremes of the same bars: few enough to stay in the cache, and many
 * enough that the start of a long window costs little. */
size_t extremes_piece(size_t period);

#endif
