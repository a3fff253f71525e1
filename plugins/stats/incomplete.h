/* SPDX-License-Identifier: MPL-2.0 */
/* incomplete - regularised incomplete gamma and beta functions, and their inverses.
 *
 * Both are used by preparing what depends on the parameters only, gamma_shape() or beta_shape(), and then
 * asking for a tail at each place. A tail is kept as factor * exp(log_scale) of whichever side is small, so
 * that either side, or its logarithm, comes out right to 1e-13 relative wherever a double can hold it; the
 * tests say for which parameters that was compared with mpmath.
 *
 * Parameters lie in SHAPE_MIN..SHAPE_MAX. */
#ifndef INCOMPLETE_H
#define INCOMPLETE_H

#include <stdbool.h>

#include "wide.h"

#define SHAPE_MIN 1e-6
#define SHAPE_MAX 1e10

struct tail {
    long double log_scale, factor;
    bool upper; /* which side of the distribution this is */
};

/* The side wanted, or its logarithm. */
double tail_value(const struct tail *tail, bool upper, bool log);
long double tail_log(const struct tail *tail, bool upper);

struct gamma_shape {
    long double a, log_norm;
};

struct gamma_shape gamma_shape(double a);
/* log of x^a exp(-x) / Gamma(a), which is x times the density. */
long double gamma_log_density(const struct gamma_shape *s, long double x);
struct tail gamma_tail(const struct gamma_shape *s, long double x); /* x >= 0 */
/* log of the place whose tail is p, 0 < p < 1. */
long double gamma_log_place(const struct gamma_shape *s, double p, bool upper);

struct beta_shape {
    long double a, b, log_norm;
};

struct beta_shape beta_shape(double a, double b);
/* The place x in 0..1 is given with y = 1 - x, of which the smaller must be right relative to itself. */
/* log of x^a y^b / B(a, b), which is x y times the density. */
long double beta_log_density(const struct beta_shape *s, long double x, long double y);
struct tail beta_tail(const struct beta_shape *s, long double x, long double y);
/* log(x / y) of the place whose tail is p, 0 < p < 1. */
long double beta_logit_place(const struct beta_shape *s, double p, bool upper);

#endif
