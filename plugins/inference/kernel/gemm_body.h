/* SPDX-License-Identifier: MPL-2.0 */
/* gemm_body - products of matrices in blocks that stay in registers. Included behind simd.h and act_body.h, within SIMD_BEGIN
 * and SIMD_END.
 *
 * A tile is TILE_ROWS rows of y by two vectors: its sums fill most registers, and each load of b serves all rows. */

#if defined(SIMD_AVX512)
#define TILE_ROWS 12
#elif defined(SIMD_AVX2)
#define TILE_ROWS 6
#else
#define TILE_ROWS 4
#endif

/* Where one tile reads and writes. */
struct tile {
    const float *x, *b, *bias, *row_bias;
    float *y;
    const size_t *places; /* of rows of b, for tile_places */
    size_t k, ldx, ldb, ldy;
    size_t columns;  /* that are written: the others are padding of b */
    float low, high; /* bounds of what is written; infinities mostly */
    bool add;
};

/* bias may end with its last column. */
SIMD_INLINE vec tile_bias(const struct tile *t, size_t at)
{
    if (!t->bias) {
        return v_set(0);
    }
    return t->columns >= at + W ? v_load(t->bias + at) : v_part(t->bias + at, t->columns - at);
}

/* The sum so far becomes the element. */
SIMD_INLINE void tile_store(const struct tile *t, float *to, size_t at, vec sum)
{
    const vec low = v_set(t->low), high = v_set(t->high);
    if (t->columns >= at + W) {
        if (t->add) {
            sum += v_load(to + at);
        }
        v_store(to + at, v_min(high, v_max(low, sum)));
    } else {
        if (t->add) {
            sum += v_part(to + at, t->columns - at);
        }
        v_store_part(to + at, t->columns - at, v_min(high, v_max(low, sum)));
    }
}

SIMD_INLINE void tile_rows(const struct tile *t, const int rows, const bool two, const bool places)
{
    vec left[TILE_ROWS], right[TILE_ROWS];
    const float *x[TILE_ROWS];
    const vec bias0 = tile_bias(t, 0), bias1 = tile_bias(t, two ? W : 0);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        left[i] = bias0;
        right[i] = bias1;
        x[i] = t->x + (size_t) i * t->ldx;
    }
    const float *b = t->b;
    const size_t ldb = t->ldb, n = t->k;
    for (size_t k = 0; k < n; k++) {
        const float *row = places ? t->b + t->places[k] : b;
        const vec b0 = v_load(row), b1 = v_load(row + (two ? W : 0));
        b += places ? 0 : ldb;
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const vec a = v_set(x[i][k]);
            left[i] = v_fma(a, b0, left[i]);
            if (two) {
                right[i] = v_fma(a, b1, right[i]);
            }
        }
    }
    if (t->row_bias) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            left[i] += v_set(t->row_bias[i]);
            right[i] += v_set(t->row_bias[i]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        float *y = t->y + (size_t) i * t->ldy;
        tile_store(t, y, 0, left[i]);
        if (two) {
            tile_store(t, y, W, right[i]);
        }
    }
}

/* One row: the additions to one sum would wait for each other, so every fourth k has a sum of its own. */
SIMD_INLINE void tile_one_row(const struct tile *t, const bool two)
{
    vec left[4], right[4];
    const vec start = v_set(t->row_bias ? t->row_bias[0] : 0);
    left[0] = start + tile_bias(t, 0);
    right[0] = start + tile_bias(t, two ? W : 0);
    left[1] = left[2] = left[3] = right[1] = right[2] = right[3] = v_set(0);
    const float *b = t->b, *x = t->x;
    const size_t ldb = t->ldb, n = t->k;
    size_t k = 0;
    for (; k + 4 <= n; k += 4, b += 4 * ldb) {
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            const vec a = v_set(x[k + i]);
            left[i] = v_fma(a, v_load(b + i * ldb), left[i]);
            if (two) {
                right[i] = v_fma(a, v_load(b + i * ldb + W), right[i]);
            }
        }
    }
    for (; k < n; k++, b += ldb) {
        left[0] = v_fma(v_set(x[k]), v_load(b), left[0]);
        if (two) {
            right[0] = v_fma(v_set(x[k]), v_load(b + W), right[0]);
        }
    }
    tile_store(t, t->y, 0, (left[0] + left[1]) + (left[2] + left[3]));
    if (two) {
        tile_store(t, t->y, W, (right[0] + right[1]) + (right[2] + right[3]));
    }
}

