/* SPDX-License-Identifier: MPL-2.0 */
/* solve - small symmetric positive definite systems, dense, row-major, in place.
 *
 * For covariance matrices; nothing here allocates. In order:
 *
 *     solve_factor()    A = L L'
 *     solve_forward()   B <- L^-1 B, after which B'B is B' A^-1 B
 *     solve_backward()  b <- L'^-1 b, which after solve_forward() is A^-1 b
 *     solve_invert()    A^-1 from L
 */
#ifndef STAKING_SOLVE_H
#define STAKING_SOLVE_H

#include <stddef.h>

/* A pivot below this part of its own diagonal element is nothing but rounding: the matrix counts as singular. */
#define SOLVE_TINY 1e-13

/* Overwrites the lower triangle of the n x n matrix a with its Cholesky factor; the upper triangle is neither read
 * nor written. Returns n, or the row whose pivot shows that a is not positive definite; *ret_pivot is then that
 * pivot as a part of its diagonal element (negative: indefinite; about 0: singular). */
size_t solve_factor(size_t n, double *a, double *ret_pivot);

/* The same for columns from..to-1, those before being done; returns `to` when all is well. */
size_t solve_factor_part(size_t n, double *a, size_t from, size_t to, double *ret_pivot);

/* b is n x m. */
void solve_forward(size_t n, const double *l, size_t m, double *b);

/* b is one column. */
void solve_backward(size_t n, const double *l, double *b);

/* inverse is n x n, both triangles; it may not overlap l. */
void solve_invert(size_t n, const double *l, double *inverse);

#endif
