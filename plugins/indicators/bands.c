/* SPDX-License-Identifier: MPL-2.0 */
#include "bands.h"

#include <math.h>

#include "kernel.h"
#include "moving.h"

enum { PIECE = 512 }; /* bars, about: whole rows of blocks abreast */

/* upper holds the variance. */
KERNEL static void spread(double *restrict upper, const double *restrict middle, double *restrict lower,
                          size_t n, double up, double down)
{
    for (size_t i = 0; i < n; i++) {
        double deviation = sqrt(upper[i]);
        upper[i] = middle[i] + up * deviation;
        lower[i] = middle[i] - down * deviation;
    }
}

void bands_part(const double *x, struct part part, size_t period, double up, double down, bool own_middle,
                double *scratch, double *upper, double *middle, double *lower)
{
    /* Piece by piece, so that variances are still in the cache; pieces end where blocks of moving.h do, so that none is computed
     * twice. */
    size_t lookback = period - 1, piece = (PIECE + 4 * period - 1) / (4 * period) * (4 * period);
    part = part_from(part, lookback);
    if (part.begin == part.end) {
        return;
    }
    size_t length = piece - part_place(part, lookback, period);
    for (size_t from = part.begin; from < part.end; from += length, length = piece) {
        size_t n = least(length, part.end - from);
        moving_moments_part(x, (struct part){from, from + n, part.origin}, period, scratch,
                            own_middle ? middle : lower, upper);
        spread(upper + from, middle + from, lower + from, n, up, down);
    }
}
