/* SPDX-License-Identifier: MPL-2.0 */
/* fit_plain - what the vector kernels of least squares are compared with. */
#ifndef FIT_PLAIN_H
#define FIT_PLAIN_H

#include "fit_kernels.h"

void fit_plain_append(double *r, double *panel, size_t p);
void fit_plain_append_dd(double *r_hi, double *r_lo, double *hi, double *lo, size_t p);
void fit_plain_residuals(const double *hi, const double *lo, size_t p, const double *b_hi, const double *b_lo,
                         double *y_hi, double *y_lo);
void fit_plain_gradient(const double *hi, const double *lo, size_t p, const double *y_hi, const double *y_lo,
                        double *g_hi, double *g_lo);
void fit_plain_powers(const double *t_hi, const double *t_lo, size_t k, double *hi, double *lo);
void fit_plain_polyval(const double *p, size_t k, const double *x, size_t n, double *out);

#define FIT_PLAIN_KERNELS                                                                                    \
    {                                                                                                        \
        .append = fit_plain_append, .append_dd = fit_plain_append_dd, .residuals = fit_plain_residuals,      \
        .gradient = fit_plain_gradient, .powers = fit_plain_powers, .polyval = fit_plain_polyval             \
    }

#endif
