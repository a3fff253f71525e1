/* SPDX-License-Identifier: MPL-2.0 */
#include "laws.h"

#include <math.h>

/* How many shape parameters a law reads is its own affair; callers give as many as it reads. */
void law_prepare(const struct law *law, const double *shape, struct law_state *ret)
{
    *ret = (struct law_state){.low = -HUGE_VAL, .high = HUGE_VAL, .mean = (double) NAN, .var = (double) NAN};
    for (int i = 0; i < law->n_shapes; i++) {
        ret->shape[i] = shape[i];
    }
    law->prepare(ret);
}

double law_density(const struct law *law, const struct law_state *s, long double z, long double log_scale,
                   bool log)
{
    if (isnan(z)) {
        return (double) NAN;
    }
    long double density = -(long double) INFINITY;
    if (z >= s->low && z <= s->high && !isinf(z) && !(law->discrete && z != floorl(z))) {
        density = law->log_density(s, z) - log_scale;
    }
    return (double) (log ? density : expl(density));
}

double law_tail(const struct law *law, const struct law_state *s, long double z, bool upper, bool log)
{
    if (isnan(z)) {
        return (double) NAN;
    }
    if (law->discrete) {
        z = floorl(z);
    }
    if (z < s->low || z >= s->high) {
        const bool all = z < s->low ? upper : !upper;
        return log ? (all ? 0 : -HUGE_VAL) : all;
    }
    const struct tail t = law->tail(s, z);
    return tail_value(&t, upper, log);
}

static bool far_enough(const struct law *law, const struct law_state *s, double k, double p, bool upper)
{
    const double tail = law_tail(law, s, k, upper, false);
    return upper ? tail <= p : tail >= p;
}

/* Bracketed by growing steps from the mean, then by halves. */
static double whole_place(const struct law *law, const struct law_state *s, double p, bool upper)
{
    double step = isfinite(s->var) ? ceil(sqrt(s->var) / 4) + 1 : 1;
    double low = s->low - 1, high = fmin(fmax(floor(s->mean), s->low), s->high);
    if (far_enough(law, s, high, p, upper)) {
        for (; high > s->low; step *= 2) {
            const double k = fmax(high - step, s->low);
            if (!far_enough(law, s, k, p, upper)) {
                low = k;
                break;
            }
            high = k;
        }
    } else {
        do {
            low = high;
            high = fmin(low + step, s->high);
            step *= 2;
        } while (!far_enough(law, s, high, p, upper));
    }
    while (high - low > 1) {
        const double middle = floor(low + (high - low) / 2);
        if (middle <= low || middle >= high) {
            break; /* whole numbers are further apart here */
        }
        if (far_enough(law, s, middle, p, upper)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

long double law_place(const struct law *law, const struct law_state *s, double p, bool upper)
{
    if (isnan(p)) {
        return (long double) NAN;
    }
    if (p == 0 || p == 1) {
        return (p == 0) == upper ? s->high : s->low - law->discrete;
    }
    return law->discrete ? whole_place(law, s, p, upper) : law->place(s, p, upper);
}

double law_density_at(const struct law *law, const double *shape, double x)
{
    struct law_state s;
    law_prepare(law, shape, &s);
    return law_density(law, &s, x, 0, false);
}

double law_tail_at(const struct law *law, const double *shape, double x, bool upper)
{
    struct law_state s;
    law_prepare(law, shape, &s);
    return law_tail(law, &s, x, upper, false);
}

double law_place_at(const struct law *law, const double *shape, double p, bool upper)
{
    if (!(p >= 0 && p <= 1)) {
        return (double) NAN;
    }
    struct law_state s;
    law_prepare(law, shape, &s);
    return (double) law_place(law, &s, p, upper);
}
