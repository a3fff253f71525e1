/* SPDX-License-Identifier: MPL-2.0 */
/* act_body - activation functions on vectors, and over arrays. Included behind simd.h, within SIMD_BEGIN
 * and SIMD_END.
 *
 * The polynomials are least-maximum fits made for this file; the relative error of each is below 2^-26. */

/* exp(x) = 2^k (1 + p), p = expm1(r) for |r| <= log(2) / 2. x within -110..100, or NaN. */
SIMD_INLINE vec v_expm1_near(vec x, vec *ret_k)
{
    static const float c[] = {0.500000005F,   0.166666668F,  0.0416663421F,
                              0.00833327062F, 0.0013942046F, 0.000199156228F};
    const vec k = v_round(x * v_set(0x1.715476p+0F));
    /* log(2) in two parts, of which the first has zeros enough at its end that k times it is exact */
    vec r = v_fnma(k, v_set(0x1.62e4p-1F), x);
    r = v_fnma(k, v_set(0x1.7f7d1cp-20F), r);
    *ret_k = k;
    return v_fma(r * r, V_HORNER(c, r), r);
}

SIMD_INLINE vec v_clamp(vec x, float low, float high)
{
    return v_min(v_set(high), v_max(v_set(low), x)); /* x last: NaN stays */
}

SIMD_INLINE vec v_exp(vec x)
{
    vec k, p = v_expm1_near(v_clamp(x, -110, 100), &k);
    return v_exp2(p + v_set(1), k);
}

/* exp(x) - 1 for x <= 90 */
SIMD_INLINE vec v_expm1(vec x)
{
    vec k, p = v_expm1_near(v_clamp(x, -30, 90), &k);
    const vec one = v_exp2(v_set(1), k);
    return v_fma(p, one, one - v_set(1));
}

SIMD_INLINE vec v_sigmoid(vec x)
{
    const vec e = v_exp(v_set(0) - v_abs(x)), one = v_set(1);
    return v_less(x, v_set(0), e, one) / (one + e);
}

SIMD_INLINE vec v_tanh(vec x)
{
    const vec twice = v_min(v_set(20), v_abs(x) * v_set(2)), e = v_expm1(twice);
    return v_sign(e / (e + v_set(2)), x);
}

/* log(1 + e) for 0 <= e <= 1, as 2 atanh(e / (2 + e)) */
SIMD_INLINE vec v_log1p_near(vec e)
{
    static const float c[] = {0.33333338F, 0.199994167F, 0.14309126F, 0.107056554F, 0.121837629F};
    const vec s = e / (e + v_set(2)), z = s * s, t = s + s;
    return v_fma(t * z, V_HORNER(c, z), t);
}

SIMD_INLINE vec v_softplus(vec x)
{
    return v_max(v_set(0), x) + v_log1p_near(v_exp(v_set(0) - v_abs(x)));
}

/* erf(x) for |x| < 0.92 */
SIMD_INLINE vec v_erf_near(vec x)
{
    static const float c[] = {1.12837917F,    -0.376126339F,    0.112836973F,   -0.0268595001F,
                              0.00520128607F, -0.000814559745F, 8.38239016e-05F};
    return x * V_HORNER(c, x * x);
}

/* 1 - erf(x) for 0.9 < x; as exp(-x^2) t P(t) with t = 2 / (2 + x). x^2 is times root^2, and taken exactly: where it is
 * large, its rounding would be a large relative error. */
SIMD_INLINE vec v_erfc_far(vec x, vec root, float times)
{
    static const float c[] = {0.282089187F,  0.282236821F,  0.245335868F,    0.184700847F,
                              0.0580889997F, 0.0278016215F, -0.00990238836F, -0.302267145F,
                              0.389894969F,  -0.194296421F, 0.0363176466F};
    x = v_min(v_set(10.5F), x);
    root = v_min(v_set(15), root);
    const vec t = v_set(2) / (v_set(2) + x), minus = v_set(-times);
    /* 12 bits of root: their square is exact, and the rest is small */
    const vec high = (vec) ((vec_int) root & (int32_t) 0xfffff000), rest = (root - high) * (root + high);
    return v_exp(minus * (high * high)) * v_exp(minus * rest) * (t * V_HORNER(c, t));
}

SIMD_INLINE vec v_erf(vec x)
{
    const vec a = v_abs(x);
    return v_less(v_set(0.92F), a, v_sign(v_set(1) - v_erfc_far(a, a, 1), x), v_erf_near(x));
}

