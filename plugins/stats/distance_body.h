/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels of distances in terms of simd.h; kernels_body.h includes them into each set. The sums of a tile stay in
 * registers while the coordinates pass by. */
#include "distance_kernels.h"

#define DISTANCE_VECTORS (DISTANCE_TILE / W)

static void distance_squares(const double *a, const double *tile, size_t k, double *out)
{
    vec s[DISTANCE_VECTORS];
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        s[v] = v_set(0);
    }
    for (size_t l = 0; l < k; l++, tile += DISTANCE_TILE) {
        const vec x = v_set(a[l]);
        for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
            const vec d = x - v_load(tile + v * W);
            s[v] = v_fma(d, d, s[v]);
        }
    }
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        v_store(out + v * W, s[v]);
    }
}

static void distance_magnitudes(const double *a, const double *tile, size_t k, double *out)
{
    vec s[DISTANCE_VECTORS];
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        s[v] = v_set(0);
    }
    for (size_t l = 0; l < k; l++, tile += DISTANCE_TILE) {
        const vec x = v_set(a[l]);
        for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
            const vec d = x - v_load(tile + v * W);
            s[v] += v_max(d, -d);
        }
    }
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        v_store(out + v * W, s[v]);
    }
}

static void distance_greatest(const double *a, const double *tile, size_t k, double *out)
{
    vec s[DISTANCE_VECTORS];
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        s[v] = v_set(0);
    }
    for (size_t l = 0; l < k; l++, tile += DISTANCE_TILE) {
        const vec x = v_set(a[l]);
        for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
            const vec d = x - v_load(tile + v * W);
            s[v] = v_max(v_max(d, -d), s[v]);
        }
    }
    for (size_t v = 0; v < DISTANCE_VECTORS; v++) {
        v_store(out + v * W, s[v]);
    }
}

#define DISTANCE_KERNELS                                                                                     \
    {                                                                                                        \
        .squares = distance_squares, .magnitudes = distance_magnitudes, .greatest = distance_greatest        \
    }
