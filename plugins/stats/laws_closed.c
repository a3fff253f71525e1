/* SPDX-License-Identifier: MPL-2.0 */
/* Continuous laws with closed forms, and those made from the normal one. */
#include <math.h>

#include "laws.h"
#include "normal.h"

#define PI           3.141592653589793238463L
#define HALF_LOG_2PI 0.9189385332046727417803L

/* ---- laws given by their cumulative hazard h, the upper tail being exp(-h) ------------------------------ */

static struct tail hazard_tail(long double h)
{
    return h > 0.6L ? (struct tail){-h, 1, true} : (struct tail){0, -expm1l(-h), false};
}

static long double hazard_place(double p, bool upper)
{
    return upper ? -logl(p) : -log1pl(-(long double) p);
}

static void expon_prepare(struct law_state *s)
{
    s->low = 0;
    s->mean = s->var = 1;
}

static long double expon_log(const struct law_state *s, long double z)
{
    (void) s;
    return -z;
}

static struct tail expon_tail(const struct law_state *s, long double z)
{
    (void) s;
    return hazard_tail(z);
}

static long double expon_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    return hazard_place(p, upper);
}

const struct law law_expon = {0, false, expon_prepare, expon_log, expon_tail, expon_place};

/* Weibull: c; h = z^c. */
static void weibull_prepare(struct law_state *s)
{
    const long double c = s->shape[0], one = tgammal(1 + 1 / c), two = tgammal(1 + 2 / c);
    s->low = 0;
    s->mean = (double) one;
    if (c < 300) {
        s->var = (double) (isinf(two) ? two : two - one * one);
    } else { /* Gamma(1 + 2 e) / Gamma(1 + e)^2 - 1 from the series of its logarithm, e = 1 / c */
        const long double e = 1 / c;
        const long double log_ratio =
            e * e *
            (1.6449340668482264364724L +
             e * (-2.404113806319188570799L +
                  e * (3.787862641493870312L +
                       e * (-6.221566530860195L + e * (10.5125337979L - e * 18.149L)))));
        s->var = (double) (one * one * expm1l(log_ratio));
    }
}

static long double weibull_log(const struct law_state *s, long double z)
{
    const long double c = s->shape[0];
    if (z == 0) {
        return c == 1 ? 0 : c < 1 ? (long double) INFINITY : -(long double) INFINITY;
    }
    return logl(c) + (c - 1) * logl(z) - powl(z, c);
}

static struct tail weibull_tail(const struct law_state *s, long double z)
{
    return hazard_tail(powl(z, s->shape[0]));
}

static long double weibull_place(const struct law_state *s, double p, bool upper)
{
    return powl(hazard_place(p, upper), 1 / (long double) s->shape[0]);
}

const struct law law_weibull_min = {1, false, weibull_prepare, weibull_log, weibull_tail, weibull_place};

/* Pareto: b; from 1, h = b log z. */
static void pareto_prepare(struct law_state *s)
{
    const double b = s->shape[0];
    s->low = 1;
    s->mean = b > 1 ? b / (b - 1) : HUGE_VAL;
    if (b > 1) {
        s->var = b > 2 ? b / ((b - 1) * (b - 1) * (b - 2)) : HUGE_VAL;
    }
}

static long double pareto_log(const struct law_state *s, long double z)
{
    const long double b = s->shape[0];
    return logl(b) - (b + 1) * logl(z);
}

static struct tail pareto_tail(const struct law_state *s, long double z)
{
    return hazard_tail(s->shape[0] * logl(z));
}

static long double pareto_place(const struct law_state *s, double p, bool upper)
{
    return expl(hazard_place(p, upper) / s->shape[0]);
}

const struct law law_pareto = {1, false, pareto_prepare, pareto_log, pareto_tail, pareto_place};

/* ---- uniform on 0..1 -------------------------------------------------------------------------------------- */

static void uniform_prepare(struct law_state *s)
{
    s->low = 0;
    s->high = 1;
    s->mean = 0.5;
    s->var = 1 / 12.0;
}

static long double uniform_log(const struct law_state *s, long double z)
{
    (void) s;
    (void) z;
    return 0;
}

