/* SPDX-License-Identifier: MPL-2.0 */
#include "bands.h"

#include <math.h>

#include "kernel.h"
#include "moving.h"

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

void bands(const double *x, size_t n, size_t period, double up, double down, bool own_middle, double *scratch,
           double *upper, double *middle, double *lower)
{
    /* Piece by piece, so that variances are still in the cache; whole periods, so that the blocks of moving.h fall as in one
     * go. */
    size_t lookback = period - 1, piece = (KERNEL_CHUNK + lookback) / period * period;
    for (size_t from = lookback; from < n; from += piece) {
        size_t length = least(piece, n - from), start = from - lookback;
        moving_moments(x + start, length + lookback, period, scratch, (own_middle ? middle : lower) + start,
                       upper + start);
        spread(upper + from, middle + from, lower + from, length, up, down);
    }
}
