/* SPDX-License-Identifier: MPL-2.0 */
/* near_body - one row against many vectors: products, or squares of distances. Included behind act_body.h, within SIMD_BEGIN and
 * SIMD_END. Vectors lie in groups of NEAR_GROUP, element by element: see kernels.h. */

/* `groups` is a constant: as many sums are on their way as hide the time that an addition takes. */
SIMD_INLINE void near_groups(size_t groups, bool squares, size_t columns, const float *vectors,
                             const float *x, float *out)
{
    enum { PER_GROUP = NEAR_GROUP / W, MOST = 4 * PER_GROUP };
    const size_t n = groups * PER_GROUP;
    vec sum[MOST];
    for (size_t k = 0; k < n; k++) {
        sum[k] = v_set(0);
    }
    for (size_t c = 0; c < columns; c++) {
        const vec v = v_set(x[c]);
        for (size_t k = 0; k < n; k++) {
            const vec other =
                v_load(vectors + (k / PER_GROUP * columns + c) * NEAR_GROUP + k % PER_GROUP * W);
            sum[k] = squares ? v_fma(v - other, v - other, sum[k]) : v_fma(v, other, sum[k]);
        }
    }
    for (size_t k = 0; k < n; k++) {
        v_store(out + k * W, sum[k]);
    }
}

SIMD_INLINE void near_all(size_t groups, bool squares, size_t columns, const float *vectors, const float *x,
                          float *out)
{
    const size_t step = columns * NEAR_GROUP;
    size_t g = 0;
    for (; W > 4 && g + 4 <= groups; g += 4) {
        near_groups(4, squares, columns, vectors + g * step, x, out + g * NEAR_GROUP);
    }
    for (; g < groups; g++) {
        near_groups(1, squares, columns, vectors + g * step, x, out + g * NEAR_GROUP);
    }
}

static void near_over(size_t groups, bool squares, size_t columns, const float *vectors, const float *x,
                      float *out)
{
    if (squares) {
        near_all(groups, true, columns, vectors, x, out);
    } else {
        near_all(groups, false, columns, vectors, x, out);
    }
}
