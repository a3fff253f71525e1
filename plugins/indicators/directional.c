/* SPDX-License-Identifier: MPL-2.0 */
#include "directional.h"

#include <math.h>
#include <string.h>

#include "blocks.h"
#include "kernel.h"
#include "rate.h"

enum { PLUS, MINUS, RANGE, HELD, ADX };

/* Bars go through four stages: movements and ranges, in whole vectors; their sums, one bar after the other; the result made of the
 * sums, in vectors; and the average of results, one after the other. While the sums of one step of bars wait for each other the
 * processor has the vectors of the steps before and behind to do, if they stand near enough in the program. */
enum { STEP = 8, LAGS = 3, ROOM = 64 * STEP };

/* What is made of the sums. */
enum goal { MOVEMENT_UP, MOVEMENT_DOWN, INDICATOR_UP, INDICATOR_DOWN, INDEX, AVERAGE };

struct bars {
    const double *high, *low, *close; /* at the first bar; those before are read */
    size_t length;
    double keep, scale;
    struct rate rate;
};

/* Each array becomes its sums; then plus becomes the result, and for the average minus what is kept of it. */
struct moves {
    double plus[ROOM], minus[ROOM], range[ROOM];
};

/* ---- vectors ---------------------------------------------------------------------------------- */

typedef int64_t mask __attribute__((vector_size(sizeof(quad)), aligned(16)));

ALWAYS_INLINE quad load(const double *x)
{
    quad q;
    __builtin_memcpy(&q, x, sizeof(q));
    return q;
}

ALWAYS_INLINE void store(double *x, quad q)
{
    __builtin_memcpy(x, &q, sizeof(q));
}

/* a where the mask is set, 0 or b elsewhere. Macros, since a function cannot be given a mask without a word from GCC. */
#define WHERE(m, a)     ((quad) ((mask) (a) & (m)))
#define CHOOSE(m, a, b) ((quad) (((mask) (a) & (m)) | ((mask) (b) & ~(m))))

ALWAYS_INLINE quad magnitude(quad a)
{
    const mask all_but_sign = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    return (quad) ((mask) a & all_but_sign);
}

ALWAYS_INLINE quad greater(quad a, quad b)
{
    return CHOOSE(a > b, a, b);
}

/* ---- stages ----------------------------------------------------------------------------------- */

ALWAYS_INLINE void take_movements(enum goal goal, const double *high, const double *low, const double *close,
                                  size_t to, struct moves *restrict m)
{
    const quad zero = blocks_quad(0.0);
    for (size_t i = 0; i < STEP; i += BLOCKS_ABREAST) {
        quad h = load(high + i), l = load(low + i);
        quad up = h - load(high + i - 1), down = load(low + i - 1) - l;
        if (goal != MOVEMENT_DOWN && goal != INDICATOR_DOWN) {
            store(m->plus + to + i, WHERE((up > down) & (up > zero), up));
        }
        if (goal != MOVEMENT_UP && goal != INDICATOR_UP) {
            store(m->minus + to + i, WHERE((down > up) & (down > zero), down));
        }
        if (goal != MOVEMENT_UP && goal != MOVEMENT_DOWN) {
            quad before = load(close + i - 1);
            store(m->range + to + i, greater(h - l, greater(magnitude(h - before), magnitude(l - before))));
        }
    }
}

/* The three wait for nothing but themselves, so all of them take no longer than one. */
ALWAYS_INLINE void sum_up(enum goal goal, double keep, size_t from, size_t count, double *restrict state,
                          struct moves *restrict m)
{
    double plus = state[PLUS], minus = state[MINUS], range = state[RANGE];
    for (size_t i = from; i < from + count; i++) {
        if (goal != MOVEMENT_DOWN && goal != INDICATOR_DOWN) {
            m->plus[i] = plus = mul_add(keep, plus, m->plus[i]);
        }
        if (goal != MOVEMENT_UP && goal != INDICATOR_UP) {
            m->minus[i] = minus = mul_add(keep, minus, m->minus[i]);
        }
        if (goal != MOVEMENT_UP && goal != MOVEMENT_DOWN) {
            m->range[i] = range = mul_add(keep, range, m->range[i]);
        }
    }
    state[PLUS] = plus;
    state[MINUS] = minus;
    state[RANGE] = range;
}

