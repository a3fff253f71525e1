/* SPDX-License-Identifier: MPL-2.0 */
#include "chain.h"

/* What is made of the averages e1 .. of one bar. */
typedef double chain_result(const double *e, const double *factor);

/* Lets all averages take in the bars up to the one with which the last of them is seeded; returns where that ends. */
static size_t seed_chain(const double *x, struct part part, size_t period, size_t links, double *state)
{
    uint64_t last = links * (uint64_t) (period - 1);
    size_t end = part_index(part, last + 1);
    double room[2][KERNEL_CHUNK];
    for (size_t from = part.begin; from < end; from += KERNEL_CHUNK) {
        struct part here = {0, least(KERNEL_CHUNK, end - from), part.origin + from};
        const double *in = x + from;
        for (size_t k = 0; k < links; k++) {
            double *average = room[k % 2];
            smooth_ema_part(in, here, k * (uint64_t) (period - 1), period, state + k * SMOOTH_AVERAGE,
                            average);
            in = average;
        }
    }
    return end;
}

ALWAYS_INLINE void chain(const double *restrict x, struct part part, size_t period, size_t links,
                         chain_result *result, const double *factor, double *restrict state,
                         double *restrict out)
{
    double take = 2.0 / ((double) period + 1.0), e[CHAIN_T3];
    size_t i = seed_chain(x, part, period, links, state);
    for (size_t k = 0; k < links; k++) {
        e[k] = state[k * SMOOTH_AVERAGE];
    }
    if (i > part.begin) {
        out[i - 1] = result(e, factor);
    }
    for (; i < part.end; i++) {
        double in = x[i];
        for (size_t k = 0; k < links; k++) {
            e[k] = mul_add(take, in - e[k], e[k]);
            in = e[k];
        }
        out[i] = result(e, factor);
    }
    for (size_t k = 0; k < links; k++) {
        state[k * SMOOTH_AVERAGE] = e[k];
    }
}

ALWAYS_INLINE double dema_of(const double *e, const double *factor)
{
    (void) factor;
    return 2.0 * e[0] - e[1];
}

ALWAYS_INLINE double tema_of(const double *e, const double *factor)
{
    (void) factor;
    return mul_add(3.0, e[0] - e[1], e[2]);
}

ALWAYS_INLINE double t3_of(const double *e, const double *factor)
{
    double older = mul_add(factor[0], e[5], factor[1] * e[4]);
    return older + mul_add(factor[2], e[3], factor[3] * e[2]);
}

KERNEL void chain_dema_part(const double *x, struct part part, size_t period, double *state, double *out)
{
    chain(x, part, period, CHAIN_DEMA, dema_of, NULL, state, out);
}

KERNEL void chain_tema_part(const double *x, struct part part, size_t period, double *state, double *out)
{
    chain(x, part, period, CHAIN_TEMA, tema_of, NULL, state, out);
}

KERNEL void chain_t3_part(const double *x, struct part part, size_t period, double v, double *state,
                          double *out)
{
    double square = v * v, cube = square * v;
    double factor[] = {-cube, 3.0 * (square + cube), -6.0 * square - 3.0 * (v + cube),
                       1.0 + 3.0 * v + cube + 3.0 * square};
    chain(x, part, period, CHAIN_T3, t3_of, factor, state, out);
}
