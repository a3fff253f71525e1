/* SPDX-License-Identifier: MPL-2.0 */
/* kernels - the inner loops, once for each instruction set; chosen when they are first asked for.
 *
 * The environment variable KILN_INFERENCE_KERNELS names a set ("plain", "avx2", "avx512", "vnni") to be used instead of the best,
 * if this machine can run it; kernels_use() does the same for tests. */
#ifndef INFERENCE_KERNELS_H
#define INFERENCE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act.h"
#include "depth.h"
#include "gemm.h"
#include "int8.h"

typedef void act_fn(const float *x, float *y, size_t n, float a, float b);

enum { NEAR_GROUP = 16 };

struct kernels {
    const char *name;
    bool (*runs_here)(void);
    size_t lanes; /* floats in a vector */
    act_fn *act[ACT_KINDS];
    float (*exp_sum)(const float *x, float *y, size_t n, float shift);
    void (*gemm)(const struct gemm *g, size_t m, const float *x, size_t ldx, float *y, size_t ldy);
    void (*depth)(const struct depth *d, size_t n, float *y); /* n rows of y */
    /* y[columns][ldy] = x[rows][ldx], turned */
    void (*turn)(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy);
    void (*lstm)(size_t n, const float *gates, float *c, float *h); /* cell_body.h */
    void (*mix)(size_t n, const float *z, const float *x, float *h);
    /* x[columns] against groups of 16 vectors: out[g * 16 + k] = sum over c of x[c] * v, or of (x[c] - v)^2, where
     * v = vectors[(g * columns + c) * 16 + k]; near_body.h */
    void (*near)(size_t groups, bool squares, size_t columns, const float *vectors, const float *x,
                 float *out);
    size_t int8_group; /* how many k lie together: 4 as bytes, 2 as 16-bit numbers */
    void (*int8)(const struct int8 *g, size_t m, struct bytes x, size_t ldx, const struct int8_out *out,
                 void *scratch);
    void (*int8_to_floats)(const int32_t *sums, size_t n, const struct int8_end *end, float *y);
    void (*int8_dynamic)(const float *x, size_t n, uint8_t *y, float *ret_scale, int32_t *ret_zero);
    void (*int8_quantize)(const float *x, size_t n, const struct int8_type *type, void *y);
};

extern const struct kernels kernels_plain, kernels_avx2, kernels_avx512, kernels_vnni;
extern const struct kernels *const kernels_all[]; /* from slow to fast, then NULL */

const struct kernels *kernels_find(const char *name); /* NULL when there is none of that name */
bool kernels_use(const char *name); /* false when there is none that runs here; NULL: the best */

extern const struct kernels *kernels_chosen; /* NULL before the first kernels() */
const struct kernels *kernels_choose(void);

static inline const struct kernels *kernels(void)
{
    const struct kernels *k = __atomic_load_n(&kernels_chosen, __ATOMIC_RELAXED);
    return k ? k : kernels_choose();
}

#endif
