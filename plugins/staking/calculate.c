/* SPDX-License-Identifier: MPL-2.0 */
#define REQUEST_MAP KILN_LENIENT /* as the published service; mode exact refuses, see unknown() */
#include "calculate.h"

#include <string.h>

#include <math.h>

#include "echo.h"
#include "grid.h"
#include "levels.h"
#include "market.h"
#include "point.h"
#include "request.h"
#include "rows.h"
#include "slots.h"

/* ---- rows ---------------------------------------------------------------------------------------- */

static const struct kiln_row params[] = {
#define PARAM(id, ...) [P_##id] = {__VA_ARGS__},
#include "request.def"
#define PARAM(id, ...) [P_##id] = {__VA_ARGS__},
#include "calculate.def"
};

static const struct kiln_row results[] = {
#define RESULT(id, ...) [R_##id] = {__VA_ARGS__},
#include "calculate.def"
};

static const struct kiln_golden goldens[] = {
#include "calculate_goldens.def"
};

static const char help[] =
    "How much of its ETH and SOL a fund that tracks a six-asset benchmark should stake, when staked assets "
    "cannot be sold "
    "until they are unbonded and investors redeem meanwhile. After the published model and service \"Optimal "
    "Staking\" "
    "(romerohash/staking-td-risk), whose requests and answers it keeps.\n"
    "\n"
    "With S the daily covariance, C a row of ones and a row for each staked asset, and M = (C S^-1 C')^-1, "
    "one unit of "
    "overweight costs the variance k_ij = w_i w_j M_ij. A redemption of size r exceeds the liquid part tau = "
    "1 - s of an asset by "
    "x = max(0, r - tau) (ETH) and y (SOL). With lambda redemptions a year, d0 and d1 the shorter and the "
    "longer "
    "unbonding,\n"
    "\n"
    "    TE = sqrt(lambda (d0 E[kEE x^2 + 2 kES x y + kSS y^2] + (d1 - d0) E[kEE x^2]))\n"
    "\n"
    "The benefit of an asset is w Y max(0, s - b) beyond its baseline b, and w Y lambda d / 365 E[x] on what "
    "is still staked "
    "while it unbonds. Expected shortfall is -TE sqrt(2/pi) / 2; the part of it beyond the budget cap_td - "
    "current_td is taken "
    "off the benefit.\n"
    "\n"
    "sensitivity_analysis takes both assets at one level: from the lower baseline m in steps of 0.05 up to "
    "0.85, then 0.88 to "
    "0.98 by 0.01; for m above 0.85 in steps of 0.01 up to 0.98, which may leave it empty. "
    "sensitivity_analysis_2d takes "
    "31 x 31 levels between the baselines and 1. The optima are the first points with the largest net "
    "benefit.\n"
    "\n"
    "mode \"compatible\", the default, keeps what callers of the published service know: the longer period "
    "counts "
    "as ETH's even when SOL takes longer; decomposition and net_benefit take probabilities rounded to "
    "thousandths and normalised, "
    "the sensitivities as given; weights must sum to 1 only when xlm is given. mode \"exact\" takes the "
    "longer asset's own variance, normalised probabilities throughout, levels from m to 1 in steps of 0.01, "
    "and checks the "
    "weights always. In both, correlations that no assets can have together are refused.\n"
    "\n"
    "market.prices stands for volatilities and correlations: daily standard deviations and the full "
    "correlation matrix of the "
    "returns, estimated as by staking.market_from_prices, and echoed as volatilities and "
    "correlation_matrix.\n"
    "\n"
    "The legacy form of the request is recognised by yield_params.";

/* ---- the call ------------------------------------------------------------------------------------ */

