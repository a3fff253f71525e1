/* SPDX-License-Identifier: MPL-2.0 */
/* int8_body - products of bytes in blocks that stay in registers. Included behind gemm_body.h, within SIMD_BEGIN and
 * SIMD_END. */

#if defined(SIMD_VNNI)
#define INT8_GROUP 4
typedef uint8_t int8_cell;
#else
#define INT8_GROUP 2
typedef int16_t int8_cell;
#endif

/* sum + the products of a group of k: `x` in all lanes, `b` of W columns */
SIMD_INLINE vec_int int8_dot(vec_int sum, const void *x, const void *b)
{
    int32_t both;
    memcpy(&both, x, sizeof both);
#if defined(SIMD_VNNI)
    return (vec_int) _mm512_dpbusd_epi32((__m512i) sum, _mm512_set1_epi32(both), _mm512_loadu_si512(b));
#elif defined(SIMD_AVX512)
    return sum + (vec_int) _mm512_madd_epi16(_mm512_set1_epi32(both), _mm512_loadu_si512(b));
#elif defined(SIMD_AVX2)
    return sum + (vec_int) _mm256_madd_epi16(_mm256_set1_epi32(both), _mm256_loadu_si256(b));
#else
    int16_t pairs[2 * W], pair[2];
    memcpy(pairs, b, sizeof pairs);
    memcpy(pair, &both, sizeof pair);
    for (int i = 0; i < W; i++) {
        sum[i] = (int32_t) ((uint32_t) sum[i] + (uint32_t) (pair[0] * pairs[2 * i]) +
                            (uint32_t) (pair[1] * pairs[2 * i + 1]));
    }
    return sum;
#endif
}

struct int8_tile {
    const int8_cell *x;
    const char *b;
    const int32_t *sums, *zeros;
    int32_t *y;
    size_t groups, ldx, ldy, columns;
    int32_t zero_x[TILE_ROWS], x_sums[TILE_ROWS];
};

SIMD_INLINE void int8_store(const struct int8_tile *t, int row, size_t at, vec_int sum)
{
    int32_t *to = t->y + (size_t) row * t->ldy + at;
    vec_int add;
#if INT8_GROUP == 4
    memcpy(&add, t->sums + at, sizeof add);
    sum -= add * t->zero_x[row];
    if (t->zeros) {
        memcpy(&add, t->zeros + at, sizeof add);
        sum -= add * t->x_sums[row];
    }
#else
    (void) add;
#endif
    if (at + W <= t->columns) {
        memcpy(to, &sum, sizeof sum);
    } else if (at < t->columns) {
        int32_t part[W];
        memcpy(part, &sum, sizeof sum);
        memcpy(to, part, (t->columns - at) * sizeof *to);
    }
}

SIMD_INLINE void int8_rows(const struct int8_tile *t, const int rows)
{
    vec_int left[TILE_ROWS], right[TILE_ROWS];
    const vec_int none = {0};
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        left[i] = right[i] = none;
    }
    const char *b = t->b;
    for (size_t g = 0; g < t->groups; g++, b += 2 * W * 4) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const int8_cell *x = t->x + (size_t) i * t->ldx + g * INT8_GROUP;
            left[i] = int8_dot(left[i], x, b);
            right[i] = int8_dot(right[i], x, b + W * 4);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        int8_store(t, i, 0, left[i]);
        int8_store(t, i, W, right[i]);
    }
}

/* One row: the sums of every second group wait for each other only. */
static void int8_1(const struct int8_tile *t)
{
    vec_int left[2] = {{0}}, right[2] = {{0}};
    const char *b = t->b;
    size_t g = 0;
    for (; g + 2 <= t->groups; g += 2, b += 4 * W * 4) {
        const int8_cell *x = t->x + g * INT8_GROUP;
        left[0] = int8_dot(left[0], x, b);
        right[0] = int8_dot(right[0], x, b + W * 4);
        left[1] = int8_dot(left[1], x + INT8_GROUP, b + 2 * W * 4);
        right[1] = int8_dot(right[1], x + INT8_GROUP, b + 3 * W * 4);
    }
    if (g < t->groups) {
        left[0] = int8_dot(left[0], t->x + g * INT8_GROUP, b);
        right[0] = int8_dot(right[0], t->x + g * INT8_GROUP, b + W * 4);
    }
    int8_store(t, 0, 0, left[0] + left[1]);
    int8_store(t, 0, W, right[0] + right[1]);
}

