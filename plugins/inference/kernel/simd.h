/* SPDX-License-Identifier: MPL-2.0 */
/* simd - a vector of floats, as wide as the including file asks for.
 *
 * Before including it, a file defines SIMD_AVX512 or SIMD_AVX2, or neither for what every processor of the
 * architecture has (four floats; compilers turn that into SSE2, NEON and so on). What stands between
 * SIMD_BEGIN and SIMD_END is compiled for that instruction set, whatever the compiler's flags say.
 *
 * vec        W floats; + - * / work lane by lane
 * v_set      the same number in all lanes
 * v_load     W values from any address       v_store   to any address
 * v_part     n <= W values, zero in the other lanes   v_store_part   the first n lanes
 * v_fma      a * b + c; rounded once where the machine can   v_fnma   c - a * b, likewise
 * v_min      a < b ? a : b, thus b when one is NaN; v_max likewise
 * v_less     a < b ? x : y lane by lane (y when one is NaN)
 * v_exp2     y * 2^k for whole k in -250..250
 * v_sum v_greatest   over the lanes
 * v_turn     W vectors as rows of a square become its columns */
#ifndef SIMD_H
#define SIMD_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define KERNELS_X86
#endif

#if defined(SIMD_VNNI)
#define SIMD_TARGET "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma"
#elif defined(SIMD_AVX512)
#define SIMD_TARGET "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"
#elif defined(SIMD_AVX2)
#define SIMD_TARGET "avx2,fma"
#endif

#ifdef SIMD_TARGET
#include <immintrin.h>
#define SIMD_PRAGMA_TEXT(...) _Pragma(#__VA_ARGS__)
#define SIMD_PRAGMA(...)      SIMD_PRAGMA_TEXT(__VA_ARGS__)
#ifdef __clang__
#define SIMD_BEGIN                                                                                           \
    SIMD_PRAGMA(clang attribute push(__attribute__((target(SIMD_TARGET))), apply_to = function))
#define SIMD_END SIMD_PRAGMA(clang attribute pop)
#else
#define SIMD_BEGIN SIMD_PRAGMA(GCC push_options) SIMD_PRAGMA(GCC target(SIMD_TARGET))
#define SIMD_END   SIMD_PRAGMA(GCC pop_options)
#endif
#else
#define SIMD_BEGIN
#define SIMD_END
#endif

#define SIMD_INLINE static inline __attribute__((always_inline, unused))

SIMD_BEGIN

#if defined(SIMD_AVX512)

#define W 16
typedef __m512 vec;
typedef int32_t vec_int __attribute__((vector_size(64)));

SIMD_INLINE vec v_set(float a)
{
    return _mm512_set1_ps(a);
}

SIMD_INLINE vec v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

SIMD_INLINE void v_store(float *p, vec a)
{
    _mm512_storeu_ps(p, a);
}

SIMD_INLINE vec v_part(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16) ((1u << n) - 1), p);
}

SIMD_INLINE void v_store_part(float *p, size_t n, vec a)
{
    _mm512_mask_storeu_ps(p, (__mmask16) ((1u << n) - 1), a);
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

SIMD_INLINE vec v_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

SIMD_INLINE vec v_less(vec a, vec b, vec x, vec y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}

SIMD_INLINE vec v_exp2(vec y, vec k)
{
    return _mm512_scalef_ps(y, k);
}

SIMD_INLINE vec v_round(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* Pairs of rows are interleaved, then pairs of pairs, within each quarter; the quarters change places at last. */
SIMD_INLINE void v_turn(vec a[W])
{
    vec b[W];
#pragma GCC unroll 4
    for (int i = 0; i < W; i += 4) {
        const vec p = _mm512_unpacklo_ps(a[i], a[i + 1]), q = _mm512_unpackhi_ps(a[i], a[i + 1]);
        const vec r = _mm512_unpacklo_ps(a[i + 2], a[i + 3]), s = _mm512_unpackhi_ps(a[i + 2], a[i + 3]);
        b[i] = _mm512_shuffle_ps(p, r, 0x44);
        b[i + 1] = _mm512_shuffle_ps(p, r, 0xee);
        b[i + 2] = _mm512_shuffle_ps(q, s, 0x44);
        b[i + 3] = _mm512_shuffle_ps(q, s, 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const vec p = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88),
                  q = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
        const vec r = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88),
                  s = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
        a[i] = _mm512_shuffle_f32x4(p, r, 0x88);
        a[i + 4] = _mm512_shuffle_f32x4(q, s, 0x88);
        a[i + 8] = _mm512_shuffle_f32x4(p, r, 0xdd);
        a[i + 12] = _mm512_shuffle_f32x4(q, s, 0xdd);
    }
}

SIMD_INLINE float v_sum(vec a)
{
    return _mm512_reduce_add_ps(a);
}

SIMD_INLINE float v_greatest(vec a)
{
    return _mm512_reduce_max_ps(a);
}

#elif defined(SIMD_AVX2)

#define W 8
typedef __m256 vec;
typedef int32_t vec_int __attribute__((vector_size(32)));

/* Lane masks: the first n lanes are at simd_lanes + 8 - n. */
static const int32_t simd_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

SIMD_INLINE __m256i v_lanes(size_t n)
{
    return _mm256_loadu_si256((const __m256i *) (const void *) (simd_lanes + 8 - n));
}

SIMD_INLINE vec v_set(float a)
{
    return _mm256_set1_ps(a);
}

SIMD_INLINE vec v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

SIMD_INLINE void v_store(float *p, vec a)
{
    _mm256_storeu_ps(p, a);
}

SIMD_INLINE vec v_part(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, v_lanes(n));
}

