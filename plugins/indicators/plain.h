/* SPDX-License-Identifier: MPL-2.0 */
/* plain - every kernel again, straight from its definition: slow, wide, and easy to read.
 *
 * What the kernels are compared with in the tests; nothing else calls it. Each value is computed from the bars it is defined on,
 * in long double. Signatures and written ranges are those of the kernels. */
#ifndef PLAIN_H
#define PLAIN_H

#include <stddef.h>

void plain_mean(const double *x, size_t n, size_t period, double *out);
void plain_moments(const double *x, size_t n, size_t period, double *out_mean, double *out_variance);
void plain_moving_vwap(const double *high, const double *low, const double *close, const double *volume,
                       size_t n, size_t period, double *out);
void plain_ema(const double *x, size_t n, size_t period, double *out);
void plain_macd(const double *x, size_t n, size_t fast, size_t slow, size_t signal, double *out_macd,
                double *out_signal, double *out_histogram);
void plain_rsi(const double *x, size_t n, size_t period, double *out);
void plain_atr(const double *high, const double *low, const double *close, size_t n, size_t period,
               double *out);
void plain_obv(const double *close, const double *volume, size_t n, double *out);
void plain_vwap(const double *high, const double *low, const double *close, const double *volume, size_t n,
                double *out);
void plain_cvd_trades(const double *prices, const double *volumes, const double *sides, size_t n, double *out,
                      double *ret_bought, double *ret_sold);
void plain_cvd_bars(const double *volume, const double *taker_bought, size_t n, double *out,
                    double *ret_bought, double *ret_sold);

#endif
