/* SPDX-License-Identifier: MPL-2.0 */
#include "dist.h"

#define MATHLIB_STANDALONE
#include <Rmath.h>
#include <math.h>

/* The four functions of a distribution in terms of mathlib's p and q functions, which say in their last but
 * one argument whether the lower tail is meant. */
#define UNPACK(...) __VA_ARGS__
#define FOUR(name, p, q, params, args)                                                                       \
    double dist_##name##_cdf(double x UNPACK params)                                                         \
    {                                                                                                        \
        return p(x UNPACK args, 1, 0);                                                                       \
    }                                                                                                        \
    double dist_##name##_sf(double x UNPACK params)                                                          \
    {                                                                                                        \
        return p(x UNPACK args, 0, 0);                                                                       \
    }                                                                                                        \
    double dist_##name##_ppf(double x UNPACK params)                                                         \
    {                                                                                                        \
        return x >= 0 && x <= 1 ? q(x UNPACK args, 1, 0) : (double) NAN;                                     \
    }                                                                                                        \
    double dist_##name##_isf(double x UNPACK params)                                                         \
    {                                                                                                        \
        return x >= 0 && x <= 1 ? q(x UNPACK args, 0, 0) : (double) NAN;                                     \
    }

FOUR(norm, pnorm, qnorm, (), (, 0, 1))
FOUR(t, pt, qt, (, double df), (, df))
FOUR(chi2, pchisq, qchisq, (, double df), (, df))
FOUR(f, pf, qf, (, double dfn, double dfd), (, dfn, dfd))
FOUR(gamma, pgamma, qgamma, (, double a), (, a, 1))
FOUR(beta, pbeta, qbeta, (, double a, double b), (, a, b))

double dist_binom_pmf(double k, double n, double p)
{
    return isnan(k) ? k : k >= 0 && k <= n && k == floor(k) ? dbinom(k, n, p, 0) : 0;
}

double dist_binom_cdf(double k, double n, double p)
{
    return pbinom(k, n, p, 1, 0);
}

double dist_binom_sf(double k, double n, double p)
{
    return pbinom(k, n, p, 0, 0);
}
