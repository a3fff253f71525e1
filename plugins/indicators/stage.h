/* SPDX-License-Identifier: MPL-2.0 */
/* stage - a moving average of a chosen type as one stage of an indicator: average.h with its sizes at hand, and for series that begin
 * later than the bars do. */
#ifndef STAGE_H
#define STAGE_H

#include <stddef.h>
#include <stdint.h>

#include <kiln/plugin.h>

#include "average.h"

/* The row of its type, and what help says of it. */
#define STAGE_ROW(id, says)                                                                                  \
    {                                                                                                        \
        .name = id, .kind = KILN_STRING, .fallback = "\"sma\"", .choices = AVERAGE_CHOICES, .help = says     \
    }
#define HELP_STAGE                                                                                           \
    "Averages are those of the functions of the same names, each with its own start; kama, mama and t3 "     \
    "with TA-Lib's "                                                                                         \
    "usual parameters. Period 1 is no average but the series itself.\n\n"

struct stage {
    enum average_kind kind;
    size_t period;
    size_t lookback, history, state, scratch, scratch_bars; /* as in average.h */
};

struct stage stage_of(enum average_kind kind, size_t period);

/* Doubles of scratch for so many bars at once. */
static inline size_t stage_scratch(const struct stage *stage, size_t bars)
{
    return stage->scratch + stage->scratch_bars * bars;
}

/* Averages a series that begins at bar number `first`, for `length` bars of which x[0] and out[0] are number `number`: writes those from
 * number first + lookback on. As much of the series' history as there is lies before x; before out lies room for as
 * much, which is not touched. Bars before `first` are passed over. */
void stage_average(const struct stage *stage, const double *x, uint64_t number, size_t length, uint64_t first,
                   double *state, double *scratch, double *out);

#endif
