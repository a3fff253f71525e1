/* SPDX-License-Identifier: MPL-2.0 */
/* optimize - the function staking.optimize: the best levels under a cap of tracking error. */
#ifndef STAKING_OPTIMIZE_H
#define STAKING_OPTIMIZE_H

#include <kiln/plugin.h>

extern const struct kiln_function optimize_function;

#endif
