/* SPDX-License-Identifier: MPL-2.0 */
/* moving - means and variances over a moving window of `period` bars, in time that does not depend on the period.
 *
 * No value is ever taken out of a sum again, so a spike leaves no trace once it has left the window, however large it was,
 * and nothing drifts along a long series. Two ways to that end, both exact for a constant series:
 *
 *   - short periods: every window is summed afresh, several windows at once in the lanes of a vector;
 *   - longer ones: the outputs are cut into blocks of `period`. All windows that end in a block contain the block's first
 *     bar, the anchor; each is a tail of the bars before the block plus a head of the block, and both are running sums of
 *     deviations from the anchor. Since the anchor lies in the window, (anchor - mean)^2 is at most period x variance: the
 *     variance loses at most the digits of `period`, whatever the level of the series.
 *
 * Blocks are aligned to bar number period-1. A part that begins inside a block computes that block's sums again, but
 * writes only its own bars; it reads as many bars before itself as moving_history() says.
 *
 * Each writes from bar number period-1 on; period >= 1. */
#ifndef MOVING_H
#define MOVING_H

#include <stddef.h>

#include "kernel.h"

/* Bars before the part that all of these read: the rest of its first window. */
static inline size_t moving_history(size_t period)
{
    return period - 1;
}

/* Doubles of scratch, aligned to 16 bytes: the sums of a deviation, and of its square, of four blocks abreast (blocks.h). */
enum { MOVING_SUMS = 2 };
static inline size_t moving_mean_scratch(size_t period)
{
    return 4 * period;
}
static inline size_t moving_moments_scratch(size_t period)
{
    return 4 * MOVING_SUMS * period;
}

/* Mean of the window. scratch: moving_mean_scratch() */
void moving_mean_part(const double *x, struct part part, size_t period, double *scratch, double *out_mean);

/* Mean and population variance of the window. scratch: moving_moments_scratch() */
void moving_moments_part(const double *x, struct part part, size_t period, double *scratch, double *out_mean,
                         double *out_variance);

/* Sum of price x volume over sum of volume, with price = (high + low + close)/3; NaN where the window has no volume.
 * scratch: room for 2 period doubles, aligned to 16 bytes. */
void moving_vwap_part(const double *high, const double *low, const double *close, const double *volume,
                      struct part part, size_t period, double *scratch, double *out);

/* ---- whole series of n bars -------------------------------------------------------------------- */

static inline void moving_mean(const double *x, size_t n, size_t period, double *scratch, double *out_mean)
{
    moving_mean_part(x, part_whole(n), period, scratch, out_mean);
}

static inline void moving_moments(const double *x, size_t n, size_t period, double *scratch, double *out_mean,
                                  double *out_variance)
{
    moving_moments_part(x, part_whole(n), period, scratch, out_mean, out_variance);
}

static inline void moving_vwap(const double *high, const double *low, const double *close,
                               const double *volume, size_t n, size_t period, double *scratch, double *out)
{
    moving_vwap_part(high, low, close, volume, part_whole(n), period, scratch, out);
}

#endif
