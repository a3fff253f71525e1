/* SPDX-License-Identifier: MPL-2.0 */
/* volatility - how far the price ranges: ATR. */
#include "indicator.h"
#include "indicators.h"
#include "smooth.h"

static const struct kiln_row atr_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period", 1, "14", "true ranges in the first average; later ones weigh 1/period"),
};

static const struct kiln_row atr_results[] = {
    ROW_RESULT("atr", "price", "Wilder's average of the true range"),
};

static const struct kiln_golden atr_goldens[] = {
    {.title = "ranges 3, 4 and 6",
     .args = "{\"high\":[10,12,11,15],\"low\":[8,9,7,10],\"close\":[9,11,9,14],\"period\":2}",
     .result = "{\"atr\":[null,null,3.5,4.75]}",
     .rtol = 1e-14},
    {.title = "period 1: the true range itself",
     .args = "{\"high\":[10,12,11,15],\"low\":[8,9,7,10],\"close\":[9,11,9,14],\"period\":1}",
     .result = "{\"atr\":[null,3,4,6]}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9],\"period\":2}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]}}"},
};

static int atr_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0];
    plan->history = SMOOTH_ATR_HISTORY;
    plan->state = SMOOTH_ATR;
    return KILN_OK;
}

static void atr_advance(const struct plan *plan, struct feed *f)
{
    smooth_atr_part(f->in[0], f->in[1], f->in[2], feed_part(f), plan->period[0], f->state, f->out[0]);
}

INDICATOR(atr, 3, "Average true range",
          "The true range of a bar is the largest of high - low, |high - previous close| and |low - "
          "previous close|. Its average is Wilder's: the mean of the first "
          "`period` true ranges (bars 1 .. period), then (period - 1)/period of the average and 1/period "
          "of the new one. As TA-Lib's ATR: the first value is at "
          "bar `period`; period 1 gives the true range itself.\n\n" HELP_ALIGNED);
