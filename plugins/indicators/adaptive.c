/* SPDX-License-Identifier: MPL-2.0 */
#include "adaptive.h"

#include <math.h>

#include "trend.h"

/* Bars taken at once: enough that the start of a block, which is computed again, weighs little. */
static inline size_t piece_of(size_t period)
{
    return KERNEL_CHUNK + 8 * period;
}

size_t adaptive_history(size_t period)
{
    return blocks_history(period) + 1;
}

size_t adaptive_scratch(size_t period)
{
    size_t piece = piece_of(period);
    return blocks_scratch(1, period) + blocks_history(period) + 2 * piece;
}

ALWAYS_INLINE void moves(const double *restrict x, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = fabs(x[i] - x[i - 1]);
    }
}

/* The part of its distance by which the average moves. way: what the prices moved in all. */
ALWAYS_INLINE void paces(const double *restrict x, size_t n, size_t period, double *restrict way)
{
    const double slow = 2.0 / 31.0, span = 2.0 / 3.0 - 2.0 / 31.0;
    for (size_t i = 0; i < n; i++) {
        double change = fabs(x[i] - x[i - period]);
        double ratio = change / way[i];
        ratio = way[i] <= change ? 1.0 : ratio;
        ratio = way[i] < 1e-14 ? 1.0 : ratio;
        double root = ratio * span + slow;
        way[i] = root * root;
    }
}

/* keep + take is exactly 1, so that a constant stays as it is. */
ALWAYS_INLINE double follow(const double *restrict x, size_t n, const double *restrict pace, double y,
                            double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double keep = 1.0 - pace[i];
        y = mul_add(keep, y, (1.0 - keep) * x[i]);
        out[i] = y;
    }
    return y;
}

KERNEL void adaptive_kama_part(const double *x, struct part part, size_t period, double *state,
                               double *scratch, double *out)
{
    part = part_from(part, period);
    if (part.begin == part.end) {
        return;
    }
    double *move = scratch + blocks_scratch(1, period),
           *way = move + blocks_history(period) + piece_of(period);
    double y = part.origin + part.begin == period ? x[part.begin - 1] : state[0];
    for (size_t from = part.begin, piece; from < part.end; from += piece) {
        piece = least(piece_of(period), part.end - from);
        /* Moves are counted from the one at bar 1. */
        uint64_t number = part.origin + from - 1;
        size_t before = blocks_history(period);
        before = number < before ? (size_t) number : before;
        moves(x + from - before, before + piece, move);
        struct part here = {before, before + piece, number - before};
        trend_sum_part(move, here, period, scratch, way - before);
        paces(x + from, piece, period, way);
        y = follow(x + from, piece, way, y, out + from);
    }
    state[0] = y;
}
