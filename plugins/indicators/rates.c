/* SPDX-License-Identifier: MPL-2.0 */
#include "rates.h"

#include <math.h>

#include "rate.h"
#include "kernel.h"

KERNEL void rates_difference(const double *restrict x, size_t begin, size_t end, size_t period,
                             double *restrict out)
{
    const double *now = x + begin, *past = now - period;
    for (size_t i = 0; i < end - begin; i++) {
        out[begin + i] = now[i] - past[i];
    }
}

KERNEL void rates_change(const double *restrict x, size_t begin, size_t end, size_t period, double scale,
                         double *restrict out)
{
    const double *now = x + begin, *past = now - period;
    for (size_t i = 0; i < end - begin; i++) {
        double change = scale * ((now[i] - past[i]) / past[i]);
        out[begin + i] = past[i] == 0.0 ? 0.0 : change;
    }
}

KERNEL void rates_ratio(const double *restrict x, size_t begin, size_t end, size_t period, double scale,
                        double *restrict out)
{
    const double *now = x + begin, *past = now - period;
    for (size_t i = 0; i < end - begin; i++) {
        double ratio = scale * (now[i] / past[i]);
        out[begin + i] = past[i] == 0.0 ? 0.0 : ratio;
    }
}

KERNEL void rates_balance(const double *restrict open, const double *restrict high,
                          const double *restrict low, const double *restrict close, size_t begin, size_t end,
                          double *restrict out)
{
    for (size_t i = begin; i < end; i++) {
        double range = high[i] - low[i], balance = (close[i] - open[i]) / range;
        out[i] = range < nothing ? 0.0 : balance;
    }
}

KERNEL void rates_percent(const double *restrict x, size_t begin, size_t end, double *restrict out)
{
    for (size_t i = begin; i < end; i++) {
        double percent = 100.0 * (out[i] / x[i]);
        out[i] = fabs(x[i]) < nothing ? 0.0 : percent;
    }
}

KERNEL void rates_less(const double *restrict y, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] -= y[i];
    }
}

KERNEL void rates_percent_more(const double *restrict y, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double percent = 100.0 * ((out[i] - y[i]) / y[i]);
        out[i] = fabs(y[i]) < nothing ? 0.0 : percent;
    }
}
