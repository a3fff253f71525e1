/* SPDX-License-Identifier: MPL-2.0 */
#include "smooth.h"

#include <math.h>

#include "kernel.h"

/* TA-Lib's measure of nothing. */
static const double nothing = 1e-14;

struct rate {
    double keep, take;
};

/* Of a weight of the new value in (0, 1]. One of the two differences is exact whatever the weight, hence keep + take == 1. */
ALWAYS_INLINE struct rate rate_of(double weight)
{
    struct rate rate = {.keep = 1.0 - weight};
    rate.take = 1.0 - rate.keep;
    return rate;
}

ALWAYS_INLINE struct rate rate_ema(size_t period)
{
    return rate_of(2.0 / ((double) period + 1.0));
}

ALWAYS_INLINE struct rate rate_wilder(size_t period)
{
    return rate_of(1.0 / (double) period);
}

ALWAYS_INLINE double step(struct rate rate, double y, double x)
{
    return mul_add(rate.keep, y, rate.take * x);
}

/* Mean of n values, exact when they are equal. */
ALWAYS_INLINE double seed_of(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 1; i < n; i++) {
        sum += x[i] - x[0];
    }
    return x[0] + sum / (double) n;
}

KERNEL void smooth_ema(const double *restrict x, size_t n, size_t period, double *restrict out)
{
    struct rate rate = rate_ema(period);
    double y = seed_of(x, period);
    out[period - 1] = y;
    for (size_t i = period; i < n; i++) {
        y = step(rate, y, x[i]);
        out[i] = y;
    }
}

KERNEL void smooth_macd(const double *restrict x, size_t n, size_t fast, size_t slow, size_t signal,
                        double *restrict macd, double *restrict trigger, double *restrict histogram)
{
    struct rate fast_rate = rate_ema(fast), slow_rate = rate_ema(slow), rate = rate_ema(signal);
    size_t first = slow - 1, last_seed = first + signal - 1;
    double quick = seed_of(x + slow - fast, fast), calm = seed_of(x, slow);
    macd[first] = quick - calm;
    for (size_t i = first + 1; i <= last_seed; i++) {
        quick = step(fast_rate, quick, x[i]);
        calm = step(slow_rate, calm, x[i]);
        macd[i] = quick - calm;
    }
    double y = seed_of(macd + first, signal);
    trigger[last_seed] = y;
    histogram[last_seed] = macd[last_seed] - y;
    for (size_t i = last_seed + 1; i < n; i++) {
        quick = step(fast_rate, quick, x[i]);
        calm = step(slow_rate, calm, x[i]);
        double difference = quick - calm;
        y = step(rate, y, difference);
        macd[i] = difference;
        trigger[i] = y;
        histogram[i] = difference - y;
    }
}

/* Averages the gains and the moves (gains plus losses): rounding keeps order, a gain is at most its move, so the quotient
 * never leaves 0..100. */
KERNEL void smooth_rsi(const double *restrict x, size_t n, size_t period, double *restrict out)
{
    struct rate rate = rate_wilder(period);
    double gains = 0.0, moves = 0.0;
    for (size_t i = 1; i <= period; i++) {
        double change = x[i] - x[i - 1];
        gains += change > 0.0 ? change : 0.0;
        moves += fabs(change);
    }
    gains /= (double) period;
    moves /= (double) period;
    out[period] = moves < nothing ? 0.0 : 100.0 * (gains / moves);

    double gain[KERNEL_CHUNK], move[KERNEL_CHUNK];
    for (size_t from = period + 1; from < n; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, n - from);
        const double *now = x + from, *before = now - 1;
        for (size_t i = 0; i < length; i++) {
            double change = now[i] - before[i];
            gain[i] = rate.take * (change > 0.0 ? change : 0.0);
            move[i] = rate.take * fabs(change);
        }
        for (size_t i = 0; i < length; i++) {
            gains = mul_add(rate.keep, gains, gain[i]);
            moves = mul_add(rate.keep, moves, move[i]);
            gain[i] = gains;
            move[i] = moves;
        }
        for (size_t i = 0; i < length; i++) {
            out[from + i] = move[i] < nothing ? 0.0 : 100.0 * (gain[i] / move[i]);
        }
    }
}

/* Bars from .. to-1; from >= 1. */
ALWAYS_INLINE void true_ranges(const double *restrict high, const double *restrict low,
                               const double *restrict close, size_t from, size_t to, double *restrict out)
{
    for (size_t i = from; i < to; i++) {
        double range = high[i] - low[i];
        double up = fabs(high[i] - close[i - 1]), down = fabs(low[i] - close[i - 1]);
        double gap = up > down ? up : down;
        out[i] = range > gap ? range : gap;
    }
}

KERNEL void smooth_atr(const double *restrict high, const double *restrict low, const double *restrict close,
                       size_t n, size_t period, double *restrict out)
{
    struct rate rate = rate_wilder(period);
    true_ranges(high, low, close, 1, period + 1, out);
    double y = seed_of(out + 1, period);
    out[period] = y;
    for (size_t from = period + 1; from < n; from += KERNEL_CHUNK) {
        size_t to = from + least(KERNEL_CHUNK, n - from);
        true_ranges(high, low, close, from, to, out);
        for (size_t i = from; i < to; i++) {
            y = step(rate, y, out[i]);
            out[i] = y;
        }
    }
}
