/* SPDX-License-Identifier: MPL-2.0 */
/* impulse - averages of changes and changes of averages: CMO, TRIX.
 *
 * What is carried stands in `state`, all zero before bar 0. What stands before the lookback in the outputs is undefined. */
#ifndef IMPULSE_H
#define IMPULSE_H

#include <stddef.h>

#include "kernel.h"

enum {
    IMPULSE_CMO = 2,
    IMPULSE_CMO_HISTORY = 1,
    IMPULSE_TRIX = 6,
};

/* 100 (G - L)/(G + L) of Wilder's averages of gains and losses, each seeded with the mean of the first `period`; 0 where
 * G + L is nothing. Lookback period. */
void impulse_cmo(const double *x, struct part part, size_t period, double *state, double *out);

/* Change in percent of the exponential average of the average of the average, each seeded with the mean of its first `period` values; 0
 * where the one before is 0. Lookback 3 (period - 1) + 1. */
void impulse_trix(const double *x, struct part part, size_t period, double *state, double *out);

#endif