/* x / 2 erfc(-x / sqrt(2)): no difference is taken of what is nearly equal */
SIMD_INLINE vec v_gelu(vec x)
{
    const vec z = x * v_set(0x1.6a09e6p-1F), a = v_abs(z), one = v_set(1);
    const vec far = v_erfc_far(a, v_abs(x), 0.5F), tail = v_less(x, v_set(0), far, v_set(2) - far);
    return x * v_set(0.5F) * v_less(v_set(0.92F), a, tail, one + v_erf_near(z));
}

SIMD_INLINE vec v_swish(vec x, vec a)
{
    return x * v_sigmoid(a * x);
}

/* tanh(log(1 + e)) = q / (q + 2) with e = exp(x), q = e (e + 2) */
SIMD_INLINE vec v_mish(vec x)
{
    const vec e = v_exp(v_min(v_set(20), x)), q = e * (e + v_set(2));
    return x * (q / (q + v_set(2)));
}

SIMD_INLINE vec v_unit(vec x)
{
    return v_clamp(x, 0, 1);
}

#define ACT_OVER(NAME, EXPRESSION)                                                                           \
    static void act_##NAME(const float *from, float *to, size_t n, float pa, float pb)                       \
    {                                                                                                        \
        const vec a = v_set(pa), b = v_set(pb), zero = v_set(0), one = v_set(1);                             \
        (void) a, (void) b, (void) zero, (void) one;                                                         \
        size_t i = 0;                                                                                        \
        for (; i + W <= n; i += W) {                                                                         \
            const vec x = v_load(from + i);                                                                  \
            v_store(to + i, EXPRESSION);                                                                     \
        }                                                                                                    \
        if (i < n) {                                                                                         \
            const vec x = v_part(from + i, n - i);                                                           \
            v_store_part(to + i, n - i, EXPRESSION);                                                         \
        }                                                                                                    \
    }

ACT_OVER(RELU, v_max(zero, x))
ACT_OVER(LEAKY_RELU, v_less(x, zero, a *x, x))
ACT_OVER(THRESHOLDED_RELU, v_less(a, x, x, v_min(zero, v_max(zero, x)))) /* NaN stays */
ACT_OVER(CLIP, v_min(b, v_max(a, x)))
ACT_OVER(AFFINE, v_fma(a, x, b))
ACT_OVER(HARD_SIGMOID, v_unit(v_fma(a, x, b)))
ACT_OVER(HARD_SWISH, x *v_unit(v_fma(a, x, b)))
ACT_OVER(SOFTSIGN, x / (one + v_abs(x)))
ACT_OVER(EXP, v_exp(x))
ACT_OVER(SIGMOID, v_sigmoid(x))
ACT_OVER(TANH, v_tanh(x))
ACT_OVER(SCALED_TANH, a *v_tanh(b *x))
ACT_OVER(ELU, v_less(x, zero, a *v_expm1(x), x))
ACT_OVER(SELU, b *v_less(x, zero, a *v_expm1(x), x))
ACT_OVER(CELU, v_max(zero, x) + v_min(zero, a *v_expm1(v_min(v_set(80), x / a))))
ACT_OVER(SOFTPLUS, v_softplus(x))
ACT_OVER(ERF, v_erf(x))
ACT_OVER(GELU, v_gelu(x))
ACT_OVER(GELU_TANH,
         x *v_set(0.5F) * (one + v_tanh(v_set(0.797884561F) * v_fma(x * x * x, v_set(0.044715F), x))))
ACT_OVER(SWISH, v_swish(x, a))
ACT_OVER(MISH, v_mish(x))

static void act_copy(const float *from, float *to, size_t n, float a, float b)
{
    (void) a, (void) b;
    if (from != to) {
        memcpy(to, from, n * sizeof *to);
    }
}

static float act_exp_sum_over(const float *from, float *to, size_t n, float shift)
{
    const vec s = v_set(shift);
    vec sum = v_set(0);
    size_t i = 0;
    for (; i + W <= n; i += W) {
        const vec y = v_exp(v_load(from + i) - s);
        v_store(to + i, y);
        sum += y;
    }
    if (i < n) {
        v_store_part(to + i, n - i, v_exp(v_part(from + i, n - i) - s));
        sum += v_part(to + i, n - i);
    }
    return v_sum(sum);
}
