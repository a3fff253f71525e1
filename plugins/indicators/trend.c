/* SPDX-License-Identifier: MPL-2.0 */
#include "trend.h"

#include "moving.h"

struct trend trend_weighted(size_t period)
{
    double n = (double) period;
    return (struct trend){period, 1.0, 2.0 / (n * (n + 1.0))};
}

struct trend trend_slope(size_t period)
{
    double n = (double) period;
    return (struct trend){period, 0.0, 12.0 / (n * (n * n - 1.0))};
}

struct trend trend_line(size_t period, double ahead)
{
    double n = (double) period;
    return (struct trend){period, 1.0, (6.0 * (n - 1.0) + 12.0 * ahead) / (n * (n * n - 1.0))};
}

/* ---- linear weights ------------------------------------------------------------------------------ */

ALWAYS_INLINE void trend_terms(const quad *d, double place, quad *ret_terms)
{
    ret_terms[0] = d[0];
    ret_terms[1] = d[0] * place;
}

enum { PART, MIDDLE, LEVEL, TILT, FACTORS };

ALWAYS_INLINE quad trend_finish(const quad *sums, const quad *anchor, double place, const double *factor)
{
    quad mean = anchor[0] + sums[0] * factor[PART];
    return mean * factor[LEVEL] + (sums[1] + sums[0] * (factor[MIDDLE] - place)) * factor[TILT];
}

KERNEL void trend_part(const double *x, struct part part, const struct trend *trend, double *scratch,
                       double *out)
{
    double n = (double) trend->period;
    double factor[FACTORS] = {
        [PART] = 1.0 / n, [MIDDLE] = (n - 1.0) / 2.0, [LEVEL] = trend->level, [TILT] = trend->tilt};
    blocks_run(1, TREND_SUMS, trend_terms, trend_finish, &x, part, trend->period, factor, scratch, out);
}

/* ---- sum ----------------------------------------------------------------------------------------- */

ALWAYS_INLINE void sum_terms(const quad *d, double place, quad *ret_terms)
{
    (void) place;
    ret_terms[0] = d[0];
}

ALWAYS_INLINE quad sum_finish(const quad *sums, const quad *anchor, double place, const double *factor)
{
    (void) place;
    return anchor[0] * factor[0] + sums[0];
}

KERNEL void trend_sum_part(const double *x, struct part part, size_t period, double *scratch, double *out)
{
    double bars = (double) period;
    blocks_run(1, 1, sum_terms, sum_finish, &x, part, period, &bars, scratch, out);
}

/* ---- triangle ------------------------------------------------------------------------------------ */

/* The longer of the two means. */
static inline size_t outer_of(size_t period)
{
    return period / 2 + 1;
}

static inline size_t inner_of(size_t period)
{
    return period + 1 - outer_of(period);
}

size_t trend_triangle_history(size_t period)
{
    return moving_history(outer_of(period)) + moving_history(inner_of(period));
}

size_t trend_triangle_scratch(size_t period)
{
    return moving_mean_scratch(outer_of(period)) + moving_history(outer_of(period));
}

void trend_triangle_part(const double *x, struct part part, size_t period, double *scratch, double *out)
{
    part = part_from(part, period - 1);
    if (part.begin == part.end) {
        return;
    }
    /* The means are counted from the first one on, so that the outer mean starts as that of a series would. */
    size_t inner = inner_of(period), outer = outer_of(period), before = moving_history(outer);
    uint64_t number = part.origin + part.begin - (inner - 1);
    before = number < before ? (size_t) number : before;
    size_t from = part.begin - before, length = part.end - from;
    double *mean = scratch + moving_mean_scratch(outer); /* mean[0] is that of bar `from` */
    moving_mean_part(x + from, (struct part){0, length, part.origin + from}, inner, scratch, mean);
    moving_mean_part(mean, (struct part){before, length, number - before}, outer, scratch, out + from);
}
