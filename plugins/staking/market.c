/* SPDX-License-Identifier: MPL-2.0 */
#include "market.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kiln/plugin.h>

#include "exposure.h"
#include "prices.h"
#include "solve.h"

const char *const listed_name[LISTED] = {"btc", "eth", "xrp", "sol", "ada", "xlm"};
const enum listed held_listed[HELD] = {LISTED_ETH, LISTED_SOL};

const struct market market_default = {
    .weight = {0.7869, 0.1049, 0.0549, 0.0387, 0.0119, 0.0027},
    .volatility = {0.039, 0.048, 0.053, 0.071, 0.055, 0.051},
    .btc_eth = 0.70,
    .btc_excluded = 0.60,
    .within_excluded = 0.60,
    .eth_excluded = 0.60,
    .trading_days = 252,
};

static double correlation(const struct market *m, size_t i, size_t j)
{
    size_t low = i < j ? i : j;
    size_t high = i < j ? j : i;
    if (low == high) {
        return 1.0;
    }
    if (low == LISTED_BTC) {
        return high == LISTED_ETH ? m->btc_eth : m->btc_excluded;
    }
    return low == LISTED_ETH ? m->eth_excluded : m->within_excluded;
}

static int refuse_correlations(struct kiln_call *call, const struct market *market,
                               const struct exposure_fault *fault)
{
    const char *what = fabs(fault->part) <= SOLVE_TINY ? "singular" : "not positive definite";
    if (market->estimated) {
        return call->host->fail(
            call, KILN_INVALID, "market.prices",
            "market.prices give a covariance matrix that is %s (part of %s that the others "
            "do not explain: %.3g), expected prices of more days than assets, none of which "
            "copies another",
            what, listed_name[fault->asset], fault->part);
    }
    return call->host->fail(call, KILN_INVALID, "market.correlations",
                            "market.correlations are btc_eth %g, btc_excluded %g, within_excluded %g, "
                            "eth_excluded %g: the covariance matrix "
                            "is %s (part of %s that the others do not explain: %.3g), expected "
                            "correlations that assets can have together",
                            market->btc_eth, market->btc_excluded, market->within_excluded,
                            market->eth_excluded, what, listed_name[fault->asset], fault->part);
}

/* Only volatilities that differ by many powers of ten come here. */
static int refuse_volatilities(struct kiln_call *call, const struct market *market)
{
    double least = market->volatility[0], most = least;
    for (size_t i = 1; i < LISTED; i++) {
        least = fmin(least, market->volatility[i]);
        most = fmax(most, market->volatility[i]);
    }
    return call->host->fail(call, KILN_INVALID, "market.volatilities",
                            "market.volatilities are too far apart, from %g to %g: the covariance matrix is "
                            "singular in double precision, expected volatilities of one order",
                            least, most);
}

int market_exposure(struct kiln_call *call, const struct market *market, struct exposure *ret_exposure)
{
    double r[LISTED * LISTED], weight[HELD], work[EXPOSURE_WORK(LISTED, HELD)];
    size_t index[HELD];
    for (size_t i = 0; i < LISTED; i++) {
        if (!(market->volatility[i] > 0)) {
            char field[48];
            snprintf(field, sizeof field, "market.%s.%s", market->estimated ? "prices" : "volatilities",
                     listed_name[i]);
            return call->host->fail(
                call, KILN_INVALID, field,
                market->estimated ? "%s has a volatility of %g, expected prices that move"
                                  : "%s is %g, expected more than 0 (or the covariance matrix is singular)",
                field, market->volatility[i]);
        }
        for (size_t j = 0; j < LISTED; j++) {
            r[i * LISTED + j] = market->estimated ? market->correlation[i][j] : correlation(market, i, j);
        }
    }
    for (size_t a = 0; a < HELD; a++) {
        index[a] = held_listed[a];
        weight[a] = market->weight[held_listed[a]];
    }
    const struct risk risk = {LISTED, market->volatility, r};
    struct exposure_fault fault;
    int rc = exposure_make(call, &risk, HELD, index, weight, work, &ret_exposure->k[0][0], &fault);
    if (rc == KILN_INVALID) {
        rc = fault.asset < LISTED ? refuse_correlations(call, market, &fault)
                                  : refuse_volatilities(call, market);
    }
    return rc;
}

int market_estimate(struct kiln_call *call, const struct kiln_value *prices, bool simple, int64_t ddof,
                    struct market *market)
{
    struct prices p;
    struct moments m;
    int rc = prices_read(call, "market.prices", prices, listed_name, LISTED, &p);
    if (rc == KILN_OK) {
        rc = prices_estimate(call, "market.prices", "market.ddof", &p, simple, ddof, &m);
    }
    if (rc == KILN_OK) {
        market->estimated = true;
        memcpy(market->volatility, m.volatility, sizeof market->volatility);
        memcpy(market->correlation, m.correlation, sizeof market->correlation);
    }
    return rc;
}
