/* SPDX-License-Identifier: MPL-2.0 */
#include "normal.h"

#include <float.h>
#include <math.h>

#define SQRT_HALF    0.7071067811865475244008L
#define SQRT_PI      1.772453850905516027298L
#define HALF_LOG_2PI 0.9189385332046727417803L

/* Far out the asymptotic series 1 - 1 / z^2 + 3 / z^4 - ..., whose terms from 40 on fall below 1e-20 before
 * they grow. */
static long double far_factor(long double z)
{
    long double sum = 1, term = 1;
    for (int k = 1; k < 14 && fabsl(term) > LDBL_EPSILON / 8; k++) {
        term *= -(2 * k - 1) / (z * z);
        sum += term;
    }
    return sum / z;
}

struct tail normal_tail(long double z)
{
    const long double far = fabsl(z);
    if (far < 40) {
        return (struct tail){0, erfcl(far * SQRT_HALF) / 2, z > 0};
    }
    return (struct tail){-(far * far) / 2 - HALF_LOG_2PI, far > LDBL_MAX ? 1 : far_factor(far), z > 0};
}

/* Newton's method from the first term of the series; erf bends away from it, so it comes from one side. */
static long double erf_inverse_central(long double v)
{
    long double w = v * SQRT_PI / 2;
    for (int round = 0; round < 20; round++) {
        const long double step = (v - erfl(w)) * (SQRT_PI / 2) * expl(w * w);
        w += step;
        if (fabsl(step) <= LDBL_EPSILON * fabsl(w)) {
            break;
        }
    }
    return w;
}

/* log of the upper tail is concave in z, so that Newton's method for it converges from anywhere. */
static long double upper_place(long double log_p)
{
    long double z = sqrtl(-2 * log_p);
    for (int round = 0; round < 50; round++) {
        const struct tail t = normal_tail(z);
        const long double log_tail = tail_log(&t, true);
        const long double step = (log_tail - log_p) * expl(log_tail + z * z / 2 + HALF_LOG_2PI);
        z += step;
        if (fabsl(step) <= 2 * LDBL_EPSILON * fabsl(z)) {
            break;
        }
    }
    return z;
}

long double normal_place(double p, bool upper)
{
    if (fabs(p - 0.5) < 0.25) { /* 1 - 2 p is exact */
        const long double z = erf_inverse_central(1 - 2 * (long double) p) / SQRT_HALF;
        return upper ? z : -z;
    }
    const bool right = (p < 0.5) == upper;
    const long double z = upper_place(p < 0.5 ? logl(p) : log1pl(-(long double) p));
    return right ? z : -z;
}

long double erf_inverse(double v)
{
    if (fabs(v) < 0.5) {
        return erf_inverse_central(v);
    }
    const long double w = upper_place(logl((1 - fabsl(v)) / 2)) * SQRT_HALF;
    return v < 0 ? -w : w;
}

long double erfc_inverse(double v)
{
    if (v > 0.5 && v < 1.5) {
        return erf_inverse_central(1 - (long double) v);
    }
    return v < 1 ? upper_place(logl(v / 2.0L)) * SQRT_HALF : -upper_place(log1pl(-v / 2.0L)) * SQRT_HALF;
}
