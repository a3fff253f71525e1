/* SPDX-License-Identifier: MPL-2.0 */
#include "point.h"

#include <float.h>
#include <math.h>

bool terms_make(const struct model *m, struct terms *ret_terms)
{
    double least = fmin(m->days[ETH], m->days[SOL]);
    double most = fmax(m->days[ETH], m->days[SOL]);
    double days[HELD] = {most, least};
    if (m->exact) {
        days[ETH] = m->days[ETH];
        days[SOL] = m->days[SOL];
    }
    struct terms t = {
        .cross = 2 * m->redemptions * least * m->exposure.k[ETH][SOL],
        .budget = m->budget,
    };
    /* Moments are at most a little above 1, so nothing below can overflow when these do not come near it. */
    double largest = fabs(t.cross);
    for (size_t a = 0; a < HELD; a++) {
        t.variance[a] = m->redemptions * days[a] * m->exposure.k[a][a];
        t.income[a] = m->weight[a] * m->yield[a];
        t.episodes[a] = m->redemptions * m->days[a] / 365;
        t.baseline[a] = m->baseline[a];
        largest = fmax(largest, fmax(t.variance[a], t.episodes[a]));
    }
    if (!(largest < DBL_MAX * 1e-8) || !isfinite(m->redemptions * most)) {
        return false;
    }
    *ret_terms = t;
    return true;
}

void point_compute(const struct terms *t, const struct buckets *b, const double level[HELD],
                   struct point *ret_point)
{
    double first[HELD] = {0}, second[HELD] = {0}, mixed = 0;
    for (size_t j = 0; j < b->count; j++) {
        double x[HELD];
        for (size_t a = 0; a < HELD; a++) {
            x[a] = excess(b->size[j], level[a]);
            first[a] += b->weight[j] * x[a];
            second[a] += b->weight[j] * x[a] * x[a];
        }
        mixed += b->weight[j] * x[ETH] * x[SOL];
    }

    struct point p = {.cross = t->cross * mixed};
    for (size_t a = 0; a < HELD; a++) {
        p.part[a] = t->variance[a] * second[a];
        p.benefit_baseline[a] = t->income[a] * fmax(0.0, level[a] - t->baseline[a]);
        p.benefit_marginal[a] = t->income[a] * t->episodes[a] * first[a];
        p.benefit += p.benefit_baseline[a] + p.benefit_marginal[a];
    }
    p.independent = sqrt(p.part[ETH] + p.part[SOL]);
    /* The covariance is positive definite, so less than 0 is only rounding. */
    p.tracking_error = sqrt(fmax(0.0, p.part[ETH] + p.part[SOL] + p.cross));
    p.shortfall = -p.tracking_error * POINT_SHORTFALL;
    p.deficit = fmin(0.0, t->budget - fabs(p.shortfall));
    p.net = p.benefit + p.deficit;
    *ret_point = p;
}

struct outcome point_reference(const struct model *m, const struct buckets *b, const double level[HELD])
{
    double liquid_eth = 1 - level[ETH];
    double liquid_sol = 1 - level[SOL];
    double least = fmin(m->days[ETH], m->days[SOL]);
    double most = fmax(m->days[ETH], m->days[SOL]);
    bool sol_is_long = m->exact && m->days[SOL] > m->days[ETH];
    double full = 0, partial = 0, over_eth = 0, over_sol = 0;
    for (size_t j = 0; j < b->count; j++) {
        double p = b->weight[j];
        double x = fmax(0.0, b->size[j] - liquid_eth);
        double y = fmax(0.0, b->size[j] - liquid_sol);
        full += p * (m->exposure.k[ETH][ETH] * x * x + 2 * m->exposure.k[ETH][SOL] * x * y +
                     m->exposure.k[SOL][SOL] * y * y);
        partial += p * (sol_is_long ? m->exposure.k[SOL][SOL] * y * y : m->exposure.k[ETH][ETH] * x * x);
        over_eth += p * x;
        over_sol += p * y;
    }
    struct outcome o;
    o.tracking_error = sqrt(m->redemptions * (least * full + (most - least) * partial));
    o.benefit = m->weight[ETH] * fmax(0.0, level[ETH] - m->baseline[ETH]) * m->yield[ETH] +
                m->weight[SOL] * fmax(0.0, level[SOL] - m->baseline[SOL]) * m->yield[SOL] +
                m->weight[ETH] * m->yield[ETH] * m->redemptions * m->days[ETH] / 365 * over_eth +
                m->weight[SOL] * m->yield[SOL] * m->redemptions * m->days[SOL] / 365 * over_sol;
    o.shortfall = -o.tracking_error * sqrt(2 / acos(-1.0)) / 2;
    o.net_bps = (o.benefit + fmin(0.0, m->budget - fabs(o.shortfall))) * 10000;
    return o;
}
