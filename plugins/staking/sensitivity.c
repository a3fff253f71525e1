/* SPDX-License-Identifier: MPL-2.0 */
#include "sensitivity.h"

#include <string.h>

#include "axis.h"
#include "grid.h"
#include "levels.h"
#include "market.h"
#include "point.h"
#include "request.h"
#include "rows.h"
#include "slots.h"

/* ---- rows ---------------------------------------------------------------------------------------- */

#define AXIS_MAP(path) .name = path, .kind = KILN_MAP
#define AXIS_LEVELS(path, symbol)                                                                            \
    .name = path, .kind = KILN_ARRAY, .shape = symbol, .flags = KILN_FINITE, .min = 0, .max = 1,             \
    .unit = "fraction"
#define AXIS_END(path)        NUMBER(path), .flags = KILN_FINITE, .min = 0, .max = 1, .unit = "fraction"
#define AXIS_STEPS(path)      .name = path, .kind = KILN_INT, .min = 1, .max = AXIS_POINTS_MAX - 1
#define COLUMNS(path, symbol) .name = path, .kind = KILN_ARRAY, .shape = symbol

enum line_param {
    L_BEFORE_OWN = P_REQUEST_COUNT - 1,
#define LINE_PARAM(id, ...) L_##id,
#include "sensitivity.def"
};

enum line_result {
#define LINE_RESULT(id, ...) LR_##id,
#include "sensitivity.def"
};

enum plane_param {
    S_BEFORE_OWN = P_REQUEST_COUNT - 1,
#define PLANE_PARAM(id, ...) S_##id,
#include "sensitivity.def"
};

enum plane_result {
#define PLANE_RESULT(id, ...) SR_##id,
#include "sensitivity.def"
};

static const struct kiln_row line_params[] = {
#define PARAM(id, ...) [P_##id] = {__VA_ARGS__},
#include "request.def"
#define LINE_PARAM(id, ...) [L_##id] = {__VA_ARGS__},
#include "sensitivity.def"
};

static const struct kiln_row line_results[] = {
#define LINE_RESULT(id, ...) [LR_##id] = {__VA_ARGS__},
#include "sensitivity.def"
};

static const struct kiln_row plane_params[] = {
#define PARAM(id, ...) [P_##id] = {__VA_ARGS__},
#include "request.def"
#define PLANE_PARAM(id, ...) [S_##id] = {__VA_ARGS__},
#include "sensitivity.def"
};

static const struct kiln_row plane_results[] = {
#define PLANE_RESULT(id, ...) [SR_##id] = {__VA_ARGS__},
#include "sensitivity.def"
};

/* ---- the calls ----------------------------------------------------------------------------------- */

/* Grows the columns of the table at `table`, of which the last four are those of a grid. */
static int grow(struct kiln_call *call, struct kiln_slot *out, size_t table, size_t columns, size_t points,
                double **ret_first, struct grid_columns *ret_columns)
{
    double *column[5];
    for (size_t i = 0; i < columns; i++) {
        column[i] = call->host->grow(call, table + 1 + i, (int64_t) points);
        if (column[i] == NULL) {
            return KILN_RESOURCE;
        }
    }
    out[table].i64 = (int64_t) points;
    out[table].present = 1;
    double **last = column + columns - 4;
    *ret_first = column[0];
    *ret_columns = (struct grid_columns){last[0], last[1], last[2], last[3]};
    return KILN_OK;
}

static int run_line(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct request request;
    struct terms terms;
    struct buckets at_point, at_grid;
    int rc = request_terms(call, args, &request, &terms, &at_point, &at_grid);
    if (rc != KILN_OK) {
        return rc;
    }
    double least = fmin(request.asset[ETH].baseline, request.asset[SOL].baseline);
    double published[LEVELS_LINE_MAX];
    struct grid_axis axis;
    if (axis_given(&args[L_AXIS])) {
        rc = axis_read(call, "grid", &args[L_AXIS], least, &axis);
    } else {
        axis = (struct grid_axis){levels_line(least, request.exact, published), published};
    }
    double *level;
    struct grid_columns columns;
    if (rc == KILN_OK) {
        rc = grow(call, out, LR_TABLE, 5, axis.count, &level, &columns);
    }
    if (rc != KILN_OK || axis.count == 0) {
        return rc;
    }
    memcpy(level, axis.level, axis.count * sizeof *level);
    size_t best;
    rc = grid_line(call, &terms, &at_grid, axis.count, level, &columns, &best);
    if (rc == KILN_OK) {
        put(&out[LR_BEST], level[best]);
        put(&out[LR_MAX], columns.net_bps[best]);
        out[LR_ARGMAX].i64 = (int64_t) best;
        out[LR_ARGMAX].present = 1;
    }
    return rc;
}

