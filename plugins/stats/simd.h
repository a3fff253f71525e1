/* SPDX-License-Identifier: MPL-2.0 */
/* simd - a vector of doubles, as wide as the including file asks for.
 *
 * Before including it, a file defines SIMD_AVX512 or SIMD_AVX2, or neither for what every processor of the
 * architecture has (two doubles; compilers turn that into SSE2, NEON and so on). What stands between
 * SIMD_BEGIN and SIMD_END is compiled for that instruction set, whatever the compiler's flags say.
 *
 * vec        W doubles; + - * / work lane by lane
 * v_set      the same number in all lanes
 * v_load     W values from any address       v_store   to any address
 * v_part     n <= W values, the other lanes filled up   v_store_part   the first n lanes
 * v_fma      a * b + c; rounded once where the machine can
 * v_rest     a * b - p exactly, for p = a * b rounded
 * v_min      a < b ? a : b, thus b when one is NaN; v_max likewise
 * v_unordered  nonzero when a lane of a or of b is NaN
 * v_split    W_SPLIT values from x: those less than pivot to the start of low[W_SPLIT], the others to the end
 *            of high[W_SPLIT], both of which are written whole; returns how many are less
 * v_exp2     y * 2^k for whole k in -2000..0, rounded once more where that is subnormal
 * v_abs      without signs
 * v_equal    one bit for each lane: whether a and b are equal there
 * v_scan v_last  lane i of v_scan is the sum of lanes 0..i (with a vector unit); v_last has the last lane in all
 * v_any_less v_any_bits  nonzero when in any lane a is less than b; one of the bits is set in a whole number
 * v_prefetch  asks for the n values from p + ahead, which may lie outside of any array
 * v_store_places   the nearest whole numbers of a; `most` where one is not in 0 .. most
 * v_sum v_least v_greatest   over the lanes */
#ifndef SIMD_H
#define SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(SIMD_AVX512)
#define SIMD_TARGET "avx512f,avx512dq,avx512vl,avx2,fma,popcnt"
#elif defined(SIMD_AVX2)
#define SIMD_TARGET "avx2,fma,popcnt"
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

#define W 8
typedef __m512d vec;
typedef int64_t vec_int __attribute__((vector_size(64)));

SIMD_INLINE vec v_set(double a)
{
    return _mm512_set1_pd(a);
}

SIMD_INLINE vec v_load(const double *p)
{
    return _mm512_loadu_pd(p);
}

SIMD_INLINE void v_store(double *p, vec a)
{
    _mm512_storeu_pd(p, a);
}

SIMD_INLINE vec v_part(const double *p, size_t n, double fill)
{
    return _mm512_mask_loadu_pd(_mm512_set1_pd(fill), (__mmask8) ((1u << n) - 1), p);
}

SIMD_INLINE void v_store_part(double *p, size_t n, vec a)
{
    _mm512_mask_storeu_pd(p, (__mmask8) ((1u << n) - 1), a);
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_pd(a, b, c);
}

SIMD_INLINE vec v_rest(vec a, vec b, vec p)
{
    return _mm512_fmsub_pd(a, b, p);
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    return _mm512_min_pd(a, b);
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    return _mm512_max_pd(a, b);
}

SIMD_INLINE unsigned v_unordered(vec a, vec b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q);
}

SIMD_INLINE vec v_exp2(vec y, vec k)
{
    return _mm512_scalef_pd(y, k);
}

/* What is no 32-bit number becomes 2^31, and negative ones are large, without a sign. */
SIMD_INLINE void v_store_places(int32_t *p, vec a, int32_t most)
{
    const __m256i places = _mm256_min_epu32(_mm512_cvtpd_epi32(a), _mm256_set1_epi32(most));
    _mm256_storeu_si256((__m256i *) (void *) p, places);
}

SIMD_INLINE vec v_abs(vec a)
{
    return _mm512_abs_pd(a);
}

SIMD_INLINE unsigned v_equal(vec a, vec b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
}

SIMD_INLINE unsigned v_any_less(vec a, vec b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}

SIMD_INLINE unsigned v_any_bits(vec_int a, int64_t bits)
{
    return _mm512_test_epi64_mask((__m512i) a, _mm512_set1_epi64(bits));
}

/* Lanes moved up by n places, zeros from below. */
#define SIMD_UP(a, n)                                                                                        \
    _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(a), _mm512_setzero_si512(), 8 - (n)))

SIMD_INLINE vec v_scan(vec a)
{
    a += SIMD_UP(a, 1);
    a += SIMD_UP(a, 2);
    return a + SIMD_UP(a, 4);
}

