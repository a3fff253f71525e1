/* SPDX-License-Identifier: MPL-2.0 */
/* grid - the closed form over many pairs of levels at once.
 *
 *     grid_line()    both assets at one level, for a list of levels
 *     grid_plane()   every pair of two axes, of any lengths
 *
 * Results are columns, borrowed from the caller. grid_reference() fills the same columns of the plane one
 * point at a time from point_reference(), for tests. Equal inputs give equal bits on every machine: the
 * vector versions differ in width, never in the order of a sum, and nothing is fused. */
#ifndef STAKING_GRID_H
#define STAKING_GRID_H

#include <stddef.h>

#include "point.h"

struct grid_axis {
    size_t count; /* at least 1 */
    const double *level;
};

struct grid_columns {
    double *tracking_error;
    double *benefit;
    double *shortfall;
    double *net_bps;
};

struct kiln_call;

/* Both return KILN_OK, or KILN_CANCELLED (asked for only when the work is more than some milliseconds);
 * *ret_best is the index of the largest net_bps, the first of equals. The line has at least one level. */
int grid_line(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets, size_t count,
              const double *level, const struct grid_columns *columns, size_t *ret_best);

/* SOL outer, ETH inner: the index of a point is sol * axis[ETH].count + eth. */
int grid_plane(struct kiln_call *call, const struct terms *terms, const struct buckets *buckets,
               const struct grid_axis axis[HELD], const struct grid_columns *columns, size_t *ret_best);

size_t grid_reference(const struct model *model, const struct buckets *buckets,
                      const struct grid_axis axis[HELD], const struct grid_columns *columns);

#endif
