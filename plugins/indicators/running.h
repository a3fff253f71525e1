/* SPDX-License-Identifier: MPL-2.0 */
/* running - sums that run from the first bar to the last: OBV, cumulative VWAP, cumulative volume delta.
 *
 * The state is the sums, all zero before the first bar. All have lookback 0. */
#ifndef RUNNING_H
#define RUNNING_H

#include <stddef.h>

#include "kernel.h"

/* Doubles that each carries, and bars before the part that it reads. */
enum { RUNNING_OBV = 2, RUNNING_OBV_HISTORY = 1, RUNNING_VWAP = 2 };

/* Starts at volume[0]; adds the volume of bars that close higher, takes that of bars that close lower. */
void running_obv_part(const double *close, const double *volume, struct part part, double *state,
                      double *out);

/* Sum of price x volume over sum of volume, price = (high + low + close)/3; NaN until there is volume. */
void running_vwap_part(const double *high, const double *low, const double *close, const double *volume,
                       struct part part, double *state, double *out);

/* Cumulative volume delta of trades, and what was bought and sold in all. sides > 0 buys, < 0 sells, 0 is not counted;
 * NULL: the side is the sign of the change of price, which the first trade has not. prices may be NULL when sides is not. */
void running_cvd_trades(const double *prices, const double *volumes, const double *sides, size_t n,
                        double *out, double *ret_bought, double *ret_sold);

/* The same of bars with the part of the volume that takers bought; they sold the rest. */
void running_cvd_bars(const double *volume, const double *taker_bought, size_t n, double *out,
                      double *ret_bought, double *ret_sold);

/* ---- whole series of n bars -------------------------------------------------------------------- */

static inline void running_obv(const double *close, const double *volume, size_t n, double *out)
{
    double state[RUNNING_OBV] = {0.0};
    running_obv_part(close, volume, part_whole(n), state, out);
}

static inline void running_vwap(const double *high, const double *low, const double *close,
                                const double *volume, size_t n, double *out)
{
    double state[RUNNING_VWAP] = {0.0};
    running_vwap_part(high, low, close, volume, part_whole(n), state, out);
}

#endif
