/* SPDX-License-Identifier: MPL-2.0 */
/* market_from_prices - the function staking.market_from_prices. */
#ifndef STAKING_MARKET_FROM_PRICES_H
#define STAKING_MARKET_FROM_PRICES_H

#include <kiln/plugin.h>

extern const struct kiln_function market_from_prices_function;

#endif
