/* SPDX-License-Identifier: MPL-2.0 */
/* Special functions in terms of simd.h: included once by each of special_baseline.c, special_avx2.c and
 * special_avx512.c, which define SPECIAL (the set to fill) and SPECIAL_NAME.
 *
 * Lanes for which a formula does not hold (NaN and infinities, far negative places) are filled in one by one
 * from special_plain. */
#include "simd.h"
#include "special.h"

#include <math.h>

SIMD_BEGIN

#include "simd_math.h"

/* Places at which a formula holds: low <= x <= high. */
SIMD_INLINE void fill_others(const double *x, size_t n, double low, double high, double *out,
                             void (*plain)(const double *x, size_t n, double *out))
{
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] >= low && x[i] <= high)) {
            plain(x + i, 1, out + i);
        }
    }
}

/* Applies `lane` to all of x. */
#define OVER(name, lane)                                                                                     \
    static void name(const double *x, size_t n, double *out)                                                 \
    {                                                                                                        \
        size_t i = 0;                                                                                        \
        for (; i + W <= n; i += W) {                                                                         \
            v_store(out + i, lane(v_load(x + i)));                                                           \
        }                                                                                                    \
        if (i < n) {                                                                                         \
            v_store_part(out + i, n - i, lane(v_part(x + i, n - i, 1)));                                     \
        }                                                                                                    \
    }

/* ---- error function and normal law ------------------------------------------------------------------ */

/* (a + a_rest) / (d + d_rest), r being 1 / d: a product, mended by what it leaves over. */
SIMD_INLINE vec mended_quotient(vec a, vec a_rest, vec d, vec d_rest, vec r)
{
    const vec q = a * r;
    return v_fma(a_rest - v_fma(q, d_rest, v_rest(q, d, a)), r, q);
}

/* polynomial(t) / (a + c) with t = (a - c) / (a + c), for small whole c and 0 <= a < 64, where sum and
 * difference are exact but for what is put back. */
SIMD_INLINE vec scaled_tail(const double *polynomial, int n, vec a, double center)
{
    const vec c = v_set(center), d = a + c, d_rest = a - (d - c), b = a - c, b_rest = a - (b + c);
    const vec r = v_set(1) / d, t = mended_quotient(b, b_rest, d, d_rest, r);
    return mended_quotient(v_horner(polynomial, n, t), v_set(0), d, d_rest, r);
}

#define COUNT(table) ((int) (sizeof(table) / sizeof *(table)))

/* erfc(a) for 0 <= a: exp(-a^2) times a scaled tail, where the square is kept to the last digit. From 28 on
 * it is 0. NaN passes v_min as its second operand, here and below. */
SIMD_INLINE vec erfc_right(vec a)
{
    a = v_min(v_set(28), a);
    const vec aa = a * a;
    return v_exp_times(scaled_tail(erfcx_4, COUNT(erfcx_4), a, 4), -aa, -v_rest(a, a, aa));
}

SIMD_INLINE vec erfc_lane(vec x)
{
    const vec right = erfc_right(v_abs(x));
    return v_less(x, v_set(0), v_set(2) - right, right);
}

SIMD_INLINE vec erf_lane(vec x)
{
    const vec a = v_abs(x), near = v_min(v_set(0.89), a);
    const vec inner = a * V_HORNER(erf_0, near * near);
    return v_sign(v_less(v_set(0.89), a, v_set(1) - erfc_right(a), inner), x);
}

/* P(X > a + rest) of the normal law, a >= 0 and rest far below it; 0 from 39 on. */
SIMD_INLINE vec normal_right(vec a, vec rest)
{
    a = v_min(v_set(39), a);
    const vec aa = a * a, half = v_set(-0.5), lost = v_fma(v_rest(a, a, aa), half, -(a * rest));
    return v_exp_times(scaled_tail(tail_6, COUNT(tail_6), a, 6), aa * half, lost);
}

SIMD_INLINE vec ndtr_lane(vec x)
{
    const vec tail = normal_right(v_abs(x), v_set(0));
    return v_less(v_set(0), x, v_set(1) - tail, tail);
}

