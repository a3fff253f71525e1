/* SPDX-License-Identifier: MPL-2.0 */
/* laws - distributions in standard position (loc 0, scale 1), as tables of what they are made of.
 *
 * law_prepare() computes what depends on the shape parameters only; then law_density(), law_tail() and
 * law_place() answer for one place or probability at a time, in long double where that keeps digits. The
 * members of struct law are called with places inside the support and probabilities inside 0..1 only. */
#ifndef LAWS_H
#define LAWS_H

#include "incomplete.h"

struct law_state {
    double shape[3];
    double low, high; /* the support; places at its ends belong to it */
    double mean, var; /* NaN where undefined */
    union {
        struct gamma_shape gamma;
        struct beta_shape beta;
        long double constant;
    };
};

struct law {
    int n_shapes;
    bool discrete; /* on whole numbers: density is the mass, and place is not called */
    void (*prepare)(struct law_state *s);
    long double (*log_density)(const struct law_state *s, long double z);
    struct tail (*tail)(const struct law_state *s, long double z);
    long double (*place)(const struct law_state *s, double p, bool upper);
};

extern const struct law law_norm, law_uniform, law_expon, law_gamma, law_beta, law_t, law_chi2, law_f,
    law_lognorm, law_weibull_min, law_cauchy, law_laplace, law_logistic, law_pareto;
extern const struct law law_poisson, law_binom, law_geom, law_nbinom, law_hypergeom;

void law_prepare(const struct law *law, const double *shape, struct law_state *ret);

/* Density or mass at z, or its logarithm less log_scale; NaN for NaN, 0 outside of the support. */
double law_density(const struct law *law, const struct law_state *s, long double z, long double log_scale,
                   bool log);
double law_tail(const struct law *law, const struct law_state *s, long double z, bool upper, bool log);
/* 0 <= p <= 1. Of a discrete law the least k whose cdf is at least p, or whose sf is at most p; one less than
 * the least of its values where every k has that. */
long double law_place(const struct law *law, const struct law_state *s, double p, bool upper);

/* The same without preparation; a p outside of 0..1 gives NaN. */
double law_density_at(const struct law *law, const double *shape, double x);
double law_tail_at(const struct law *law, const double *shape, double x, bool upper);
double law_place_at(const struct law *law, const double *shape, double p, bool upper);

#endif
