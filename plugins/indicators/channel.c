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

ALWAYS_INLINE double deviation(double x, double last, double mean, bool absolute)
{
    double d = (x - last) - mean;
    return absolute ? fabs(d) : d;
}

/* sum[i] = sum over the `period` bars j of x[i + j] - last[i] - mean[i], or of its absolute value. */
ALWAYS_INLINE void deviations(const double *restrict x, const double *restrict last,
                              const double *restrict mean, size_t n, size_t period, bool absolute,
                              double *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] = 0.0;
    }
    size_t j = 0;
    for (; j + AT_ONCE <= period; j += AT_ONCE) {
        const double *w = x + j;
        for (size_t i = 0; i < n; i++) {
            double m = absolute ? mean[i] : 0.0;
            sum[i] += (deviation(w[i], last[i], m, absolute) + deviation(w[i + 1], last[i], m, absolute)) +
                      (deviation(w[i + 2], last[i], m, absolute) + deviation(w[i + 3], last[i], m, absolute));
        }
    }
    for (; j < period; j++) {
        const double *w = x + j;
        for (size_t i = 0; i < n; i++) {
            sum[i] += deviation(w[i], last[i], absolute ? mean[i] : 0.0, absolute);
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
        /* Three times the price, for which the index is the same, and nothing is rounded by the division. */
        for (size_t i = 0; i < length + period - 1; i++) {
            price[i] = high[window + i] + low[window + i] + close[window + i];
        }
        const double *last = price + (period - 1);
        deviations(price, last, mean, length, period - 1, false, sum); /* the last one deviates by 0 */
        for (size_t i = 0; i < length; i++) {
            mean[i] = sum[i] * part;
        }
        deviations(price, last, mean, length, period, true, sum);
        for (size_t i = 0; i < length; i++) {
            double unit = 0.015 * (sum[i] * part), index = -mean[i] / unit;
            out[from + i] = mean[i] == 0.0 || unit == 0.0 ? 0.0 : index;
        }
    }
}
