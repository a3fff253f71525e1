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

SIMD_INLINE vec_int int8_load(const void *b)
{
    vec_int a;
    memcpy(&a, b, sizeof a);
    return a;
}

/* sum + the products of a group of k: `x` in all lanes, `b` of W columns */
SIMD_INLINE vec_int int8_dot(vec_int sum, const void *x, vec_int b)
{
    int32_t both;
    memcpy(&both, x, sizeof both);
#if defined(SIMD_VNNI)
    return (vec_int) _mm512_dpbusd_epi32((__m512i) sum, _mm512_set1_epi32(both), (__m512i) b);
#elif defined(SIMD_AVX512)
    return sum + (vec_int) _mm512_madd_epi16(_mm512_set1_epi32(both), (__m512i) b);
#elif defined(SIMD_AVX2)
    return sum + (vec_int) _mm256_madd_epi16(_mm256_set1_epi32(both), (__m256i) b);
#else
    int16_t pairs[2 * W], pair[2];
    memcpy(pairs, &b, sizeof pairs);
    memcpy(pair, &both, sizeof pair);
    for (int i = 0; i < W; i++) {
        sum[i] = (int32_t) ((uint32_t) sum[i] + (uint32_t) (pair[0] * pairs[2 * i]) +
                            (uint32_t) (pair[1] * pairs[2 * i + 1]));
    }
    return sum;
#endif
}

/* Rows of a tile, at most. */
#if defined(SIMD_AVX512)
#define INT8_MOST 12
#elif defined(SIMD_AVX2)
#define INT8_MOST 6
#else
#define INT8_MOST 4
#endif

struct int8_tile {
    const int8_cell *x;
    const char *b;
    const int32_t *sums, *zeros;    /* of the columns */
    const int32_t *zero_x, *x_sums; /* of the rows */
    bool one_zero;                  /* of all rows */
    const struct int8_out *out;
    size_t row, column; /* of the first element */
    size_t groups, ldx, columns;
};

/* What a sum begins with: the zero points' share. */
SIMD_INLINE vec_int int8_first(const struct int8_tile *t, int row, size_t at)
{
    vec_int sum = {0};
#if INT8_GROUP == 4
    vec_int add;
    memcpy(&add, t->sums + at, sizeof add);
    sum -= add * t->zero_x[row];
    if (t->zeros) {
        memcpy(&add, t->zeros + at, sizeof add);
        sum -= add * t->x_sums[row];
    }
#else
    (void) t, (void) row, (void) at;
#endif
    return sum;
}

enum int8_kind { INT8_SUMS, INT8_FLOATS, INT8_BYTES };

/* The sums of one vector of columns become what is wanted; sums of the rows are two vectors apart. */
SIMD_INLINE void int8_column(const struct int8_tile *t, size_t rows, size_t at, const vec_int *sums,
                             const enum int8_kind kind)
{
    const struct int8_out *out = t->out;
    const size_t n = t->columns - at < W ? t->columns - at : W, column = t->column + at, ld = out->ld;
    const struct int8_scales scales = int8_scales(out->end, column, n);
    const struct int8_rounding type = int8_rounding(out->type, out->end);
    size_t to = t->row * ld + column;
    for (size_t i = 0; i < rows; i++, to += ld, sums += 2) {
        if (kind == INT8_SUMS) {
            memcpy((int32_t *) out->y + to, sums, n * sizeof(int32_t));
            continue;
        }
        const vec y = int8_scaled(*sums, &scales);
        if (kind == INT8_BYTES) {
            int8_put((uint8_t *) out->y + to, n, int8_round(y, &type));
        } else if (n == W) {
            v_store((float *) out->y + to, int8_bounded(y, out->end));
        } else {
            v_store_part((float *) out->y + to, n, int8_bounded(y, out->end));
        }
    }
}

/* One function for tiles of all sizes: as a part of each it would be much code that is run once. */
static __attribute__((noinline)) void int8_finish(const struct int8_tile *t, size_t rows, const vec_int *sums)
{
    for (size_t at = 0; at < t->columns; at += W, sums++) {
        if (!t->out->end) {
            int8_column(t, rows, at, sums, INT8_SUMS);
        } else if (!t->out->type) {
            int8_column(t, rows, at, sums, INT8_FLOATS);
        } else {
            int8_column(t, rows, at, sums, INT8_BYTES);
        }
    }
}

SIMD_INLINE void int8_rows(const struct int8_tile *t, const int rows, const bool two)
{
    vec_int left[INT8_MOST], right[INT8_MOST];
    if (t->one_zero && !t->zeros) {
        const vec_int first0 = int8_first(t, 0, 0), first1 = int8_first(t, 0, two ? W : 0);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            left[i] = first0;
            right[i] = first1;
        }
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            left[i] = int8_first(t, i, 0);
            right[i] = int8_first(t, i, two ? W : 0);
        }
    }
    const char *b = t->b;
    for (size_t g = 0; g < t->groups; g++, b += 2 * W * 4) {
        const vec_int b0 = int8_load(b), b1 = int8_load(b + (two ? W * 4 : 0));
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const int8_cell *x = t->x + (size_t) i * t->ldx + g * INT8_GROUP;
            left[i] = int8_dot(left[i], x, b0);
            if (two) {
                right[i] = int8_dot(right[i], x, b1);
            }
        }
    }
    vec_int sums[2 * INT8_MOST];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        sums[2 * i] = left[i];
        if (two) {
            sums[2 * i + 1] = right[i];
        }
    }
    int8_finish(t, (size_t) rows, sums);
}

