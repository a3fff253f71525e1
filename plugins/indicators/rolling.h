/* SPDX-License-Identifier: MPL-2.0 */
/* rolling - moving windows over a whole series that are there from the first bar on: bar i looks at its last `period` bars, or at all
 * i + 1 of them where there are not so many. The full windows are those of moving.h and sliding.h. */
#ifndef ROLLING_H
#define ROLLING_H

#include <stddef.h>

#include "analysis.h"

/* Doubles of scratch for any of these. */
size_t rolling_scratch(size_t period);

void rolling_sums(const double *x, size_t n, size_t period, double *scratch, double *out);

/* Mean and population variance; values that are NaN are left out of their windows. Gives NaN for windows of nothing else. Fails only when
 * the job is cancelled, of which it asks only where there are NaN: those windows are gone through one by one. */
int rolling_moments(const double *x, size_t n, size_t period, double *scratch, struct pace *pace,
                    double *mean, double *variance);

/* Where the last value of each window stands among them: -1 it is the least, 1 the greatest, ties in the middle of their ranks; 0 alone. */
int rolling_rank(const double *x, size_t n, size_t period, struct pace *pace, double *out);

#endif
