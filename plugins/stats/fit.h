/* SPDX-License-Identifier: MPL-2.0 */
/* fit - linear least squares: b that makes sum w (y - X b)^2 least, with what statistics needs beside it.
 *
 * The observations pass by in panels and are reduced to a triangle by Householder reflections, so memory does
 * not grow with them. Where columns scaled to unit length are well conditioned (FIT_PLAIN_CONDITION) the triangle
 * is made in plain numbers, and steps of refinement with residuals in twice the precision make b right almost to
 * the last digit. Elsewhere, rank-deficient problems included, the triangle itself is made in twice the
 * precision, with column pivoting to find the rank. The answer of a rank-deficient problem is the one of least
 * length, as numpy.linalg.lstsq. */
#ifndef FIT_H
#define FIT_H

#include <kiln/plugin.h>
#include <stdbool.h>

#include "dd.h"
#include "fit_kernels.h"

#define FIT_PLAIN_CONDITION 1e5

/* FIT_ROWS observations, fewer at the end, where the rest is 0. */
struct fit_panel {
    const double *hi, *lo; /* columns; lo is NULL where they are plain numbers */
    const double *y;
    const double *weights; /* NULL: all 1 */
};

struct fit_source {
    size_t n, k; /* observations, columns; both at least 1 */
    void (*panel)(const struct fit_source *s, size_t index, struct fit_panel *ret);
    void *of;              /* the source's own */
    double rcond;          /* columns that keep less than this part of their length count as dependent */
    double *ret_residuals; /* n places, or NULL */
};

struct fit {
    size_t rank;
    struct dd *b;     /* k */
    double *root;     /* k by k: root root' = (X' W X)^-1, or its pseudo-inverse; surplus columns are 0 */
    double rss;       /* sum w (y - X b)^2 */
    double condition; /* |X| |X^-1| (Frobenius) of the columns scaled to unit length */
};

int fit_solve(struct kiln_call *call, const struct fit_source *s, struct fit *ret);

/* The length of row j of the root: the standard error of b[j], divided by that of the residuals. */
double fit_root_length(const struct fit *f, size_t k, size_t j);

static inline size_t fit_panels(size_t n)
{
    return (n + FIT_ROWS - 1) / FIT_ROWS;
}

#endif