/* One row, two whole panels: each element of x is read once for both. */
static void tile_two_panels(struct tile *t, size_t panel)
{
    vec sum[2][4];
    const vec start = v_set(t->row_bias ? t->row_bias[0] : 0);
    for (size_t v = 0; v < 4; v++) {
        sum[0][v] = start;
        sum[1][v] = v_set(0);
        if (t->bias) {
            sum[0][v] += v_load(t->bias + v * W);
        }
    }
    const float *b = t->b, *x = t->x;
    const size_t ldb = t->ldb, n = t->k;
    size_t k = 0;
    for (; k + 2 <= n; k += 2, b += 2 * ldb) {
#pragma GCC unroll 2
        for (size_t i = 0; i < 2; i++) {
            const vec a = v_set(x[k + i]);
            const float *row = b + i * ldb;
            sum[i][0] = v_fma(a, v_load(row), sum[i][0]);
            sum[i][1] = v_fma(a, v_load(row + W), sum[i][1]);
            sum[i][2] = v_fma(a, v_load(row + panel), sum[i][2]);
            sum[i][3] = v_fma(a, v_load(row + panel + W), sum[i][3]);
        }
    }
    if (k < n) {
        const vec a = v_set(x[k]);
        sum[0][0] = v_fma(a, v_load(b), sum[0][0]);
        sum[0][1] = v_fma(a, v_load(b + W), sum[0][1]);
        sum[0][2] = v_fma(a, v_load(b + panel), sum[0][2]);
        sum[0][3] = v_fma(a, v_load(b + panel + W), sum[0][3]);
    }
    t->columns = 4 * W;
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; v++) {
        tile_store(t, t->y, v * W, sum[0][v] + sum[1][v]);
    }
    t->columns = 2 * W;
}

typedef void tile_fn(const struct tile *t);

#define PLACED(rows)                                                                                         \
    static void placed_1x##rows(const struct tile *t)                                                        \
    {                                                                                                        \
        tile_rows(t, rows, false, true);                                                                     \
    }                                                                                                        \
    static void placed_2x##rows(const struct tile *t)                                                        \
    {                                                                                                        \
        tile_rows(t, rows, true, true);                                                                      \
    }
#define TILE(rows)                                                                                           \
    static void tile_1x##rows(const struct tile *t)                                                          \
    {                                                                                                        \
        tile_rows(t, rows, false, false);                                                                    \
    }                                                                                                        \
    static void tile_2x##rows(const struct tile *t)                                                          \
    {                                                                                                        \
        tile_rows(t, rows, true, false);                                                                     \
    }                                                                                                        \
    PLACED(rows)
TILE(2)
TILE(3)
TILE(4)
#if TILE_ROWS > 4
TILE(5)
TILE(6)
#endif
#if TILE_ROWS > 6
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
#endif
PLACED(1)
static void tile_1x1(const struct tile *t)
{
    tile_one_row(t, false);
}
static void tile_2x1(const struct tile *t)
{
    tile_one_row(t, true);
}

static tile_fn *const tiles[2][TILE_ROWS + 1] = {
    {NULL, tile_1x1, tile_1x2, tile_1x3, tile_1x4,
#if TILE_ROWS > 4
     tile_1x5, tile_1x6,
#endif
#if TILE_ROWS > 6
     tile_1x7, tile_1x8, tile_1x9, tile_1x10, tile_1x11, tile_1x12
#endif
    },
    {NULL, tile_2x1, tile_2x2, tile_2x3, tile_2x4,
#if TILE_ROWS > 4
     tile_2x5, tile_2x6,
#endif
#if TILE_ROWS > 6
     tile_2x7, tile_2x8, tile_2x9, tile_2x10, tile_2x11, tile_2x12
#endif
    },
};

static tile_fn *const placed[2][TILE_ROWS + 1] = {
    {NULL, placed_1x1, placed_1x2, placed_1x3, placed_1x4,
#if TILE_ROWS > 4
     placed_1x5, placed_1x6,
#endif
#if TILE_ROWS > 6
     placed_1x7, placed_1x8, placed_1x9, placed_1x10, placed_1x11, placed_1x12
#endif
    },
    {NULL, placed_2x1, placed_2x2, placed_2x3, placed_2x4,
#if TILE_ROWS > 4
     placed_2x5, placed_2x6,
#endif
#if TILE_ROWS > 6
     placed_2x7, placed_2x8, placed_2x9, placed_2x10, placed_2x11, placed_2x12
#endif
    },
};

