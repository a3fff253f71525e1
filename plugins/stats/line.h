/* SPDX-License-Identifier: MPL-2.0 */
/* line - the straight line through pairs, and how well they lie on it. */
#ifndef LINE_H
#define LINE_H

#include <kiln/plugin.h>

#include "reduce.h"

struct line {
    double n, mean_x, mean_y;
    double r;           /* Pearson's; NaN when x or y has no spread */
    double unexplained; /* 1 - r^2, also where r rounds to 1 */
    double slope;       /* of y on x */
    double deviation_x; /* sqrt(sum (x - mean)^2 / n) */
    double deviation_y;
};

/* n >= 2 pairs. */
void line_through(const struct kernels *k, const double *x, const double *y, size_t n, struct line *ret);

/* Student's t of r, n - 2 degrees of freedom; n >= 3. */
double line_t(const struct line *l);

#endif