/* One row: the sums of every second group wait for each other only. */
SIMD_INLINE void int8_one_row(const struct int8_tile *t, const bool two)
{
    const vec_int none = {0};
    vec_int left[2] = {int8_first(t, 0, 0), none}, right[2] = {int8_first(t, 0, two ? W : 0), none};
    const char *b = t->b;
    size_t g = 0;
    for (; g + 2 <= t->groups; g += 2, b += 4 * W * 4) {
        const int8_cell *x = t->x + g * INT8_GROUP;
        left[0] = int8_dot(left[0], x, int8_load(b));
        left[1] = int8_dot(left[1], x + INT8_GROUP, int8_load(b + 2 * W * 4));
        if (two) {
            right[0] = int8_dot(right[0], x, int8_load(b + W * 4));
            right[1] = int8_dot(right[1], x + INT8_GROUP, int8_load(b + 3 * W * 4));
        }
    }
    if (g < t->groups) {
        left[0] = int8_dot(left[0], t->x + g * INT8_GROUP, int8_load(b));
        right[0] = int8_dot(right[0], t->x + g * INT8_GROUP, int8_load(b + W * 4));
    }
    const vec_int sums[2] = {left[0] + left[1], right[0] + right[1]};
    int8_finish(t, 1, sums);
}

typedef void int8_fn(const struct int8_tile *t);

#define INT8_TILE(rows)                                                                                      \
    static void int8_1x##rows(const struct int8_tile *t)                                                     \
    {                                                                                                        \
        int8_rows(t, rows, false);                                                                           \
    }                                                                                                        \
    static void int8_2x##rows(const struct int8_tile *t)                                                     \
    {                                                                                                        \
        int8_rows(t, rows, true);                                                                            \
    }
INT8_TILE(2)
INT8_TILE(3)
INT8_TILE(4)
#if INT8_MOST > 4
INT8_TILE(6)
#endif
#if INT8_MOST > 6
INT8_TILE(8)
INT8_TILE(12)
#endif
static void int8_1x1(const struct int8_tile *t)
{
    int8_one_row(t, false);
}
static void int8_2x1(const struct int8_tile *t)
{
    int8_one_row(t, true);
}

/* By the number of rows; those that there are not are made of smaller ones. */
static int8_fn *const int8_tiles[2][INT8_MOST + 1] = {
    {[1] = int8_1x1,
     int8_1x2,
     int8_1x3,
     int8_1x4,
#if INT8_MOST > 4
     [6] = int8_1x6,
#endif
#if INT8_MOST > 6
     [8] = int8_1x8,
     [12] = int8_1x12
#endif
    },
    {[1] = int8_2x1,
     int8_2x2,
     int8_2x3,
     int8_2x4,
#if INT8_MOST > 4
     [6] = int8_2x6,
#endif
#if INT8_MOST > 6
     [8] = int8_2x8,
     [12] = int8_2x12
#endif
    },
};

/* The largest tile of at most `rows`. */
SIMD_INLINE size_t int8_tile_rows(size_t rows)
{
    size_t n = rows < INT8_MOST ? rows : INT8_MOST;
    while (!int8_tiles[0][n]) {
        n--;
    }
    return n;
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

/* Rows that are worked on together: they and one panel of b stay in the nearest cache. */
SIMD_INLINE size_t int8_block_rows(size_t padded, size_t left)
{
    const size_t most = padded <= 512 ? INT8_ROWS : INT8_MOST;
    return left < most ? left : most;
}

static void int8_block(const struct int8 *g, struct int8_tile *t, size_t rows)
{
    const int8_cell *const x = t->x;
    const int32_t *const zero_x = t->zero_x, *const x_sums = t->x_sums;
    const size_t first = t->row;
    t->b = g->b;
    for (size_t j = 0; j < g->n; j += 2 * W, t->b += g->groups * 2 * W * 4) {
        t->column = j;
        t->columns = g->n - j < 2 * W ? g->n - j : 2 * W;
        t->sums = g->sums + j;
        t->zeros = g->zeros ? g->zeros + j : NULL;
        for (size_t i = 0, n; i < rows; i += n) {
            n = int8_tile_rows(rows - i);
            t->x = x + i * t->ldx;
            t->zero_x = zero_x + i;
            t->x_sums = x_sums + i;
            t->row = first + i;
            int8_tiles[t->columns > W][n](t);
        }
    }
}

static void int8_over(const struct int8 *g, size_t m, struct bytes x, size_t ldx, const struct int8_out *out,
                      void *scratch)
{
    const size_t padded = g->groups * INT8_GROUP;
    const bool in_place = INT8_GROUP == 4 && !x.is_signed && g->k == padded;
    int8_cell *const rows_at = scratch;
    int32_t zero_x[INT8_ROWS], x_sums[INT8_ROWS];
    struct int8_tile t = {.out = out, .groups = g->groups, .ldx = in_place ? ldx : padded};
    t.one_zero = !x.zero || x.zero_step == 0;
    for (size_t i = 0, rows; i < m; i += rows) {
        rows = int8_block_rows(padded, m - i);
        t.x = in_place ? (const int8_cell *) x.data + i * ldx : rows_at;
        for (size_t j = 0; j < rows; j++) {
            const int32_t zero = x.zero ? x.zero[(i + j) * x.zero_step] : 0;
            zero_x[j] = zero + (x.is_signed ? 128 : 0);
            if (!in_place) {
                int8_row(g, &x, (i + j) * ldx, zero, rows_at + j * padded);
            }
            x_sums[j] = 0;
            for (size_t k = 0; INT8_GROUP == 4 && g->zeros && k < g->k; k++) {
                x_sums[j] += t.x[j * t.ldx + k];
            }
        }
        t.row = i;
        t.zero_x = zero_x;
        t.x_sums = x_sums;
        int8_block(g, &t, rows);
    }
}
