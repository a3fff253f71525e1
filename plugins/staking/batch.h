/* SPDX-License-Identifier: MPL-2.0 */
/* batch - the function staking.batch: many requests of calculate in one job. */
#ifndef STAKING_BATCH_H
#define STAKING_BATCH_H

#include <kiln/plugin.h>

extern const struct kiln_function batch_function;

#endif
