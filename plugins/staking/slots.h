/* SPDX-License-Identifier: MPL-2.0 */
/* slots - numbers into results, and the tables of a descriptor: what every function of this plugin needs. */
#ifndef STAKING_SLOTS_H
#define STAKING_SLOTS_H

#include <kiln/plugin.h>

static inline int put(struct kiln_slot *slot, double value)
{
    slot->present = 1;
    slot->f64 = value;
    return KILN_OK;
}

/* 0 where there is no whole. */
static inline double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : 0.0;
}

/* The tables of a descriptor, when they are called <prefix>params, <prefix>results and <prefix>goldens. */
#define TABLES(prefix)                                                                                       \
    .params = prefix##params, .n_params = KILN_COUNT(prefix##params), .results = prefix##results,            \
    .n_results = KILN_COUNT(prefix##results), .goldens = prefix##goldens,                                    \
    .n_goldens = KILN_COUNT(prefix##goldens)

#endif
