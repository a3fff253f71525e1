/* SPDX-License-Identifier: MPL-2.0 */
/* blocks - sums over a moving window of `period` bars, in time that does not depend on the period.
 *
 * The way of moving.h for other sums than means and variances: bars are cut into blocks of `period`, the first one at bar number
 * period-1. A window that ends in a block is a tail of the bars before the block and a head of the block; the sums of both run
 * along, over deviations from the block's first bar, the anchor, which lies in every such window. Nothing is taken
 * out of a sum again, so a spike leaves no trace, and constants are exact.
 *
 * Four blocks are computed abreast, one in each lane of a vector; one that stands alone is computed by the same
 * operations. Which blocks stand side by side therefore makes no difference to the bits.
 *
 * A file that includes this defines a `terms` and a `finish`, makes of them a kernel with blocks_run(), and so gets its own
 * unrolled code. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "kernel.h"

enum {
    BLOCKS_ABREAST = 4,
    BLOCKS_SERIES = 2, /* most series */
    BLOCKS_SUMS = 5,   /* most sums */
};

/* One double of each of the blocks abreast. Vectors of any machine's width are made of it by the compiler. How a function
 * would be given one is of no interest: all that take it become part of their kernel. */
#pragma GCC diagnostic ignored "-Wpsabi"
typedef double quad __attribute__((vector_size(BLOCKS_ABREAST * sizeof(double)), aligned(16), may_alias));

/* What a bar adds to the sums, d being the deviations of its values, and place its distance from the anchor: negative
 * before the block. */
typedef void blocks_terms(const quad *d, double place, quad *ret_terms);

/* Result of the window that ends `place` bars after the anchor. */
typedef quad blocks_finish(const quad *sums, const quad *anchor, double place, const double *factor);

/* Bars before the part that are read: those of the first window. The block in which the part begins did not begin before them. */
static inline size_t blocks_history(size_t period)
{
    return period - 1;
}

/* Doubles of scratch, aligned to 16 bytes. */
static inline size_t blocks_scratch(size_t sums, size_t period)
{
    return BLOCKS_ABREAST * sums * period;
}

ALWAYS_INLINE quad blocks_quad(double a)
{
    return (quad){a, a, a, a};
}

ALWAYS_INLINE quad blocks_pick(const double *const lane[], ptrdiff_t i)
{
    return (quad){lane[0][i], lane[1][i], lane[2][i], lane[3][i]};
}

/* Four blocks, which begin at at[]; of each the bars skip .. length-1. */
ALWAYS_INLINE void blocks_abreast(size_t series, size_t sums, blocks_terms *terms, blocks_finish *finish,
                                  blocks_finish *second, const double *const x[], const ptrdiff_t at[],
                                  size_t skip, size_t length, size_t period, const double *factor,
                                  quad *restrict rows, double *restrict out, double *restrict out_second)
{
    const double *lane[BLOCKS_SERIES][BLOCKS_ABREAST];
    quad anchor[BLOCKS_SERIES], d[BLOCKS_SERIES], add[BLOCKS_SUMS], sum[BLOCKS_SUMS];
    for (size_t s = 0; s < series; s++) {
        for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
            lane[s][l] = x[s] + at[l];
        }
        anchor[s] = blocks_pick(lane[s], 0);
    }

    for (size_t k = 0; k < sums; k++) {
        sum[k] = blocks_quad(0.0);
    }
    for (size_t j = period - 1;; j--) {
        if (j < length) {
            for (size_t k = 0; k < sums; k++) {
                rows[sums * j + k] = sum[k];
            }
        }
        if (j == skip) {
            break;
        }
        ptrdiff_t place = (ptrdiff_t) j - (ptrdiff_t) period;
        for (size_t s = 0; s < series; s++) {
            d[s] = blocks_pick(lane[s], place) - anchor[s];
        }
        terms(d, (double) place, add);
        for (size_t k = 0; k < sums; k++) {
            sum[k] += add[k];
        }
    }

    for (size_t k = 0; k < sums; k++) {
        sum[k] = blocks_quad(0.0);
    }
    for (size_t i = 0; i < length; i++) {
        for (size_t s = 0; s < series; s++) {
            d[s] = blocks_pick(lane[s], (ptrdiff_t) i) - anchor[s];
        }
        terms(d, (double) i, add);
        for (size_t k = 0; k < sums; k++) {
            sum[k] += add[k];
        }
        if (i >= skip) {
            for (size_t k = 0; k < sums; k++) {
                add[k] = rows[sums * i + k] + sum[k];
            }
            quad result = finish(add, anchor, (double) i, factor);
            for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
                out[at[l] + (ptrdiff_t) i] = result[l];
            }
            if (second) {
                quad other = second(add, anchor, (double) i, factor);
                for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
                    out_second[at[l] + (ptrdiff_t) i] = other[l];
                }
            }
        }
    }
}

/* Every bar of the part whose number is at least period-1, with two results of the same sums, or one when second is NULL. The first
 * five arguments are constants. */
ALWAYS_INLINE void blocks_run_two(size_t series, size_t sums, blocks_terms *terms, blocks_finish *finish,
                                  blocks_finish *second, const double *const x[], struct part part,
                                  size_t period, const double *factor, double *scratch, double *out,
                                  double *out_second)
{
    part = part_from(part, period - 1);
    if (part.begin == part.end) {
        return;
    }
    /* The block in which the part begins may have begun before the arrays do at index 0. */
    size_t skip = part_place(part, period - 1, period), left = part.end - part.begin + skip;
    ptrdiff_t from = (ptrdiff_t) part.begin - (ptrdiff_t) skip, at[BLOCKS_ABREAST];
    while (left > 0) {
        size_t whole = skip > 0 ? 0 : left / period;
        size_t count = least(whole > 0 ? whole : 1, BLOCKS_ABREAST);
        size_t length = whole > 0 ? period : least(period, left);
        for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
            at[l] = from + (ptrdiff_t) (least(l, count - 1) * period);
        }
        blocks_abreast(series, sums, terms, finish, second, x, at, skip, length, period, factor,
                       (quad *) scratch, out, out_second);
        from += (ptrdiff_t) (count * length);
        left -= count * length;
        skip = 0;
    }
}

ALWAYS_INLINE void blocks_run(size_t series, size_t sums, blocks_terms *terms, blocks_finish *finish,
                              const double *const x[], struct part part, size_t period, const double *factor,
                              double *scratch, double *out)
{
    blocks_run_two(series, sums, terms, finish, NULL, x, part, period, factor, scratch, out, NULL);
}

#endif
