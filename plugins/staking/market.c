/* SPDX-License-Identifier: MPL-2.0 */
#include "market.h"

#include <math.h>
#include <stdio.h>

#include <kiln/plugin.h>

#include "solve.h"

#define CONSTRAINTS (1 + HELD) /* sum to zero, and each staked asset */

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

int market_exposure(struct kiln_call *call, const struct market *market, struct exposure *ret_exposure)
{
    /* S = D R D with D the volatilities: the correlations R are factored alone, because their unit diagonal makes
     * the size of a pivot mean something, and D divides the constraints instead. */
    double r[LISTED * LISTED];
    for (size_t i = 0; i < LISTED; i++) {
        if (!(market->volatility[i] > 0)) {
            char field[48];
            snprintf(field, sizeof field, "market.volatilities.%s", listed_name[i]);
            return call->host->fail(call, KILN_INVALID, field,
                                    "%s is %g, expected more than 0 (or the covariance matrix is singular)",
                                    field, market->volatility[i]);
        }
        for (size_t j = 0; j < LISTED; j++) {
            r[i * LISTED + j] = correlation(market, i, j);
        }
    }
    double pivot;
    size_t row = solve_factor(LISTED, r, &pivot);
    if (row < LISTED) {
        const char *what = fabs(pivot) <= SOLVE_TINY ? "singular" : "not positive definite";
        return call->host->fail(call, KILN_INVALID, "market.correlations",
                                "market.correlations are btc_eth %g, btc_excluded %g, within_excluded %g, "
                                "eth_excluded %g: the covariance matrix "
                                "is %s (part of %s that the others do not explain: %.3g), expected "
                                "correlations that assets can have together",
                                market->btc_eth, market->btc_excluded, market->within_excluded,
                                market->eth_excluded, what, listed_name[row], pivot);
    }

    double c[LISTED * CONSTRAINTS] = {0}; /* D^-1 C', then L^-1 D^-1 C' */
    for (size_t i = 0; i < LISTED; i++) {
        c[i * CONSTRAINTS] = 1.0 / market->volatility[i];
    }
    for (size_t a = 0; a < HELD; a++) {
        size_t i = held_listed[a];
        c[i * CONSTRAINTS + 1 + a] = 1.0 / market->volatility[i];
    }
    solve_forward(LISTED, r, CONSTRAINTS, c);

    double g[CONSTRAINTS * CONSTRAINTS] = {0}; /* C S^-1 C' */
    for (size_t i = 0; i < LISTED; i++) {
        for (size_t a = 0; a < CONSTRAINTS; a++) {
            for (size_t b = 0; b < CONSTRAINTS; b++) {
                g[a * CONSTRAINTS + b] += c[i * CONSTRAINTS + a] * c[i * CONSTRAINTS + b];
            }
        }
    }
    double m[CONSTRAINTS * CONSTRAINTS];
    if (solve_factor(CONSTRAINTS, g, &pivot) < CONSTRAINTS) {
        double least = market->volatility[0], most = least;
        for (size_t i = 1; i < LISTED; i++) {
            least = fmin(least, market->volatility[i]);
            most = fmax(most, market->volatility[i]);
        }
        /* Only volatilities that differ by many powers of ten come here. */
        return call->host->fail(
            call, KILN_INVALID, "market.volatilities",
            "market.volatilities are too far apart, from %g to %g: the covariance matrix is "
            "singular in double precision, expected volatilities of one order",
            least, most);
    }
    solve_invert(CONSTRAINTS, g, m);

    for (size_t a = 0; a < HELD; a++) {
        for (size_t b = 0; b <= a; b++) {
            double weights = market->weight[held_listed[a]] * market->weight[held_listed[b]];
            double k = weights * m[(1 + a) * CONSTRAINTS + 1 + b];
            ret_exposure->k[a][b] = ret_exposure->k[b][a] = k;
        }
    }
    return KILN_OK;
}
