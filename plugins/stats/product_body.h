/* SPDX-License-Identifier: MPL-2.0 */
/* Sums of products between four rows and four others, in terms of simd.h; kernels_body.h includes it into each set. As many
 * sums stay in registers as there are: sixteen with AVX-512, else two columns of four at a time. */
#define PRODUCT_COLUMNS (W == 8 ? 4 : 2)

static void products(const double *a, const double *b, size_t n, size_t stride, double ret[16])
{
    for (size_t from = 0; from < 4; from += PRODUCT_COLUMNS) {
        vec s[4][PRODUCT_COLUMNS];
        for (size_t i = 0; i < 4; i++) {
            for (size_t j = 0; j < PRODUCT_COLUMNS; j++) {
                s[i][j] = v_set(0);
            }
        }
        for (size_t at = 0; at < n; at += W) {
            vec y[PRODUCT_COLUMNS];
            for (size_t j = 0; j < PRODUCT_COLUMNS; j++) {
                y[j] = v_load(b + (from + j) * stride + at);
            }
            for (size_t i = 0; i < 4; i++) {
                const vec x = v_load(a + i * stride + at);
                for (size_t j = 0; j < PRODUCT_COLUMNS; j++) {
                    s[i][j] = v_fma(x, y[j], s[i][j]);
                }
            }
        }
        for (size_t i = 0; i < 4; i++) {
            for (size_t j = 0; j < PRODUCT_COLUMNS; j++) {
                ret[4 * i + from + j] = v_sum(s[i][j]);
            }
        }
    }
}
