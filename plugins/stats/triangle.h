/* SPDX-License-Identifier: MPL-2.0 */
/* triangle - small upper triangles, k by k by rows, and what least squares asks of them. */
#ifndef TRIANGLE_H
#define TRIANGLE_H

#include <kiln/plugin.h>
#include <stdbool.h>

#include "dd.h"

/* Lengths of the first k columns of an upper triangle with `stride` numbers in a row. */
void triangle_lengths(const double *r, size_t k, size_t stride, double *ret);

/* The inverse of the triangle whose columns were divided by `lengths`; false where a diagonal element is 0 or not
 * finite. */
bool triangle_invert(const double *r, size_t k, size_t stride, const double *lengths, double *ret);

/* The solution of least length of r b = c (r is spoilt, and so is c, of which the rows behind the rank remain as
 * residuals), the matrix root that gives it as root c, and the rank: rows that keep less than rcond of the longest
 * scaled column are dropped. ret_condition is that of the scaled columns; infinite where some are dropped. */
int triangle_solve(struct kiln_call *call, struct dd *r, struct dd *c, size_t k, double rcond,
                   struct dd *ret_b, double *ret_root, size_t *ret_rank, double *ret_condition);

#endif
