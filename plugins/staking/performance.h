/* SPDX-License-Identifier: MPL-2.0 */
/* performance - how a fund did, after the fact: the descriptors of performance.c. */
#ifndef STAKING_PERFORMANCE_H
#define STAKING_PERFORMANCE_H

#include <kiln/plugin.h>

extern const struct kiln_function performance_function, active_share_function;

#endif
