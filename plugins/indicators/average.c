/* SPDX-License-Identifier: MPL-2.0 */
#include "average.h"

#include <string.h>

#include "adaptive.h"
#include "chain.h"
#include "cycle.h"
#include "moving.h"
#include "smooth.h"
#include "trend.h"

_Static_assert(AVERAGE_MAMA_STATE == CYCLE_STATE + 3, "the cycle's state and that of cycle_mama()");

static const char *const names[] = {"sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "t3"};

enum average_kind average_kind_of(const char *name)
{
    size_t kind = AVERAGE_SMA;
    while (kind < AVERAGE_T3 && strcmp(name, names[kind]) != 0) {
        kind++;
    }
    return (enum average_kind) kind;
}

struct average_needs average_needs(enum average_kind kind, size_t period)
{
    struct average_needs needs = {.lookback = period - 1};
    if (period == 1) {
        return needs;
    }
    switch (kind) {
    case AVERAGE_SMA:
        needs.history = moving_history(period);
        needs.scratch = moving_mean_scratch(period);
        break;
    case AVERAGE_EMA:
        needs.state = SMOOTH_AVERAGE;
        break;
    case AVERAGE_WMA:
        needs.history = blocks_history(period);
        needs.scratch = blocks_scratch(TREND_SUMS, period);
        break;
    case AVERAGE_DEMA:
        needs.lookback = CHAIN_DEMA * (period - 1);
        needs.state = chain_state(CHAIN_DEMA);
        break;
    case AVERAGE_TEMA:
        needs.lookback = CHAIN_TEMA * (period - 1);
        needs.state = chain_state(CHAIN_TEMA);
        break;
    case AVERAGE_TRIMA:
        needs.history = trend_triangle_history(period);
        needs.scratch = trend_triangle_scratch(period);
        needs.scratch_bars = 1;
        break;
    case AVERAGE_KAMA:
        needs.lookback = period;
        needs.history = adaptive_history(period);
        needs.state = ADAPTIVE_STATE;
        needs.scratch = adaptive_scratch(period);
        break;
    case AVERAGE_MAMA:
        needs.lookback = CYCLE_SHORT_LOOKBACK;
        needs.history = CYCLE_HISTORY;
        needs.state = AVERAGE_MAMA_STATE;
        break;
    case AVERAGE_T3:
        needs.lookback = CHAIN_T3 * (period - 1);
        needs.state = chain_state(CHAIN_T3);
        break;
    }
    return needs;
}

void average_mama_part(const double *x, struct part part, double fast, double slow, double *state,
                       double *mama, double *fama)
{
    part = part_from(part, CYCLE_SOONEST);
    struct cycle cycle;
    for (size_t from = part.begin; from < part.end; from += KERNEL_CHUNK) {
        struct part here = {from, from + least(KERNEL_CHUNK, part.end - from), part.origin};
        cycle_measure(x, here, CYCLE_SOONEST, state, &cycle);
        cycle_mama(x, here, &cycle, fast, slow, state + CYCLE_STATE, mama, fama);
    }
}

void average_part(enum average_kind kind, size_t period, const double *x, struct part part, double *state,
                  double *scratch, double *out)
{
    if (period == 1) {
        memcpy(out + part.begin, x + part.begin, (part.end - part.begin) * sizeof(double));
        return;
    }
    struct trend weights;
    switch (kind) {
    case AVERAGE_SMA:
        moving_mean_part(x, part, period, scratch, out);
        break;
    case AVERAGE_EMA:
        smooth_ema_part(x, part, 0, period, state, out);
        break;
    case AVERAGE_WMA:
        weights = trend_weighted(period);
        trend_part(x, part, &weights, scratch, out);
        break;
    case AVERAGE_DEMA:
        chain_dema_part(x, part, period, state, out);
        break;
    case AVERAGE_TEMA:
        chain_tema_part(x, part, period, state, out);
        break;
    case AVERAGE_TRIMA:
        trend_triangle_part(x, part, period, scratch, out);
        break;
    case AVERAGE_KAMA:
        adaptive_kama_part(x, part, period, state, scratch, out);
        break;
    case AVERAGE_MAMA:
        average_mama_part(x, part, 0.5, 0.05, state, out, NULL);
        break;
    case AVERAGE_T3:
        chain_t3_part(x, part, period, 0.7, state, out);
        break;
    }
}
