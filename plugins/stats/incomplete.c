/* SPDX-License-Identifier: MPL-2.0 */
#include "incomplete.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "gammas.h"

#define HALF_LOG_2PI 0.9189385332046727417803L
#define TINY         1e-4000L /* in place of a zero denominator of a continued fraction */
#define MANY         1000000  /* more terms than any parameter in range needs */

/* Parameters from here on are integrated near the mean, where series need sqrt(a) terms. */
#define LARGE 1000

/* ---- tails ------------------------------------------------------------------------------------------- */

long double tail_log(const struct tail *t, bool upper)
{
    const long double same = t->log_scale + logl(t->factor);
    if (t->upper == upper) {
        return same < 0 ? same : 0;
    }
    const long double other = expl(t->log_scale) * t->factor;
    return log1pl(other < 1 ? -other : -1);
}

double tail_value(const struct tail *t, bool upper, bool log)
{
    if (log) {
        return (double) tail_log(t, upper) + 0.0; /* never -0 */
    }
    long double same = expl(t->log_scale) * t->factor;
    same = same < 1 ? same : 1;
    return (double) (t->upper == upper ? same : 1 - same);
}

static struct tail nothing(bool upper)
{
    return (struct tail){.log_scale = -(long double) INFINITY, .factor = 1, .upper = upper};
}

/* Gauss-Legendre, 40 points: places and weights on the right of 0. */
static const long double legendre[][2] = {
    {0.03877241750605082193319L, 0.07750594797842481126372L},
    {0.1160840706752552084835L, 0.07703981816424796558831L},
    {0.1926975807013710997155L, 0.07611036190062624237156L},
    {0.2681521850072536811412L, 0.07472316905796826420019L},
    {0.3419940908257584730075L, 0.07288658239580405906051L},
    {0.4137792043716050015249L, 0.07061164739128677969548L},
    {0.4830758016861787129086L, 0.06791204581523390382569L},
    {0.5494671250951282020759L, 0.06480401345660103807455L},
    {0.6125538896679802379526L, 0.06130624249292893916654L},
    {0.6719566846141795483794L, 0.05743976909939155136662L},
    {0.727318255189927103281L, 0.053227846983936824355L},
    {0.778305651426519387695L, 0.04869580763507223206143L},
    {0.8246122308333116631963L, 0.04387090818567327199167L},
    {0.8659595032122595038208L, 0.03878216797447201763997L},
    {0.9020988069688742967283L, 0.03346019528254784739268L},
    {0.9328128082786765333609L, 0.02793700698002340109849L},
    {0.9579168192137916558045L, 0.0222458491941669572615L},
    {0.9772599499837742626634L, 0.01642105838190788871286L},
    {0.9907262386994570064531L, 0.01049828453115281361474L},
    {0.9982377097105592003496L, 0.004521277098533191258472L},
};

/* An integrand exp(p lm(w / u) + q lm(-w / v) - c w), where lm(z) = log(1 + z) - z. With p = a - 1 and so on
 * it is a density divided by its value at w = 0; leaving the linear terms to c, where they cancel, keeps
 * what is left small. v is 0 where there is no q. */
struct decline {
    long double p, u, q, v, c;
};

static long double decline_at(const struct decline *f, long double w)
{
    long double e = f->p * log1p_minus(w / f->u) - f->c * w;
    if (f->v > 0) {
        e += f->q * log1p_minus(-w / f->v);
    }
    return expl(e);
}

/* From w = 0 to where the integrand has fallen below exp(-60) or to the end. In that range it is so smooth
 * that 40 points give every digit. */
static long double decline_integral(const struct decline *f, long double end)
{
    const long double drop = 60, curve = f->p / (f->u * f->u) + (f->v > 0 ? f->q / (f->v * f->v) : 0);
    const long double reach = 2 * drop / (f->c + sqrtl(f->c * f->c + 2 * drop * curve));
    const long double half = (reach < end ? reach : end) / 2;
    long double sum = 0;
    for (size_t i = 0; i < sizeof legendre / sizeof *legendre; i++) {
        const long double step = half * legendre[i][0];
        sum += legendre[i][1] * (decline_at(f, half - step) + decline_at(f, half + step));
    }
    return half * sum;
}

/* ---- incomplete gamma ------------------------------------------------------------------------------- */

struct gamma_shape gamma_shape(double a)
{
    return (struct gamma_shape){a, logl(a) / 2 - HALF_LOG_2PI - stirling_rest(a)};
}

