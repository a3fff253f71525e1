/* SPDX-License-Identifier: MPL-2.0 */
/* axis - the levels of a sensitivity as a caller asks for them: a list, or two ends and a number of steps.
 *
 * Five rows that follow each other: the map, levels, from, to, steps. */
#ifndef STAKING_AXIS_H
#define STAKING_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#include "grid.h"

struct kiln_call;
struct kiln_slot;

/* Points that one job computes at most: four columns of them are 128 MB. */
#define AXIS_POINTS_MAX 4000000

/* True when the caller said anything about the axis. */
bool axis_given(const struct kiln_slot *rows);

/* Borrows the list from the arguments, or makes the levels: from + i (to - from) / steps, the last exactly
 * `to`. Fails the call, naming the member of `name` at fault. */
int axis_read(struct kiln_call *call, const char *name, const struct kiln_slot *rows, double baseline,
              struct grid_axis *ret_axis);

#endif
