/* SPDX-License-Identifier: MPL-2.0 */
#include "tracking_error.h"

#include <math.h>
#include <string.h>

#include "portfolio.h"
#include "rows.h"
#include "slots.h"

static const struct kiln_row params[] = {
#define PARAM(id, ...) [N_##id] = {__VA_ARGS__},
#include "portfolio.def"
};

enum {
#define RESULT(id, ...) R_##id,
#include "tracking_error.def"
};

static const struct kiln_row results[] = {
#define RESULT(id, ...) [R_##id] = {__VA_ARGS__},
#include "tracking_error.def"
};

/* ---- parts of the variance ----------------------------------------------------------------------- */

static void put_totals(struct kiln_slot *out, const struct portfolio *p, const struct measure *m)
{
    double own = 0, cross = 0;
    for (size_t a = 0; a < p->held; a++) {
        own += p->variance[a * p->held + a] * m->second[a * p->held + a];
        for (size_t b = 0; b < a; b++) {
            cross += 2 * p->variance[a * p->held + b] * m->second[a * p->held + b];
        }
    }
    double independent = sqrt(own), both = m->tracking_error + independent;
    double cost = both > 0 ? cross / both : 0.0; /* no digits lost where the two are close */
    put(&out[R_TE], m->tracking_error);
    put(&out[R_VARIANCE], m->square);
    put(&out[R_INDEPENDENT], independent);
    put(&out[R_COST], cost);
    put(&out[R_COST_PCT], percent(cost, independent));
    put(&out[R_BENEFIT], m->benefit);
    put(&out[R_SHORTFALL], m->shortfall);
    put(&out[R_BUDGET], p->budget);
    put(&out[R_DEFICIT], m->deficit);
    put(&out[R_NET], m->net);
    put(&out[R_NET_BPS], m->net * 10000);
    if (p->redemptions > 0) {
        put(&out[R_BY_LAMBDA], m->tracking_error / (2 * p->redemptions));
    }
}

/* Half the change of TE^2 with the level of a, and that of E[x_a]: upward at a kink, except from the
 * highest level. */
static double slope(const struct portfolio *p, size_t a, double *ret_reached)
{
    double liquid = 1.0 - p->level[a], sum = 0, reached = 0;
    for (size_t j = 0; j < p->buckets.count; j++) {
        double r = p->buckets.size[j], w = p->buckets.weight[j];
        if (r > liquid || (r == liquid && p->level[a] < 1)) {
            double with = 0;
            for (size_t b = 0; b < p->held; b++) {
                with += p->variance[a * p->held + b] * excess(r, p->level[b]);
            }
            sum += w * with;
            reached += w;
        }
    }
    *ret_reached = reached;
    return sum;
}

static void put_assets(struct kiln_slot *out, const struct portfolio *p, const struct measure *m)
{
    for (size_t a = 0; a < p->held; a++) {
        double variance = p->variance[a * p->held + a] * m->second[a * p->held + a], reached;
        double baseline = portfolio_benefit_baseline(p, a, p->level[a]);
        double marginal = portfolio_benefit_marginal(p, a, m->first[a]);
        double half = slope(p, a, &reached);
        double te_slope = m->tracking_error > 0 ? half / m->tracking_error : (double) NAN;
        double beyond = p->level[a] >= p->baseline[a] ? 1.0 : 0.0;
        double net_slope = p->income[a] * (beyond + p->episodes[a] * reached);
        if (p->budget < -m->shortfall) {
            net_slope -= POINT_SHORTFALL * te_slope;
        }
        ((int64_t *) out[R_A_ASSET].array.data)[a] = (int64_t) p->index[a];
        ((double *) out[R_A_TE].array.data)[a] = sqrt(variance);
        ((double *) out[R_A_VARIANCE].array.data)[a] = variance;
        ((double *) out[R_A_PCT].array.data)[a] = percent(variance, m->square);
        ((double *) out[R_A_BASELINE].array.data)[a] = baseline;
        ((double *) out[R_A_MARGINAL].array.data)[a] = marginal;
        ((double *) out[R_A_TOTAL].array.data)[a] = baseline + marginal;
        ((double *) out[R_A_TE_SLOPE].array.data)[a] = te_slope;
        ((double *) out[R_A_NET_SLOPE].array.data)[a] = net_slope;
    }
    memcpy(out[R_EXPOSURE].array.data, p->cost, p->held * p->held * sizeof *p->cost);
}