static void put_point(struct kiln_slot *out, const struct terms *terms, const struct point *p)
{
    double square = p->part[ETH] + p->part[SOL] + p->cross;
    double both = p->tracking_error + p->independent;
    /* TE - independent = (TE^2 - independent^2) / (TE + independent): no digits lost where the two are close. */
    double cost = both > 0 ? p->cross / both : 0.0;

    put(&out[R_TRACKING_ERROR], p->tracking_error);
    put(&out[R_TE_ETH], sqrt(p->part[ETH]));
    put(&out[R_TE_SOL], sqrt(p->part[SOL]));
    put(&out[R_INDEPENDENT], p->independent);
    put(&out[R_CORRELATION_COST], cost);
    put(&out[R_CORRELATION_COST_PCT], percent(cost, p->independent));
    put(&out[R_ETH_PCT], percent(p->part[ETH], square));
    put(&out[R_SOL_PCT], percent(p->part[SOL], square));
    put(&out[R_CROSS_PCT], percent(p->cross, square));

    put(&out[R_NET_TRACKING_ERROR], p->tracking_error);
    put(&out[R_ETH_BASELINE], p->benefit_baseline[ETH]);
    put(&out[R_ETH_MARGINAL], p->benefit_marginal[ETH]);
    put(&out[R_ETH_TOTAL], p->benefit_baseline[ETH] + p->benefit_marginal[ETH]);
    put(&out[R_SOL_BASELINE], p->benefit_baseline[SOL]);
    put(&out[R_SOL_MARGINAL], p->benefit_marginal[SOL]);
    put(&out[R_SOL_TOTAL], p->benefit_baseline[SOL] + p->benefit_marginal[SOL]);
    put(&out[R_TOTAL_BENEFIT], p->benefit);
    put(&out[R_SHORTFALL], p->shortfall);
    put(&out[R_BUDGET], terms->budget);
    put(&out[R_DEFICIT], p->deficit);
    put(&out[R_NET], p->net);
    put(&out[R_NET_BPS], p->net * 10000);
}

/* What the published service answers when there is no level to choose from. */
#define LEVEL_UNKNOWN 0.93

static int put_line(struct kiln_call *call, struct kiln_slot *out, const struct request *r,
                    const struct terms *terms, const struct buckets *buckets)
{
    double level[LEVELS_LINE_MAX];
    size_t count = levels_line(fmin(r->asset[ETH].baseline, r->asset[SOL].baseline), r->exact, level);
    double *column[R_LINE_NET_BPS - R_LINE_LEVEL + 1];
    for (size_t i = 0; i < KILN_COUNT(column); i++) {
        column[i] = call->host->grow(call, R_LINE_LEVEL + i, (int64_t) count);
        if (column[i] == NULL) {
            return KILN_RESOURCE;
        }
    }
    out[R_LINE].present = 1;
    out[R_LINE].i64 = (int64_t) count;
    if (count == 0) {
        put(&out[R_BEST], LEVEL_UNKNOWN);
        return KILN_OK;
    }
    for (size_t i = 0; i < count; i++) {
        column[0][i] = level[i];
    }
    const struct grid_columns columns = {column[1], column[2], column[3], column[4]};
    size_t best;
    int rc = grid_line(call, terms, buckets, count, level, &columns, &best);
    if (rc == KILN_OK) {
        put(&out[R_BEST], level[best]);
    }
    return rc;
}

static int put_plane(struct kiln_call *call, struct kiln_slot *out, const struct request *r,
                     const struct terms *terms, const struct buckets *buckets)
{
    double eth[LEVELS_AXIS], sol[LEVELS_AXIS];
    levels_axis(r->asset[ETH].baseline, eth);
    levels_axis(r->asset[SOL].baseline, sol);
    const struct grid_columns columns = {
        out[R_PLANE_TE].array.data,
        out[R_PLANE_BENEFIT].array.data,
        out[R_PLANE_SHORTFALL].array.data,
        out[R_PLANE_NET_BPS].array.data,
    };
    const struct grid_axis axis[HELD] = {[ETH] = {LEVELS_AXIS, eth}, [SOL] = {LEVELS_AXIS, sol}};
    size_t best;
    int rc = grid_plane(call, terms, buckets, axis, &columns, &best);
    if (rc != KILN_OK) {
        return rc;
    }
    double *eth_level = out[R_PLANE_ETH].array.data;
    double *sol_level = out[R_PLANE_SOL].array.data;
    for (size_t s = 0; s < LEVELS_AXIS; s++) {
        for (size_t e = 0; e < LEVELS_AXIS; e++) {
            eth_level[s * LEVELS_AXIS + e] = eth[e];
            sol_level[s * LEVELS_AXIS + e] = sol[s];
        }
    }
    out[R_PLANE].present = 1;
    out[R_PLANE].i64 = LEVELS_AXIS * LEVELS_AXIS;
    put(&out[R_BEST_ETH], eth[best % LEVELS_AXIS]);
    put(&out[R_BEST_SOL], sol[best / LEVELS_AXIS]);
    return KILN_OK;
}

