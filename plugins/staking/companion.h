/* SPDX-License-Identifier: MPL-2.0 */
/* companion - the single-asset models that stand beside the published one: their descriptors. */
#ifndef STAKING_COMPANION_H
#define STAKING_COMPANION_H

#include <kiln/plugin.h>

extern const struct kiln_function redemption_moments_function, single_asset_function,
    compound_poisson_function;
extern const struct kiln_function sample_replication_function; /* replication.c */

#endif