static struct tail uniform_tail(const struct law_state *s, long double z)
{
    (void) s;
    return z < 0.5L ? (struct tail){0, z, false} : (struct tail){0, 1 - z, true};
}

static long double uniform_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    return upper ? 1 - (long double) p : p;
}

const struct law law_uniform = {0, false, uniform_prepare, uniform_log, uniform_tail, uniform_place};

/* ---- normal ------------------------------------------------------------------------------------------------- */

static void norm_prepare(struct law_state *s)
{
    s->mean = 0;
    s->var = 1;
}

static long double norm_log(const struct law_state *s, long double z)
{
    (void) s;
    return -z * z / 2 - HALF_LOG_2PI;
}

static struct tail norm_tail(const struct law_state *s, long double z)
{
    (void) s;
    return normal_tail(z);
}

static long double norm_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    return normal_place(p, upper);
}

const struct law law_norm = {0, false, norm_prepare, norm_log, norm_tail, norm_place};

/* Lognormal: s, the deviation of log z. */
static void lognorm_prepare(struct law_state *s)
{
    const double v = s->shape[0] * s->shape[0];
    s->low = 0;
    s->mean = exp(v / 2);
    s->var = expm1(v) * exp(v);
}

static long double lognorm_log(const struct law_state *s, long double z)
{
    const long double y = logl(z), u = y / s->shape[0];
    return z == 0 ? -(long double) INFINITY : -u * u / 2 - y - logl(s->shape[0]) - HALF_LOG_2PI;
}

static struct tail lognorm_tail(const struct law_state *s, long double z)
{
    return normal_tail(logl(z) / s->shape[0]);
}

static long double lognorm_place(const struct law_state *s, double p, bool upper)
{
    return expl(s->shape[0] * normal_place(p, upper));
}

const struct law law_lognorm = {1, false, lognorm_prepare, lognorm_log, lognorm_tail, lognorm_place};

/* ---- Cauchy, Laplace, logistic: even densities ------------------------------------------------------------- */

static void cauchy_prepare(struct law_state *s)
{
    (void) s;
}

static long double cauchy_log(const struct law_state *s, long double z)
{
    (void) s;
    return -logl(PI) - log1pl(z * z);
}

static struct tail cauchy_tail(const struct law_state *s, long double z)
{
    (void) s;
    return (struct tail){0, atan2l(1, fabsl(z)) / PI, z > 0};
}

static long double cauchy_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    const double small = p < 0.5 ? p : 1 - p;
    const long double z = small < 0.25 ? 1 / tanl(PI * small) : tanl(PI * (0.5L - small));
    return (p < 0.5) == upper ? z : -z;
}

const struct law law_cauchy = {0, false, cauchy_prepare, cauchy_log, cauchy_tail, cauchy_place};

static void laplace_prepare(struct law_state *s)
{
    s->mean = 0;
    s->var = 2;
}

static long double laplace_log(const struct law_state *s, long double z)
{
    (void) s;
    return -fabsl(z) - logl(2);
}

static struct tail laplace_tail(const struct law_state *s, long double z)
{
    (void) s;
    return (struct tail){-fabsl(z), 0.5L, z > 0};
}

static long double laplace_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    const long double z = -logl(2 * (p < 0.5 ? p : 1 - (long double) p));
    return (p < 0.5) == upper ? z : -z;
}

const struct law law_laplace = {0, false, laplace_prepare, laplace_log, laplace_tail, laplace_place};

static void logistic_prepare(struct law_state *s)
{
    s->mean = 0;
    s->var = (double) (PI * PI / 3);
}

static long double logistic_log(const struct law_state *s, long double z)
{
    (void) s;
    return -fabsl(z) - 2 * log1pl(expl(-fabsl(z)));
}

static struct tail logistic_tail(const struct law_state *s, long double z)
{
    (void) s;
    return (struct tail){-fabsl(z), 1 / (1 + expl(-fabsl(z))), z > 0};
}

static long double logistic_place(const struct law_state *s, double p, bool upper)
{
    (void) s;
    const long double q = p, odds = (1 - 2 * q) / q, z = fabsl(odds) < 1 ? log1pl(odds) : logl((1 - q) / q);
    return upper ? z : -z;
}

const struct law law_logistic = {0, false, logistic_prepare, logistic_log, logistic_tail, logistic_place};