/* All panels for a block of rows, which then stays in the nearest cache. */
SIMD_INLINE void gemm_block(const struct gemm *g, size_t rows, struct tile *t)
{
    float *const y = t->y;
    t->columns = 2 * W;
    t->ldb = g->row;
    t->b = g->b;
    t->bias = g->bias;
    size_t j = 0;
    for (; rows == 1 && j + 4 * W <= g->full; j += 4 * W, t->b += 2 * g->panel, t->y += 4 * W) {
        tile_two_panels(t, g->panel);
        t->bias = t->bias ? t->bias + 4 * W : NULL;
    }
    for (; j < g->full; j += 2 * W, t->b += g->panel, t->y += 2 * W) {
        tiles[1][rows](t);
        t->bias = t->bias ? t->bias + 2 * W : NULL;
    }
    if (g->full < g->n) {
        t->columns = g->n - g->full;
        t->b = g->last;
        t->ldb = g->last_row;
        tiles[t->columns > W][rows](t);
    }
    if (g->act != ACT_NONE && g->act != ACT_RELU && g->act != ACT_CLIP) {
        for (size_t i = 0; i < rows; i++) {
            act_over[g->act](y + i * t->ldy, y + i * t->ldy, g->n, g->act_a, g->act_b);
        }
    }
    t->y = y;
}

/* Few columns: each element is a dot product of a row of x and a row of the transposed b. */
SIMD_INLINE float gemm_dot(const float *x, const float *b, size_t k)
{
    vec sum[2] = {v_set(0), v_set(0)};
    size_t i = 0;
    for (; i + 2 * W <= k; i += 2 * W) {
        sum[0] = v_fma(v_load(x + i), v_load(b + i), sum[0]);
        sum[1] = v_fma(v_load(x + i + W), v_load(b + i + W), sum[1]);
    }
    for (; i + W <= k; i += W) {
        sum[0] = v_fma(v_load(x + i), v_load(b + i), sum[0]);
    }
    if (i < k) {
        sum[1] = v_fma(v_part(x + i, k - i), v_part(b + i, k - i), sum[1]);
    }
    return v_sum(sum[0] + sum[1]);
}

static void gemm_dots(const struct gemm *g, size_t m, const float *x, size_t ldx, float *y, size_t ldy)
{
    for (size_t i = 0; i < m; i++, x += ldx, y += ldy) {
        for (size_t j = 0; j < g->n; j++) {
            const float start =
                (g->add ? y[j] : 0) + (g->bias ? g->bias[j] : 0) + (g->row_bias ? g->row_bias[i] : 0);
            y[j] = start + gemm_dot(x, g->b + j * g->row, g->k);
        }
        if (ldy != g->n) {
            act_over[g->act](y, y, g->n, g->act_a, g->act_b);
        }
    }
    if (ldy == g->n) {
        y -= m * ldy;
        act_over[g->act](y, y, m * g->n, g->act_a, g->act_b);
    }
}

/* Rows of b lie where places say: a panel stays in the nearest cache for all rows of x. */
static void gemm_placed(const struct gemm *g, size_t m, const float *x, size_t ldx, struct tile *t)
{
    float *const y = t->y;
    t->places = g->places;
    t->b = g->b;
    for (size_t j = 0; j < g->n; j += 2 * W, t->b += 2 * W) {
        t->columns = g->n - j < 2 * W ? g->n - j : 2 * W;
        for (size_t i = 0; i < m; i += TILE_ROWS) {
            t->x = x + i * ldx;
            t->y = y + i * t->ldy + j;
            t->row_bias = g->row_bias ? g->row_bias + i : NULL;
            placed[t->columns > W][m - i < TILE_ROWS ? m - i : TILE_ROWS](t);
        }
    }
    for (size_t i = 0; i < m && g->act != ACT_NONE && g->act != ACT_RELU && g->act != ACT_CLIP; i++) {
        act_over[g->act](y + i * t->ldy, y + i * t->ldy, g->n, g->act_a, g->act_b);
    }
}

static void gemm_over(const struct gemm *g, size_t m, const float *x, size_t ldx, float *y, size_t ldy)
{
    if (g->dots) {
        gemm_dots(g, m, x, ldx, y, ldy);
        return;
    }
    struct tile t = {.x = x,
                     .y = y,
                     .k = g->k,
                     .ldx = ldx,
                     .ldy = ldy,
                     .row_bias = g->row_bias,
                     .add = g->add,
                     .low = -INFINITY,
                     .high = INFINITY};
    if (g->act == ACT_RELU) {
        t.low = 0;
    } else if (g->act == ACT_CLIP) {
        t.low = g->act_a;
        t.high = g->act_b;
    }
    if (g->places) {
        gemm_placed(g, m, x, ldx, &t);
        return;
    }
    for (size_t i = 0; i < m; i += TILE_ROWS, t.x += TILE_ROWS * ldx, t.y += TILE_ROWS * ldy) {
        const size_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
        gemm_block(g, rows, &t);
        t.row_bias = t.row_bias ? t.row_bias + TILE_ROWS : NULL;
    }
}
