/* SPDX-License-Identifier: MPL-2.0 */
#include "stage.h"

struct stage stage_of(enum average_kind kind, size_t period)
{
    struct average_needs needs = average_needs(kind, period);
    return (struct stage){
        .kind = kind,
        .period = period,
        .lookback = needs.lookback,
        .history = needs.history,
        .state = needs.state,
        .scratch = needs.scratch,
        .scratch_bars = needs.scratch_bars,
    };
}

void stage_average(const struct stage *stage, const double *x, uint64_t number, size_t length, uint64_t first,
                   double *state, double *scratch, double *out)
{
    size_t skip = number < first ? least((size_t) (first - number), length) : 0;
    if (skip == length) {
        return;
    }
    uint64_t place = number + skip - first; /* in the series */
    size_t before = place < stage->history ? (size_t) place : stage->history;
    struct part part = {.begin = before, .end = before + (length - skip), .origin = place - before};
    average_part(stage->kind, stage->period, x + skip - before, part, state, scratch, out + skip - before);
}
