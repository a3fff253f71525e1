/* SPDX-License-Identifier: MPL-2.0 */
#include "random.h"

#include <math.h>
#include <string.h>

#include "kernel.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

static uint64_t splitmix(uint64_t *at)
{
    uint64_t z = *at += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_seed(struct random *r, uint64_t seed, uint64_t stream)
{
    uint64_t at = seed;
    at = splitmix(&at) + stream * 0xd1342543de82ef95u;
    for (size_t lane = 0; lane < RANDOM_LANES; lane++) {
        for (size_t i = 0; i < 4; i++) {
            r->state[i][lane] = splitmix(&at);
        }
    }
    r->used = RANDOM_BLOCK;
}

static inline uint64_t turn(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* A block of uniforms. The upper 52 bits become the fraction of a number of [1, 2). */
static inline void uniforms(struct random *r, double *to)
{
    for (size_t i = 0; i < RANDOM_BLOCK; i += RANDOM_LANES) {
        for (size_t l = 0; l < RANDOM_LANES; l++) {
            uint64_t a = r->state[0][l], b = r->state[1][l], c = r->state[2][l], d = r->state[3][l];
            uint64_t bits = ((turn(a + d, 23) + a) >> 12) | 0x3ff0000000000000u;
            uint64_t shifted = b << 17;
            c ^= a;
            d ^= b;
            b ^= c;
            a ^= d;
            c ^= shifted;
            d = turn(d, 45);
            r->state[0][l] = a;
            r->state[1][l] = b;
            r->state[2][l] = c;
            r->state[3][l] = d;
            double v;
            memcpy(&v, &bits, sizeof v);
            to[i + l] = v - 1.0;
        }
    }
}

KERNEL void random_fill_uniform(struct random *r)
{
    uniforms(r, r->block);
    r->used = 0;
}

/* ln u for 2^-52 <= u <= 1: u = m 2^e with m about 1, and ln m = 2 artanh((m - 1) / (m + 1)). */
static inline double logarithm(double u)
{
    uint64_t bits, exponent;
    memcpy(&bits, &u, sizeof bits);
    exponent = (bits >> 52) | 0x4330000000000000u; /* 2^52 + the biased exponent */
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m, e;
    memcpy(&m, &bits, sizeof m);
    memcpy(&e, &exponent, sizeof e);
    e -= 0x1p52 + 1023;
    double high = m > 1.4142135623730951 ? 1.0 : 0.0;
    m = high > 0 ? m * 0.5 : m;
    double f = (m - 1) / (m + 1), g = f * f;
    double series = 1.0 / 21;
    series = series * g + 1.0 / 19;
    series = series * g + 1.0 / 17;
    series = series * g + 1.0 / 15;
    series = series * g + 1.0 / 13;
    series = series * g + 1.0 / 11;
    series = series * g + 1.0 / 9;
    series = series * g + 1.0 / 7;
    series = series * g + 1.0 / 5;
    series = series * g + 1.0 / 3;
    return 2 * (f + f * g * series) + (e + high) * 0.6931471805599453094;
}

/* Cosine and sine of v turns, 0 <= v < 1: of what is left of the nearest quarter, by their series. */
static inline void circle(double v, double *ret_cos, double *ret_sin)
{
    const double whole = 0x1.8p52; /* adding it rounds to an integer */
    double quarter = (4 * v + whole) - whole;
    double x = (v - 0.25 * quarter) * 6.283185307179586477, y = x * x;
    double s = 1.0 / 1307674368000;
    s = 1.0 / 6227020800 - s * y;
    s = 1.0 / 39916800 - s * y;
    s = 1.0 / 362880 - s * y;
    s = 1.0 / 5040 - s * y;
    s = 1.0 / 120 - s * y;
    s = 1.0 / 6 - s * y;
    s = x - x * y * s;
    double c = 1.0 / 20922789888000;
    c = 1.0 / 87178291200 - c * y;
    c = 1.0 / 479001600 - c * y;
    c = 1.0 / 3628800 - c * y;
    c = 1.0 / 40320 - c * y;
    c = 1.0 / 720 - c * y;
    c = 1.0 / 24 - c * y;
    c = 1.0 - y * (0.5 - y * c);
    int odd = quarter == 1 || quarter == 3;
    double across = odd ? s : c, up = odd ? c : s;
    *ret_cos = quarter == 1 || quarter == 2 ? -across : across;
    *ret_sin = quarter == 2 || quarter == 3 ? -up : up;
}

KERNEL void random_fill_normal(struct random *r)
{
    double u[RANDOM_BLOCK];
    uniforms(r, u);
    for (size_t i = 0; i < RANDOM_BLOCK / 2; i++) {
        double radius = sqrt(-2 * logarithm(1.0 - u[i])), across, up;
        circle(u[RANDOM_BLOCK / 2 + i], &across, &up);
        r->block[i] = radius * across;
        r->block[RANDOM_BLOCK / 2 + i] = radius * up;
    }
    r->used = 0;
}