static int put_pairs(struct kiln_call *call, struct kiln_slot *out, const struct portfolio *p,
                     const struct measure *m)
{
    int64_t pairs = (int64_t) (p->held * (p->held - 1) / 2), at = 0;
    int64_t *first = call->host->grow(call, R_P_FIRST, pairs);
    int64_t *second = call->host->grow(call, R_P_SECOND, pairs);
    double *variance = call->host->grow(call, R_P_VARIANCE, pairs);
    double *part = call->host->grow(call, R_P_PCT, pairs);
    if (pairs > 0 && (!first || !second || !variance || !part)) {
        return KILN_RESOURCE;
    }
    for (size_t a = 0; a < p->held; a++) {
        for (size_t b = a + 1; b < p->held; b++, at++) {
            first[at] = (int64_t) p->index[a];
            second[at] = (int64_t) p->index[b];
            variance[at] = 2 * p->variance[a * p->held + b] * m->second[a * p->held + b];
            part[at] = percent(variance[at], m->square);
        }
    }
    out[R_PAIRS].i64 = pairs;
    out[R_PAIRS].present = 1;
    return KILN_OK;
}

/* The next end of unbonding after `day`; `day` when there is none. */
static double next_end(const struct portfolio *p, double day)
{
    double next = HUGE_VAL;
    for (size_t a = 0; a < p->held; a++) {
        next = p->days[a] > day && p->days[a] < next ? p->days[a] : next;
    }
    return next < HUGE_VAL ? next : day;
}

static int put_windows(struct kiln_call *call, struct kiln_slot *out, const struct portfolio *p,
                       const struct measure *m)
{
    int64_t windows = 0;
    for (double day = 0, end; (end = next_end(p, day)) > day; day = end) {
        windows++;
    }
    double *from = call->host->grow(call, R_W_FROM, windows);
    double *to = call->host->grow(call, R_W_TO, windows);
    int64_t *count = call->host->grow(call, R_W_COUNT, windows);
    double *variance = call->host->grow(call, R_W_VARIANCE, windows);
    if (windows > 0 && (!from || !to || !count || !variance)) {
        return KILN_RESOURCE;
    }
    double day = 0;
    for (int64_t i = 0; i < windows; i++) {
        double end = next_end(p, day), daily = 0;
        int64_t open = 0;
        for (size_t a = 0; a < p->held; a++) {
            open += p->days[a] > day;
            for (size_t b = 0; p->days[a] > day && b < p->held; b++) {
                if (p->days[b] > day) {
                    daily += p->cost[a * p->held + b] * m->second[a * p->held + b];
                }
            }
        }
        from[i] = day;
        to[i] = end;
        count[i] = open;
        variance[i] = p->redemptions * (end - day) * daily;
        day = end;
    }
    out[R_WINDOWS].i64 = windows;
    out[R_WINDOWS].present = 1;
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct portfolio p;
    struct measure m;
    int rc = portfolio_read(call, args, &p);
    rc = rc == KILN_OK ? portfolio_measure_init(call, &p, &m) : rc;
    rc = rc == KILN_OK ? portfolio_measure(call, &p, p.level, &m) : rc;
    if (rc != KILN_OK) {
        return rc;
    }
    put_totals(out, &p, &m);
    put_assets(out, &p, &m);
    rc = put_pairs(call, out, &p, &m);
    return rc == KILN_OK ? put_windows(call, out, &p, &m) : rc;
}

/* ---- descriptor ---------------------------------------------------------------------------------- */

