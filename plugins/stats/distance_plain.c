/* SPDX-License-Identifier: MPL-2.0 */
#include "distance_plain.h"

#include <math.h>

void distance_plain_squares(const double *a, const double *tile, size_t k, double *out)
{
    for (size_t j = 0; j < DISTANCE_TILE; j++) {
        out[j] = 0;
        for (size_t l = 0; l < k; l++) {
            const double d = a[l] - tile[l * DISTANCE_TILE + j];
            out[j] += d * d;
        }
    }
}

void distance_plain_magnitudes(const double *a, const double *tile, size_t k, double *out)
{
    for (size_t j = 0; j < DISTANCE_TILE; j++) {
        out[j] = 0;
        for (size_t l = 0; l < k; l++) {
            out[j] += fabs(a[l] - tile[l * DISTANCE_TILE + j]);
        }
    }
}

void distance_plain_greatest(const double *a, const double *tile, size_t k, double *out)
{
    for (size_t j = 0; j < DISTANCE_TILE; j++) {
        out[j] = 0;
        for (size_t l = 0; l < k; l++) {
            out[j] = fmax(out[j], fabs(a[l] - tile[l * DISTANCE_TILE + j]));
        }
    }
}
