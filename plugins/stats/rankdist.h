/* SPDX-License-Identifier: MPL-2.0 */
/* rankdist - exact distributions of rank statistics without ties. */
#ifndef RANKDIST_H
#define RANKDIST_H

#include <kiln/plugin.h>
#include <stdbool.h>

/* Whether mann_whitney_sf is quick enough to be asked (some seconds at most). */
bool mann_whitney_feasible(double n, double m);

/* P(U >= u), u = 0..n m, for samples of n and m values. */
int mann_whitney_sf(struct kiln_call *call, size_t n, size_t m, double u, double *ret);

/* P(W <= w), w = 0..n (n + 1) / 2, of the sum of the ranks with a positive sign. */
int signed_rank_cdf(struct kiln_call *call, size_t n, double w, double *ret);

/* P(at most c inversions), c = 0..n (n - 1) / 2, in a random order of n values. */
int inversions_cdf(struct kiln_call *call, size_t n, double c, double *ret);

#endif
