/* SPDX-License-Identifier: MPL-2.0 */
#include "optimize.h"

#include <math.h>
#include <string.h>

#include "portfolio.h"
#include "rows.h"
#include "slots.h"
#include "search.h"

#define HELD_MAX 50

/* ---- rows ---------------------------------------------------------------------------------------- */

enum { P_OBJECTIVE = N_PORTFOLIO_COUNT, P_CAP, P_LOW, P_HIGH, P_CAPS, P_BOXES };

static const struct kiln_row params[] = {
#define PARAM(id, ...) [N_##id] = {__VA_ARGS__},
#include "portfolio.def"
    [P_OBJECTIVE] = {.name = "objective",
                     .kind = KILN_STRING,
                     .choices = "net_benefit|yield",
                     .fallback = "\"net_benefit\"",
                     .help = "what is to be as large as can be: net_benefit, or "
                             "total_yield_benefit"},
    [P_CAP] = {NUMBER("te_cap"), .min = 0, .max = HUGE_VAL, .unit = "1/year",
               .help = "largest tracking error allowed; absent: none"},
    [P_LOW] = {.name = "min_levels",
               .kind = KILN_ARRAY,
               .shape = "s",
               .flags = KILN_FINITE,
               .min = 0,
               .max = 1,
               .unit = "fraction",
               .help = "least staking level of each asset of staking; absent: 0"},
    [P_HIGH] = {.name = "max_levels",
                .kind = KILN_ARRAY,
                .shape = "s",
                .flags = KILN_FINITE,
                .min = 0,
                .max = 1,
                .unit = "fraction",
                .help = "largest staking level of each; absent: 1"},
    [P_CAPS] = {.name = "caps",
                .kind = KILN_ARRAY,
                .shape = "c",
                .flags = KILN_FINITE,
                .min = 0,
                .max = HUGE_VAL,
                .unit = "1/year",
                .help = "caps of tracking error of an efficient frontier; absent: none is made"},
    [P_BOXES] = {.name = "max_boxes",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 10000000,
                 .fallback = "100000",
                 .help = "boxes of levels looked at, at most, for each cap"},
};

enum {
    R_LEVELS,
    R_TE,
    R_BENEFIT,
    R_SHORTFALL,
    R_NET,
    R_NET_BPS,
    R_BINDS,
    R_PROVEN,
    R_BOUND,
    R_BOXES,
    R_CELLS,
    R_FRONTIER,
    R_F_CAP,
    R_F_TE,
    R_F_BENEFIT,
    R_F_NET_BPS,
    R_F_BINDS,
    R_F_PROVEN,
    R_F_LEVELS
};

static const struct kiln_row results[] = {
    [R_LEVELS] = {.name = "optimal_staking_levels",
                  .kind = KILN_ARRAY,
                  .shape = "s",
                  .unit = "fraction",
                  .help = "the best level of each asset of staking"},
    [R_TE] = {YEARLY("tracking_error"), .help = "TE there"},
    [R_BENEFIT] = {YEARLY("total_yield_benefit"), .help = "benefit there"},
    [R_SHORTFALL] = {YEARLY("expected_shortfall"), .help = "-TE sqrt(2/pi) / 2 there"},
    [R_NET] = {YEARLY("net_benefit"), .help = "net benefit there"},
    [R_NET_BPS] = {BPS("net_benefit_bps"), .help = "the same in basis points"},
    [R_BINDS] = {.name = "cap_binds", .kind = KILN_BOOL, .help = "whether TE has come up to te_cap"},
    [R_PROVEN] =
        {.name = "proven",
         .kind = KILN_BOOL,
         .help = "whether nothing better is left, to 1e-10 of the objective; false: max_boxes was reached"},
    [R_BOUND] = {YEARLY("upper_bound"), .help = "no levels allowed give more of the objective than this"},
    [R_BOXES] = {.name = "boxes", .kind = KILN_INT, .help = "boxes of levels looked at"},
    [R_CELLS] = {.name = "cells", .kind = KILN_INT, .help = "cells between kinks solved"},
    [R_FRONTIER] = {.name = "frontier",
                    .kind = KILN_TABLE,
                    .shape = "c",
                    .help = "the best under each of caps"},
    [R_F_CAP] = {YEARLY("frontier[].te_cap"), .help = "the cap"},
    [R_F_TE] = {YEARLY("frontier[].tracking_error"),
                .help = "TE; null when no levels are allowed, as what follows"},
    [R_F_BENEFIT] = {YEARLY("frontier[].total_yield_benefit"), .help = "benefit"},
    [R_F_NET_BPS] = {BPS("frontier[].net_benefit_bps"), .help = "net benefit"},
    [R_F_BINDS] = {.name = "frontier[].cap_binds",
                   .kind = KILN_BOOL,
                   .help = "whether TE has come up to the cap"},
    [R_F_PROVEN] = {.name = "frontier[].proven", .kind = KILN_BOOL, .help = "as proven"},
    [R_F_LEVELS] = {.name = "frontier_levels",
                    .kind = KILN_ARRAY,
                    .shape = "c s",
                    .unit = "fraction",
                    .help = "the best levels under each of caps"},
};

