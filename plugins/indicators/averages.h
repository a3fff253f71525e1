/* SPDX-License-Identifier: MPL-2.0 */
/* averages - what the families share whose indicators are one of the moving averages of average.h. */
#ifndef AVERAGES_H
#define AVERAGES_H

#include "average.h"
#include "indicator.h"

static inline void averages_need(struct average_needs needs, struct plan *plan)
{
    plan->lookback = needs.lookback;
    plan->history = needs.history;
    plan->state = needs.state;
    plan->scratch = needs.scratch;
    plan->scratch_bars = needs.scratch_bars;
}

static inline int averages_plan(enum average_kind kind, size_t period, struct plan *plan)
{
    averages_need(average_needs(kind, period), plan);
    plan->period[0] = period;
    plan->period[1] = (size_t) kind;
    return KILN_OK;
}

static inline void averages_advance(const struct plan *plan, struct feed *f)
{
    average_part((enum average_kind) plan->period[1], plan->period[0], f->in[0], feed_part(f), f->state,
                 f->scratch, f->out[0]);
}

#endif