/* z + rest is (x - mu) / sigma to twice the digits, for errors in it grow by the factor z^2. */
SIMD_INLINE vec normal_lane(vec x, vec mu, vec sigma, vec reciprocal, bool upper)
{
    const vec d = x - mu, b = d - x, lost = (x - (d - b)) - (mu + b);
    const vec z = d * reciprocal, rest = (lost - v_rest(z, sigma, d)) * reciprocal, zero = v_set(0);
    const vec tail = normal_right(v_abs(z), v_less(z, zero, -rest, rest)), other = v_set(1) - tail;
    return upper ? v_less(z, zero, other, tail) : v_less(zero, z, other, tail);
}

static void special_normal_cdf(const double *x, size_t n, double mu, double sigma, bool upper, double *out)
{
    const vec m = v_set(mu), s = v_set(sigma), r = v_set(1 / sigma);
    const vec from = v_set(mu - 40 * sigma), to = v_set(mu + 40 * sigma);
    for (size_t i = 0; i < n; i += W) {
        const size_t part = n - i < W ? n - i : W;
        const vec v = part == W ? v_load(x + i) : v_part(x + i, part, mu);
        v_store_part(out + i, part, normal_lane(v_max(from, v_min(to, v)), m, s, r, upper));
    }
}

OVER(special_erf, erf_lane)
OVER(special_erfc, erfc_lane)
OVER(special_ndtr, ndtr_lane)

/* ---- gamma ---------------------------------------------------------------------------------------------- */

#define GAMMA_LOW      (-10.0)
#define GAMMA_STIRLING 9.0 /* from here on Stirling's formula, below a product of at most so many factors */
#define GAMMA_HIGH     171.625

/* With x = k + t, |t| <= 1/2, gamma(x) is gamma(2 + t) times (x - 1) (x - 2) .. (2 + t), or divided by x (x +
 * 1) .. (1 + t). The factors are exact but for the last of a quotient. */
SIMD_INLINE vec gamma_product(vec x)
{
    const vec k = v_round(x), t = x - k, up = k - v_set(2), one = v_set(1);
    const vec steps = v_abs(up), way = v_sign(one, -up), zero = v_set(0);
    vec factor = v_less(zero, up, x - one, x), even = one, odd = one;
    for (double j = 0; v_any_less(v_set(j), steps); j += 2) {
        even = v_less(v_set(j), steps, even * factor, even);
        factor += way;
        odd = v_less(v_set(j + 1), steps, odd * factor, odd);
        factor += way;
    }
    const vec base = V_HORNER(gamma_2, t), product = even * odd;
    const vec quotient = base / product; /* infinite at poles; inf - inf is NaN */
    return v_less(up, zero, v_less(x, v_set(-0.5), quotient + (quotient - quotient), quotient),
                  base * product);
}

/* exp((x - 1/2) log x - x + log(2 pi) / 2 + rest / x), where the exponent, up to 709, is kept to 2^-60. */
SIMD_INLINE vec gamma_stirling(vec x)
{
    vec log_low;
    const vec log_high = v_log(x, &log_low), w = x - v_set(0.5), r = v_set(1) / x;
    const vec p = w * log_high, p_rest = v_rest(w, log_high, p), high = p - x, b = high - p;
    const vec lost = (p - (high - b)) - (x + b);
    const vec rest = v_fma(r, V_HORNER(stirling, r * r), v_set(0x1.d67f1c864beb5p-1));
    const vec low = lost + p_rest + v_fma(w, log_low, rest), u = high + low;
    return v_exp_times(v_set(1), u, (high - u) + low);
}

SIMD_INLINE vec gamma_lane(vec x)
{
    const vec limit = v_set(GAMMA_STIRLING);
    const vec below = v_max(v_set(GAMMA_LOW), v_min(limit, x)),
              above = v_min(v_set(GAMMA_HIGH), v_max(limit, x));
    if (!v_any_less(x, limit)) {
        return gamma_stirling(above);
    }
    if (!v_any_less(limit, x)) {
        return gamma_product(below);
    }
    return v_less(x, limit, gamma_product(below), gamma_stirling(above));
}

