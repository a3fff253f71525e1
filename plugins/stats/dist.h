/* SPDX-License-Identifier: MPL-2.0 */
/* dist - distribution functions of standard distributions, one number at a time, for tests and intervals.
 *
 * cdf is P(X <= x), sf P(X > x), each right to 1e-12 relative also where it is tiny (sf is never 1 - cdf);
 * ppf is the inverse of cdf, isf of sf. Parameters are finite and in range (df, dfn, dfd, a, b > 0; n a whole
 * number >= 0, 0 <= p <= 1), which callers see to. x may be infinite; NaN gives NaN. A probability outside
 * of 0..1 gives NaN. No call prints, allocates or keeps state. */
#ifndef DIST_H
#define DIST_H

double dist_norm_cdf(double z);
double dist_norm_sf(double z);
double dist_norm_ppf(double p);
double dist_norm_isf(double p);

double dist_t_cdf(double t, double df);
double dist_t_sf(double t, double df);
double dist_t_ppf(double p, double df);
double dist_t_isf(double p, double df);

double dist_chi2_cdf(double x, double df);
double dist_chi2_sf(double x, double df);
double dist_chi2_ppf(double p, double df);
double dist_chi2_isf(double p, double df);

double dist_f_cdf(double x, double dfn, double dfd);
double dist_f_sf(double x, double dfn, double dfd);
double dist_f_ppf(double p, double dfn, double dfd);
double dist_f_isf(double p, double dfn, double dfd);

double dist_gamma_cdf(double x, double a); /* scale 1 */
double dist_gamma_sf(double x, double a);
double dist_gamma_ppf(double p, double a);
double dist_gamma_isf(double p, double a);

double dist_beta_cdf(double x, double a, double b);
double dist_beta_sf(double x, double a, double b);
double dist_beta_ppf(double p, double a, double b);
double dist_beta_isf(double p, double a, double b);

double dist_binom_pmf(double k, double n, double p); /* 0 where k is not a whole number */
double dist_binom_cdf(double k, double n, double p);
double dist_binom_sf(double k, double n, double p);

#endif
