/* SPDX-License-Identifier: MPL-2.0 */
/* Laws on whole numbers. */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "gammas.h"
#include "laws.h"

/* ---- Poisson: mu ---------------------------------------------------------------------------------------- */

static void poisson_prepare(struct law_state *s)
{
    s->low = 0;
    s->mean = s->var = s->shape[0];
    if (s->shape[0] == 0) {
        s->high = 0;
    }
}

static long double poisson_log(const struct law_state *s, long double k)
{
    const long double mu = s->shape[0];
    if (k == 0) {
        return -mu;
    }
    const struct gamma_shape g = gamma_shape((double) k);
    return gamma_log_density(&g, mu) - logl(k);
}

/* P(X <= k) is the upper tail at mu of a gamma law with a = k + 1. */
static struct tail poisson_tail(const struct law_state *s, long double k)
{
    const struct gamma_shape g = gamma_shape((double) k + 1);
    struct tail t = gamma_tail(&g, s->shape[0]);
    t.upper = !t.upper;
    return t;
}

const struct law law_poisson = {1, true, poisson_prepare, poisson_log, poisson_tail, NULL};

/* ---- binomial: n, p -------------------------------------------------------------------------------------- */

/* log of n over k, times p^k q^(n - k). */
static long double binomial_log(long double n, long double k, long double p, long double q)
{
    if (p == 0 || q == 0) {
        return k == (p == 0 ? 0 : n) ? 0 : -(long double) INFINITY;
    }
    if (k == 0 || k == n) {
        const long double r = k == 0 ? q : p, rest = k == 0 ? p : q;
        return n * (r > 0.5L ? log1pl(-rest) : logl(r));
    }
    const struct beta_shape b = beta_shape((double) k, (double) (n - k));
    return beta_log_density(&b, p, q) + logl(n / k) - logl(n - k);
}

static void binom_prepare(struct law_state *s)
{
    const double n = s->shape[0], p = s->shape[1];
    s->low = 0;
    s->high = n;
    s->mean = n * p;
    s->var = n * p * (1 - p);
}

static long double binom_log(const struct law_state *s, long double k)
{
    return binomial_log(s->shape[0], k, s->shape[1], 1 - (long double) s->shape[1]);
}

/* P(X > k) is the lower tail at p of a beta law with k + 1 and n - k. */
static struct tail binom_tail(const struct law_state *s, long double k)
{
    const struct beta_shape b = beta_shape((double) k + 1, (double) (s->shape[0] - k));
    struct tail t = beta_tail(&b, s->shape[1], 1 - (long double) s->shape[1]);
    t.upper = !t.upper;
    return t;
}

const struct law law_binom = {2, true, binom_prepare, binom_log, binom_tail, NULL};

/* ---- geometric: p, the number of trials up to the first success ----------------------------------------- */

static void geom_prepare(struct law_state *s)
{
    const double p = s->shape[0];
    s->low = 1;
    s->high = p == 1 ? 1 : HUGE_VAL;
    s->mean = 1 / p;
    s->var = (1 - p) / p / p;
    s->constant = log1pl(-(long double) p);
}

static long double geom_log(const struct law_state *s, long double k)
{
    return (k == 1 ? 0 : (k - 1) * s->constant) + logl(s->shape[0]);
}

static struct tail geom_tail(const struct law_state *s, long double k)
{
    const long double log_upper = k * s->constant;
    return log_upper < -0.6L ? (struct tail){log_upper, 1, true}
                             : (struct tail){0, -expm1l(log_upper), false};
}

const struct law law_geom = {1, true, geom_prepare, geom_log, geom_tail, NULL};

/* ---- negative binomial: n, p, the number of failures before n successes ----------------------------------- */

static void nbinom_prepare(struct law_state *s)
{
    const double n = s->shape[0], p = s->shape[1];
    s->low = 0;
    s->high = p == 1 ? 0 : HUGE_VAL;
    s->mean = n * (1 - p) / p;
    s->var = s->mean / p;
}

static long double nbinom_log(const struct law_state *s, long double k)
{
    const long double n = s->shape[0], p = s->shape[1], q = 1 - p;
    if (k == 0) {
        return n * (p > 0.5L ? log1pl(-q) : logl(p));
    }
    const struct beta_shape b = beta_shape((double) n, (double) k);
    return beta_log_density(&b, p, q) - logl(k);
}

static struct tail nbinom_tail(const struct law_state *s, long double k)
{
    const struct beta_shape b = beta_shape(s->shape[0], (double) k + 1);
    return beta_tail(&b, s->shape[1], 1 - (long double) s->shape[1]);
}

const struct law law_nbinom = {2, true, nbinom_prepare, nbinom_log, nbinom_tail, NULL};

/* ---- hypergeometric: of M things n are of the kind counted in a draw of N ---------------------------------- */

static void hypergeom_prepare(struct law_state *s)
{
    const double total = s->shape[0], kind = s->shape[1], drawn = s->shape[2];
    s->low = fmax(0, drawn - (total - kind));
    s->high = fmin(kind, drawn);
    s->mean = total > 0 ? drawn * (kind / total) : 0;
    s->var = total > 1 ? s->mean * ((total - kind) / total) * ((total - drawn) / (total - 1)) : 0;
}

/* As three binomial masses with p = N / M, in which what is large cancels beforehand (Loader). */
static long double hypergeom_log(const struct law_state *s, long double k)
{
    const long double total = s->shape[0], kind = s->shape[1], drawn = s->shape[2];
    if (s->low == s->high) {
        return 0;
    }
    const long double p = drawn / total, q = (total - drawn) / total;
    return binomial_log(kind, k, p, q) + binomial_log(total - kind, drawn - k, p, q) -
           binomial_log(total, drawn, p, q);
}

/* The mass at k, times the sum of the ratios of the masses from there outwards to it; away from the mean
 * they fall at least geometrically. */
static struct tail hypergeom_tail(const struct law_state *s, long double k)
{
    const long double total = s->shape[0], kind = s->shape[1], drawn = s->shape[2];
    const bool upper = k >= s->mean;
    long double j = upper ? k + 1 : k, sum = 1, term = 1;
    const struct tail t = {.log_scale = hypergeom_log(s, j), .upper = upper};
    while (term > sum * (LDBL_EPSILON / 64)) {
        const long double up = (kind - j) * (drawn - j), down = j * (total - kind - drawn + j);
        if (upper) {
            j += 1;
            term *= up / (j * (total - kind - drawn + j));
        } else {
            term *= down / ((kind - j + 1) * (drawn - j + 1));
            j -= 1;
        }
        sum += term;
    }
    return (struct tail){t.log_scale, sum, upper};
}

const struct law law_hypergeom = {3, true, hypergeom_prepare, hypergeom_log, hypergeom_tail, NULL};
