/* SPDX-License-Identifier: MPL-2.0 */
/* chained - averages of changes and changes of averages: CMO, TRIX.
 *
 * What is carried stands in `state`, all zero before bar 0. What stands before the lookback in the outputs is undefined. */
#ifndef CHAINED_H
#define CHAINED_H

#include <stddef.h>

#include "kernel.h"

enum {
    CHAINED_CMO = 2,
    CHAINED_CMO_HISTORY = 1,
    CHAINED_TRIX = 6,
};

/* 100 (G - L)/(G + L) of Wilder's averages of gains and losses, each seeded with the mean of the first `period`; 0 where
 * G + L is nothing. Lookback period. */
void chained_cmo(const double *x, struct part part, size_t period, double *state, double *out);

/* Change in percent of the exponential average of the average of the average, each seeded with the mean of its first `period` values; 0
 * where the one before is 0. Lookback 3 (period - 1) + 1. */
void chained_trix(const double *x, struct part part, size_t period, double *state, double *out);

#endif
