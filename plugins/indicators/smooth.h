/* SPDX-License-Identifier: MPL-2.0 */
/* smooth - exponential averages and the indicators made of them: EMA, MACD, RSI, ATR.
 *
 * An average keeps `keep` of itself and takes `take` of the new value: y = keep y + take x, the second product and the sum in one
 * rounding. keep + take is exactly 1, so the average of a constant series is that constant for ever.
 *
 * To stream: keep the y of every average (after it was seeded), and the last bar where changes are taken.
 *
 * Each writes from its lookback on and needs n > lookback. What stands before it in the outputs is undefined. */
#ifndef SMOOTH_H
#define SMOOTH_H

#include <stddef.h>

/* Seeded with the mean of the first `period` values. Lookback period-1. */
void smooth_ema(const double *x, size_t n, size_t period, double *out);

/* fast <= slow. Both averages start at bar slow-1, the fast one seeded with the mean of the `fast` values that end
 * there; the signal is seeded with the mean of the first `signal` differences. Lookback slow-1 + signal-1. */
void smooth_macd(const double *x, size_t n, size_t fast, size_t slow, size_t signal, double *out_macd,
                 double *out_signal, double *out_histogram);

/* 100 G/(G+L) of Wilder's averages of gains and losses; 0 where G+L < 1e-14. Lookback period. */
void smooth_rsi(const double *x, size_t n, size_t period, double *out);

/* Wilder's average of the true range. Lookback period. */
void smooth_atr(const double *high, const double *low, const double *close, size_t n, size_t period,
                double *out);

#endif
