/* SPDX-License-Identifier: MPL-2.0 */
#include "dist.h"

#include <math.h>

#include "incomplete.h"
#include "laws.h"

/* The four functions of a distribution from its law. */
#define UNPACK(...) __VA_ARGS__
#define FOUR(name, law, params, ...)                                                                         \
    double dist_##name##_cdf(double x UNPACK params)                                                         \
    {                                                                                                        \
        return law_tail_at(&law, (double[]){__VA_ARGS__}, x, false);                                         \
    }                                                                                                        \
    double dist_##name##_sf(double x UNPACK params)                                                          \
    {                                                                                                        \
        return law_tail_at(&law, (double[]){__VA_ARGS__}, x, true);                                          \
    }                                                                                                        \
    double dist_##name##_ppf(double p UNPACK params)                                                         \
    {                                                                                                        \
        return law_place_at(&law, (double[]){__VA_ARGS__}, p, false);                                        \
    }                                                                                                        \
    double dist_##name##_isf(double p UNPACK params)                                                         \
    {                                                                                                        \
        return law_place_at(&law, (double[]){__VA_ARGS__}, p, true);                                         \
    }

FOUR(norm, law_norm, (), 0)
FOUR(t, law_t, (, double df), df)
FOUR(chi2, law_chi2, (, double df), df)
FOUR(f, law_f, (, double dfn, double dfd), dfn, dfd)
FOUR(gamma, law_gamma, (, double a), a)
FOUR(beta, law_beta, (, double a, double b), a, b)

double dist_binom_pmf(double k, double n, double p)
{
    return law_density_at(&law_binom, (double[]){n, p}, k);
}

double dist_binom_cdf(double k, double n, double p)
{
    return law_tail_at(&law_binom, (double[]){n, p}, k, false);
}

double dist_binom_sf(double k, double n, double p)
{
    return law_tail_at(&law_binom, (double[]){n, p}, k, true);
}