#define INT8_TILE(rows)                                                                                      \
    static void int8_##rows(const struct int8_tile *t)                                                       \
    {                                                                                                        \
        int8_rows(t, rows);                                                                                  \
    }
INT8_TILE(2)
INT8_TILE(3)
INT8_TILE(4)
#if TILE_ROWS > 4
INT8_TILE(6)
#endif
#if TILE_ROWS > 6
INT8_TILE(8)
INT8_TILE(12)
#endif

/* The largest block of at most `rows`. */
SIMD_INLINE size_t int8_block(size_t rows)
{
#if TILE_ROWS > 6
    if (rows >= 8) {
        return rows >= 12 ? 12 : 8;
    }
#endif
#if TILE_ROWS > 4
    if (rows >= 6) {
        return 6;
    }
#endif
    return rows < 4 ? rows : 4;
}

static void int8_tile(const struct int8_tile *t, size_t rows)
{
    switch (rows) {
    case 1:
        int8_1(t);
        return;
    case 2:
        int8_2(t);
        return;
    case 3:
        int8_3(t);
        return;
    case 4:
        int8_4(t);
        return;
#if TILE_ROWS > 4
    case 6:
        int8_6(t);
        return;
#endif
#if TILE_ROWS > 6
    case 8:
        int8_8(t);
        return;
    default:
        int8_12(t);
#endif
    }
}

/* A row as the tiles read it: unsigned bytes whose zero point moves along, or 16-bit numbers less it; zeros at the end. */
SIMD_INLINE void int8_row(const struct int8 *g, const struct bytes *x, size_t at, int32_t zero, int8_cell *to)
{
    size_t k = 0;
#if INT8_GROUP == 4
    (void) zero;
    const uint8_t *from = (const uint8_t *) x->data + at, flip = x->is_signed ? 0x80 : 0;
    for (; k < g->k; k++) {
        to[k] = from[k] ^ flip;
    }
#else
    if (x->is_signed) {
        const int8_t *from = (const int8_t *) x->data + at;
        for (; k < g->k; k++) {
            to[k] = (int16_t) (from[k] - zero);
        }
    } else {
        const uint8_t *from = (const uint8_t *) x->data + at;
        for (; k < g->k; k++) {
            to[k] = (int16_t) (from[k] - zero);
        }
    }
#endif
    for (; k < g->groups * INT8_GROUP; k++) {
        to[k] = 0;
    }
}

static void int8_over(const struct int8 *g, size_t m, struct bytes x, size_t ldx, int32_t *y, size_t ldy,
                      void *scratch)
{
    const size_t padded = g->groups * INT8_GROUP;
    const bool in_place = INT8_GROUP == 4 && !x.is_signed && g->k == padded;
    int8_cell *const rows_at = scratch;
    struct int8_tile t = {.groups = g->groups, .ldx = in_place ? ldx : padded, .ldy = ldy};
    for (size_t i = 0, rows; i < m; i += rows) {
        rows = int8_block(m - i);
        t.x = in_place ? (const int8_cell *) x.data + i * ldx : rows_at;
        for (size_t j = 0; j < rows; j++) {
            const int32_t zero = x.zero ? x.zero[(i + j) * x.zero_step] : 0;
            t.zero_x[j] = zero + (x.is_signed ? 128 : 0);
            if (!in_place) {
                int8_row(g, &x, (i + j) * ldx, zero, rows_at + j * padded);
            }
            t.x_sums[j] = 0;
            for (size_t k = 0; INT8_GROUP == 4 && g->zeros && k < g->k; k++) {
                t.x_sums[j] += t.x[j * t.ldx + k];
            }
        }
        t.b = g->b;
        for (size_t j = 0; j < g->n; j += 2 * W, t.b += g->groups * 2 * W * 4) {
            t.columns = g->n - j < 2 * W ? g->n - j : 2 * W;
            t.sums = g->sums + j;
            t.zeros = g->zeros ? g->zeros + j : NULL;
            t.y = y + i * ldy + j;
            int8_tile(&t, rows);
        }
    }
}

