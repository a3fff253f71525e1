/* SPDX-License-Identifier: MPL-2.0 */
/* simd_math - exponential and logarithm of vectors, with the digits that rounding takes away kept beside
 * them. Included behind simd.h, within SIMD_BEGIN and SIMD_END.
 *
 * v_less     a < b ? x : y lane by lane (y when one is NaN)
 * v_any_less whether a < b in any lane
 * v_round    the nearest whole number, |a| < 2^51
 * v_scale    y * 2^k for whole k in -2100..2100
 * V_HORNER   table[0] + table[1] x + ...
 * v_log      log(x) as a sum, right to 2^-60 relative
 * v_expm1_near, v_exp_reduce  the parts of an exponential: exp(u + du) = 2^k (1 + (exp(r) - 1))
 * v_exp_times  q exp(u + du), |du| much smaller than 1; u in -1400..709.7 */
#ifndef SIMD_MATH_H
#define SIMD_MATH_H

#include "special_tables.h"

#if defined(SIMD_AVX512)

SIMD_INLINE vec v_less(vec a, vec b, vec x, vec y)
{
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), y, x);
}

SIMD_INLINE vec v_scale(vec y, vec k)
{
    return _mm512_scalef_pd(y, k);
}

#else

SIMD_INLINE vec v_less(vec a, vec b, vec x, vec y)
{
    const vec_int m = (vec_int) (a < b);
    return (vec) ((m & (vec_int) x) | (~m & (vec_int) y));
}

/* In two steps, for 2^k itself may be too small or too large to be written down. Adding 1.5 2^52 leaves a
 * whole number in the low bits, from where it moves into the exponent. */
SIMD_INLINE vec v_scale(vec y, vec k)
{
    const vec magic = v_set(0x1.8p52), first = (k * 0.5 + magic) - magic;
    const vec_int a = ((vec_int) (first + magic) + 1023) << 52;
    const vec_int b = ((vec_int) ((k - first) + magic) + 1023) << 52;
    return y * (vec) a * (vec) b;
}

#endif

/* The magnitude of a with the sign of b. */
SIMD_INLINE vec v_sign(vec a, vec b)
{
    return (vec) (((vec_int) a & INT64_MAX) | ((vec_int) b & INT64_MIN));
}

SIMD_INLINE vec v_round(vec a)
{
    const vec magic = v_set(0x1.8p52);
    return (a + magic) - magic;
}

#define V_HORNER(table, x) v_horner(table, (int) (sizeof(table) / sizeof *(table)), x)
SIMD_INLINE vec v_horner(const double *c, int n, vec x)
{
    vec sum = v_set(c[n - 1]);
#pragma GCC unroll 32
    for (int i = n - 2; i >= 0; i--) {
        sum = v_fma(sum, x, v_set(c[i]));
    }
    return sum;
}

/* exp(r) - 1 for |r| <= log(2) / 2: its Taylor polynomial of degree 13, remainder below 2^-57. */
SIMD_INLINE vec v_expm1_near(vec r)
{
    static const double c[] = {
        1 / 2.0,     1 / 6.0,      1 / 24.0,      1 / 120.0,      1 / 720.0,       1 / 5040.0,
        1 / 40320.0, 1 / 362880.0, 1 / 3628800.0, 1 / 39916800.0, 1 / 479001600.0, 1 / 6227020800.0,
    };
    return v_fma(r * r, V_HORNER(c, r), r);
}

/* u + du as k log(2) + r. */
SIMD_INLINE vec v_exp_reduce(vec u, vec du, vec *ret_k)
{
    const vec k = v_round(u * v_set(0x1.71547652b82fep0));
    *ret_k = k;
    return v_fma(k, v_set(-0x1.62e42fee00000p-1), u) + v_fma(k, v_set(-0x1.a39ef35793c76p-33), du);
}

SIMD_INLINE vec v_exp_times(vec q, vec u, vec du)
{
    vec k;
    const vec p = v_expm1_near(v_exp_reduce(u, du, &k));
    return v_scale(v_fma(q, p, q), k);
}

/* x positive, normal and finite. With x = 2^k m, m in
 * sqrt(1 / 2)..sqrt(2), and s = (m - 1) / (m + 1), log(m) is 2 s + s^3 log_rest(s^2). */
SIMD_INLINE vec v_log(vec x, vec *ret_low)
{
    const int64_t root = 0x3fe6a09e667f3bcd, mantissa = 0x000fffffffffffff;
    typedef uint64_t bits __attribute__((vector_size(W * 8)));
    const bits moved = (bits) x + (uint64_t) (0x3ff0000000000000 - root);
    const vec m = (vec) ((vec_int) (moved & (uint64_t) mantissa) + root);
    const vec k = (vec) ((moved >> 52) | 0x4330000000000000u) - v_set(0x1p52 + 1023);
    const vec f = m - v_set(1), d = m + v_set(1), d_rest = f - (d - v_set(2));
    const vec s = f / d, p = s * d;
    const vec s_rest = ((f - p) - v_rest(s, d, p) - s * d_rest) / d;
    const vec ss = s * s, first = k * v_set(0x1.62e42fee00000p-1), two_s = s + s, high = first + two_s;
    const vec small = v_fma(s * ss, V_HORNER(log_rest, ss), s_rest + s_rest);
    *ret_low = ((first - high) + two_s) + v_fma(k, v_set(0x1.a39ef35793c76p-33), small);
    return high;
}

#endif
