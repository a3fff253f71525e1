/* SPDX-License-Identifier: MPL-2.0 */
/* Continuous laws whose tails are incomplete gamma and beta functions. */
#include <math.h>

#include "gammas.h"
#include "laws.h"

/* log of a density at the end of its support where it goes as z^power: without bound, `finite`, or 0. */
static long double at_end(double power, long double finite)
{
    return power == 0 ? finite : power < 0 ? (long double) INFINITY : -(long double) INFINITY;
}

/* ---- gamma: shape a --------------------------------------------------------------------------------- */

static void gamma_prepare(struct law_state *s)
{
    s->gamma = gamma_shape(s->shape[0]);
    s->low = 0;
    s->mean = s->var = s->shape[0];
}

static long double gamma_log(const struct law_state *s, long double z)
{
    return z == 0 ? at_end(s->shape[0] - 1, 0) : gamma_log_density(&s->gamma, z) - logl(z);
}

static struct tail gamma_law_tail(const struct law_state *s, long double z)
{
    return gamma_tail(&s->gamma, z);
}

static long double gamma_place(const struct law_state *s, double p, bool upper)
{
    return expl(gamma_log_place(&s->gamma, p, upper));
}

const struct law law_gamma = {1, false, gamma_prepare, gamma_log, gamma_law_tail, gamma_place};

/* ---- chi2: df; twice a gamma variable with a = df / 2 ------------------------------------------------- */

static void chi2_prepare(struct law_state *s)
{
    s->gamma = gamma_shape(s->shape[0] / 2);
    s->low = 0;
    s->mean = s->shape[0];
    s->var = 2 * s->shape[0];
}

static long double chi2_log(const struct law_state *s, long double z)
{
    return z == 0 ? at_end(s->shape[0] - 2, logl(0.5L)) : gamma_log_density(&s->gamma, z / 2) - logl(z);
}

static struct tail chi2_tail(const struct law_state *s, long double z)
{
    return gamma_tail(&s->gamma, z / 2);
}

static long double chi2_place(const struct law_state *s, double p, bool upper)
{
    return 2 * expl(gamma_log_place(&s->gamma, p, upper));
}

const struct law law_chi2 = {1, false, chi2_prepare, chi2_log, chi2_tail, chi2_place};

/* ---- beta: a, b ---------------------------------------------------------------------------------------- */

static void beta_prepare(struct law_state *s)
{
    const double a = s->shape[0], b = s->shape[1];
    s->beta = beta_shape(a, b);
    s->low = 0;
    s->high = 1;
    s->mean = a / (a + b);
    s->var = s->mean * (b / (a + b)) / (a + b + 1);
}

static long double beta_log(const struct law_state *s, long double z)
{
    const double a = s->shape[0], b = s->shape[1];
    if (z == 0) {
        return at_end(a - 1, logl(b));
    }
    return z == 1 ? at_end(b - 1, logl(a)) : beta_log_density(&s->beta, z, 1 - z) - logl(z) - log1pl(-z);
}

static struct tail beta_law_tail(const struct law_state *s, long double z)
{
    return beta_tail(&s->beta, z, 1 - z);
}

static long double beta_place(const struct law_state *s, double p, bool upper)
{
    return 1 / (1 + expl(-beta_logit_place(&s->beta, p, upper)));
}

const struct law law_beta = {2, false, beta_prepare, beta_log, beta_law_tail, beta_place};

/* ---- F: dfn, dfd; z dfn / dfd is x / y of a beta variable with dfn / 2 and dfd / 2 --------------------- */

static void f_prepare(struct law_state *s)
{
    const double m = s->shape[0], n = s->shape[1];
    s->beta = beta_shape(m / 2, n / 2);
    s->low = 0;
    s->mean = n > 2 ? n / (n - 2) : HUGE_VAL;
    if (n > 2) {
        s->var = n > 4 ? 2 * s->mean * s->mean * (m + n - 2) / (m * (n - 4)) : HUGE_VAL;
    }
}

static long double f_ratio(const struct law_state *s, long double z)
{
    return z * s->shape[0] / s->shape[1];
}

static long double f_log(const struct law_state *s, long double z)
{
    if (z == 0) {
        return at_end(s->shape[0] - 2, 0);
    }
    const long double r = f_ratio(s, z);
    return beta_log_density(&s->beta, r / (1 + r), 1 / (1 + r)) - logl(z);
}

static struct tail f_tail(const struct law_state *s, long double z)
{
    const long double r = f_ratio(s, z);
    return beta_tail(&s->beta, r / (1 + r), 1 / (1 + r));
}

static long double f_place(const struct law_state *s, double p, bool upper)
{
    return expl(beta_logit_place(&s->beta, p, upper)) * s->shape[1] / s->shape[0];
}

const struct law law_f = {2, false, f_prepare, f_log, f_tail, f_place};

/* ---- Student's t: df; df / (df + t^2) is a beta variable with df / 2 and 1 / 2 -------------------------- */

static void t_prepare(struct law_state *s)
{
    const double df = s->shape[0];
    s->beta = beta_shape(df / 2, 0.5);
    if (df > 1) {
        s->mean = 0;
        s->var = df > 2 ? df / (df - 2) : HUGE_VAL;
    }
}

static long double t_log(const struct law_state *s, long double z)
{
    const long double df = s->shape[0];
    return -logl(df) / 2 - log_beta(df / 2, 0.5L) - (df + 1) / 2 * log1pl(z * z / df);
}

/* Half of the probability that |t| is exceeded, or of what that leaves over. */
static struct tail t_tail(const struct law_state *s, long double z)
{
    const long double r = z * z / s->shape[0], small = 1 / (1 + r), large = r / (1 + r);
    const struct tail beyond = beta_tail(&s->beta, small, large);
    if (!beyond.upper) {
        return (struct tail){beyond.log_scale, beyond.factor / 2, z > 0};
    }
    return (struct tail){0, (1 - expl(beyond.log_scale) * beyond.factor) / 2, z > 0};
}

static long double t_place(const struct law_state *s, double p, bool upper)
{
    if (p == 0.5) {
        return 0;
    }
    const double twice = 2 * (p < 0.5 ? p : 1 - p);
    const long double t = sqrtl(s->shape[0]) * expl(-beta_logit_place(&s->beta, twice, false) / 2);
    return (p < 0.5) == upper ? t : -t;
}

const struct law law_t = {1, false, t_prepare, t_log, t_tail, t_place};