/* DX is NaN where nothing moves: where the ranges are nothing, or both indicators together are. For its average, without a branch:
 * a bar that adds nothing keeps all. */
ALWAYS_INLINE void finish(enum goal goal, const struct bars *b, size_t from, struct moves *restrict m)
{
    const quad least_range = blocks_quad(nothing), percent = blocks_quad(100.0);
    for (size_t i = from; i < from + STEP; i += BLOCKS_ABREAST) {
        quad p = load(m->plus + i), q = load(m->minus + i), range = load(m->range + i);
        if (goal == INDICATOR_UP || goal == INDICATOR_DOWN) {
            quad share = blocks_quad(b->scale) * ((goal == INDICATOR_UP ? p : q) / range);
            store(m->plus + i, WHERE(~(range < least_range), share));
            continue;
        }
        quad both = p + q, dx = percent * (magnitude(p - q) / both);
        mask still = (range < least_range) | (percent * both < least_range * range);
        if (goal == INDEX) {
            store(m->plus + i, CHOOSE(still, blocks_quad((double) NAN), dx));
        } else {
            store(m->plus + i, WHERE(~still, blocks_quad(b->rate.take) * dx));
            store(m->minus + i, CHOOSE(still, blocks_quad(1.0), blocks_quad(b->rate.keep)));
        }
    }
}

ALWAYS_INLINE void average(size_t from, size_t count, double *restrict state, struct moves *restrict m)
{
    double y = state[ADX];
    for (size_t i = from; i < from + count; i++) {
        m->plus[i] = y = mul_add(m->minus[i], y, m->plus[i]);
    }
    state[ADX] = y;
}

/* The last bars, that do not make up a step. */
ALWAYS_INLINE void flow_rest(enum goal goal, const struct bars *b, size_t from, double *restrict state,
                             struct moves *restrict m)
{
    double high[1 + STEP] = {0.0}, low[1 + STEP] = {0.0}, close[1 + STEP] = {0.0};
    size_t rest = b->length - from, bytes = (1 + rest) * sizeof(double);
    memcpy(high, b->high + from - 1, bytes);
    memcpy(low, b->low + from - 1, bytes);
    if (b->close) {
        memcpy(close, b->close + from - 1, bytes);
    }
    take_movements(goal, high + 1, low + 1, close + 1, from, m);
    sum_up(goal, b->keep, from, rest, state, m);
    if (goal > MOVEMENT_DOWN) {
        finish(goal, b, from, m);
    }
    if (goal == AVERAGE) {
        average(from, rest, state, m);
    }
}

/* At most ROOM bars. */
ALWAYS_INLINE void flow(enum goal goal, const struct bars *b, double *restrict state,
                        struct moves *restrict m)
{
    size_t whole = b->length / STEP * STEP, whole_and_lags = whole > 0 ? whole + LAGS * STEP : 0;
    double sums[] = {state[PLUS], state[MINUS], state[RANGE], 0.0, goal == AVERAGE ? state[ADX] : 0.0};
    for (size_t at = 0; at < whole_and_lags; at += STEP) {
        if (at < whole) {
            take_movements(goal, b->high + at, b->low + at, b->close + at, at, m);
        }
        if (at - STEP < whole) { /* not before the second step: then this is a huge number */
            sum_up(goal, b->keep, at - STEP, STEP, sums, m);
        }
        if (goal > MOVEMENT_DOWN && at - 2 * STEP < whole) {
            finish(goal, b, at - 2 * STEP, m);
        }
        if (goal == AVERAGE && at - LAGS * STEP < whole) {
            average(at - LAGS * STEP, STEP, sums, m);
        }
    }
    if (whole < b->length) {
        flow_rest(goal, b, whole, sums, m);
    }
    state[PLUS] = sums[PLUS];
    state[MINUS] = sums[MINUS];
    state[RANGE] = sums[RANGE];
    if (goal == AVERAGE) {
        state[ADX] = sums[ADX];
    }
}

