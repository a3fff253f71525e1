/* SPDX-License-Identifier: MPL-2.0 */
/* int8_end_body - floats to bytes, and sums of products to floats or bytes. Included behind simd.h, within SIMD_BEGIN and SIMD_END.
 */

/* The first n <= W of a, whole numbers in -128 .. 255, as bytes. */
SIMD_INLINE void int8_put(uint8_t *to, size_t n, vec_int a)
{
#if defined(SIMD_AVX512)
    /* through a register: storing the bytes of wider lanes under a mask takes some processors very long */
    const __m128i bytes = _mm512_cvtepi32_epi8((__m512i) a);
    if (n == W) {
        _mm_storeu_si128((__m128i *) (void *) to, bytes);
    } else {
        _mm_mask_storeu_epi8(to, (__mmask16) ((1u << n) - 1), bytes);
    }
#else
#if defined(SIMD_AVX2)
    const __m256i whole = (__m256i) a;
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    const __m128i low = _mm_and_si128(words, _mm_set1_epi16(0xff)), bytes = _mm_packus_epi16(low, low);
    if (n == W) {
        _mm_storel_epi64((__m128i *) (void *) to, bytes);
        return;
    }
#endif
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t) a[i];
    }
#endif
}

/* To the nearest whole number; |a| < 2^22. */
SIMD_INLINE vec_int int8_whole(vec a)
{
#if defined(SIMD_AVX512)
    return (vec_int) _mm512_cvtps_epi32(a);
#elif defined(SIMD_AVX2)
    return (vec_int) _mm256_cvtps_epi32(a);
#else
    return __builtin_convertvector(v_round(a), vec_int);
#endif
}

/* How floats are rounded to bytes: struct int8_type and the bounds before it, in all lanes. */
struct int8_rounding {
    bool product;
    vec least, most; /* of x */
    vec by, rest, scale, zero, low, high;
    int32_t add;
};

/* type may be NULL: then it is not used. */
SIMD_INLINE struct int8_rounding int8_rounding(const struct int8_type *type, const struct int8_end *end)
{
    static const struct int8_type none;
    const struct int8_type *t = type ? type : &none;
    struct int8_rounding r = {.product = t->product, .add = (int32_t) t->zero};
    r.least = v_set(end ? end->low : -INFINITY);
    r.most = v_set(end ? end->high : INFINITY);
    if (t->product) {
        r.least = v_max(v_set(t->least), r.least);
        r.most = v_min(v_set(t->most), r.most);
        r.by = v_set(t->by);
        r.rest = v_set(t->rest);
    } else {
        r.scale = v_set(t->scale);
        r.zero = v_set(t->zero);
        r.low = v_set(t->low);
        r.high = v_set(t->high);
    }
    return r;
}

/* x / scale, rounded to the nearest, + zero, within the type; NaN becomes the least. */
SIMD_INLINE vec_int int8_round(vec x, const struct int8_rounding *r)
{
    if (r->product) {
        const vec a = v_min(v_max(x, r->least), r->most);
        return int8_whole(v_fma(a, r->by, a * r->rest)) + r->add;
    }
    const vec far = v_set(1 << 20); /* what can be rounded exactly */
    const vec a = v_min(r->most, v_max(r->least, x)) / r->scale;
    const vec y = v_round(v_min(v_max(a, v_set(0) - far), far)) + r->zero;
    return int8_whole(v_min(v_max(y, r->low), r->high));
}

static void int8_quantize_over(const float *x, size_t n, const struct int8_type *type, void *y)
{
    const struct int8_rounding r = int8_rounding(type, NULL);
    size_t i = 0;
    for (; i + W <= n; i += W) {
        int8_put((uint8_t *) y + i, W, int8_round(v_load(x + i), &r));
    }
    if (i < n) {
        int8_put((uint8_t *) y + i, n - i, int8_round(v_part(x + i, n - i), &r));
    }
}

struct int8_scales {
    vec scale, bias;
};

/* Of the columns from i, of which there are n. end may be NULL: then they are not used. */
SIMD_INLINE struct int8_scales int8_scales(const struct int8_end *end, size_t i, size_t n)
{
    struct int8_scales s = {v_set(1), v_set(0)};
    if (end) {
        s.scale = !end->scale_step ? v_set(end->scale[0])
                  : n >= W         ? v_load(end->scale + i)
                                   : v_part(end->scale + i, n);
        s.scale *= v_set(end->times);
    }
    if (end && end->bias) {
        s.bias = n >= W ? v_load(end->bias + i) : v_part(end->bias + i, n);
    }
    return s;
}

SIMD_INLINE vec int8_scaled(vec_int sums, const struct int8_scales *s)
{
    return v_fma(__builtin_convertvector(sums, vec), s->scale, s->bias);
}

SIMD_INLINE vec int8_bounded(vec y, const struct int8_end *end)
{
    return v_min(v_set(end->high), v_max(v_set(end->low), y));
}

static void int8_to_floats_over(const int32_t *sums, size_t n, const struct int8_end *end, float *y)
{
    for (size_t i = 0; i < n; i += W) {
        const size_t left = n - i < W ? n - i : W;
        const struct int8_scales scales = int8_scales(end, i, left);
        vec_int whole = {0};
        memcpy(&whole, sums + i, left * sizeof *sums);
        const vec a = int8_bounded(int8_scaled(whole, &scales), end);
        if (left == W) {
            v_store(y + i, a);
        } else {
            v_store_part(y + i, left, a);
        }
    }
}

static void int8_dynamic_over(const float *x, size_t n, uint8_t *y, float *ret_scale, int32_t *ret_zero)
{
    vec low = v_set(0), high = v_set(0);
    for (size_t i = 0; i < n; i += W) {
        const vec a = n - i < W ? v_part(x + i, n - i) : v_load(x + i);
        low = v_min(a, low); /* the second where one is NaN */
        high = v_max(a, high);
    }
    const float most = v_greatest(high), least = -v_greatest(v_set(0) - low);
    const float scale = most > least ? (most - least) / 255 : 1, zero = nearbyintf(-least / scale);
    const struct int8_type type = {.scale = scale, .zero = zero, .high = 255};
    int8_quantize_over(x, n, &type, y);
    *ret_scale = scale;
    *ret_zero = (int32_t) fminf(fmaxf(zero, 0), 255);
}