/* ---- log gamma ------------------------------------------------------------------------------------------ */

#define LGAMMA_LOW      1e-300
#define LGAMMA_STIRLING 8.0
#define LGAMMA_HIGH     2.5e305

/* log gamma(2 + y) plus the log of the product that leads from 2 + y in 2..3 (1.5..2 for such x) up to x; for
 * x below 1.5, log gamma(1 + y) with y = x - 1, or y = x and less log(x). What is a zero of log gamma is a
 * factor of the polynomials, so that digits are kept there. */
SIMD_INLINE vec lgamma_product(vec x)
{
    const vec one = v_set(1), two = v_set(2), three = v_set(3), tiny = v_set(0.75), low = v_set(1.5);
    vec product = v_less(x, tiny, x, one), rest = x;
    for (int j = 0; j < 5; j++) {
        const vec next = rest - one;
        product = v_less(rest, three, product, product * next);
        rest = v_less(rest, three, rest, next);
    }
    const vec y = v_less(x, low, v_less(x, tiny, x, x - one), rest - two);
    const vec polynomial = v_less(x, low, V_HORNER(lgamma_1, y), V_HORNER(lgamma_2, y)) * y;
    vec log_low;
    const vec log_high = v_log(product, &log_low), logs = log_high + log_low;
    return polynomial + v_less(x, tiny, -logs, logs);
}

SIMD_INLINE vec lgamma_stirling(vec x)
{
    vec log_low;
    const vec log_high = v_log(x, &log_low), w = x - v_set(0.5), r = v_set(1) / x;
    const vec rest = v_fma(r, V_HORNER(stirling, r * r), v_set(0x1.d67f1c864beb5p-1));
    return v_fma(w, log_high, -x) + v_fma(w, log_low, rest);
}

SIMD_INLINE vec lgamma_lane(vec x)
{
    const vec limit = v_set(LGAMMA_STIRLING);
    const vec below = v_max(v_set(LGAMMA_LOW), v_min(limit, x)),
              above = v_min(v_set(LGAMMA_HIGH), v_max(limit, x));
    if (!v_any_less(x, limit)) {
        return lgamma_stirling(above);
    }
    if (!v_any_less(limit, x)) {
        return lgamma_product(below);
    }
    return v_less(x, limit, lgamma_product(below), lgamma_stirling(above));
}

/* Like OVER, with the places outside of low..high from the plain function. out may be x, so that the places
 * are kept until then. */
#define OVER_RANGE(name, lane, low, high, plain)                                                             \
    static void name(const double *x, size_t n, double *out)                                                 \
    {                                                                                                        \
        for (size_t i = 0; i < n; i += W) {                                                                  \
            const size_t part = n - i < W ? n - i : W;                                                       \
            const vec v = part == W ? v_load(x + i) : v_part(x + i, part, 1);                                \
            const vec held = v_max(v_set(low), v_min(v_set(high), v));                                       \
            const vec result = lane(v);                                                                      \
            if (v_unordered(v, v) || v_any_less(v, held) || v_any_less(held, v)) {                           \
                double places[W];                                                                            \
                v_store(places, v);                                                                          \
                v_store_part(out + i, part, result);                                                         \
                fill_others(places, part, low, high, out + i, plain);                                        \
            } else if (part == W) {                                                                          \
                v_store(out + i, result);                                                                    \
            } else {                                                                                         \
                v_store_part(out + i, part, result);                                                         \
            }                                                                                                \
        }                                                                                                    \
    }

OVER_RANGE(special_gamma, gamma_lane, GAMMA_LOW, GAMMA_HIGH, special_plain.gamma)
OVER_RANGE(special_lgamma, lgamma_lane, LGAMMA_LOW, LGAMMA_HIGH, special_plain.lgamma)

SIMD_END

const struct special SPECIAL = {
    .name = SPECIAL_NAME,
    .erf = special_erf,
    .erfc = special_erfc,
    .ndtr = special_ndtr,
    .normal_cdf = special_normal_cdf,
    .gamma = special_gamma,
    .lgamma = special_lgamma,
};
