/* SPDX-License-Identifier: MPL-2.0 */
#include "infer.h"

#include "dist.h"
#include "special.h"

enum alternative alternative_of(const struct kiln_slot *slot)
{
    switch (slot->text[0]) { /* one of the row's choices */
    case 'l':
        return LESS;
    case 'g':
        return GREATER;
    default:
        return TWO_SIDED;
    }
}

double pvalue_norm(double z, enum alternative alternative)
{
    switch (alternative) {
    case LESS:
        return dist_norm_cdf(z);
    case GREATER:
        return dist_norm_sf(z);
    default:
        return 2 * dist_norm_sf(fabs(z));
    }
}

double pvalue_t(double t, double df, enum alternative alternative)
{
    switch (alternative) {
    case LESS:
        return dist_t_cdf(t, df);
    case GREATER:
        return dist_t_sf(t, df);
    default:
        return 2 * dist_t_sf(fabs(t), df);
    }
}

/* Hastings's approximation (Abramowitz and Stegun 26.2.23), right to 4.5e-4; tail <= 0.5. */
static double rough_norm_isf(double tail)
{
    const double t = sqrt(-2 * log(tail));
    return t -
           (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* A step of Halley's method from z, whose tail is `found`; it leaves the cube of the error. */
static double mend_norm_isf(double z, double found, double tail)
{
    const double u = (found - tail) / (exp(-z * z / 2) * 0.3989422804014327);
    return z + u / (1 - u * z / 2);
}

void quick_norm_isf(const struct kernels *k, const double *tails, size_t n, double *ret)
{
    enum { PART = 256 };
    double below[PART], found[PART];
    for (size_t at = 0; at < n; at += PART) {
        const size_t count = n - at < PART ? n - at : PART;
        for (size_t i = 0; i < count; i++) {
            below[i] = -rough_norm_isf(tails[at + i]);
        }
        special_for(k)->ndtr(below, count, found);
        for (size_t i = 0; i < count; i++) {
            ret[at + i] = mend_norm_isf(-below[i], found[i], tails[at + i]);
        }
    }
}

/* From the expansion about the normal quantile (Cornish and Fisher) by Halley's method. */
double quick_t_isf(double tail, double df)
{
    if (!(df >= 3 && tail > 1e-12 && tail < 1 - 1e-12)) {
        return dist_t_isf(tail, df);
    }
    const double p = tail < 0.5 ? tail : 1 - tail, rough = rough_norm_isf(p);
    const double upper = mend_norm_isf(rough, dist_norm_sf(rough), p), z = tail < 0.5 ? upper : -upper,
                 zz = z * z;
    double t = z + z * (zz + 1) / (4 * df) + z * ((5 * zz + 16) * zz + 3) / (96 * df * df);
    const double factor = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * 3.141592653589793);
    for (int steps = 0; steps < 20; steps++) {
        const double density = factor * exp(-(df + 1) / 2 * log1p(t * t / df)),
                     u = (dist_t_sf(t, df) - tail) / density;
        t += u / (1 - u * (df + 1) * t / (df + t * t) / 2);
        if (fabs(u) <= 1e-6 * fabs(t)) { /* cubed, far below the last digit */
            return t;
        }
    }
    return dist_t_isf(tail, df);
}

int sample_check_least(struct kiln_call *call, const struct sample *s, const char *field, size_t least)
{
    if (s->n >= least) {
        return KILN_OK;
    }
    return call->host->fail(call, KILN_INVALID, field, "%s has %zu value%s%s, expected at least %zu", field,
                            s->n, s->n == 1 ? "" : "s", s->omitted ? " without NaN" : "", least);
}

int give_nan(struct kiln_slot *results, size_t from, size_t to)
{
    for (size_t i = from; i <= to; i++) {
        give(&results[i], (double) NAN);
    }
    return KILN_OK;
}

bool sample_has_nan(struct kiln_call *call, const struct sample *s)
{
    const struct kernels *k = call->state;
    return k->find_nan(s->x, s->n) < s->n;
}
