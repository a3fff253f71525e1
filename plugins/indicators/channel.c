/* SPDX-License-Identifier: MPL-2.0 */
#include "channel.h"

#include <math.h>
#include <stdbool.h>

#include "kernel.h"

/* Bars of a window taken in one pass over the windows: sums are then stored a quarter as often. */
enum { AT_ONCE = 4 };

size_t channel_scratch(size_t period)
{
    return period - 1 + 3 * KERNEL_CHUNK;
}

ALWAYS_INLINE double away(double x, double centre, bool absolute)
{
    double d = x - centre;
    return absolute ? fabs(d) : d;
}

/* sum[i] = sum of x[i + j] - centre[i], or of its absolute value, over the `period` bars j. */
ALWAYS_INLINE void deviations(const double *restrict x, const double *restrict centre, size_t n,
                              size_t period, bool absolute, double *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] = 0.0;
    }
    size_t j = 0;
    for (; j + AT_ONCE <= period; j += AT_ONCE) {
        const double *w = x + j;
        for (size_t i = 0; i < n; i++) {
            sum[i] += (away(w[i], centre[i], absolute) + away(w[i + 1], centre[i], absolute)) +
                      (away(w[i + 2], centre[i], absolute) + away(w[i + 3], centre[i], absolute));
        }
    }
    for (; j < period; j++) {
        const double *w = x + j;
        for (size_t i = 0; i < n; i++) {
            sum[i] += away(w[i], centre[i], absolute);
        }
    }
}

KERNEL void channel_index(const double *restrict high, const double *restrict low,
                          const double *restrict close, size_t begin, size_t end, size_t period,
                          double *restrict scratch, double *restrict out)
{
    double *sum = scratch, *mean = scratch + KERNEL_CHUNK, *price = scratch + 2 * (size_t) KERNEL_CHUNK;
    double part = 1.0 / (double) period;
    for (size_t from = begin; from < end; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, end - from), window = from - (period - 1);
        for (size_t i = 0; i < length + period - 1; i++) {
            price[i] = (high[window + i] + low[window + i] + close[window + i]) / 3.0;
        }
        const double *last = price + (period - 1);
        deviations(price, last, length, period - 1, false, sum); /* the last one deviates by 0 */
        for (size_t i = 0; i < length; i++) {
            mean[i] = last[i] + sum[i] * part;
        }
        deviations(price, mean, length, period, true, sum);
        for (size_t i = 0; i < length; i++) {
            double d = last[i] - mean[i], unit = 0.015 * (sum[i] * part), index = d / unit;
            out[from + i] = d == 0.0 || unit == 0.0 ? 0.0 : index;
        }
    }
}
