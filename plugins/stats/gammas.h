/* SPDX-License-Identifier: MPL-2.0 */
/* gammas - functions around the gamma function in long double, the material of which distributions are made.
 *
 * They are right to a few units of a long double's last place (64 bits on x86), so that what is composed of
 * them, and of differences of them, is right to a double's. */
#ifndef GAMMAS_H
#define GAMMAS_H

#include "wide.h"

/* log(1 + u) - u without cancellation, u > -1. */
long double log1p_minus(long double u);

/* log of Gamma(z) / (sqrt(2 pi / z) (z / e)^z), z > 0: what Stirling's formula leaves over. */
long double stirling_rest(long double z);

/* log Gamma(1 + a) for 0 <= a <= 1.5, right relative to itself also for tiny a. */
long double log_gamma_1p(long double a);

/* Derivative n = 0, 1, .. of psi = (log Gamma)'; NaN at poles (0, -1, ..). x <= 0 for n = 0 only. */
long double psi(int n, long double x);

/* log of the beta function, a > 0, b > 0. */
long double log_beta(long double a, long double b);

#endif
