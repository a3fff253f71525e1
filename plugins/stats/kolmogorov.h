/* SPDX-License-Identifier: MPL-2.0 */
/* kolmogorov - distributions of the greatest distance between empirical and true distribution functions. */
#ifndef KOLMOGOROV_H
#define KOLMOGOROV_H

#include <kiln/plugin.h>

/* P(D >= d) for n values, one-sided (Smirnov): Birnbaum and Tingey's sum. 0 <= d <= 1. */
double kolmogorov_one_sided_sf(double d, double n);

/* P(D >= d) for n values, two-sided. Exact by Durbin's matrix (Marsaglia, Tsang and Wang 2003) where that is quick, by
 * twice the one-sided probability in the upper tail, where that is right to 1e-10 or better (Simard and L'Ecuyer 2011),
 * else by the expansion of Pelz and Good (1976), whose error is below 1e-9. */
int kolmogorov_sf(struct kiln_call *call, double d, double n, double *ret);

/* Limit of the two-sided probability for large n: P(sqrt(n) D >= x). */
double kolmogorov_limit_sf(double x);

/* P(the distance of two empirical distribution functions of n and m values is at least d), two-sided or one-sided, by
 * counting lattice paths. */
int kolmogorov_two_sample_sf(struct kiln_call *call, size_t n, size_t m, double d, int two_sided,
                             double *ret);

#endif
