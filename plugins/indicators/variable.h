/* SPDX-License-Identifier: MPL-2.0 */
/* variable - a moving average whose period is told for each bar.
 *
 * The value at a bar is that of the average of the bar's period, clipped to least .. most and cut to a whole number. All
 * averages have their first value at the lookback of the longest one; where an average depends on its beginning, it begins so much
 * before that bar as its own lookback says.
 *
 * Averages that depend on the window alone (sma, wma, trima) are summed for each bar by itself. The others have all to be kept
 * going, asked for or not: the work is that of most - least + 1 averages, at most VARIABLE_AVERAGES. */
#ifndef VARIABLE_H
#define VARIABLE_H

#include <stdbool.h>

#include "average.h"

enum { VARIABLE_AVERAGES = 1024 };

struct variable {
    enum average_kind kind;
    size_t least, most;
};

/* Whether there are too many averages to be kept going. */
bool variable_is_too_much(struct variable v);

struct average_needs variable_needs(struct variable v);

void variable_part(struct variable v, const double *x, const double *periods, struct part part, double *state,
                   double *scratch, double *out);

#endif
