/* SPDX-License-Identifier: MPL-2.0 */
/* gemm_body - products of matrices in blocks that stay in registers. Included behind simd.h and act_body.h, within SIMD_BEGIN
 * and SIMD_END.
 *
 * A tile is TILE_ROWS rows of y by two vectors: its sums fill most registers, and each load of b serves all rows. */

#if defined(SIMD_AVX512)
#define TILE_ROWS     8
#define EACH_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8)
#elif defined(SIMD_AVX2)
#define TILE_ROWS     6
#define EACH_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6)
#else
#define TILE_ROWS     4
#define EACH_ROWS(DO) DO(1) DO(2) DO(3) DO(4)
#endif

/* Where elements lie: in rows; rows of b anywhere (tile.places); elements of x anywhere (tile.x_rows, tile.x_places). */
enum lie { LIE_ROWS, LIE_PLACED, LIE_GATHERED };

/* Where one tile reads and writes. */
struct tile {
    const float *x, *b, *bias, *row_bias;
    float *y;
    const size_t *places, *x_rows, *x_places; /* LIE_PLACED, LIE_GATHERED */
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

SIMD_INLINE void tile_rows(const struct tile *t, const int rows, const bool two, const enum lie lie)
{
    vec left[TILE_ROWS], right[TILE_ROWS];
    const float *x[TILE_ROWS];
    const vec bias0 = tile_bias(t, 0), bias1 = tile_bias(t, two ? W : 0);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        left[i] = bias0;
        right[i] = bias1;
        x[i] = t->x + (lie == LIE_GATHERED ? t->x_rows[i] : (size_t) i * t->ldx);
    }
    const float *b = t->b;
    const size_t ldb = t->ldb, n = t->k;
    for (size_t k = 0; k < n; k++) {
        const float *row = lie == LIE_PLACED ? t->b + t->places[k] : b;
        const size_t at = lie == LIE_GATHERED ? t->x_places[k] : k;
        const vec b0 = v_load(row), b1 = v_load(row + (two ? W : 0));
        b += lie == LIE_PLACED ? 0 : ldb;
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const vec a = v_set(x[i][at]);
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

/* One row of x and b of which each row lies anywhere: many columns at a time, so that the additions need not wait. */
enum { WIDE = 8 };

static void tile_wide_placed(const struct tile *t)
{
    vec sum[WIDE];
#pragma GCC unroll 8
    for (size_t v = 0; v < WIDE; v++) {
        sum[v] = v_set(t->row_bias ? t->row_bias[0] : 0);
    }
    for (size_t k = 0; k < t->k; k++) {
        const float *row = t->b + t->places[k];
        const vec a = v_set(t->x[k]);
#pragma GCC unroll 8
        for (size_t v = 0; v < WIDE; v++) {
            sum[v] = v_fma(a, v_load(row + v * W), sum[v]);
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < WIDE; v++) {
        tile_store(t, t->y, v * W, sum[v]);
    }
}

typedef void tile_fn(const struct tile *t);

#define TILES(rows)                                                                                          \
    static void tile_1x##rows(const struct tile *t)                                                          \
    {                                                                                                        \
        rows == 1 ? tile_one_row(t, false) : tile_rows(t, rows, false, LIE_ROWS);                            \
    }                                                                                                        \
    static void tile_2x##rows(const struct tile *t)                                                          \
    {                                                                                                        \
        rows == 1 ? tile_one_row(t, true) : tile_rows(t, rows, true, LIE_ROWS);                              \
    }                                                                                                        \
    static void placed_1x##rows(const struct tile *t)                                                        \
    {                                                                                                        \
        tile_rows(t, rows, false, LIE_PLACED);                                                               \
    }                                                                                                        \
    static void placed_2x##rows(const struct tile *t)                                                        \
    {                                                                                                        \
        tile_rows(t, rows, true, LIE_PLACED);                                                                \
    }                                                                                                        \
    static void gathered_1x##rows(const struct tile *t)                                                      \
    {                                                                                                        \
        tile_rows(t, rows, false, LIE_GATHERED);                                                             \
    }                                                                                                        \
    static void gathered_2x##rows(const struct tile *t)                                                      \
    {                                                                                                        \
        tile_rows(t, rows, true, LIE_GATHERED);                                                              \
    }

EACH_ROWS(TILES)

#define TILE_1(rows)     tile_1x##rows,
#define TILE_2(rows)     tile_2x##rows,
#define PLACED_1(rows)   placed_1x##rows,
#define PLACED_2(rows)   placed_2x##rows,
#define GATHERED_1(rows) gathered_1x##rows,
#define GATHERED_2(rows) gathered_2x##rows,

/* By where elements lie, by vectors less one, by rows. */
static tile_fn *const tiles[3][2][TILE_ROWS + 1] = {
    [LIE_ROWS] = {{NULL, EACH_ROWS(TILE_1)}, {NULL, EACH_ROWS(TILE_2)}},
    [LIE_PLACED] = {{NULL, EACH_ROWS(PLACED_1)}, {NULL, EACH_ROWS(PLACED_2)}},
    [LIE_GATHERED] = {{NULL, EACH_ROWS(GATHERED_1)}, {NULL, EACH_ROWS(GATHERED_2)}},
};

/* All panels for a block of rows, which then stays in the nearest cache. */
SIMD_INLINE void gemm_block(const struct gemm *g, size_t rows, struct tile *t)
{
    float *const y = t->y;
    const enum lie lie = g->x_rows ? LIE_GATHERED : LIE_ROWS;
    t->columns = 2 * W;
    t->ldb = g->row;
    t->b = g->b;
    t->bias = g->bias;
    size_t j = 0;
    for (; rows == 1 && lie == LIE_ROWS && j + 4 * W <= g->full;
         j += 4 * W, t->b += 2 * g->panel, t->y += 4 * W) {
        tile_two_panels(t, g->panel);
        t->bias = t->bias ? t->bias + 4 * W : NULL;
    }
    for (; j < g->full; j += 2 * W, t->b += g->panel, t->y += 2 * W) {
        tiles[lie][1][rows](t);
        t->bias = t->bias ? t->bias + 2 * W : NULL;
    }
    if (g->full < g->n) {
        t->columns = g->n - g->full;
        t->b = g->last;
        t->ldb = g->last_row;
        tiles[lie][t->columns > W][rows](t);
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
    size_t j = 0;
    t->row_bias = g->row_bias;
    t->columns = WIDE * W;
    for (; m == 1 && j + WIDE * W <= g->n; j += WIDE * W, t->b += WIDE * W) {
        t->x = x;
        t->y = y + j;
        tile_wide_placed(t);
    }
    for (; j < g->n; j += 2 * W, t->b += 2 * W) {
        t->columns = g->n - j < 2 * W ? g->n - j : 2 * W;
        for (size_t i = 0; i < m; i += TILE_ROWS) {
            t->x = x + i * ldx;
            t->y = y + i * t->ldy + j;
            t->row_bias = g->row_bias ? g->row_bias + i : NULL;
            tiles[LIE_PLACED][t->columns > W][m - i < TILE_ROWS ? m - i : TILE_ROWS](t);
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
    t.x_places = g->x_places;
    /* Gathered rows have no way of their own for a last tile of one row: all are about as high. */
    const size_t tiles_high = (m + TILE_ROWS - 1) / TILE_ROWS,
                 high = g->x_rows ? (m + tiles_high - 1) / tiles_high : TILE_ROWS;
    for (size_t i = 0; i < m; i += high, t.x += high * ldx, t.y += high * ldy) {
        const size_t rows = m - i < high ? m - i : high;
        t.x_rows = g->x_rows ? g->x_rows + i : NULL;
        gemm_block(g, rows, &t);
        t.row_bias = t.row_bias ? t.row_bias + high : NULL;
    }
}
