/* SPDX-License-Identifier: MPL-2.0 */
/* bands - Bollinger bands: a middle, and lines some standard deviations above and below it. */
#ifndef BANDS_H
#define BANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel.h"

/* The deviation is the population standard deviation of the last `period` values around their mean. own_middle: the middle is
 * that mean, and is written; otherwise `middle` holds it already. scratch: moving_moments_scratch() doubles.
 * Reads moving_history() bars before the part. Writes from bar number period-1 on; period >= 1. */
void bands_part(const double *x, struct part part, size_t period, double up, double down, bool own_middle,
                double *scratch, double *upper, double *middle, double *lower);

/* Of a whole series of n bars. */
static inline void bands(const double *x, size_t n, size_t period, double up, double down, bool own_middle,
                         double *scratch, double *upper, double *middle, double *lower)
{
    bands_part(x, part_whole(n), period, up, down, own_middle, scratch, upper, middle, lower);
}

#endif
