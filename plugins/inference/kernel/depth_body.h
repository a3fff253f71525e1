/* SPDX-License-Identifier: MPL-2.0 */
/* depth_body - depth.h for one instruction set; included as gemm_body.h is. */

SIMD_INLINE void depth_rows(const struct depth *d, const size_t n, const size_t *rows, size_t at, float *y)
{
    vec sum[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < n; i++) {
        sum[i] = v_load(d->bias + at);
    }
    for (size_t k = 0; k < d->k; k++) {
        const vec weight = v_load(d->weights + k * d->channels + at);
        const float *x = d->x + d->places[k] + at;
#pragma GCC unroll 8
        for (size_t i = 0; i < n; i++) {
            sum[i] = v_fma(v_load(x + rows[i]), weight, sum[i]);
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < n; i++) {
        v_store(y + i * d->channels + at, sum[i]);
    }
}

static void depth_over(const struct depth *d, size_t n, float *y)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t at = 0; at < d->channels; at += W) {
            depth_rows(d, 8, d->rows + i, at, y + i * d->channels);
        }
    }
    for (; i + 4 <= n; i += 4) {
        for (size_t at = 0; at < d->channels; at += W) {
            depth_rows(d, 4, d->rows + i, at, y + i * d->channels);
        }
    }
    for (; i < n; i++) {
        for (size_t at = 0; at < d->channels; at += W) {
            depth_rows(d, 1, d->rows + i, at, y + i * d->channels);
        }
    }
}
