/* SPDX-License-Identifier: MPL-2.0 */
#include "directional.h"

#include <math.h>

#include "rate.h"
#include "kernel.h"

enum { PLUS, MINUS, RANGE, HELD, ADX };

/* Some bars' movements and ranges, then their sums. */
struct moves {
    double plus[KERNEL_CHUNK], minus[KERNEL_CHUNK], range[KERNEL_CHUNK];
};

/* high[0] and low[0] are of the first bar; the bars before are read. */
ALWAYS_INLINE void movements(const double *restrict high, const double *restrict low, size_t length,
                             struct moves *restrict m)
{
    const double *high_before = high - 1, *low_before = low - 1;
    for (size_t i = 0; i < length; i++) {
        double up = high[i] - high_before[i], down = low_before[i] - low[i];
        double rise = up > 0.0 ? up : 0.0, fall = down > 0.0 ? down : 0.0;
        m->plus[i] = up > down ? rise : 0.0;
        m->minus[i] = down > up ? fall : 0.0;
    }
}

ALWAYS_INLINE void ranges(const double *restrict high, const double *restrict low,
                          const double *restrict close, size_t length, struct moves *restrict m)
{
    const double *close_before = close - 1;
    for (size_t i = 0; i < length; i++) {
        double range = high[i] - low[i];
        double up = fabs(high[i] - close_before[i]), down = fabs(low[i] - close_before[i]);
        double gap = up > down ? up : down;
        m->range[i] = range > gap ? range : gap;
    }
}

/* The sums wait for nothing but themselves, so all three take no longer than one. */
ALWAYS_INLINE void sums(struct moves *restrict m, size_t length, double keep, double *restrict state)
{
    double plus = state[PLUS], minus = state[MINUS], range = state[RANGE];
    for (size_t i = 0; i < length; i++) {
        plus = mul_add(keep, plus, m->plus[i]);
        minus = mul_add(keep, minus, m->minus[i]);
        range = mul_add(keep, range, m->range[i]);
        m->plus[i] = plus;
        m->minus[i] = minus;
        m->range[i] = range;
    }
    state[PLUS] = plus;
    state[MINUS] = minus;
    state[RANGE] = range;
}

/* Bars of one chunk: from `from` on, up to the chunk's length, the part's end or the end of the first sums, which keep
 * everything. */
ALWAYS_INLINE size_t chunk(struct part part, size_t from, size_t period, double *ret_keep)
{
    size_t first_sums = part_index(part, period);
    *ret_keep = from < first_sums ? 1.0 : 1.0 - 1.0 / (double) period;
    return least(KERNEL_CHUNK, (from < first_sums ? first_sums : part.end) - from);
}

KERNEL void directional_movement(bool plus, const double *restrict high, const double *restrict low,
                                 struct part part, size_t period, double *restrict state,
                                 double *restrict out)
{
    struct moves m;
    double keep, sum = state[PLUS];
    for (size_t length, from = part_index(part, 1); from < part.end; from += length) {
        length = chunk(part, from, period, &keep);
        movements(high + from, low + from, length, &m);
        const double *move = plus ? m.plus : m.minus;
        for (size_t i = 0; i < length; i++) {
            sum = mul_add(keep, sum, move[i]);
            out[from + i] = sum;
        }
    }
    state[PLUS] = sum;
}

KERNEL void directional_indicator(bool plus, const double *restrict high, const double *restrict low,
                                  const double *restrict close, struct part part, size_t period,
                                  double *restrict state, double *restrict out)
{
    struct moves m;
    double keep, scale = period == 1 ? 1.0 : 100.0;
    for (size_t length, from = part_index(part, 1); from < part.end; from += length) {
        length = chunk(part, from, period, &keep);
        movements(high + from, low + from, length, &m);
        ranges(high + from, low + from, close + from, length, &m);
        sums(&m, length, keep, state);
        const double *move = plus ? m.plus : m.minus;
        for (size_t i = 0; i < length; i++) {
            out[from + i] = m.range[i] < nothing ? 0.0 : scale * (move[i] / m.range[i]);
        }
    }
}

/* DX of each bar, in plus; NaN where nothing moves: where the ranges are nothing, or both indicators together are. */
ALWAYS_INLINE void indices(struct moves *restrict m, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        double both = m->plus[i] + m->minus[i], apart = fabs(m->plus[i] - m->minus[i]);
        bool still = m->range[i] < nothing || 100.0 * both < nothing * m->range[i];
        m->plus[i] = still ? (double) NAN : 100.0 * (apart / both);
    }
}

/* The next chunk's DX. */
ALWAYS_INLINE void next_indices(const double *restrict high, const double *restrict low,
                                const double *restrict close, size_t from, size_t length, double keep,
                                double *restrict state, struct moves *restrict m)
{
    movements(high + from, low + from, length, m);
    ranges(high + from, low + from, close + from, length, m);
    sums(m, length, keep, state);
    indices(m, length);
}

KERNEL void directional_index(const double *restrict high, const double *restrict low,
                              const double *restrict close, struct part part, size_t period,
                              double *restrict state, double *restrict out)
{
    struct moves m;
    double keep, held = state[HELD];
    for (size_t length, from = part_index(part, 1); from < part.end; from += length) {
        length = chunk(part, from, period, &keep);
        next_indices(high, low, close, from, length, keep, state, &m);
        if (keep == 1.0) {
            continue; /* no sum is complete, hence none is held */
        }
        for (size_t i = 0; i < length; i++) {
            held = isnan(m.plus[i]) ? held : m.plus[i];
            out[from + i] = held;
        }
    }
    state[HELD] = held;
}

KERNEL void directional_adx(const double *restrict high, const double *restrict low,
                            const double *restrict close, struct part part, size_t period,
                            double *restrict state, double *restrict out)
{
    struct moves m;
    struct rate rate = rate_wilder(period);
    double keep, y = state[ADX];
    size_t seeds = part_index(part, period), seeded = part_index(part, 2 * (uint64_t) period);
    for (size_t length, from = part_index(part, 1); from < part.end; from += length) {
        length = chunk(part, from, period, &keep);
        next_indices(high, low, close, from, length, keep, state, &m);
        size_t i = 0;
        if (from < seeds) {
            continue;
        }
        for (; i < length && from + i < seeded; i++) {
            y += isnan(m.plus[i]) ? 0.0 : m.plus[i];
            if (part.origin + from + i == 2 * (uint64_t) period - 1) {
                y /= (double) period;
                out[from + i] = y;
            }
        }
        /* Without a branch: a bar that adds nothing keeps all. */
        for (size_t j = i; j < length; j++) {
            bool still = isnan(m.plus[j]);
            m.minus[j] = still ? 1.0 : rate.keep;
            m.plus[j] = still ? 0.0 : rate.take * m.plus[j];
        }
        for (; i < length; i++) {
            y = mul_add(m.minus[i], y, m.plus[i]);
            out[from + i] = y;
        }
    }
    state[ADX] = y;
}

KERNEL void directional_mean(const double *now, const double *before, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0.5 * (now[i] + before[i]);
    }
}
