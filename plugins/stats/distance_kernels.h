/* SPDX-License-Identifier: MPL-2.0 */
/* distance_kernels - distances of one point from a tile of others, part of each set of kernels (kernels.h).
 *
 * A tile holds DISTANCE_TILE points by columns: value l of point j at tile[l * DISTANCE_TILE + j]. No NaN. */
#ifndef DISTANCE_KERNELS_H
#define DISTANCE_KERNELS_H

#include <stddef.h>

#define DISTANCE_TILE 32

typedef void distance_kernel(const double *a, const double *tile, size_t k, double *out);

struct distance_kernels {
    distance_kernel *squares;    /* sum of squared differences */
    distance_kernel *magnitudes; /* sum of |differences| */
    distance_kernel *greatest;   /* greatest |difference| */
};

#endif