static const char help[] =
    "The generalisation of staking.calculate to any benchmark, with any of its assets staked. S is the daily "
    "covariance, C a row of ones and a row for each staked asset, M = (C S^-1 C')^-1 without its first row "
    "and "
    "column: k_ab = w_a w_b M_ab is the least daily variance of being overweight in the staked assets while "
    "the "
    "rest of the fund hedges. A redemption of size r exceeds the liquid part of asset a by x_a = max(0, r - "
    "(1 - "
    "s_a)), for d_a days. All windows open together, lambda times a year, and\n"
    "\n"
    "    TE^2 = lambda sum over the intervals between successive ends of (their days) E[x_U' k_UU x_U]\n"
    "         = sum_ab H_ab E[x_a x_b],  H_ab = lambda k_ab min(d_a, d_b)\n"
    "\n"
    "where U are the assets that still unbond. k is the same matrix in every interval, its block of U: the "
    "hedge "
    "does not take up assets that were unbonded meanwhile. So with ETH and SOL it is calculate's mode "
    "\"exact\".\n"
    "\n"
    "Probabilities are normalised. Benefit of an asset: w Y max(0, s - b) and w Y lambda d / 365 E[x]. "
    "Expected "
    "shortfall -TE sqrt(2/pi) / 2; what of it is beyond cap_td - current_td is taken off the benefit. "
    "Slopes: dTE/ds_a "
    "= E[1{x_a > 0} sum_b H_ab x_b] / TE; at kinks they are those upward.\n"
    "\n"
    "Source: romerohash/staking-td-risk (two assets), extended by one constraint per asset.";

#define TWO_ASSETS                                                                                           \
    "\"weights\":[0.7869,0.1049,0.0549,0.0387,0.0119,0.0027],"                                               \
    "\"volatilities\":[0.039,0.048,0.053,0.071,0.055,0.051],\"correlations\":[[1,0.7,0.6,0.6,0.6,0.6],"      \
    "[0.7,1,0.6,0.6,0.6,0.6],[0.6,0.6,1,0.6,0.6,0.6],[0.6,0.6,0.6,1,0.6,0.6],[0.6,0.6,0.6,0.6,1,0.6],"       \
    "[0.6,0.6,0.6,0.6,0.6,1]]"

static const struct kiln_golden goldens[] = {
    {
        .title = "one staked asset of two: cost (v1^2 + v2^2 - 2 v12), 10 days, one size",
        .args =
            "{\"weights\":[0.5,0.5],\"covariance\":[[0.0016,0.0008],[0.0008,0.0025]],\"staking\":[{\"asset\":"
            "1,"
            "\"staking_pct\":0.8}],\"redemption\":{\"expected_redemptions_per_year\":20,\"distribution\":["
            "{\"probability\":1,\"size\":0.3}]}}",
        .result =
            "{\"variance\":0.00125,\"tracking_error\":0.035355339059327376,\"exposure\":[[0.000625]],"
            "\"by_asset\":{\"asset\":[1],\"contribution_pct\":[100],\"dte_dlevel\":[0.35355339059327376],"
            "\"benefit_baseline\":[0.0025],\"benefit_marginal\":[0.0013698630136986303]},\"pairs\":{"
            "\"first\":[]},"
            "\"windows\":{\"from_day\":[0],\"to_day\":[10],\"unbonding\":[1],\"variance\":[0.00125]}}",
        .rtol = 1e-12,
    },
    {
        .title = "ETH and SOL as in calculate's defaults, normalised probabilities",
        .args =
            "{" TWO_ASSETS
            ",\"staking\":{\"asset\":[1,3],\"unbonding_period_days\":[10,2],\"annual_yield\":[0.03,0.073]}}",
        .result =
            "{\"tracking_error\":0.0026587862356369273,\"independence_approx\":0.002622479796470636,"
            "\"net_benefit_bps\":8.741736890961587,\"windows\":{\"to_day\":[2,10],\"unbonding\":[2,1]}}",
        .rtol = 1e-9,
    },
    {
        .title = "nothing left to hedge with",
        .args = "{\"weights\":[0.5,0.5],\"covariance\":[[1,0],[0,1]],\"staking\":{\"asset\":[0,1]}}",
        .status = KILN_INVALID,
        .result = "staking has 2 of 2 assets",
    },
    {
        .title = "not a covariance",
        .args = "{\"weights\":[0.5,0.5],\"covariance\":[[1,2],[2,1]],\"staking\":{\"asset\":[0]}}",
        .status = KILN_INVALID,
        .result = "not positive definite",
    },
};

const struct kiln_function tracking_error_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "tracking_error",
    .summary = "tracking error and net benefit of a fund that stakes any assets of any benchmark",
    .help = help,
    TABLES(),
    .run = run,
};
