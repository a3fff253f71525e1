/* SPDX-License-Identifier: MPL-2.0 */
#include "request.h"

#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

/* What stands where a map is absent altogether; in a map that is present the host fills in the rows' defaults.
 *
 * For the assets the two differ: the rows give both the same unbonding and yield. Callers of the published service depend
 * on that. */
static const struct asset default_asset[HELD] = {
    [ETH] = {.staked = 0.90, .unbonding_days = 10, .yield = 0.03, .baseline = 0.70},
    [SOL] = {.staked = 0.90, .unbonding_days = 2, .yield = 0.073, .baseline = 0.70},
};

static const double default_probability[] = {0.667, 0.167, 0.111, 0.055};
static const double default_size[] = {0.05, 0.10, 0.20, 0.30};
static const int64_t default_count[] = {12, 3, 2, 1}; /* legacy form */
static const struct fund default_fund = {.nav = 500000000, .current_td = 0.0143, .cap_td = 0.015};

#define DEFAULT_REDEMPTIONS 18

#define SUM_SLACK    0.01 /* of probabilities */
#define WEIGHT_SLACK 1e-4 /* of benchmark weights */

static void read_asset(const struct kiln_slot *args, enum held a, struct asset *asset)
{
    static const size_t first[HELD] = {P_ETH, P_SOL};
    const struct kiln_slot *map = &args[first[a]];
    if (map->present) {
        asset->staked = map[P_ETH_STAKED - P_ETH].f64;
        asset->unbonding_days = map[P_ETH_UNBONDING - P_ETH].i64;
        asset->yield = map[P_ETH_YIELD - P_ETH].f64;
        asset->baseline = map[P_ETH_BASELINE - P_ETH].f64;
    }
}

static void read_market(const struct kiln_slot *args, struct market *market)
{
    for (size_t i = 0; i < LISTED; i++) {
        if (args[P_WEIGHTS].present) {
            market->weight[i] = args[P_WEIGHT_BTC + i].f64;
        }
        if (args[P_VOLATILITIES].present) {
            market->volatility[i] = args[P_VOLATILITY_BTC + i].f64;
        }
    }
    if (args[P_CORRELATIONS].present) {
        market->btc_eth = args[P_BTC_ETH].f64;
        market->btc_excluded = args[P_BTC_EXCLUDED].f64;
        market->within_excluded = args[P_WITHIN_EXCLUDED].f64;
        market->eth_excluded = args[P_ETH_EXCLUDED].f64;
    }
    market->trading_days = args[P_TRADING_DAYS].i64;
}

static int read_prices(struct kiln_call *call, const struct kiln_slot *args, struct market *market)
{
    if (args[P_VOLATILITIES].present || args[P_CORRELATIONS].present) {
        const char *other = args[P_VOLATILITIES].present ? "market.volatilities" : "market.correlations";
        return call->host->fail(call, KILN_INVALID, "market.prices",
                                "market.prices is given beside %s, expected one of them", other);
    }
    return market_estimate(call, args[P_PRICES].value, strcmp(args[P_RETURNS].text, "simple") == 0,
                           args[P_DDOF].i64, market);
}

/* The published service checks the sum only when the last weight is spelled out. */
static int check_weights(struct kiln_call *call, const struct kiln_slot *args, const struct request *r)
{
    if (!r->exact && !args[P_WEIGHT_XLM].present) {
        return KILN_OK;
    }
    double sum = 0;
    for (size_t i = 0; i < LISTED; i++) {
        sum += r->market.weight[i];
    }
    if (!(fabs(sum - 1.0) <= WEIGHT_SLACK)) {
        return call->host->fail(call, KILN_INVALID, "market.benchmark_weights",
                                "market.benchmark_weights sum to %.10g, expected 1 within %g", sum,
                                WEIGHT_SLACK);
    }
    return KILN_OK;
}

