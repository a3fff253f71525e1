/* SPDX-License-Identifier: MPL-2.0 */
/* market - what one unit of overweight in a staked asset costs in variance.
 *
 * A redemption that cannot be met from the liquid part of a staked asset leaves that asset overweight until it is
 * unbonded. The fund re-weights everything else so as to track its benchmark as well as it can meanwhile; what remains
 * is the smallest variance of a portfolio that sums to zero and holds the given overweights:
 *
 *     minimise v' S v  subject to  C v = e        with C: a row of ones, one row selecting each staked asset
 *     min = e' M e,  M = (C S^-1 C')^-1
 *
 * S is the daily covariance. market_exposure() gives M without its first row and column, times the benchmark weights. */
#ifndef STAKING_MARKET_H
#define STAKING_MARKET_H

#include <stdint.h>

struct kiln_call;

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

#endif