SIMD_INLINE vec v_last(vec a)
{
    return _mm512_permutexvar_pd(_mm512_set1_epi64(7), a);
}

#elif defined(SIMD_AVX2)

#define W 4
typedef __m256d vec;
typedef int64_t vec_int __attribute__((vector_size(32)));

/* Lane masks: the first n lanes are at simd_lanes + 4 - n. */
static const int64_t simd_lanes[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

SIMD_INLINE __m256i v_lanes(size_t n)
{
    return _mm256_loadu_si256((const __m256i *) (const void *) (simd_lanes + 4 - n));
}

SIMD_INLINE vec v_set(double a)
{
    return _mm256_set1_pd(a);
}

SIMD_INLINE vec v_load(const double *p)
{
    return _mm256_loadu_pd(p);
}

SIMD_INLINE void v_store(double *p, vec a)
{
    _mm256_storeu_pd(p, a);
}

SIMD_INLINE vec v_part(const double *p, size_t n, double fill)
{
    __m256i lanes = v_lanes(n);
    return _mm256_blendv_pd(_mm256_set1_pd(fill), _mm256_maskload_pd(p, lanes), _mm256_castsi256_pd(lanes));
}

SIMD_INLINE void v_store_part(double *p, size_t n, vec a)
{
    _mm256_maskstore_pd(p, v_lanes(n), a);
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_pd(a, b, c);
}

SIMD_INLINE vec v_rest(vec a, vec b, vec p)
{
    return _mm256_fmsub_pd(a, b, p);
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    return _mm256_min_pd(a, b);
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    return _mm256_max_pd(a, b);
}

SIMD_INLINE unsigned v_unordered(vec a, vec b)
{
    return (unsigned) _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_UNORD_Q));
}

SIMD_INLINE void v_store_places(int32_t *p, vec a, int32_t most)
{
    const __m128i places = _mm_min_epu32(_mm256_cvtpd_epi32(a), _mm_set1_epi32(most));
    _mm_storeu_si128((__m128i *) (void *) p, places);
}

SIMD_INLINE vec v_abs(vec a)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
}

SIMD_INLINE unsigned v_equal(vec a, vec b)
{
    return (unsigned) _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ));
}

SIMD_INLINE unsigned v_any_less(vec a, vec b)
{
    return (unsigned) _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
}

SIMD_INLINE unsigned v_any_bits(vec_int a, int64_t bits)
{
    return !_mm256_testz_si256((__m256i) a, _mm256_set1_epi64x(bits));
}

SIMD_INLINE vec v_scan(vec a)
{
    a += _mm256_blend_pd(_mm256_permute4x64_pd(a, 0x93), _mm256_setzero_pd(), 1);
    return a + _mm256_permute2f128_pd(a, a, 0x08);
}

SIMD_INLINE vec v_last(vec a)
{
    return _mm256_permute4x64_pd(a, 0xff);
}

#else

#define W 2
typedef double vec __attribute__((vector_size(16)));
typedef int64_t vec_int __attribute__((vector_size(16)));
typedef int64_t vec_mask __attribute__((vector_size(16)));

SIMD_INLINE vec v_set(double a)
{
    return (vec){a, a};
}

SIMD_INLINE vec v_load(const double *p)
{
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}

SIMD_INLINE void v_store(double *p, vec a)
{
    memcpy(p, &a, sizeof a);
}

SIMD_INLINE vec v_part(const double *p, size_t n, double fill)
{
    return (vec){n > 0 ? p[0] : fill, n > 1 ? p[1] : fill};
}

SIMD_INLINE void v_store_part(double *p, size_t n, vec a)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = a[i];
    }
}

SIMD_INLINE vec v_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

/* Veltkamp's splitting and Dekker's product; |a| and |b| below 2^995. */
SIMD_INLINE vec v_rest(vec a, vec b, vec p)
{
    vec sa = a * 134217729.0, sb = b * 134217729.0;
    vec ah = sa - (sa - a), bh = sb - (sb - b), al = a - ah, bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
}

SIMD_INLINE vec v_min(vec a, vec b)
{
    vec_mask m = a < b;
    return (vec) ((m & (vec_mask) a) | (~m & (vec_mask) b));
}

SIMD_INLINE vec v_max(vec a, vec b)
{
    vec_mask m = a > b;
    return (vec) ((m & (vec_mask) a) | (~m & (vec_mask) b));
}

