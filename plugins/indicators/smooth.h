/* SPDX-License-Identifier: MPL-2.0 */
/* smooth - exponential averages and the indicators made of them: EMA, MACD, RSI, ATR.
 *
 * An average keeps `keep` of itself and takes `take` of the new value: y = keep y + take x, the second product and the sum in one
 * rounding. keep + take is exactly 1, so the average of a constant series is that constant for ever.
 *
 * An average carries two doubles, all zero before its first bar: y and, until it is seeded, the sum of the deviations
 * of its seed's values from the first of them, which is in y until then. So a seed of many bars needs no history.
 *
 * Each writes from its lookback on. What stands before it in the outputs is undefined. */
#ifndef SMOOTH_H
#define SMOOTH_H

#include <stddef.h>

#include "kernel.h"

/* Doubles that each carries, and bars before the part that it reads. */
enum {
    SMOOTH_AVERAGE = 2, /* of any average */
    SMOOTH_MACD = 3 * SMOOTH_AVERAGE,
    SMOOTH_RSI = 2,
    SMOOTH_RSI_HISTORY = 1,
    SMOOTH_ATR = SMOOTH_AVERAGE,
    SMOOTH_ATR_HISTORY = 1,
};

/* Exponential average of the values from bar number `first` on, seeded with the mean of the first `period` of
 * them; the first value is at bar first + period-1. Earlier values are not read. */
void smooth_ema_part(const double *x, struct part part, uint64_t first, size_t period, double *state,
                     double *out);

/* The same with Wilder's weight 1/period. */
void smooth_wilder_part(const double *x, struct part part, uint64_t first, size_t period, double *state,
                        double *out);

/* fast <= slow. Both averages start at bar slow-1, the fast one seeded with the mean of the `fast` values that end
 * there; the signal is seeded with the mean of the first `signal` differences. Lookback slow-1 + signal-1. */
void smooth_macd_part(const double *x, struct part part, size_t fast, size_t slow, size_t signal,
                      double *state, double *out_macd, double *out_signal, double *out_histogram);

/* The same of the periods 12 and 26, but with the weights 0.15 and 0.075, as TA-Lib's MACDFIX has it. */
enum { SMOOTH_MACDFIX_FAST = 12, SMOOTH_MACDFIX_SLOW = 26 };
void smooth_macdfix_part(const double *x, struct part part, size_t signal, double *state, double *out_macd,
                         double *out_signal, double *out_histogram);

/* 100 G/(G+L) of Wilder's averages of gains and losses; 0 where G+L < 1e-14. Lookback period. */
void smooth_rsi_part(const double *x, struct part part, size_t period, double *state, double *out);

/* Wilder's average of the true range. Lookback period. */
void smooth_atr_part(const double *high, const double *low, const double *close, struct part part,
                     size_t period, double *state, double *out);

/* The true range of the bars begin .. end-1; the bar before `begin` is read. */
void smooth_true_range(const double *high, const double *low, const double *close, size_t begin, size_t end,
                       double *out);

/* ---- whole series of n bars -------------------------------------------------------------------- */

static inline void smooth_ema(const double *x, size_t n, size_t period, double *out)
{
    double state[SMOOTH_AVERAGE] = {0.0};
    smooth_ema_part(x, part_whole(n), 0, period, state, out);
}

static inline void smooth_macd(const double *x, size_t n, size_t fast, size_t slow, size_t signal,
                               double *out_macd, double *out_signal, double *out_histogram)
{
    double state[SMOOTH_MACD] = {0.0};
    smooth_macd_part(x, part_whole(n), fast, slow, signal, state, out_macd, out_signal, out_histogram);
}

static inline void smooth_rsi(const double *x, size_t n, size_t period, double *out)
{
    double state[SMOOTH_RSI] = {0.0};
    smooth_rsi_part(x, part_whole(n), period, state, out);
}

static inline void smooth_atr(const double *high, const double *low, const double *close, size_t n,
                              size_t period, double *out)
{
    double state[SMOOTH_ATR] = {0.0};
    smooth_atr_part(high, low, close, part_whole(n), period, state, out);
}

#endif
