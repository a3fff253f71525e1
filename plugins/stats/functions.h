/* SPDX-License-Identifier: MPL-2.0 */
/* functions - what this plugin offers: one descriptor each, one family per file.
 *
 * A family's file holds the rows, goldens and run of its functions; arithmetic that more than one of them
 * needs lives in reduce (sums and moments), select (order) and matrix, inner loops in kernels. To add a
 * function: write its descriptor in its family's file and name it in functions.def. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <kiln/plugin.h>

#define FUNCTION(name) extern const struct kiln_function stats_##name;
#include "functions.def"
#undef FUNCTION

/* The tables of a descriptor, when they are called <name>_params, <name>_results and <name>_goldens. */
#define TABLES(name)                                                                                         \
    .params = name##_params, .n_params = KILN_COUNT(name##_params), .results = name##_results,               \
    .n_results = KILN_COUNT(name##_results), .goldens = name##_goldens,                                      \
    .n_goldens = KILN_COUNT(name##_goldens)

/* Sets a number as a result. */
static inline int give(struct kiln_slot *slot, double value)
{
    slot->present = 1;
    slot->f64 = value;
    return KILN_OK;
}

#endif
