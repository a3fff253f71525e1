/* SPDX-License-Identifier: MPL-2.0 */
/* portfolio - a fund that stakes any of the assets of its benchmark, and the closed form for it.
 *
 *     portfolio_read()      the rows of portfolio.def, checked; everything that does not depend on the levels
 *     portfolio_measure()   moments, tracking error and benefit at given levels
 *
 * With k the cost of overweights (exposure.h), d the days of unbonding and x_a = max(0, r - (1 - s_a)) what
 * a redemption of size r exceeds the liquid part of asset a by, all windows open together and each pair of
 * overweights lasts until the shorter of its windows ends:
 *
 *     TE^2 = sum_ab H_ab E[x_a x_b],   H_ab = lambda k_ab min(d_a, d_b)
 *
 * which is the sum over the intervals between successive windows of the variance of those still unbonding,
 * k being the same matrix throughout. For ETH and SOL this is calculate's mode "exact", to the last digits. */
#ifndef STAKING_PORTFOLIO_H
#define STAKING_PORTFOLIO_H

#include <stddef.h>

#include "exposure.h"
#include "point.h"

struct kiln_call;
struct kiln_slot;

enum portfolio_param {
#define PARAM(id, ...) N_##id,
#include "portfolio.def"
    N_PORTFOLIO_COUNT
};

#define PORTFOLIO_ASSETS_MAX 1000
#define PORTFOLIO_HELD_MAX   200

struct portfolio {
    size_t assets; /* of the benchmark */
    size_t held;   /* that can be staked; what follows has one element for each */
    size_t *index; /* its place in the benchmark */
    double *weight, *level, *days, *yield, *baseline;
    double *income;         /* weight x yield */
    double *episodes;       /* part of a year in which redemptions keep stake in the fund: lambda d / 365 */
    double *cost;           /* k, held x held */
    double *variance;       /* H, held x held */
    struct risk risk;       /* its correlation is the factor */
    double *work;           /* of exposure_make(), for exposure_returns() */
    struct buckets buckets; /* normalised */
    double redemptions;     /* lambda, 1/year */
    double budget;
};

int portfolio_read(struct kiln_call *call, const struct kiln_slot *args, struct portfolio *ret_portfolio);

struct measure {
    double *first;  /* E[x_a], held */
    double *second; /* E[x_a x_b], held x held, symmetric */
    double square;  /* TE^2 */
    double tracking_error;
    double benefit;
    double shortfall;
    double deficit;
    double net;
};

/* Memory for the moments; KILN_RESOURCE when there is none. */
int portfolio_measure_init(struct kiln_call *call, const struct portfolio *portfolio,
                           struct measure *ret_measure);

/* KILN_OK, or KILN_CANCELLED. */
int portfolio_measure(struct kiln_call *call, const struct portfolio *portfolio, const double *level,
                      struct measure *measure);

/* Of the total, what asset a gives at its level. */
double portfolio_benefit_baseline(const struct portfolio *portfolio, size_t a, double level);
double portfolio_benefit_marginal(const struct portfolio *portfolio, size_t a, double first);

#endif