int calculate_numbers(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out,
                      struct request *ret_request)
{
    struct terms terms;
    struct buckets at_point, at_grid;
    int rc = request_terms(call, args, ret_request, &terms, &at_point, &at_grid);
    if (rc != KILN_OK) {
        return rc;
    }
    const double level[HELD] = {ret_request->asset[ETH].staked, ret_request->asset[SOL].staked};
    struct point point;
    point_compute(&terms, &at_point, level, &point);
    put_point(out, &terms, &point);
    rc = put_line(call, out, ret_request, &terms, &at_grid);
    return rc == KILN_OK ? put_plane(call, out, ret_request, &terms, &at_grid) : rc;
}

/* The names of what was given and is not known. Mode exact refuses it; the published service passes it over, so
 * the reply only tells. */
static int tell_unknown(struct kiln_call *call, const struct kiln_value *unknown, bool exact,
                        struct kiln_slot *ret)
{
    if (exact) {
        const char *name = unknown->map[0].key;
        return call->host->fail(
            call, KILN_INVALID, name,
            "unknown argument \"%.80s\", expected one of the parameters of staking.calculate (mode "
            "\"compatible\" passes it over)",
            name);
    }
    struct kiln_value *names = call->host->alloc(call, (1 + unknown->count) * sizeof *names);
    if (names == NULL) {
        return KILN_RESOURCE;
    }
    names[0] = (struct kiln_value){.type = KILN_V_LIST, .count = unknown->count, .list = names + 1};
    for (uint32_t i = 0; i < unknown->count; i++) { /* arguments end with the call, results do not */
        const size_t bytes = strlen(unknown->map[i].key);
        char *name = call->host->alloc(call, bytes + 1);
        if (name == NULL) {
            return KILN_RESOURCE;
        }
        memcpy(name, unknown->map[i].key, bytes + 1);
        names[1 + i] = (struct kiln_value){.type = KILN_V_STRING, .text = name, .count = (uint32_t) bytes};
    }
    ret->value = names;
    ret->present = 1;
    return KILN_OK;
}

/* Those at the top alone are echoed: what the host found inside of maps has a dotted name. */
static int echoed(struct kiln_call *call, const struct kiln_value *unknown, const struct kiln_value **ret)
{
    struct kiln_value *map = call->host->alloc(call, sizeof *map);
    struct kiln_pair *pairs = call->host->alloc(call, unknown->count * sizeof *pairs);
    if (map == NULL || pairs == NULL) {
        return KILN_RESOURCE;
    }
    *map = (struct kiln_value){.type = KILN_V_MAP, .map = pairs};
    for (uint32_t i = 0; i < unknown->count; i++) {
        if (strchr(unknown->map[i].key, '.') == NULL) {
            pairs[map->count++] = unknown->map[i];
        }
    }
    *ret = map;
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct request request;
    int rc = calculate_numbers(call, args, out, &request);
    if (rc == KILN_OK && args[P_EXTRAS].present) {
        rc = tell_unknown(call, args[P_EXTRAS].value, request.exact, &out[R_IGNORED]);
    }
    if (rc == KILN_OK && args[P_EXTRAS].present && !args[P_YIELD_PARAMS].present) {
        rc = echoed(call, args[P_EXTRAS].value, &request.extras);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    out[R_PARAMETERS].value = echo_request(call, &request);
    out[R_PARAMETERS].present = 1;
    return out[R_PARAMETERS].value ? KILN_OK : KILN_RESOURCE;
}

const struct kiln_function calculate_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE | KILN_EXTRAS,
    .name = "calculate",
    .summary = "tracking error, net benefit and best staking levels of a fund that stakes ETH and SOL",
    .help = help,
    TABLES(),
    .run = run,
};