/* The first n <= W of a, whole numbers in -128 .. 255, as bytes. */
SIMD_INLINE void int8_put(uint8_t *to, size_t n, vec a)
{
#if defined(SIMD_AVX512)
    _mm512_mask_cvtepi32_storeu_epi8(to, (__mmask16) ((1u << n) - 1), _mm512_cvtps_epi32(a));
#else
#if defined(SIMD_AVX2)
    const __m256i whole = _mm256_cvtps_epi32(a);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    const __m128i low = _mm_and_si128(words, _mm_set1_epi16(0xff)), bytes = _mm_packus_epi16(low, low);
    if (n == W) {
        _mm_storel_epi64((__m128i *) (void *) to, bytes);
        return;
    }
#endif
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t) (int32_t) a[i];
    }
#endif
}

/* x / scale, rounded to the nearest, + zero, within low .. high; NaN becomes low. */
SIMD_INLINE vec int8_round(vec x, vec scale, vec zero, vec low, vec high)
{
    const vec far = v_set(1 << 20); /* what can be rounded exactly */
    const vec a = v_round(v_min(v_max(x / scale, v_set(0) - far), far)) + zero;
    return v_min(v_max(a, low), high);
}

static void int8_quantize_over(const float *x, size_t n, float scale, float zero, float low, float high,
                               void *y)
{
    const vec s = v_set(scale), z = v_set(zero), l = v_set(low), h = v_set(high);
    size_t i = 0;
    for (; i + W <= n; i += W) {
        int8_put((uint8_t *) y + i, W, int8_round(v_load(x + i), s, z, l, h));
    }
    if (i < n) {
        int8_put((uint8_t *) y + i, n - i, int8_round(v_part(x + i, n - i), s, z, l, h));
    }
}

SIMD_INLINE vec int8_sums(const int32_t *sums, size_t n)
{
    vec_int whole = {0};
    memcpy(&whole, sums, n * sizeof *sums);
    return __builtin_convertvector(whole, vec);
}

SIMD_INLINE vec int8_vector(const float *x, size_t n)
{
    return n == W ? v_load(x) : v_part(x, n);
}

SIMD_INLINE vec int8_scaled(const int32_t *sums, size_t i, size_t n, const struct int8_end *end)
{
    vec scale = v_set(end->scale[0]), bias = v_set(0);
    if (end->scale_step) {
        scale = int8_vector(end->scale + i, n);
    }
    if (end->bias) {
        bias = int8_vector(end->bias + i, n);
    }
    const vec y = v_fma(int8_sums(sums + i, n), scale * v_set(end->times), bias);
    return v_min(v_set(end->high), v_max(v_set(end->low), y));
}

static void int8_to_floats_over(const int32_t *sums, size_t n, const struct int8_end *end, float *y)
{
    size_t i = 0;
    for (; i + W <= n; i += W) {
        v_store(y + i, int8_scaled(sums, i, W, end));
    }
    if (i < n) {
        v_store_part(y + i, n - i, int8_scaled(sums, i, n - i, end));
    }
}

static void int8_to_bytes_over(const int32_t *sums, size_t n, const struct int8_end *end,
                               const struct int8_type *type, void *y)
{
    const vec s = v_set(type->scale), z = v_set(type->zero), l = v_set(type->low), h = v_set(type->high);
    size_t i = 0;
    for (; i + W <= n; i += W) {
        int8_put((uint8_t *) y + i, W, int8_round(int8_scaled(sums, i, W, end), s, z, l, h));
    }
    if (i < n) {
        int8_put((uint8_t *) y + i, n - i, int8_round(int8_scaled(sums, i, n - i, end), s, z, l, h));
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
    int8_quantize_over(x, n, scale, zero, 0, 255, y);
    *ret_scale = scale;
    *ret_zero = (int32_t) fminf(fmaxf(zero, 0), 255);
}