SIMD_INLINE void v_store_part(float *p, size_t n, vec a)
{
    _mm256_maskstore_ps(p, v_lanes(n), a);
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

SIMD_INLINE vec v_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

SIMD_INLINE vec v_less(vec a, vec b, vec x, vec y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

SIMD_INLINE void v_turn(vec a[W])
{
    vec b[W];
#pragma GCC unroll 2
    for (int i = 0; i < W; i += 4) {
        const vec p = _mm256_unpacklo_ps(a[i], a[i + 1]), q = _mm256_unpackhi_ps(a[i], a[i + 1]);
        const vec r = _mm256_unpacklo_ps(a[i + 2], a[i + 3]), s = _mm256_unpackhi_ps(a[i + 2], a[i + 3]);
        b[i] = _mm256_shuffle_ps(p, r, 0x44);
        b[i + 1] = _mm256_shuffle_ps(p, r, 0xee);
        b[i + 2] = _mm256_shuffle_ps(q, s, 0x44);
        b[i + 3] = _mm256_shuffle_ps(q, s, 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        a[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        a[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

SIMD_INLINE vec v_round(vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

#else

#define W 4
typedef float vec __attribute__((vector_size(16)));
typedef int32_t vec_int __attribute__((vector_size(16)));

SIMD_INLINE vec v_set(float a)
{
    return (vec){a, a, a, a};
}

SIMD_INLINE vec v_load(const float *p)
{
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}

SIMD_INLINE void v_store(float *p, vec a)
{
    memcpy(p, &a, sizeof a);
}

SIMD_INLINE vec v_part(const float *p, size_t n)
{
    vec a = {0};
    for (size_t i = 0; i < n; i++) {
        a[i] = p[i];
    }
    return a;
}

SIMD_INLINE void v_store_part(float *p, size_t n, vec a)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = a[i];
    }
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

SIMD_INLINE vec v_fnma(vec a, vec b, vec c)
{
    return c - a * b;
}

SIMD_INLINE vec v_less(vec a, vec b, vec x, vec y)
{
    const vec_int m = (vec_int) (a < b);
    return (vec) ((m & (vec_int) x) | (~m & (vec_int) y));
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    return v_less(a, b, a, b);
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    return v_less(b, a, a, b);
}

SIMD_INLINE void v_turn(vec a[W])
{
    for (int i = 0; i < W; i++) {
        for (int j = 0; j < i; j++) {
            const float above = a[j][i];
            a[j][i] = a[i][j];
            a[i][j] = above;
        }
    }
}

/* |a| < 2^22 */
SIMD_INLINE vec v_round(vec a)
{
    const vec magic = v_set(0x1.8p23F);
    return (a + magic) - magic;
}

#endif

#ifndef SIMD_AVX512

/* In two steps, for 2^k itself may be too small or too large to be written down. Adding 1.5 2^23 leaves a
 * whole number in the low bits, from where it moves into the exponent. */
SIMD_INLINE vec v_exp2(vec y, vec k)
{
    const vec magic = v_set(0x1.8p23F), first = (k * 0.5F + magic) - magic;
    const vec_int a = ((vec_int) (first + magic) + 127) << 23;
    const vec_int b = ((vec_int) ((k - first) + magic) + 127) << 23;
    return y * (vec) a * (vec) b;
}

SIMD_INLINE float v_sum(vec a)
{
    float sums[W];
    v_store(sums, a);
    for (int half = W / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            sums[i] += sums[i + half];
        }
    }
    return sums[0];
}

SIMD_INLINE float v_greatest(vec a)
{
    float most = a[0];
    for (int i = 1; i < W; i++) {
        most = a[i] > most ? a[i] : most;
    }
    return most;
}

#endif

SIMD_INLINE vec v_abs(vec a)
{
    return (vec) ((vec_int) a & INT32_MAX);
}

/* The magnitude of a with the sign of b. */
SIMD_INLINE vec v_sign(vec a, vec b)
{
    return (vec) (((vec_int) a & INT32_MAX) | ((vec_int) b & INT32_MIN));
}

#define V_HORNER(table, x) v_horner(table, (int) (sizeof(table) / sizeof *(table)), x)
SIMD_INLINE vec v_horner(const float *c, int n, vec x)
{
    vec sum = v_set(c[n - 1]);
#pragma GCC unroll 32
    for (int i = n - 2; i >= 0; i--) {
        sum = v_fma(sum, x, v_set(c[i]));
    }
    return sum;
}

SIMD_END

#endif