/* a (log(x / a) - x / a + 1) is 0 at x = a, and has no cancellation when written with log1p_minus. */
long double gamma_log_density(const struct gamma_shape *s, long double x)
{
    const long double u = (x - s->a) / s->a;
    if (fabsl(u) < 0.5L) {
        return s->a * log1p_minus(u) + s->log_norm;
    }
    return s->a * (logl(x) - logl(s->a)) - (x - s->a) + s->log_norm;
}

/* P a / density = 1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ... */
static long double gamma_series(long double a, long double x)
{
    long double sum = 1, term = 1;
    for (int k = 1; k < MANY && term > sum * (LDBL_EPSILON / 4); k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum;
}

/* Q / density = 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...))), by Lentz. */
static long double gamma_fraction(long double a, long double x)
{
    long double b = x + 1 - a, c = 1 / TINY, d = 1 / b, f = d;
    for (int k = 1; k < MANY; k++) {
        const long double numerator = -k * (k - a);
        b += 2;
        d = b + numerator * d;
        d = 1 / (fabsl(d) < TINY ? TINY : d);
        c = b + numerator / c;
        c = fabsl(c) < TINY ? TINY : c;
        f *= c * d;
        if (fabsl(c * d - 1) < LDBL_EPSILON) {
            break;
        }
    }
    return f;
}

/* Q for a <= 1 and small x, where 1 - P would lose its digits: x^a / Gamma(1 + a) is 1 + e, and P that
 * times 1 + a (-x / (1! (a + 1)) + x^2 / (2! (a + 2)) - ...). */
static long double gamma_upper_small(long double a, long double x)
{
    const long double e = expm1l(a * logl(x) - log_gamma_1p(a));
    long double sum = 0, term = 1;
    for (int k = 1; k < 100; k++) {
        term *= -x / k;
        sum += term / (a + k);
        if (fabsl(term) < LDBL_EPSILON * fabsl(sum)) {
            break;
        }
    }
    return -e - (1 + e) * a * sum;
}

static struct tail gamma_integrated(const struct gamma_shape *s, long double x, bool upper)
{
    const long double c = (x - s->a + 1) / x;
    const struct decline f = {.p = s->a - 1, .u = upper ? x : -x, .c = upper ? c : -c};
    const long double area = decline_integral(&f, upper ? (long double) INFINITY : x);
    return (struct tail){gamma_log_density(s, x), area / x, upper};
}

struct tail gamma_tail(const struct gamma_shape *s, long double x)
{
    const long double a = s->a;
    if (!(x > 0) || x > LDBL_MAX) {
        return nothing(x > 0);
    }
    const bool upper = x >= a;
    if (a > LARGE && fabsl(x - a) < a / 8) {
        return gamma_integrated(s, x, upper);
    }
    const long double density = gamma_log_density(s, x);
    if (upper && x > 1.5L) {
        return (struct tail){density, gamma_fraction(a, x), true};
    }
    const struct tail lower = {density, gamma_series(a, x) / a, false};
    if (a <= 1 && density + logl(lower.factor) > -0.7L) {
        return (struct tail){0, gamma_upper_small(a, x), true};
    }
    return lower;
}

/* ---- incomplete beta ---------------------------------------------------------------------------------- */

struct beta_shape beta_shape(double a, double b)
{
    const long double n = (long double) a + b;
    const long double rests = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    return (struct beta_shape){a, b, (logl(a / n) + logl(b)) / 2 - HALF_LOG_2PI + rests};
}

/* a log(x / p) + b log(y / q) with p = a / (a + b), q = 1 - p: the linear terms of both logarithms cancel. */
long double beta_log_density(const struct beta_shape *s, long double x, long double y)
{
    const long double a = s->a, b = s->b, n = a + b, d = x * b - y * a, u = d / a, v = -d / b;
    if (fabsl(u) < 0.5L && fabsl(v) < 0.5L) {
        return a * log1p_minus(u) + b * log1p_minus(v) + s->log_norm;
    }
    const long double log_x = x < y ? logl(x) : log1pl(-y), log_y = x < y ? log1pl(-x) : logl(y);
    const long double log_p = a < b ? logl(a / n) : log1pl(-b / n),
                      log_q = a < b ? log1pl(-a / n) : logl(b / n);
    return a * (log_x - log_p) + b * (log_y - log_q) + s->log_norm;
}

/* P / density as the continued fraction of Didonato and Morris (1992), by Lentz; quick for x below the mean.
 * Its terms hold a y - b x instead of 1 - x (a + b) / (a + 1), which would lose digits near x = 1. */
static long double beta_fraction(long double a, long double b, long double x, long double y)
{
    const long double lambda = a * y - b * x;
    long double f = (a + 1) / (a * (lambda + 1)), c = 1 / TINY, d = f;
    for (int n = 1; n < MANY; n++) {
        const long double m = a + 2 * n - 1, share = n * (b - n) * x / m;
        const long double numerator = (a + n - 1) / m * (a + b + n - 1) * x * share;
        const long double denominator = n + share + (a + n) / (m + 2) * (lambda + 1 + n * (1 + y));
        d = denominator + numerator * d;
        d = 1 / (fabsl(d) < TINY ? TINY : d);
        c = denominator + numerator / c;
        c = fabsl(c) < TINY ? TINY : c;
        f *= c * d;
        if (fabsl(c * d - 1) < LDBL_EPSILON) {
            break;
        }
    }
    return f;
}

/* The tail above x. */
static long double beta_integrated(long double a, long double b, long double x, long double y)
{
    const struct decline f = {
        .p = a - 1, .u = x, .q = b - 1, .v = y, .c = ((b - 1) * x - (a - 1) * y) / (x * y)};
    return decline_integral(&f, y) / (x * y);
}

struct tail beta_tail(const struct beta_shape *s, long double x, long double y)
{
    const long double a = s->a, b = s->b;
    if (!(x > 0) || !(y > 0)) {
        return nothing(x > 0);
    }
    const long double density = beta_log_density(s, x, y);
    const bool upper = x * b >= y * a;
    if (a > LARGE && b > LARGE) {
        return (struct tail){density, upper ? beta_integrated(a, b, x, y) : beta_integrated(b, a, y, x),
                             upper};
    }
    if (x > (a + 1) / (a + b + 2)) {
        return (struct tail){density, beta_fraction(b, a, y, x), true};
    }
    return (struct tail){density, beta_fraction(a, b, x, y), false};
}

/* ---- inverses ----------------------------------------------------------------------------------------- */

/* A distribution on a scale s (log or logit) on which log of a tail is concave, so that Newton's method for
 * it converges from anywhere; steps are kept within the bracket found so far all the same. Where that log
 * falls as exp(s), a step of Newton's from before its bend overshoots and comes back in steps of 1: hence a
 * greatest step in the upper tail. */
struct scaled {
    const void *shape;
    long double greatest_step;
    struct tail (*tail)(const void *shape, long double s, long double *ret_log_density);
};

static long double scaled_place(const struct scaled *f, double p, bool upper, long double start)
{
    if (p > 0.5) { /* the smaller tail; the difference is exact */
        p = 1 - p;
        upper = !upper;
    }
    const long double wanted = logl(p), side = upper ? -1 : 1, greatest = upper ? f->greatest_step : 1e10L;
    long double low = -(long double) INFINITY, high = (long double) INFINITY, s = start;
    for (int round = 0; round < 200; round++) {
        long double log_density;
        const struct tail t = f->tail(f->shape, s, &log_density);
        const long double log_tail = tail_log(&t, upper), miss = log_tail - wanted;
        if (side * miss > 0) {
            high = s;
        } else {
            low = s;
        }
        long double step = -side * miss / expl(log_density - log_tail);
        step = !(step < greatest) ? greatest : step;
        if (fabsl(step) <= 1e-18L * fmaxl(1, fabsl(s))) {
            return s + step;
        }
        s += step;
        if (s <= low || s >= high) {
            s = isinf(low) ? high - 1 - fabsl(high) : isinf(high) ? low + 1 + fabsl(low) : (low + high) / 2;
        }
    }
    return s;
}

static struct tail gamma_scaled(const void *shape, long double s, long double *ret_log_density)
{
    const long double x = expl(s);
    *ret_log_density = gamma_log_density(shape, x);
    return gamma_tail(shape, x);
}

long double gamma_log_place(const struct gamma_shape *s, double p, bool upper)
{
    const struct scaled f = {s, 1, gamma_scaled};
    return scaled_place(&f, p, upper, logl(s->a));
}

static struct tail beta_scaled(const void *shape, long double s, long double *ret_log_density)
{
    const long double small = expl(-fabsl(s)) / (1 + expl(-fabsl(s))), large = 1 - small;
    const long double x = s < 0 ? small : large, y = s < 0 ? large : small;
    *ret_log_density = beta_log_density(shape, x, y);
    return beta_tail(shape, x, y);
}

long double beta_logit_place(const struct beta_shape *s, double p, bool upper)
{
    const struct scaled f = {s, 1e4L, beta_scaled};
    return scaled_place(&f, p, upper, logl(s->a / s->b));
}
