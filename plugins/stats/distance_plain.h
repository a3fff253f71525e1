/* SPDX-License-Identifier: MPL-2.0 */
/* distance_plain - what the vector kernels of distances are compared with. */
#ifndef DISTANCE_PLAIN_H
#define DISTANCE_PLAIN_H

#include "distance_kernels.h"

distance_kernel distance_plain_squares, distance_plain_magnitudes, distance_plain_greatest;

#define DISTANCE_PLAIN_KERNELS                                                                               \
    {                                                                                                        \
        .squares = distance_plain_squares, .magnitudes = distance_plain_magnitudes,                          \
        .greatest = distance_plain_greatest                                                                  \
    }

#endif
