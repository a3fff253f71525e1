/* SPDX-License-Identifier: MPL-2.0 */
#include "running.h"

#include <math.h>

#include "kernel.h"
#include "prefix.h"

ALWAYS_INLINE double with_sign(double volume, double sign)
{
    return sign > 0.0 ? volume : sign < 0.0 ? -volume : 0.0;
}

KERNEL void running_obv_part(const double *restrict close, const double *restrict volume, struct part part,
                             double *restrict state, double *restrict out)
{
    for (size_t length, from = part.begin; from < part.end; from += length) {
        length = least(KERNEL_CHUNK, part.end - from);
        size_t first = from;
        if (part.origin + from == 0) { /* it starts here */
            out[first] = volume[first];
            first++;
        }
        for (size_t i = first; i < from + length; i++) {
            out[i] = with_sign(volume[i], close[i] - close[i - 1]);
        }
        prefix_sums(out + from, length, part.origin + from, state);
    }
}

KERNEL void running_vwap_part(const double *restrict high, const double *restrict low,
                              const double *restrict close, const double *restrict volume, struct part part,
                              double *restrict state, double *restrict out)
{
    double paid = state[0], traded = state[1];
    double sum[KERNEL_CHUNK];
    for (size_t from = part.begin; from < part.end; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, part.end - from);
        for (size_t i = 0; i < length; i++) {
            size_t bar = from + i;
            out[bar] = (high[bar] + low[bar] + close[bar]) * volume[bar];
        }
        for (size_t i = 0; i < length; i++) {
            paid += out[from + i];
            traded += volume[from + i];
            out[from + i] = paid;
            sum[i] = traded;
        }
        for (size_t i = 0; i < length; i++) {
            out[from + i] = sum[i] > 0.0 ? out[from + i] / (3.0 * sum[i]) : (double) NAN;
        }
    }
    state[0] = paid;
    state[1] = traded;
}

/* One chunk: the volume bought and the volume sold at each bar become running sums. */
ALWAYS_INLINE void accumulate(const double *restrict bought, const double *restrict sold, size_t length,
                              double *net, double *all_bought, double *all_sold, double *restrict out)
{
    for (size_t i = 0; i < length; i++) {
        *net += bought[i] - sold[i];
        *all_bought += bought[i];
        *all_sold += sold[i];
        out[i] = *net;
    }
}

KERNEL void running_cvd_trades(const double *restrict prices, const double *restrict volumes,
                               const double *restrict sides, size_t n, double *restrict out,
                               double *ret_bought, double *ret_sold)
{
    double net = 0.0, all_bought = 0.0, all_sold = 0.0;
    double bought[KERNEL_CHUNK], sold[KERNEL_CHUNK];
    for (size_t from = 0; from < n; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, n - from);
        const double *volume = volumes + from;
        if (sides) {
            const double *side = sides + from;
            for (size_t i = 0; i < length; i++) {
                bought[i] = side[i] > 0.0 ? volume[i] : 0.0;
                sold[i] = side[i] < 0.0 ? volume[i] : 0.0;
            }
        } else {
            const double *now = prices + from;
            bought[0] = from > 0 && now[0] > now[-1] ? volume[0] : 0.0;
            sold[0] = from > 0 && now[0] < now[-1] ? volume[0] : 0.0;
            for (size_t i = 1; i < length; i++) {
                bought[i] = now[i] > now[i - 1] ? volume[i] : 0.0;
                sold[i] = now[i] < now[i - 1] ? volume[i] : 0.0;
            }
        }
        accumulate(bought, sold, length, &net, &all_bought, &all_sold, out + from);
    }
    *ret_bought = all_bought;
    *ret_sold = all_sold;
}

KERNEL void running_cvd_bars(const double *restrict volume, const double *restrict taker_bought, size_t n,
                             double *restrict out, double *ret_bought, double *ret_sold)
{
    double net = 0.0, all_bought = 0.0, all_sold = 0.0;
    double sold[KERNEL_CHUNK];
    for (size_t from = 0; from < n; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, n - from);
        for (size_t i = 0; i < length; i++) {
            sold[i] = volume[from + i] - taker_bought[from + i];
        }
        accumulate(taker_bought + from, sold, length, &net, &all_bought, &all_sold, out + from);
    }
    *ret_bought = all_bought;
    *ret_sold = all_sold;
}
