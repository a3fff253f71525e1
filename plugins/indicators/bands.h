/* SPDX-License-Identifier: MPL-2.0 */
/* bands - Bollinger bands: a middle, and lines some standard deviations above and below it. */
#ifndef BANDS_H
#define BANDS_H

#include <stdbool.h>
#include <stddef.h>

/* The deviation is the population standard deviation of the last `period` values around their mean. own_middle: the middle is
 * that mean, and is written; otherwise `middle` holds it already. scratch: room for 2 period doubles, aligned to 16 bytes.
 * Writes period-1 .. n-1; n >= period >= 1. */
void bands(const double *x, size_t n, size_t period, double up, double down, bool own_middle, double *scratch,
           double *upper, double *middle, double *lower);

#endif
