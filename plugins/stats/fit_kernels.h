/* SPDX-License-Identifier: MPL-2.0 */
/* fit_kernels - the inner loops of least squares, part of each set of kernels (kernels.h).
 *
 * They work on a panel: FIT_ROWS observations, one column behind the other, the unused rows 0. A column of y is
 * treated like the others. Some numbers are pairs hi + lo, |lo| <= ulp(hi) / 2 ("double-double"), good for about
 * 31 digits: arrays come as hi and lo, where lo may be NULL if it is 0 throughout. */
#ifndef FIT_KERNELS_H
#define FIT_KERNELS_H

#include <stddef.h>

#define FIT_ROWS 256 /* ten columns and y fit into the first-level cache */

struct fit_kernels {
    /* Householder reflections that bring the p columns of a panel, set below the upper triangle r (p by p, by
     * rows), to zero; r becomes the triangle of all observations so far. Spoils the panel. */
    void (*append)(double *r, double *panel, size_t p);
    void (*append_dd)(double *r_hi, double *r_lo, double *hi, double *lo, size_t p);

    /* y = y - sum of columns times b, in pairs. */
    void (*residuals)(const double *hi, const double *lo, size_t p, const double *b_hi, const double *b_lo,
                      double *y_hi, double *y_lo);

    /* g[j] = sum of column j times y, in pairs. */
    void (*gradient)(const double *hi, const double *lo, size_t p, const double *y_hi, const double *y_lo,
                     double *g_hi, double *g_lo);

    /* Columns 1, t, ..., t^(k - 1) of a panel, in pairs; t holds FIT_ROWS values. */
    void (*powers)(const double *t_hi, const double *t_lo, size_t k, double *hi, double *lo);

    /* out = p[0] x^(k - 1) + ... + p[k - 1], rounded almost once: Horner's scheme, and a second one beside it for what
     * the first loses. */
    void (*polyval)(const double *p, size_t k, const double *x, size_t n, double *out);
};

#endif
