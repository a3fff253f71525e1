/* SPDX-License-Identifier: MPL-2.0 */
#include "impulse.h"

#include <math.h>

#include "rate.h"
#include "kernel.h"

/* ---- cmo ------------------------------------------------------------------------------------- */

ALWAYS_INLINE double oscillator(double net, double moves)
{
    return moves < nothing ? 0.0 : 100.0 * (net / moves);
}

/* Averages the changes and their sizes: rounding keeps order and signs, so the quotient never leaves -100..100. The
 * state is their sums, until there are `period` of them, then their averages. */
KERNEL void impulse_cmo(const double *restrict x, struct part part, size_t period, double *restrict state,
                        double *restrict out)
{
    struct rate rate = rate_wilder(period);
    double net = state[0], moves = state[1];
    size_t first = part_index(part, 1), seeded = part_index(part, (uint64_t) period + 1);
    for (size_t i = first; i < seeded; i++) {
        double change = x[i] - x[i - 1];
        net += change;
        moves += fabs(change);
    }
    if (first < seeded && part.origin + seeded == (uint64_t) period + 1) {
        net /= (double) period;
        moves /= (double) period;
        out[seeded - 1] = oscillator(net, moves);
    }
    double size[KERNEL_CHUNK];
    for (size_t length, from = seeded; from < part.end; from += length) {
        length = least(KERNEL_CHUNK, part.end - from);
        const double *now = x + from, *before = now - 1;
        double *change = out + from;
        for (size_t i = 0; i < length; i++) {
            double step_taken = rate.take * (now[i] - before[i]);
            change[i] = step_taken;
            size[i] = fabs(step_taken);
        }
        for (size_t i = 0; i < length; i++) {
            net = mul_add(rate.keep, net, change[i]);
            moves = mul_add(rate.keep, moves, size[i]);
            change[i] = net;
            size[i] = moves;
        }
        for (size_t i = 0; i < length; i++) {
            change[i] = oscillator(change[i], size[i]);
        }
    }
    state[0] = net;
    state[1] = moves;
}

/* ---- trix ------------------------------------------------------------------------------------ */

enum { DEPTH = 3 };

/* One value through an average that was given `before` of them so far. Whether the average has a value now. */
ALWAYS_INLINE bool pass(double *x, uint64_t before, size_t period, struct rate rate, double *state)
{
    if (before >= period) {
        state[Y] = step(rate, state[Y], *x);
    } else {
        seed_with(*x, before == 0, before + 1 == period, period, state);
    }
    *x = state[Y];
    return before + 1 >= period;
}

ALWAYS_INLINE double change_of(double now, double before)
{
    double change = 100.0 * ((now - before) / before);
    return before == 0.0 ? 0.0 : change;
}

KERNEL void impulse_trix(const double *restrict x, struct part part, size_t period, double *restrict state,
                         double *restrict out)
{
    struct rate rate = rate_ema(period);
    size_t i = part.begin, seeded = part_index(part, DEPTH * ((uint64_t) period - 1) + 1);
    for (; i < seeded; i++) {
        uint64_t number = part.origin + i;
        double y = x[i];
        for (size_t d = 0; d < DEPTH && pass(&y, number, period, rate, state + 2 * d); d++) {
            number -= period - 1;
        }
    }
    double first = state[0], second = state[2], last[KERNEL_CHUNK + 1];
    last[0] = state[4];
    for (size_t length; i < part.end; i += length) {
        length = least(KERNEL_CHUNK, part.end - i);
        double third = last[0];
        for (size_t j = 0; j < length; j++) {
            first = step(rate, first, x[i + j]);
            second = step(rate, second, first);
            third = step(rate, third, second);
            last[j + 1] = third;
        }
        for (size_t j = 0; j < length; j++) {
            out[i + j] = change_of(last[j + 1], last[j]);
        }
        last[0] = third;
    }
    state[0] = first;
    state[2] = second;
    state[4] = last[0];
}
