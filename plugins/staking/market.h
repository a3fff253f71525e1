/* SPDX-License-Identifier: MPL-2.0 */
/* market - what one unit of overweight in a staked asset costs in variance.
 *
 * A redemption that cannot be met from the liquid part of a staked asset leaves that asset overweight until
 * it is unbonded. The fund re-weights everything else so as to track its benchmark as well as it can
 * meanwhile; what remains is the smallest variance of a portfolio that sums to zero and holds the given
 * overweights: see exposure.h. */
#ifndef STAKING_MARKET_H
#define STAKING_MARKET_H

#include <stdbool.h>
#include <stdint.h>

struct kiln_call;
struct kiln_value;

/* The staked assets: an index into everything that exists once for each of them. */
enum held { ETH, SOL, HELD };

/* The benchmark, in the published order. */
enum listed { LISTED_BTC, LISTED_ETH, LISTED_XRP, LISTED_SOL, LISTED_ADA, LISTED_XLM, LISTED };

extern const char *const listed_name[LISTED];
extern const enum listed held_listed[HELD]; /* where a staked asset stands in the benchmark */

struct market {
    double weight[LISTED];
    double volatility[LISTED]; /* daily */
    double btc_eth; /* the four correlations that fill the matrix; "excluded" are XRP SOL ADA XLM */
    double btc_excluded;
    double within_excluded;
    double eth_excluded;
    bool estimated; /* from prices: the matrix stands for the four */
    double correlation[LISTED][LISTED];
    int64_t trading_days; /* part of the request, used by no formula */
};

/* What holds when a request says nothing of the market. */
extern const struct market market_default;

/* Daily variance per unit of squared excess: w_i w_j M_ij. */
struct exposure {
    double k[HELD][HELD]; /* symmetric */
};

/* Fails the call with KILN_INVALID, naming the member at fault, unless the covariance is positive definite. */
int market_exposure(struct kiln_call *call, const struct market *market, struct exposure *ret_exposure);

/* Volatilities and correlations from daily prices of the six: see prices.h. */
int market_estimate(struct kiln_call *call, const struct kiln_value *prices, bool simple, int64_t ddof,
                    struct market *market);

#endif