static int check_probabilities(struct kiln_call *call, const char *field, const struct request *r)
{
    double sum = 0;
    for (size_t j = 0; j < r->buckets; j++) {
        sum += r->probability[j];
    }
    if (!(fabs(sum - 1.0) <= SUM_SLACK)) {
        return call->host->fail(call, KILN_INVALID, field,
                                "probabilities of %s sum to %.10g, expected 1 within %g", field, sum,
                                SUM_SLACK);
    }
    return KILN_OK;
}

/* The older form: one yield and baseline for both assets, counts of redemptions instead of probabilities, and nothing
 * about market or fund. Called only when yield_params is present. */
static int read_legacy(struct kiln_call *call, const struct kiln_slot *args, struct request *r)
{
    static const size_t staked[HELD] = {P_LEGACY_ETH_STAKED, P_LEGACY_SOL_STAKED};
    for (size_t a = 0; a < HELD; a++) {
        if (args[P_STAKING].present) {
            r->asset[a].staked = args[staked[a]].f64;
        }
        r->asset[a].yield = args[P_LEGACY_YIELD].f64;
        r->asset[a].baseline = args[P_LEGACY_BASELINE].f64;
    }
    const int64_t *count = default_count;
    size_t counts = KILN_COUNT(default_count);
    size_t sizes = KILN_COUNT(default_size);
    if (args[P_REDEMPTION].present) {
        count = args[P_LEGACY_COUNTS].array.data;
        counts = (size_t) args[P_LEGACY_COUNTS].array.count;
        r->size = args[P_LEGACY_SIZES].array.data;
        sizes = (size_t) args[P_LEGACY_SIZES].array.count;
    }
    double total = 0;
    for (size_t j = 0; j < counts; j++) {
        total += (double) count[j];
    }
    if (!(total > 0)) {
        return call->host->fail(call, KILN_INVALID, "redemption.redemption_counts",
                                "redemption.redemption_counts sum to %g, expected at least one redemption",
                                total);
    }
    r->buckets = sizes < counts ? sizes : counts;
    double *probability = call->host->alloc(call, r->buckets * sizeof *probability);
    if (probability == NULL) {
        return KILN_RESOURCE;
    }
    for (size_t j = 0; j < r->buckets; j++) {
        probability[j] = (double) count[j] / total;
    }
    r->probability = probability;
    return check_probabilities(call, "redemption.redemption_counts", r);
}

static int read_current(struct kiln_call *call, const struct kiln_slot *args, struct request *r)
{
    read_asset(args, ETH, &r->asset[ETH]);
    read_asset(args, SOL, &r->asset[SOL]);
    if (args[P_REDEMPTION].present && args[P_DISTRIBUTION].present) {
        r->buckets = (size_t) args[P_DISTRIBUTION].i64;
        r->probability = args[P_PROBABILITY].array.data;
        r->size = args[P_SIZE].array.data;
    }
    r->has_market = args[P_MARKET].present;
    int rc = KILN_OK;
    if (r->has_market) {
        read_market(args, &r->market);
        rc = args[P_PRICES].present ? read_prices(call, args, &r->market) : KILN_OK;
    }
    r->has_fund = args[P_FUND].present;
    if (r->has_fund) {
        r->fund = (struct fund){args[P_NAV].f64, args[P_CURRENT_TD].f64, args[P_CAP_TD].f64};
    }
    rc = rc == KILN_OK && r->has_market ? check_weights(call, args, r) : rc;
    return rc == KILN_OK ? check_probabilities(call, "redemption.distribution", r) : rc;
}

int request_read(struct kiln_call *call, const struct kiln_slot *args, struct request *ret_request)
{
    const struct kiln_slot *mode = &args[P_MODE];
    struct request r = {
        .asset = {default_asset[ETH], default_asset[SOL]},
        .redemptions = args[P_REDEMPTION].present ? args[P_REDEMPTIONS].f64 : DEFAULT_REDEMPTIONS,
        .buckets = KILN_COUNT(default_size),
        .probability = default_probability,
        .size = default_size,
        .market = market_default,
        .fund = default_fund,
        .exact = mode->text != NULL && strcmp(mode->text, "exact") == 0,
        .has_mode = mode->present,
    };
    int rc = args[P_YIELD_PARAMS].present ? read_legacy(call, args, &r) : read_current(call, args, &r);
    if (rc == KILN_OK) {
        *ret_request = r;
    }
    return rc;
}

