/* SPDX-License-Identifier: MPL-2.0 */
#include "deviation.h"

#include <math.h>

#include "blocks.h"

/* Vectors worked on at once, so that their sums do not wait for each other. */
enum { TILE = 4 };

typedef int64_t quad_bits __attribute__((vector_size(sizeof(quad))));

ALWAYS_INLINE quad loaded(const double *x)
{
    quad q;
    __builtin_memcpy(&q, x, sizeof(q));
    return q;
}

ALWAYS_INLINE quad magnitude(quad a)
{
    const quad_bits all_but_sign = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    return (quad) ((quad_bits) a & all_but_sign);
}

KERNEL void deviation_part(const double *x, struct part part, size_t period, double *out)
{
    const size_t at_once = (size_t) TILE * BLOCKS_ABREAST;
    double fraction = 1.0 / (double) period;
    part = part_from(part, period - 1);
    size_t i = part.begin;
    for (; part.end - i >= at_once; i += at_once) {
        quad newest[TILE], shift[TILE], sum[TILE];
        for (size_t v = 0; v < TILE; v++) {
            newest[v] = loaded(x + i + v * BLOCKS_ABREAST);
            sum[v] = shift[v] = blocks_quad(0.0);
        }
        for (size_t age = period; age-- > 1;) {
            for (size_t v = 0; v < TILE; v++) {
                shift[v] += loaded(x + i + v * BLOCKS_ABREAST - age) - newest[v];
            }
        }
        for (size_t v = 0; v < TILE; v++) {
            shift[v] *= fraction;
        }
        for (size_t age = period; age-- > 0;) {
            for (size_t v = 0; v < TILE; v++) {
                sum[v] += magnitude(loaded(x + i + v * BLOCKS_ABREAST - age) - newest[v] - shift[v]);
            }
        }
        for (size_t v = 0; v < TILE; v++) {
            sum[v] *= fraction;
            __builtin_memcpy(out + i + v * BLOCKS_ABREAST, &sum[v], sizeof(sum[v]));
        }
    }
    for (; i < part.end; i++) {
        double shift = 0.0, sum = 0.0;
        for (size_t age = period; age-- > 1;) {
            shift += x[i - age] - x[i];
        }
        shift *= fraction;
        for (size_t age = period; age-- > 0;) {
            sum += fabs(x[i - age] - x[i] - shift);
        }
        out[i] = sum * fraction;
    }
}
