/* SPDX-License-Identifier: MPL-2.0 */
#include "stage.h"

#include <string.h>

#include "moving.h"
#include "smooth.h"

enum { SMA, EMA };

size_t stage_type(const char *name)
{
    return strcmp(name, "ema") == 0 ? EMA : SMA;
}

struct stage stage_of(size_t type, size_t period)
{
    return (struct stage){
        .type = type,
        .period = period,
        .lookback = period - 1,
        .history = type == SMA ? moving_history(period) : 0,
        .state = type == EMA ? SMOOTH_AVERAGE : 0,
    };
}

void stage_part(const struct stage *stage, const double *x, struct part part, double *state, double *scratch,
                double *out)
{
    (void) scratch;
    if (stage->type == SMA) {
        moving_mean_part(x, part, stage->period, out);
    } else {
        smooth_ema_part(x, part, 0, stage->period, state, out);
    }
}

void stage_from(const struct stage *stage, const double *x, uint64_t number, size_t length, uint64_t first,
                double *state, double *scratch, double *out)
{
    size_t skip = number < first ? least((size_t) (first - number), length) : 0;
    if (skip == length) {
        return;
    }
    uint64_t place = number + skip - first; /* in the series */
    size_t before = place < stage->history ? (size_t) place : stage->history;
    struct part part = {.begin = before, .end = before + (length - skip), .origin = place - before};
    stage_part(stage, x + skip - before, part, state, scratch, out + skip - before);
}
