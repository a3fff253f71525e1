/* SPDX-License-Identifier: MPL-2.0 */
/* Special functions by the C library's long double ones, rounded once. */
#include <math.h>

#include "special.h"
#include "wide.h"

#define SQRT_HALF 0.7071067811865475244008L

#define EACH(name, expression)                                                                               \
    static void plain_##name(const double *x, size_t n, double *out)                                         \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const long double v = x[i];                                                                      \
            out[i] = (double) (expression);                                                                  \
        }                                                                                                    \
    }

EACH(erf, erfl(v))
EACH(erfc, erfcl(v))
EACH(ndtr, erfcl(-v *SQRT_HALF) / 2)
EACH(gamma, v < 0 && v == floorl(v) ? (long double) NAN : tgammal(v))
EACH(lgamma, lgammal(v))

static void plain_normal_cdf(const double *x, size_t n, double mu, double sigma, bool upper, double *out)
{
    const long double side = upper ? SQRT_HALF : -SQRT_HALF;
    for (size_t i = 0; i < n; i++) {
        out[i] = (double) (erfcl(((long double) x[i] - mu) / sigma * side) / 2);
    }
}

const struct special special_plain = {
    .name = "plain",
    .erf = plain_erf,
    .erfc = plain_erfc,
    .ndtr = plain_ndtr,
    .normal_cdf = plain_normal_cdf,
    .gamma = plain_gamma,
    .lgamma = plain_lgamma,
};
