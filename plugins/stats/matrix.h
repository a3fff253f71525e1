/* SPDX-License-Identifier: MPL-2.0 */
/* matrix - covariances and correlations between the rows of a matrix, through BLAS.
 *
 * As numpy.cov and numpy.corrcoef: each of m rows is a variable, each of n columns an observation of all of
 * them. */
#ifndef MATRIX_H
#define MATRIX_H

#include <kiln/plugin.h>

#include "sample.h"

/* The observations of `data` after nan_policy: omit leaves out every column with a NaN. */
struct table {
    const double *rows; /* m rows of n values */
    size_t m, n;
    size_t omitted; /* columns */
};

int table_take(struct kiln_call *call, const struct kiln_slot *data, enum nan_policy policy,
               struct table *ret);

/* m * m values. A row that holds NaN gives NaN; rows of equal values have no correlation: NaN. */
int table_covariance(struct kiln_call *call, const struct table *t, double ddof, double *ret);
int table_correlation(struct kiln_call *call, const struct table *t, double *ret);

#endif