SIMD_INLINE unsigned v_unordered(vec a, vec b)
{
    vec_mask m = (a != a) | (b != b);
    return (m[0] | m[1]) != 0;
}

SIMD_INLINE void v_store_places(int32_t *p, vec a, int32_t most)
{
    for (int i = 0; i < W; i++) {
        const double up = a[i] + 0.5;
        p[i] = up >= 0 && up < (double) most ? (int32_t) up : most;
    }
}

SIMD_INLINE vec v_abs(vec a)
{
    return (vec) ((vec_int) a & INT64_MAX);
}

SIMD_INLINE unsigned v_any_less(vec a, vec b)
{
    return a[0] < b[0] || a[1] < b[1];
}

#endif

#ifdef SIMD_TARGET

/* Four lanes at a time also with AVX-512, whose compress and expand take longer than one permutation from a
 * table. */
#define W_SPLIT 4

/* Row m orders four lanes so that those whose bit is set in m come first: pairs of 32-bit lane numbers. */
#define SIMD_ORDER(a, b, c, d)                                                                               \
    {                                                                                                        \
        2 * a, 2 * a + 1, 2 * b, 2 * b + 1, 2 * c, 2 * c + 1, 2 * d, 2 * d + 1                               \
    }
static const int32_t simd_order[16][8] = {
    SIMD_ORDER(0, 1, 2, 3), SIMD_ORDER(0, 1, 2, 3), SIMD_ORDER(1, 0, 2, 3), SIMD_ORDER(0, 1, 2, 3),
    SIMD_ORDER(2, 0, 1, 3), SIMD_ORDER(0, 2, 1, 3), SIMD_ORDER(1, 2, 0, 3), SIMD_ORDER(0, 1, 2, 3),
    SIMD_ORDER(3, 0, 1, 2), SIMD_ORDER(0, 3, 1, 2), SIMD_ORDER(1, 3, 0, 2), SIMD_ORDER(0, 1, 3, 2),
    SIMD_ORDER(2, 3, 0, 1), SIMD_ORDER(0, 2, 3, 1), SIMD_ORDER(1, 2, 3, 0), SIMD_ORDER(0, 1, 2, 3),
};

SIMD_INLINE size_t v_split(const double *x, double pivot, double *low, double *high)
{
    __m256d v = _mm256_loadu_pd(x);
    unsigned less = (unsigned) _mm256_movemask_pd(_mm256_cmp_pd(v, _mm256_set1_pd(pivot), _CMP_LT_OQ));
    __m256i order = _mm256_loadu_si256((const __m256i *) (const void *) simd_order[less]);
    __m256d ordered = _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), order));
    _mm256_storeu_pd(low, ordered);
    _mm256_storeu_pd(high, ordered);
    return (size_t) __builtin_popcount(less);
}

#else

/* Without branches: the value goes to both places, and one of them counts. */
#define W_SPLIT 1

SIMD_INLINE size_t v_split(const double *x, double pivot, double *low, double *high)
{
    const double v = *x;
    *low = v;
    *high = v;
    return v < pivot;
}

#endif

#if !defined(SIMD_AVX512)

/* In two steps, for 2^k itself may be too small to be written down. Adding 1.5 2^52 leaves a whole number in
 * the low bits, from where it moves into the exponent. */
SIMD_INLINE vec v_exp2(vec y, vec k)
{
    const vec magic = v_set(0x1.8p52), first = v_max(k, v_set(-1000));
    vec_int a = ((vec_int) (first + magic) + 1023) << 52;
    vec_int b = ((vec_int) ((k - first) + magic) + 1023) << 52;
    return y * (vec) a * (vec) b;
}

#endif

SIMD_INLINE void v_prefetch(const double *p, size_t ahead, size_t n)
{
    for (size_t i = 0; i < n;
         i += 8) { /* a cache line holds 8; as a number, for the address may be past the array */
        __builtin_prefetch((const void *) ((uintptr_t) p + (ahead + i) * sizeof *p));
    }
}

SIMD_INLINE double v_sum(vec a)
{
    for (int half = W / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            a[i] += a[i + half];
        }
    }
    return a[0];
}

SIMD_INLINE double v_least(vec a)
{
    double least = a[0];
    for (int i = 1; i < W; i++) {
        least = a[i] < least ? a[i] : least;
    }
    return least;
}

SIMD_INLINE double v_greatest(vec a)
{
    double greatest = a[0];
    for (int i = 1; i < W; i++) {
        greatest = a[i] > greatest ? a[i] : greatest;
    }
    return greatest;
}

SIMD_END

#endif
