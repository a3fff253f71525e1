/* SPDX-License-Identifier: MPL-2.0 */
/* product - what matrix products of all types have in common: shapes, batches, and plain loops. */
#ifndef INFERENCE_PRODUCT_H
#define INFERENCE_PRODUCT_H

#include "../op.h"

/* Batches of (m x k) times (k x n), as NumPy's matmul sees its arguments. */
struct product_shape {
    int rank; /* of the result */
    int64_t dims[TENSOR_RANK];
    size_t m, k, n, batches;
    const int64_t *left, *right; /* the element that each batch's matrix begins with */
};

/* KILN_OK, or the refusal to return from plan(). Leading dimensions of `a` are rows when b has none of its own: one
 * product instead of many. */
int product_shape(struct step *s, const struct tensor *a, const struct tensor *b, struct product_shape *ret);

/* Steps between elements: of a from row to row and along k, of b along k and from column to column. */
struct product_steps {
    int64_t a_row, a_k, b_k, b_column;
};

bool product_has(enum dtype dtype); /* whether product_of can do it */
/* y[m][n] = a b. Whole numbers wrap around. */
void product_of(enum dtype dtype, size_t m, size_t k, size_t n, const void *a, const void *b, void *y,
                struct product_steps steps);

#endif