/* ---- the call ------------------------------------------------------------------------------------ */

static void put_whole(struct kiln_slot *slot, int64_t value)
{
    slot->i64 = value;
    slot->present = 1;
}

static int read_bounds(struct kiln_call *call, const struct kiln_slot *args, size_t n,
                       struct search_request *r)
{
    double *bounds = call->host->alloc(call, 2 * n * sizeof *bounds);
    if (bounds == NULL) {
        return KILN_RESOURCE;
    }
    for (size_t a = 0; a < n; a++) {
        bounds[a] = args[P_LOW].present ? ((const double *) args[P_LOW].array.data)[a] : 0.0;
        bounds[n + a] = args[P_HIGH].present ? ((const double *) args[P_HIGH].array.data)[a] : 1.0;
        if (bounds[a] > bounds[n + a]) {
            return call->host->fail(call, KILN_INVALID, "min_levels",
                                    "min_levels[%zu] is %g, expected at most max_levels[%zu], %g", a,
                                    bounds[a], a, bounds[n + a]);
        }
    }
    r->low = bounds;
    r->high = bounds + n;
    return KILN_OK;
}

static bool binds(const struct measure *m, double cap)
{
    return m->tracking_error >= cap * (1 - 1e-9);
}

static int put_best(struct kiln_call *call, const struct portfolio *p, const struct search_request *r,
                    struct measure *m, struct kiln_slot *out)
{
    struct found found;
    int rc = search_run(call, p, r, &found);
    if (rc != KILN_OK) {
        return rc;
    }
    if (!found.feasible) {
        rc = portfolio_measure(call, p, r->low, m);
        return rc != KILN_OK
                   ? rc
                   : call->host->fail(call, KILN_INVALID, "te_cap",
                                      found.proven
                                          ? "te_cap is %g, which no levels allowed meet, expected more "
                                            "(at min_levels the tracking error is %g)"
                                          : "te_cap is %g, for which no levels were found within max_boxes "
                                            "(at min_levels the tracking error is %g)",
                                      r->goal.cap, m->tracking_error);
    }
    rc = portfolio_measure(call, p, found.level, m);
    memcpy(out[R_LEVELS].array.data, found.level, p->held * sizeof(double));
    put(&out[R_TE], m->tracking_error);
    put(&out[R_BENEFIT], m->benefit);
    put(&out[R_SHORTFALL], m->shortfall);
    put(&out[R_NET], m->net);
    put(&out[R_NET_BPS], m->net * 10000);
    put(&out[R_BOUND], found.bound);
    put_whole(&out[R_BINDS], binds(m, r->goal.cap));
    put_whole(&out[R_PROVEN], found.proven);
    put_whole(&out[R_BOXES], (int64_t) found.boxes);
    put_whole(&out[R_CELLS], (int64_t) found.cells);
    return rc;
}

static int put_frontier(struct kiln_call *call, const struct portfolio *p, struct search_request r,
                        const struct kiln_array *caps, struct measure *m, struct kiln_slot *out)
{
    double *levels = out[R_F_LEVELS].array.data;
    for (int64_t i = 0; i < caps->count; i++) {
        struct found found;
        r.goal.cap = ((const double *) caps->data)[i];
        int rc = search_run(call, p, &r, &found);
        rc = rc == KILN_OK && found.feasible ? portfolio_measure(call, p, found.level, m) : rc;
        if (rc != KILN_OK) {
            return rc;
        }
        double none = (double) NAN;
        ((double *) out[R_F_CAP].array.data)[i] = r.goal.cap;
        ((double *) out[R_F_TE].array.data)[i] = found.feasible ? m->tracking_error : none;
        ((double *) out[R_F_BENEFIT].array.data)[i] = found.feasible ? m->benefit : none;
        ((double *) out[R_F_NET_BPS].array.data)[i] = found.feasible ? m->net * 10000 : none;
        ((uint8_t *) out[R_F_BINDS].array.data)[i] = found.feasible && binds(m, r.goal.cap);
        ((uint8_t *) out[R_F_PROVEN].array.data)[i] = found.proven;
        for (size_t a = 0; a < p->held; a++) {
            levels[(size_t) i * p->held + a] = found.feasible ? found.level[a] : none;
        }
        call->host->progress(call, (double) (i + 1) / (double) caps->count);
    }
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct portfolio p;
    struct measure m;
    struct search_request r = {
        .goal = {.by_yield = strcmp(args[P_OBJECTIVE].text, "yield") == 0,
                 .cap = args[P_CAP].present ? args[P_CAP].f64 : HUGE_VAL},
        .boxes_max = (size_t) args[P_BOXES].i64,
    };
    int rc = portfolio_read(call, args, &p);
    if (rc == KILN_OK && p.held > HELD_MAX) {
        rc = call->host->fail(call, KILN_INVALID, "staking", "staking has %zu assets, expected at most %d",
                              p.held, HELD_MAX);
    }
    rc = rc == KILN_OK ? read_bounds(call, args, p.held, &r) : rc;
    rc = rc == KILN_OK ? portfolio_measure_init(call, &p, &m) : rc;
    rc = rc == KILN_OK ? put_best(call, &p, &r, &m, out) : rc;
    if (rc == KILN_OK && args[P_CAPS].present) {
        rc = put_frontier(call, &p, r, &args[P_CAPS].array, &m, out);
    }
    return rc;
}

