/* SPDX-License-Identifier: MPL-2.0 */
#include "grid.h"

#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

#include "kernel.h"

#define LANES 32   /* LEVELS_AXIS rounded up to whole vectors; the last lane repeats the one before */
#define BLOCK 64   /* buckets taken at once, so that their excesses stay in the first-level cache */
#define POLL  1024 /* blocks between two questions whether the job is still wanted: about 2 ms */

_Static_assert(LANES >= LEVELS_AXIS, "an axis fits into the lanes");

/* Sums over the buckets, at every level of an axis and every pair of two. */
struct sums {
    double first[HELD][LANES];        /* sum p x */
    double second[HELD][LANES];       /* sum p x^2 */
    double mixed[LEVELS_AXIS][LANES]; /* [sol][eth]: sum p x y */
};

KERNEL static void add_block(const struct buckets *b, size_t from, size_t count, double level[HELD][LANES],
                             struct sums *sums)
{
    double x[HELD][BLOCK][LANES];
    for (size_t a = 0; a < HELD; a++) {
        for (size_t j = 0; j < count; j++) {
            double p = b->weight[from + j];
            double r = b->size[from + j];
            for (size_t i = 0; i < LANES; i++) {
                double over = excess(r, level[a][i]);
                x[a][j][i] = over;
                sums->first[a][i] += p * over;
                sums->second[a][i] += p * over * over;
            }
        }
    }
    for (size_t s = 0; s < LEVELS_AXIS; s++) {
        for (size_t j = 0; j < count; j++) {
            double py = b->weight[from + j] * x[SOL][j][s];
            if (py > 0) { /* small redemptions leave most of the plane alone */
                for (size_t e = 0; e < LANES; e++) {
                    sums->mixed[s][e] += py * x[ETH][j][e];
                }
            }
        }
    }
}

/* What depends on one asset's level only. */
static inline void settle_axis(const struct terms *t, size_t a, const struct sums *sums, const double *level,
                               double *variance, double *benefit)
{
    for (size_t i = 0; i < LANES; i++) {
        double above = level[i] - t->baseline[a];
        variance[i] = t->variance[a] * sums->second[a][i];
        benefit[i] = t->income[a] * ((above > 0 ? above : 0.0) + t->episodes[a] * sums->first[a][i]);
    }
}

KERNEL static size_t settle(const struct terms *t, double level[HELD][LANES], const struct sums *sums,
                            const struct grid_columns *columns)
{
    double variance[HELD][LANES], benefit[HELD][LANES];
    for (size_t a = 0; a < HELD; a++) {
        settle_axis(t, a, sums, level[a], variance[a], benefit[a]);
    }
    double best[LANES], best_row[LANES]; /* rows as doubles: one width for all lanes */
    for (size_t e = 0; e < LANES; e++) {
        best[e] = -HUGE_VAL;
        best_row[e] = 0;
    }
    const double cross = t->cross, budget = t->budget;
    for (size_t s = 0; s < LEVELS_AXIS; s++) {
        double te[LANES], gain[LANES], shortfall[LANES], net[LANES];
        const double *mixed = sums->mixed[s];
        const double v = variance[SOL][s], g = benefit[SOL][s], row = (double) s;
        for (size_t e = 0; e < LANES; e++) {
            double square = variance[ETH][e] + v + cross * mixed[e];
            te[e] = sqrt(square > 0 ? square : 0.0); /* below 0 is rounding: the covariance is definite */
            gain[e] = benefit[ETH][e] + g;
            double loss = te[e] * POINT_SHORTFALL;
            double rest = budget - loss;
            shortfall[e] = -loss;
            net[e] = (gain[e] + (rest < 0 ? rest : 0.0)) * 10000;
            int better = net[e] > best[e];
            best[e] = better ? net[e] : best[e];
            best_row[e] = better ? row : best_row[e];
        }
        size_t at = s * LEVELS_AXIS, bytes = LEVELS_AXIS * sizeof(double);
        memcpy(columns->tracking_error + at, te, bytes);
        memcpy(columns->benefit + at, gain, bytes);
        memcpy(columns->shortfall + at, shortfall, bytes);
        memcpy(columns->net_bps + at, net, bytes);
    }
    /* Each lane kept its first row; among lanes the first in the order of the plane wins. */
    size_t winner = (size_t) best_row[0] * LEVELS_AXIS;
    double most = best[0];
    for (size_t e = 1; e < LEVELS_AXIS; e++) {
        size_t index = (size_t) best_row[e] * LEVELS_AXIS + e;
        if (best[e] > most || (best[e] == most && index < winner)) {
            most = best[e];
            winner = index;
        }
    }
    return winner;
}

int grid_plane(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets,
               const double *eth, const double *sol, const struct grid_columns *columns, size_t *ret_best)
{
    double level[HELD][LANES];
    for (size_t i = 0; i < LANES; i++) {
        size_t k = i < LEVELS_AXIS ? i : LEVELS_AXIS - 1;
        level[ETH][i] = eth[k];
        level[SOL][i] = sol[k];
    }
    struct sums sums;
    memset(&sums, 0, sizeof sums);
    size_t block = 0;
    for (size_t from = 0; from < buckets->count; from += BLOCK) {
        size_t left = buckets->count - from;
        add_block(buckets, from, left < BLOCK ? left : BLOCK, level, &sums);
        if (++block % POLL == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    *ret_best = settle(terms, level, &sums, columns);
    return KILN_OK;
}

int grid_line(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets, size_t count,
              const double *level, const struct grid_columns *columns, size_t *ret_best)
{
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        if (buckets->count > POLL * BLOCK && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        struct point p;
        point_compute(terms, buckets, (const double[HELD]){level[i], level[i]}, &p);
        columns->tracking_error[i] = p.tracking_error;
        columns->benefit[i] = p.benefit;
        columns->shortfall[i] = p.shortfall;
        columns->net_bps[i] = p.net * 10000;
        if (columns->net_bps[i] > columns->net_bps[best]) {
            best = i;
        }
    }
    *ret_best = best;
    return KILN_OK;
}

size_t grid_reference(const struct model *model, const struct buckets *buckets, const double *eth,
                      const double *sol, const struct grid_columns *columns)
{
    size_t best = 0;
    for (size_t i = 0; i < GRID_POINTS; i++) {
        const double level[HELD] = {eth[i % LEVELS_AXIS], sol[i / LEVELS_AXIS]};
        struct outcome o = point_reference(model, buckets, level);
        columns->tracking_error[i] = o.tracking_error;
        columns->benefit[i] = o.benefit;
        columns->shortfall[i] = o.shortfall;
        columns->net_bps[i] = o.net_bps;
        if (o.net_bps > columns->net_bps[best]) {
            best = i;
        }
    }
    return best;
}
