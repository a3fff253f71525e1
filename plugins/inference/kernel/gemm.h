/* SPDX-License-Identifier: MPL-2.0 */
/* gemm - products of float matrices: y = act(x b + bias), or y += x b.
 *
 * b is laid out once, in panels of gemm_columns() columns (the last one may be half as wide) in which each row of b lies
 * together; or is read in place, with the last panel copied. A matrix of very few columns lies transposed, and each
 * element of y is one dot product. Rows of b may lie anywhere (`places`): then only k, n, b, places, row_bias and the activation are
 * asked for. Elements of x may lie anywhere (`x_rows`, `x_places`): then ldx is not asked for, and n is more than two.
 *
 *   gemm_bytes      what gemm_pack needs for a matrix of that size: 0 when that is no size
 *   gemm_pack       b[k][n] from any two strides, each element times alpha
 *   gemm_place      b in C order as it is: only the last panel is copied; memory of gemm_place_bytes()
 *   gemm_run        the product with m rows of x */
#ifndef INFERENCE_GEMM_H
#define INFERENCE_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act.h"

struct gemm {
    size_t k, n;
    size_t full;       /* columns in whole panels */
    size_t panel, row; /* steps from panel to panel and from row to row in `b` */
    size_t last_row;   /* the step from row to row in `last` */
    bool dots;         /* b is transposed: n rows of `row` elements */
    const size_t *
        places; /* NULL, or where each row of b begins: n elements in one piece, and up to 63 more that can be read */
    const size_t *x_rows, *x_places; /* NULL, or element k of row i of x is x[x_rows[i] + x_places[k]] */
    const float *b;
    const float *last;     /* columns full .. n-1, padded with zeros */
    const float *bias;     /* of each column, or NULL */
    const float *row_bias; /* of each row of y, or NULL */
    bool add;              /* to what is in y */
    enum act_kind act;     /* applied at the end */
    float act_a, act_b;
};

size_t gemm_bytes(size_t k, size_t n);
size_t gemm_place_bytes(size_t k, size_t n);
void gemm_pack(struct gemm *g, size_t k, size_t n, const float *b, size_t step_k, size_t step_n, float alpha,
               void *memory);
void gemm_place(struct gemm *g, size_t k, size_t n, const float *b, void *memory);
void gemm_run(const struct gemm *g, size_t m, const float *x, size_t ldx, float *y, size_t ldy);

#endif
