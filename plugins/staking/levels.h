/* SPDX-License-Identifier: MPL-2.0 */
/* levels - the staking levels at which the sensitivities are evaluated.
 *
 * Clients compare them as numbers, so each is the double that the published expression gives, rounding included
 * (0.7999999999999999 is one of them). The expressions in levels.c must not be contracted into fused multiply-adds. */
#ifndef STAKING_LEVELS_H
#define STAKING_LEVELS_H

#include <stdbool.h>
#include <stddef.h>

#define LEVELS_LINE_MAX 128 /* more than any line has: 101 */
#define LEVELS_AXIS     31

/* The line, both assets at one level, from m, the lower baseline.
 *
 * Compatible: steps of 0.05 up to 0.85, then 0.88 to 0.98 by 0.01; from a baseline above 0.85, steps of 0.01 up to 0.98.
 * It has holes (0.86, 0.87, 0.99, 1) and is empty for baselines well above 0.98.
 * Exact: steps of 0.01 up to 1, which is always the last. Never empty.
 *
 * Returns how many of line[LEVELS_LINE_MAX] were filled. */
size_t levels_line(double m, bool exact, double *line);

/* One axis of the grid: from the asset's baseline to exactly 1 in 30 equal steps; axis[LEVELS_AXIS]. */
void levels_axis(double baseline, double *axis);

#endif