static int put_axis(struct kiln_call *call, size_t result, const struct grid_axis *axis)
{
    double *level = call->host->grow(call, result, (int64_t) axis->count);
    if (level == NULL) {
        return KILN_RESOURCE;
    }
    memcpy(level, axis->level, axis->count * sizeof *level);
    return KILN_OK;
}

static int run_plane(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct request request;
    struct terms terms;
    struct buckets at_point, at_grid;
    struct grid_axis axis[HELD];
    int rc = request_terms(call, args, &request, &terms, &at_point, &at_grid);
    if (rc == KILN_OK) {
        rc = axis_read(call, "grid.eth", &args[S_ETH], request.asset[ETH].baseline, &axis[ETH]);
    }
    if (rc == KILN_OK) {
        rc = axis_read(call, "grid.sol", &args[S_SOL], request.asset[SOL].baseline, &axis[SOL]);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    size_t points = axis[ETH].count * axis[SOL].count; /* neither is more than the most */
    if (points > AXIS_POINTS_MAX) {
        return call->host->fail(call, KILN_INVALID, "grid",
                                "grid has %zu x %zu levels, %zu points, expected at most %d", axis[ETH].count,
                                axis[SOL].count, points, AXIS_POINTS_MAX);
    }
    double *first;
    struct grid_columns columns;
    rc = grow(call, out, SR_TABLE, 4, points, &first, &columns);
    if (rc == KILN_OK) {
        rc = put_axis(call, SR_ETH_AXIS, &axis[ETH]);
    }
    if (rc == KILN_OK) {
        rc = put_axis(call, SR_SOL_AXIS, &axis[SOL]);
    }
    size_t best;
    if (rc == KILN_OK) {
        rc = grid_plane(call, &terms, &at_grid, axis, &columns, &best);
    }
    if (rc == KILN_OK) {
        put(&out[SR_BEST_ETH], axis[ETH].level[best % axis[ETH].count]);
        put(&out[SR_BEST_SOL], axis[SOL].level[best / axis[ETH].count]);
        put(&out[SR_MAX], columns.net_bps[best]);
        out[SR_ARGMAX].i64 = (int64_t) best;
        out[SR_ARGMAX].present = 1;
    }
    return rc;
}

/* ---- descriptors --------------------------------------------------------------------------------- */

static const char line_help[] =
    "Tracking error, benefit and net benefit with ETH and SOL staked at one level, for any list of levels. "
    "The "
    "request and the formulas are those of staking.calculate; levels are grid.levels as they stand, or from "
    "+ i "
    "(to - from) / steps for i = 0..steps, the last exactly `to`. Without a grid they are those of "
    "calculate.sensitivity_analysis in the same mode, which may be none.\n"
    "\n"
    "Probabilities of redemptions are taken as given in mode \"compatible\", normalised in mode \"exact\". "
    "At most "
    "4,000,000 levels. Source: romerohash/staking-td-risk, sensitivity analysis.";

static const char plane_help[] =
    "Tracking error, benefit and net benefit over every pair of an ETH and a SOL level. The request and the "
    "formulas are those of staking.calculate; each axis is grid.eth.levels (grid.sol.levels) as they stand, "
    "or from "
    "+ i (to - from) / steps for i = 0..steps, the last exactly `to`; without anything said of it, 30 steps "
    "from "
    "the asset's baseline to 1, which is calculate's.\n"
    "\n"
    "The columns are flat: SOL outer, ETH inner. Probabilities of redemptions are taken as given in mode "
    "\"compatible\", normalised in mode \"exact\". At most 4,000,000 points. Source: "
    "romerohash/staking-td-risk, "
    "two-dimensional sensitivity analysis.";

static const struct kiln_golden line_goldens[] = {
    {
        .title = "three levels of the published defaults",
        .args = "{\"grid\":{\"levels\":[0.98,0.85,0.7]}}",
        .result = "{\"optimal_staking_level\":0.85,\"argmax\":1,\"max_net_benefit_bps\":9.03471495696819,"
                  "\"sensitivity_analysis\":{\"staking_level\":[0.98,0.85,0.7],"
                  "\"tracking_error\":[0.0045226762998857774,0.00179877043720889,0],"
                  "\"yield_benefit\":[0.0017980407328767123,0.0009210770758356165,0],"
                  "\"expected_shortfall\":[-0.001804286796593946,-0.0007176055801387968,0],"
                  "\"net_benefit_bps\":[6.937539362827656,9.03471495696819,0]}}",
        .rtol = 1e-9,
    },
    {
        .title = "no level between these baselines and 0.98",
        .args = "{\"staking\":{\"eth\":{\"baseline_staking_pct\":1},\"sol\":{\"baseline_staking_pct\":1}}}",
        .result = "{\"optimal_staking_level\":null,\"argmax\":null,\"sensitivity_analysis\":{\"staking_"
                  "level\":[]}}",
    },
    {
        .title = "levels and steps",
        .args = "{\"grid\":{\"levels\":[0.9],\"steps\":3}}",
        .status = KILN_INVALID,
        .result = "grid.levels is given beside from, to or steps",
    },
    {
        .title = "a thousand steps",
        .args = "{\"grid\":{\"from\":0,\"steps\":1000}}",
    },
};

static const struct kiln_golden plane_goldens[] = {
    {
        .title = "four points",
        .args = "{\"grid\":{\"eth\":{\"levels\":[0.7,0.85]},\"sol\":{\"from\":0.7,\"to\":0.85,\"steps\":1}}}",
        .result =
            "{\"optimal_staking_levels\":{\"eth\":0.85,\"sol\":0.85},\"argmax\":3,"
            "\"max_net_benefit_bps\":9.03471495696819,\"eth_levels\":[0.7,0.85],\"sol_levels\":[0.7,0.85],"
            "\"sensitivity_analysis_2d\":{\"tracking_error\":[0,0.0017147353237967691,"
            "0.00045551716734175667,0.00179877043720889]}}",
        .rtol = 1e-9,
    },
    {
        .title = "the published grid",
        .args = "{}",
        .result = "{\"optimal_staking_levels\":{\"eth\":0.8099999999999999,\"sol\":1.0}}",
        .rtol = 1e-9,
    },
    {
        .title = "too many points",
        .args = "{\"grid\":{\"eth\":{\"steps\":2000},\"sol\":{\"steps\":2000}}}",
        .status = KILN_INVALID,
        .result = "grid has 2001 x 2001 levels, 4004001 points, expected at most 4000000",
    },
    {
        .title = "a hundred steps each",
        .args = "{\"grid\":{\"eth\":{\"steps\":100},\"sol\":{\"steps\":100}}}",
    },
};

const struct kiln_function sensitivity_1d_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "sensitivity_1d",
    .summary = "tracking error and net benefit with ETH and SOL staked at one level, for a list of levels",
    .help = line_help,
    .params = line_params,
    .n_params = KILN_COUNT(line_params),
    .results = line_results,
    .n_results = KILN_COUNT(line_results),
    .goldens = line_goldens,
    .n_goldens = KILN_COUNT(line_goldens),
    .run = run_line,
};

const struct kiln_function sensitivity_2d_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "sensitivity_2d",
    .summary = "tracking error and net benefit over a grid of ETH and SOL staking levels",
    .help = plane_help,
    .params = plane_params,
    .n_params = KILN_COUNT(plane_params),
    .results = plane_results,
    .n_results = KILN_COUNT(plane_results),
    .goldens = plane_goldens,
    .n_goldens = KILN_COUNT(plane_goldens),
    .run = run_plane,
};