void request_model(const struct request *r, const struct exposure *exposure, struct model *ret_model)
{
    *ret_model = (struct model){
        .exposure = *exposure,
        .redemptions = r->redemptions,
        .budget = r->fund.cap_td - r->fund.current_td,
        .exact = r->exact,
    };
    for (size_t a = 0; a < HELD; a++) {
        ret_model->days[a] = (double) r->asset[a].unbonding_days;
        ret_model->weight[a] = r->market.weight[held_listed[a]];
        ret_model->yield[a] = r->asset[a].yield;
        ret_model->baseline[a] = r->asset[a].baseline;
    }
}

int request_weights(struct kiln_call *call, const struct request *r, struct buckets *ret_point,
                    struct buckets *ret_grid)
{
    double *weight = call->host->alloc(call, r->buckets * sizeof *weight);
    if (weight == NULL) {
        return KILN_RESOURCE;
    }
    double sum = 0;
    for (size_t j = 0; j < r->buckets; j++) {
        /* rint() rounds halves to even, as the published service does. */
        weight[j] = r->exact ? r->probability[j] : rint(r->probability[j] * 1000);
        sum += weight[j];
    }
    if (!(sum > 0)) {
        return call->host->fail(call, KILN_INVALID, "redemption.distribution",
                                "all %zu probabilities of redemption.distribution round to 0 thousandths, "
                                "expected one above 0.0005 at least "
                                "(mode \"exact\" does not round)",
                                r->buckets);
    }
    for (size_t j = 0; j < r->buckets; j++) {
        weight[j] /= sum;
    }
    *ret_point = (struct buckets){r->buckets, weight, r->size};
    *ret_grid = (struct buckets){r->buckets, r->exact ? weight : r->probability, r->size};
    return KILN_OK;
}

int request_redemption(struct kiln_call *call, const struct kiln_slot *rows, double *ret_redemptions,
                       struct buckets *ret_buckets)
{
    const struct kiln_slot *table = &rows[P_DISTRIBUTION - P_REDEMPTION];
    struct request r = {
        .redemptions = rows->present ? rows[P_REDEMPTIONS - P_REDEMPTION].f64 : DEFAULT_REDEMPTIONS,
        .buckets = KILN_COUNT(default_size),
        .probability = default_probability,
        .size = default_size,
        .exact = true,
    };
    if (rows->present && table->present) {
        r.buckets = (size_t) table->i64;
        r.probability = rows[P_PROBABILITY - P_REDEMPTION].array.data;
        r.size = rows[P_SIZE - P_REDEMPTION].array.data;
    }
    struct buckets same;
    int rc = check_probabilities(call, "redemption.distribution", &r);
    *ret_redemptions = r.redemptions;
    return rc == KILN_OK ? request_weights(call, &r, ret_buckets, &same) : rc;
}

int request_terms(struct kiln_call *call, const struct kiln_slot *args, struct request *ret_request,
                  struct terms *ret_terms, struct buckets *ret_point, struct buckets *ret_grid)
{
    struct exposure exposure;
    int rc = request_read(call, args, ret_request);
    if (rc == KILN_OK) {
        rc = market_exposure(call, &ret_request->market, &exposure);
    }
    if (rc == KILN_OK) {
        rc = request_weights(call, ret_request, ret_point, ret_grid);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    struct model model;
    request_model(ret_request, &exposure, &model);
    if (!terms_make(&model, ret_terms)) {
        return call->host->fail(call, KILN_INVALID, "redemption.expected_redemptions_per_year",
                                "redemption.expected_redemptions_per_year is %g, expected less: with %g and "
                                "%g days of unbonding the results are beyond the range of double",
                                ret_request->redemptions, model.days[ETH], model.days[SOL]);
    }
    return KILN_OK;
}
