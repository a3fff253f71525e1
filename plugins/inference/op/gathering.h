/* SPDX-License-Identifier: MPL-2.0 */
/* gathering - what reductions do with elements: a map, an operation that gathers what it gives, and a finish.
 *
 * Floats are gathered in doubles, whole numbers in 64 bits, which wrap. A kernel gathers a row into one number, or columns side by
 * side. */
#ifndef INFERENCE_OP_GATHERING_H
#define INFERENCE_OP_GATHERING_H

#include "../tensor.h"

typedef union {
    double f;
    int64_t i;
    uint64_t u;
} gathered;

/* Gathers x[0 .. n-1] into acc[0] (a row), or each into its own acc[i] (columns). shift is taken off before an exponential. */
typedef void gather_fn(void *acc, const double *shift, const void *x, int64_t n);

enum finish { AS_IT_IS, DIVIDED, ROOT, LOGARITHM, LOGARITHM_SHIFTED };

/* n elements from what was gathered for each of `of`; shift as before. */
typedef void finish_fn(void *out, const void *acc, const double *shift, int64_t n, int64_t of,
                       enum finish how);

struct gather {
    gather_fn *row, *columns;
    gathered first;
};

struct gathering { /* of one reduction, by type; row is NULL where there is none */
    const char *name;
    enum finish how;
    struct gather by[DT_END];
};

/* Of the operator of that name, which must exist. */
const struct gathering *gathering_find(const char *name);
finish_fn *gathering_finish(enum dtype dtype);

#endif
