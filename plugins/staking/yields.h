/* SPDX-License-Identifier: MPL-2.0 */
/* yields - what staking pays and costs: the descriptors of yields.c. */
#ifndef STAKING_YIELDS_H
#define STAKING_YIELDS_H

#include <kiln/plugin.h>

extern const struct kiln_function apr_to_apy_function, rewards_function, break_even_function,
    portfolio_yield_function, liquid_staking_function, slashing_function;

#endif
