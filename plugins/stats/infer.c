/* SPDX-License-Identifier: MPL-2.0 */
#include "infer.h"

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "dist.h"

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

double quantile_t(double tail, double df)
{
    return qt(tail, df, 0, 0);
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
