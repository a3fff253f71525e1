/* SPDX-License-Identifier: MPL-2.0 */
#include "grid.h"

#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

#include "kernel.h"

#define TILE                                                                                                 \
    32 /* levels of each axis taken at once; an axis that does not fill its last tile repeats a level */
#define BLOCK 64   /* buckets taken at once, so that their excesses stay in the first-level cache */
#define POLL  1024 /* blocks between two questions whether the job is still wanted: about 2 ms */

/* Sums over the buckets, at every level of an axis and every pair of two. */
struct sums {
    double first[HELD][TILE];  /* sum p x */
    double second[HELD][TILE]; /* sum p x^2 */
    double mixed[TILE][TILE];  /* [sol][eth]: sum p x y */
};

KERNEL static void add_block(const struct buckets *b, size_t from, size_t count, size_t rows,
                             double level[HELD][TILE], struct sums *sums)
{
    double x[HELD][BLOCK][TILE];
    for (size_t a = 0; a < HELD; a++) {
        for (size_t j = 0; j < count; j++) {
            double p = b->weight[from + j];
            double r = b->size[from + j];
            for (size_t i = 0; i < TILE; i++) {
                double over = excess(r, level[a][i]);
                x[a][j][i] = over;
                sums->first[a][i] += p * over;
                sums->second[a][i] += p * over * over;
            }
        }
    }
    for (size_t s = 0; s < rows; s++) {
        for (size_t j = 0; j < count; j++) {
            double py = b->weight[from + j] * x[SOL][j][s];
            if (py > 0) { /* small redemptions leave most of the plane alone */
                for (size_t e = 0; e < TILE; e++) {
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
    for (size_t i = 0; i < TILE; i++) {
        double above = level[i] - t->baseline[a];
        variance[i] = t->variance[a] * sums->second[a][i];
        benefit[i] = t->income[a] * ((above > 0 ? above : 0.0) + t->episodes[a] * sums->first[a][i]);
    }
}

/* A part of the plane: rows x columns points, of which the first is at `at` and rows are `stride` apart. */
struct tile {
    size_t rows, columns, at, stride, points; /* points: of the whole plane */
};

struct winner {
    size_t at;
    double net_bps;
};

static inline void put_row(const struct grid_columns *columns, size_t at, size_t count, const double *te,
                           const double *gain, const double *shortfall, const double *net)
{
    memcpy(columns->tracking_error + at, te, count * sizeof *te);
    memcpy(columns->benefit + at, gain, count * sizeof *gain);
    memcpy(columns->shortfall + at, shortfall, count * sizeof *shortfall);
    memcpy(columns->net_bps + at, net, count * sizeof *net);
}

KERNEL static void settle(const struct terms *t, double level[HELD][TILE], const struct sums *sums,
                          const struct tile *tile, const struct grid_columns *columns, struct winner *winner)
{
    double variance[HELD][TILE], benefit[HELD][TILE];
    for (size_t a = 0; a < HELD; a++) {
        settle_axis(t, a, sums, level[a], variance[a], benefit[a]);
    }
    double best[TILE], best_row[TILE]; /* rows as doubles: one width for all lanes */
    for (size_t e = 0; e < TILE; e++) {
        best[e] = -HUGE_VAL;
        best_row[e] = 0;
    }
    const double cross = t->cross, budget = t->budget;
    for (size_t s = 0; s < tile->rows; s++) {
        double te[TILE], gain[TILE], shortfall[TILE], net[TILE];
        const double *mixed = sums->mixed[s];
        const double v = variance[SOL][s], g = benefit[SOL][s], row = (double) s;
        for (size_t e = 0; e < TILE; e++) {
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
        size_t at = tile->at + s * tile->stride;
        /* Where a tile is the whole width, what a row writes beyond its end is overwritten by the next:
         * copies of one fixed size are several times as fast. */
        if (tile->columns == TILE || (tile->columns == tile->stride && at + TILE <= tile->points)) {
            put_row(columns, at, TILE, te, gain, shortfall, net);
        } else {
            put_row(columns, at, tile->columns, te, gain, shortfall, net);
        }
    }
    /* Each lane kept its first row; among lanes and tiles the first in the order of the plane wins. */
    for (size_t e = 0; e < tile->columns; e++) {
        size_t at = tile->at + (size_t) best_row[e] * tile->stride + e;
        if (best[e] > winner->net_bps || (best[e] == winner->net_bps && at < winner->at)) {
            *winner = (struct winner){at, best[e]};
        }
    }
}

static void load(const struct grid_axis *axis, size_t from, size_t count, double *level)
{
    for (size_t i = 0; i < TILE; i++) {
        level[i] = axis->level[from + (i < count ? i : count - 1)];
    }
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

int grid_plane(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets,
               const struct grid_axis axis[HELD], const struct grid_columns *columns, size_t *ret_best)
{
    struct winner winner = {0, -HUGE_VAL};
    size_t work = 0;
    for (size_t sol = 0; sol < axis[SOL].count; sol += TILE) {
        for (size_t eth = 0; eth < axis[ETH].count; eth += TILE) {
            const struct tile tile = {
                .rows = at_most(TILE, axis[SOL].count - sol),
                .columns = at_most(TILE, axis[ETH].count - eth),
                .at = sol * axis[ETH].count + eth,
                .stride = axis[ETH].count,
                .points = axis[SOL].count * axis[ETH].count,
            };
            double level[HELD][TILE];
            load(&axis[ETH], eth, tile.columns, level[ETH]);
            load(&axis[SOL], sol, tile.rows, level[SOL]);
            struct sums sums;
            memset(&sums, 0, sizeof sums);
            for (size_t from = 0; from < buckets->count; from += BLOCK) {
                add_block(buckets, from, at_most(BLOCK, buckets->count - from), tile.rows, level, &sums);
                if (++work % POLL == 0 && call->host->cancelled(call)) {
                    return KILN_CANCELLED;
                }
            }
            settle(terms, level, &sums, &tile, columns, &winner);
        }
    }
    *ret_best = winner.at;
    return KILN_OK;
}

int grid_line(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets, size_t count,
              const double *level, const struct grid_columns *columns, size_t *ret_best)
{
    size_t best = 0, work = 0;
    for (size_t i = 0; i < count; i++) {
        work += 1 + buckets->count;
        if (work > POLL * BLOCK) {
            work = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
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

size_t grid_reference(const struct model *model, const struct buckets *buckets,
                      const struct grid_axis axis[HELD], const struct grid_columns *columns)
{
    size_t best = 0;
    for (size_t i = 0; i < axis[SOL].count * axis[ETH].count; i++) {
        const double level[HELD] = {axis[ETH].level[i % axis[ETH].count],
                                    axis[SOL].level[i / axis[ETH].count]};
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
