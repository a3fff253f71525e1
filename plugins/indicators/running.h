/* SPDX-License-Identifier: MPL-2.0 */
/* running - sums that run from the first bar to the last: OBV, cumulative VWAP, cumulative volume delta.
 *
 * To stream: keep the sums, and the last price where changes are taken. All need n >= 1 and have lookback 0. */
#ifndef RUNNING_H
#define RUNNING_H

#include <stddef.h>

/* Starts at volume[0]; adds the volume of bars that close higher, takes that of bars that close lower. */
void running_obv(const double *close, const double *volume, size_t n, double *out);

/* Sum of price x volume over sum of volume, price = (high + low + close)/3; NaN until there is volume. */
void running_vwap(const double *high, const double *low, const double *close, const double *volume, size_t n,
                  double *out);

/* Cumulative volume delta of trades, and what was bought and sold in all. sides > 0 buys, < 0 sells, 0 is not counted;
 * NULL: the side is the sign of the change of price, which the first trade has not. prices may be NULL when sides is not. */
void running_cvd_trades(const double *prices, const double *volumes, const double *sides, size_t n,
                        double *out, double *ret_bought, double *ret_sold);

/* The same of bars with the part of the volume that takers bought; they sold the rest. */
void running_cvd_bars(const double *volume, const double *taker_bought, size_t n, double *out,
                      double *ret_bought, double *ret_sold);

#endif
