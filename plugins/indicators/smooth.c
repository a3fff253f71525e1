/* SPDX-License-Identifier: MPL-2.0 */
#include "smooth.h"

#include <math.h>

#include "rate.h"
#include "kernel.h"

/* Takes the values of the seed, bars first .. first + period-1, that lie in the part. True when the last one was
 * among them: the average is then that of the bar at *ret_next - 1. */
ALWAYS_INLINE bool seed(const double *x, struct part part, uint64_t first, size_t period, double *state,
                        size_t *ret_next)
{
    size_t i = part_index(part, first), end = part_index(part, first + period);
    double base = state[Y], sum = state[SUM];
    *ret_next = end;
    if (i == end) {
        return false;
    }
    if (part.origin + i == first) {
        base = x[i++];
        sum = 0.0;
    }
    for (; i < end; i++) {
        sum += x[i] - base;
    }
    bool complete = part.origin + end == first + period;
    state[Y] = complete ? base + sum / (double) period : base;
    state[SUM] = sum;
    return complete;
}

ALWAYS_INLINE void average(const double *restrict x, struct part part, uint64_t first, size_t period,
                           struct rate rate, double *restrict state, double *restrict out)
{
    size_t next;
    if (seed(x, part, first, period, state, &next)) {
        out[next - 1] = state[Y];
    }
    double y = state[Y];
    for (size_t i = next; i < part.end; i++) {
        y = step(rate, y, x[i]);
        out[i] = y;
    }
    state[Y] = y;
}

KERNEL void smooth_ema_part(const double *restrict x, struct part part, uint64_t first, size_t period,
                            double *restrict state, double *restrict out)
{
    average(x, part, first, period, rate_ema(period), state, out);
}

KERNEL void smooth_wilder_part(const double *restrict x, struct part part, uint64_t first, size_t period,
                               double *restrict state, double *restrict out)
{
    average(x, part, first, period, rate_wilder(period), state, out);
}

ALWAYS_INLINE void convergence(const double *restrict x, struct part part, size_t fast, size_t slow,
                               size_t signal, struct rate fast_rate, struct rate slow_rate,
                               double *restrict state, double *restrict macd, double *restrict trigger,
                               double *restrict histogram)
{
    struct rate rate = rate_ema(signal);
    double *of_fast = state, *of_slow = of_fast + SMOOTH_AVERAGE, *of_signal = of_slow + SMOOTH_AVERAGE;
    size_t next, first = slow - 1, last_seed = first + signal - 1;
    bool starts = seed(x, part, slow - fast, fast, of_fast, &next);
    seed(x, part, 0, slow, of_slow, &next);
    double quick = of_fast[Y], calm = of_slow[Y];
    size_t i = starts ? next - 1 : next, seeded = part_index(part, (uint64_t) last_seed + 1);
    for (; i < seeded; i++) {
        bool is_first = part.origin + i == first, is_last = part.origin + i == last_seed;
        if (!is_first) {
            quick = step(fast_rate, quick, x[i]);
            calm = step(slow_rate, calm, x[i]);
        }
        macd[i] = quick - calm;
        seed_with(macd[i], is_first, is_last, signal, of_signal);
        trigger[i] = of_signal[Y];
        histogram[i] = macd[i] - of_signal[Y];
    }
    double y = of_signal[Y];
    for (; i < part.end; i++) {
        quick = step(fast_rate, quick, x[i]);
        calm = step(slow_rate, calm, x[i]);
        double difference = quick - calm;
        y = step(rate, y, difference);
        macd[i] = difference;
        trigger[i] = y;
        histogram[i] = difference - y;
    }
    of_fast[Y] = quick;
    of_slow[Y] = calm;
    of_signal[Y] = y;
}

KERNEL void smooth_macd_part(const double *restrict x, struct part part, size_t fast, size_t slow,
                             size_t signal, double *restrict state, double *restrict macd,
                             double *restrict trigger, double *restrict histogram)
{
    convergence(x, part, fast, slow, signal, rate_ema(fast), rate_ema(slow), state, macd, trigger, histogram);
}

KERNEL void smooth_macdfix_part(const double *restrict x, struct part part, size_t signal,
                                double *restrict state, double *restrict macd, double *restrict trigger,
                                double *restrict histogram)
{
    convergence(x, part, SMOOTH_MACDFIX_FAST, SMOOTH_MACDFIX_SLOW, signal, rate_of(0.15), rate_of(0.075),
                state, macd, trigger, histogram);
}

/* ---- rsi ------------------------------------------------------------------------------------- */

ALWAYS_INLINE double strength(double gains, double moves)
{
    return moves < nothing ? 0.0 : 100.0 * (gains / moves);
}

/* Averages the gains and the moves (gains plus losses): rounding keeps order, a gain is at most its move, so the quotient
 * never leaves 0..100. The state is their sums, until there are `period` of them, then their averages. */
KERNEL void smooth_rsi_part(const double *restrict x, struct part part, size_t period, double *restrict state,
                            double *restrict out)
{
    struct rate rate = rate_wilder(period);
    double gains = state[0], moves = state[1];
    size_t first = part_index(part, 1), seeded = part_index(part, (uint64_t) period + 1);
    for (size_t i = first; i < seeded; i++) {
        double change = x[i] - x[i - 1];
        gains += change > 0.0 ? change : 0.0;
        moves += fabs(change);
    }
    if (first < seeded && part.origin + seeded == (uint64_t) period + 1) {
        gains /= (double) period;
        moves /= (double) period;
        out[seeded - 1] = strength(gains, moves);
    }
    double gain[KERNEL_CHUNK], move[KERNEL_CHUNK];
    for (size_t from = seeded; from < part.end; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, part.end - from);
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
            out[from + i] = strength(gain[i], move[i]);
        }
    }
    state[0] = gains;
    state[1] = moves;
}

/* ---- atr ------------------------------------------------------------------------------------- */

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

KERNEL void smooth_true_range(const double *restrict high, const double *restrict low,
                              const double *restrict close, size_t begin, size_t end, double *restrict out)
{
    true_ranges(high, low, close, begin, end, out);
}

KERNEL void smooth_atr_part(const double *restrict high, const double *restrict low,
                            const double *restrict close, struct part part, size_t period,
                            double *restrict state, double *restrict out)
{
    struct rate rate = rate_wilder(period);
    size_t seeded = part_index(part, (uint64_t) period + 1);
    true_ranges(high, low, close, part_index(part, 1), seeded, out);
    if (seed(out, part, 1, period, state, &seeded)) {
        out[seeded - 1] = state[Y];
    }
    double y = state[Y];
    for (size_t from = seeded; from < part.end; from += KERNEL_CHUNK) {
        size_t to = from + least(KERNEL_CHUNK, part.end - from);
        true_ranges(high, low, close, from, to, out);
        for (size_t i = from; i < to; i++) {
            y = step(rate, y, out[i]);
            out[i] = y;
        }
    }
    state[Y] = y;
}
