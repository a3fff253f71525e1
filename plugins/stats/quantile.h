/* SPDX-License-Identifier: MPL-2.0 */
/* quantile - quantiles of a sample by the methods of numpy.quantile. */
#ifndef QUANTILE_H
#define QUANTILE_H

#include <kiln/plugin.h>

/* Where a quantile lies among n sorted values: between those of two ranks, the part `weight` of the way. */
struct quantile_place {
    size_t low, high;
    double weight;
};

typedef struct quantile_place quantile_method(double n, double q);

quantile_method quantile_linear;

/* The choices of a row for a method. */
#define QUANTILE_METHODS                                                                                     \
    "linear|lower|higher|nearest|midpoint|inverted_cdf|averaged_inverted_cdf|closest_observation|"           \
    "interpolated_inverted_cdf|hazen|weibull|median_unbiased|normal_unbiased"

quantile_method *quantile_method_of(const char *name); /* NULL when there is none of this name */

/* The value `weight` of the way from a to b. */
double quantile_between(double a, double b, double weight);

/* The quantiles q[0..n_q-1], each in 0..1 and in any order, of n values, none NaN. KILN_RESOURCE without
 * scratch memory. */
int quantiles(struct kiln_call *call, const double *x, size_t n, quantile_method *method, const double *q,
              size_t n_q, double *ret);

#endif
