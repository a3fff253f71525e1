/* SPDX-License-Identifier: MPL-2.0 */
/* turn_body - a matrix turned, in blocks of W by W that stay in registers; included as gemm_body.h is. */

/* high, wide: what of the block there is; the columns of `from` become rows of `to`. */
SIMD_INLINE void turn_block(size_t high, size_t wide, const float *from, size_t ldx, float *to, size_t ldy)
{
    vec block[W];
#pragma GCC unroll 16
    for (size_t k = 0; k < W; k++) {
        block[k] = k >= high ? v_set(0) : wide == W ? v_load(from + k * ldx) : v_part(from + k * ldx, wide);
    }
    v_turn(block);
#pragma GCC unroll 16
    for (size_t k = 0; k < W; k++) {
        if (k < wide && high == W) {
            v_store(to + k * ldy, block[k]);
        } else if (k < wide) {
            v_store_part(to + k * ldy, high, block[k]);
        }
    }
}

/* The block after the one at `at` of n: the last one overlaps the one before, so that it is whole. */
SIMD_INLINE size_t turn_next(size_t at, size_t n)
{
    at += W;
    return at >= n || at + W <= n || n < W ? at : n - W;
}

static void turn_over(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy)
{
    for (size_t i = 0; i < rows; i = turn_next(i, rows)) {
        for (size_t j = 0; j < columns; j = turn_next(j, columns)) {
            const float *from = x + i * ldx + j;
            float *to = y + j * ldy + i;
            if (rows >= W && columns >= W) {
                turn_block(W, W, from, ldx, to, ldy);
            } else {
                turn_block(rows < W ? rows : W, columns < W ? columns : W, from, ldx, to, ldy);
            }
        }
    }
}
