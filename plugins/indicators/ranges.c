/* SPDX-License-Identifier: MPL-2.0 */
/* ranges - how far the price ranges, bar by bar and beside the price itself: TRANGE, NATR. */
#include "indicator.h"
#include "indicators.h"
#include "rates.h"
#include "smooth.h"

#define HLC "\"high\":[10,12,11,15],\"low\":[8,9,7,10],\"close\":[9,11,9,14]"
#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":[10000,3]}"

#define GOLDEN_UNEQUAL                                                                                       \
    {                                                                                                        \
        .title = "unequal lengths", .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9]}",        \
        .result = "low", .status = KILN_INVALID                                                              \
    }

#define HELP_RANGE                                                                                           \
    "The true range of a bar is the largest of high - low, |high - previous close| and |low - "              \
    "previous close|"

/* ---- trange ---------------------------------------------------------------------------------- */

static const struct kiln_row trange_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE};
static const struct kiln_row trange_results[] = {ROW_RESULT("trange", "price", "true range")};
static const struct kiln_golden trange_goldens[] = {
    {.title = "ranges 3, 4 and 6", .args = "{" HLC "}", .result = "{\"trange\":[null,3,4,6]}"},
    {.title = "one bar",
     .args = "{\"high\":[10],\"low\":[8],\"close\":[9]}",
     .result = "{\"trange\":[null]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int trange_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    (void) args;
    plan->lookback = plan->history = 1;
    return KILN_OK;
}

static void trange_advance(const struct plan *plan, struct feed *f)
{
    smooth_true_range(f->in[0], f->in[1], f->in[2], feed_index(f, plan->lookback), f->end, f->out[0]);
}

INDICATOR(trange, 3, "True range",
          HELP_RANGE " (TA-Lib's TRANGE). The first value is at bar 1.\n\n" HELP_ALIGNED);

/* ---- natr ------------------------------------------------------------------------------------ */

static const struct kiln_row natr_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period", 1, "14", "true ranges in the first average; later ones weigh 1/period"),
};
static const struct kiln_row natr_results[] = {
    ROW_RESULT("natr", "percent", "average true range over the close"),
};
static const struct kiln_golden natr_goldens[] = {
    {.title = "averages 3.5 and 4.75",
     .args = "{" HLC ",\"period\":2}",
     .result = "{\"natr\":[null,null,38.888888888888886,33.92857142857143]}",
     .rtol = 1e-14},
    {.title = "period 1: the true range itself, as TA-Lib has it",
     .args = "{" HLC ",\"period\":1}",
     .result = "{\"natr\":[null,3,4,6]}",
     .rtol = 1e-14},
    {.title = "a close of 0",
     .args = "{\"high\":[1,2,3],\"low\":[0,1,-1],\"close\":[1,2,0],\"period\":2}",
     .result = "{\"natr\":[null,null,0]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int natr_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->lookback = plan->period[0] = (size_t) args[0].i64;
    plan->history = SMOOTH_ATR_HISTORY;
    plan->state = SMOOTH_ATR;
    return KILN_OK;
}

static void natr_advance(const struct plan *plan, struct feed *f)
{
    size_t period = plan->period[0], length;
    for (size_t i = f->begin; i < f->end; i += length) {
        length = least(KERNEL_CHUNK, f->end - i);
        struct part part = {.begin = i, .end = i + length, .origin = f->origin};
        smooth_atr_part(f->in[0], f->in[1], f->in[2], part, period, f->state, f->out[0]);
        size_t from = part_index(part, plan->lookback);
        if (period > 1) {
            rates_percent(f->in[2], from, i + length, f->out[0]);
        }
    }
}

INDICATOR(
    natr, 3, "Normalised average true range",
    "100 ATR/close, and 0 where the close is nothing (within 1e-14 of 0). " HELP_RANGE
    "; its average ATR is Wilder's: the mean of the first `period` true ranges (bars 1 .. period), then "
    "(period - 1)/period of the average and 1/period of the new one. As TA-Lib's NATR: the first value is at "
    "bar "
    "`period`; period 1 gives the true range itself, not divided by the close.\n\n" HELP_ALIGNED);
