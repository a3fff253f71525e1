/* SPDX-License-Identifier: MPL-2.0 */
/* monte_carlo - the function staking.monte_carlo: the closed form against simulated years. */
#ifndef STAKING_MONTE_CARLO_H
#define STAKING_MONTE_CARLO_H

#include <kiln/plugin.h>

extern const struct kiln_function monte_carlo_function;

#endif