/* ---- descriptor ---------------------------------------------------------------------------------- */

static const char help[] =
    "The staking levels with the largest net benefit (or total yield benefit) among all levels between "
    "min_levels and "
    "max_levels whose tracking error is at most te_cap. Arguments, formulas and names are those of "
    "staking.tracking_error; staking_pct is not used.\n"
    "\n"
    "The benefit has kinks at the baselines and at 1 - r of each redemption size r. In a cell between kinks "
    "it is linear "
    "and TE^2 a quadratic form, so the problem is concave there and is solved by a multiplier of the "
    "variance, "
    "to about 1e-12. Cells are chosen by branch and bound over boxes of levels, with an upper bound of each: "
    "proven tells that "
    "no box was left whose bound is more than 1e-10 above the optimum, upper_bound is true in any case. "
    "Nothing is "
    "random. The number of cells is the product over the assets of sizes and baselines: for two or three "
    "assets all is proven "
    "with hundreds of sizes, for many assets max_boxes may end the search, and the answer is then the best "
    "of what was "
    "tried. Of equal optima any one is given.\n"
    "\n"
    "frontier is the same with te_cap replaced by each of caps: with objective \"yield\" the efficient "
    "frontier. Source: "
    "branch and bound after Land and Doig (1960).";

#define ONE                                                                                                  \
    "\"weights\":[0.5,0.5],\"covariance\":[[0.0016,0.0008],[0.0008,0.0025]],\"redemption\":{"                \
    "\"expected_redemptions_per_year\":20,\"distribution\":[{\"probability\":1,\"size\":0.3}]}"

static const struct kiln_golden goldens[] = {
    {
        .title = "one asset: TE is 0.3535534 (s - 0.7), so a cap of 0.0353553 allows 0.8",
        .args = "{" ONE ",\"staking\":[{\"asset\":1,\"baseline_staking_pct\":0.5}],\"objective\":\"yield\","
                "\"te_cap\":0.035355339059327376,"
                "\"caps\":[0,1]}",
        .result = "{\"optimal_staking_levels\":[0.8],\"cap_binds\":true,\"proven\":true,\"frontier\":{"
                  "\"tracking_error\":"
                  "[0,0.10606601717798213],\"cap_binds\":[1,0]},\"frontier_levels\":[[0.7],[1]]}",
        .rtol = 1e-9,
        .atol = 1e-12,
    },
    {
        .title = "net benefit of ETH and SOL",
        .args =
            "{\"weights\":[0.7869,0.1049,0.0549,0.0387,0.0119,0.0027],"
            "\"volatilities\":[0.039,0.048,0.053,0.071,0.055,0.051],\"correlations\":[[1,0.7,0.6,0.6,0.6,0.6]"
            ","
            "[0.7,1,0.6,0.6,0.6,0.6],[0.6,0.6,1,0.6,0.6,0.6],[0.6,0.6,0.6,1,0.6,0.6],[0.6,0.6,0.6,0.6,1,0.6],"
            "[0.6,0.6,0.6,0.6,0.6,1]],\"staking\":{\"asset\":[1,3],\"unbonding_period_days\":[10,2],"
            "\"annual_yield\":[0.03,0.073]}}",
        .result = "{\"net_benefit_bps\":12.18776737978362,\"proven\":true,\"cap_binds\":false}",
        .rtol = 1e-9,
    },
    {
        .title = "a cap that cannot be met",
        .args = "{" ONE ",\"staking\":[{\"asset\":1}],\"te_cap\":0.01,\"min_levels\":[0.8]}",
        .status = KILN_INVALID,
        .result = "te_cap is 0.01, which no levels allowed meet",
    },
};

const struct kiln_function optimize_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "optimize",
    .summary = "staking levels of the largest net benefit or yield under a cap of tracking error",
    .help = help,
    TABLES(),
    .run = run,
};