/* Bars from index `from` on: at most to ROOM of them, the part's end, and the end of the first sums, which keep everything. */
ALWAYS_INLINE struct bars bars_at(const double *high, const double *low, const double *close,
                                  struct part part, size_t from, size_t period)
{
    size_t first_sums = part_index(part, period), end = from < first_sums ? first_sums : part.end;
    return (struct bars){
        .high = high + from,
        .low = low + from,
        .close = close ? close + from : NULL,
        .length = least(ROOM, end - from),
        .keep = from < first_sums ? 1.0 : 1.0 - 1.0 / (double) period,
        .scale = period == 1 ? 1.0 : 100.0,
        .rate = rate_wilder(period),
    };
}

/* Movements and indicators. */
ALWAYS_INLINE void run(enum goal goal, const double *high, const double *low, const double *close,
                       struct part part, size_t period, double *restrict state, double *restrict out)
{
    struct moves m;
    bool minus = goal == MOVEMENT_DOWN;
    struct bars b;
    for (size_t from = part_index(part, 1); from < part.end; from += b.length) {
        b = bars_at(high, low, close, part, from, period);
        flow(goal, &b, state, &m);
        memcpy(out + from, minus ? m.minus : m.plus, b.length * sizeof(double));
    }
}

KERNEL void directional_movement(bool plus, const double *restrict high, const double *restrict low,
                                 struct part part, size_t period, double *restrict state,
                                 double *restrict out)
{
    if (plus) {
        run(MOVEMENT_UP, high, low, NULL, part, period, state, out);
    } else {
        run(MOVEMENT_DOWN, high, low, NULL, part, period, state, out);
    }
}

KERNEL void directional_indicator(bool plus, const double *restrict high, const double *restrict low,
                                  const double *restrict close, struct part part, size_t period,
                                  double *restrict state, double *restrict out)
{
    if (plus) {
        run(INDICATOR_UP, high, low, close, part, period, state, out);
    } else {
        run(INDICATOR_DOWN, high, low, close, part, period, state, out);
    }
}

/* NaN becomes the value before it. */
ALWAYS_INLINE void hold(double *restrict x, size_t n, double *last)
{
    double held = *last;
    int missing = 0;
    for (size_t i = 0; i < n; i++) {
        missing |= isnan(x[i]);
    }
    for (size_t i = 0; i < n && missing; i++) {
        held = isnan(x[i]) ? held : x[i];
        x[i] = held;
    }
    *last = x[n - 1];
}

KERNEL void directional_index(const double *restrict high, const double *restrict low,
                              const double *restrict close, struct part part, size_t period,
                              double *restrict state, double *restrict out)
{
    struct moves m;
    struct bars b;
    double held = state[HELD];
    for (size_t from = part_index(part, 1); from < part.end; from += b.length) {
        b = bars_at(high, low, close, part, from, period);
        flow(INDEX, &b, state, &m);
        if (b.keep == 1.0) {
            continue; /* no sum is complete, hence none is held */
        }
        hold(m.plus, b.length, &held);
        memcpy(out + from, m.plus, b.length * sizeof(double));
    }
    state[HELD] = held;
}

KERNEL void directional_adx(const double *restrict high, const double *restrict low,
                            const double *restrict close, struct part part, size_t period,
                            double *restrict state, double *restrict out)
{
    struct moves m;
    struct bars b;
    size_t seeds = part_index(part, period), seeded = part_index(part, 2 * (uint64_t) period);
    for (size_t from = part_index(part, 1); from < part.end; from += b.length) {
        b = bars_at(high, low, close, part, from, period);
        if (from >= seeded) {
            flow(AVERAGE, &b, state, &m);
            memcpy(out + from, m.plus, b.length * sizeof(double));
            continue;
        }
        b.length = least(b.length, seeded - from);
        flow(INDEX, &b, state, &m);
        for (size_t i = 0; i < b.length && from >= seeds; i++) {
            state[ADX] += isnan(m.plus[i]) ? 0.0 : m.plus[i];
        }
        if (from >= seeds && part.origin + from + b.length == 2 * (uint64_t) period) {
            state[ADX] /= (double) period;
            out[seeded - 1] = state[ADX];
        }
    }
}

KERNEL void directional_mean(const double *now, const double *before, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0.5 * (now[i] + before[i]);
    }
}
