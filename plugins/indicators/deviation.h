/* SPDX-License-Identifier: MPL-2.0 */
/* deviation - the mean absolute deviation of a moving window from its own mean.
 *
 * Each window is summed by itself, from its oldest bar on, several windows at once in the lanes of vectors. Values and their mean are
 * taken as distances from the newest bar, so that the level of the series costs no digits. */
#ifndef DEVIATION_H
#define DEVIATION_H

#include "kernel.h"

/* Mean of |x_j - m| over the `period` bars j that end at i, m being the mean of these, for the bars of the part whose number is at
 * least period-1. Reads period-1 bars before the part. */
void deviation_part(const double *x, struct part part, size_t period, double *out);

#endif
