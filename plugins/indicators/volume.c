/* SPDX-License-Identifier: MPL-2.0 */
/* volume - prices weighed with what was traded: OBV, VWAP. */
#include <math.h>

#include "indicator.h"
#include "indicators.h"
#include "moving.h"
#include "running.h"

/* ---- obv ------------------------------------------------------------------------------------- */

static const struct kiln_row obv_params[] = {ROW_CLOSE, ROW_VOLUME};

static const struct kiln_row obv_results[] = {
    ROW_RESULT("obv", NULL, "running sum of the volume, signed by the change of price"),
};

static const struct kiln_golden obv_goldens[] = {
    {.title = "up, down, level, up",
     .args = "{\"close\":[10,11,10.5,10.5,12],\"volume\":[5,3,2,9,4.5]}",
     .result = "{\"obv\":[5,8,6,6,10.5]}",
     .rtol = 1e-14},
    {.title = "a missing first bar",
     .args = "{\"close\":[10,11,12],\"volume\":[null,3,2]}",
     .result = "{\"obv\":[null,3,5]}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"close\":[10,11,12],\"volume\":[5,3]}",
     .result = "volume",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]},\"volume\":{\"$linspace\":[1,1000,10000]}}"},
};

static int obv_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    (void) args;
    plan->history = RUNNING_OBV_HISTORY;
    plan->state = RUNNING_OBV;
    return KILN_OK;
}

static void obv_advance(const struct plan *plan, struct feed *f)
{
    (void) plan;
    running_obv_part(f->in[0], f->in[1], feed_part(f), f->state, f->out[0]);
}

INDICATOR(obv, 2, "On-balance volume",
          "Starts at the first volume; adds the volume of a bar that closes higher than the one before, "
          "takes away that of one that closes lower, "
          "leaves out that of one that closes level. As TA-Lib's OBV.\n\n" HELP_ALIGNED);

/* ---- vwap ------------------------------------------------------------------------------------ */

static const struct kiln_row vwap_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_VOLUME_NOT_NEGATIVE,
    ROW_PERIOD("period", 0, "0", "bars in the mean; 0: all since the first"),
};

static const struct kiln_row vwap_results[] = {
    ROW_RESULT("vwap", "price", "mean of the typical price, weighed by volume"),
};

#define VWAP_BARS "\"high\":[12,15,18,9],\"low\":[6,9,12,6],\"close\":[9,12,15,6],\"volume\":[2,1,3,4]"

static const struct kiln_golden vwap_goldens[] = {
    {.title = "a session; prices 9, 12, 15, 7",
     .args = "{" VWAP_BARS "}",
     .result = "{\"vwap\":[9,10,12.5,10.3]}",
     .rtol = 1e-14},
    {.title = "the last two bars",
     .args = "{" VWAP_BARS ",\"period\":2}",
     .result = "{\"vwap\":[null,10,14.25,10.428571428571429]}",
     .rtol = 1e-14},
    {.title = "no volume yet",
     .args = "{\"high\":[12,15],\"low\":[6,9],\"close\":[9,12],\"volume\":[0,3]}",
     .result = "{\"vwap\":[null,12]}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"high\":[12,15],\"low\":[6,9],\"close\":[9,12],\"volume\":[1,2,3]}",
     .result = "volume",
     .status = KILN_INVALID},
    {.title = "negative volume",
     .args = "{\"high\":[12,15],\"low\":[6,9],\"close\":[9,12],\"volume\":[1,-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]},"
             "\"volume\":{\"$linspace\":[1,1000,10000]}}"},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]},"
             "\"volume\":{\"$linspace\":[1,1000,10000]},\"period\":20}"},
};

/* A session, or a moving window. */
static int vwap_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = (size_t) args[0].i64;
    plan->period[0] = period;
    if (period == 0) {
        plan->state = RUNNING_VWAP;
        return KILN_OK;
    }
    plan->lookback = period - 1;
    plan->history = moving_history(period);
    plan->scratch = 2 * period;
    return KILN_OK;
}

static void vwap_advance(const struct plan *plan, struct feed *f)
{
    const double *high = f->in[0], *low = f->in[1], *close = f->in[2], *volume = f->in[3];
    if (plan->period[0] == 0) {
        running_vwap_part(high, low, close, volume, feed_part(f), f->state, f->out[0]);
    } else {
        moving_vwap_part(high, low, close, volume, feed_part(f), plan->period[0], f->scratch, f->out[0]);
    }
}

INDICATOR(vwap, 4, "Volume-weighted average price",
          "sum(p v) / sum(v) with the typical price p = (high + low + close)/3. With period 0 the sums run "
          "from the first bar sent, so send one session at a "
          "time; with another period they cover the last `period` bars, and the first value is at bar "
          "period - 1. null where the volume "
          "in the sums is 0; negative volumes are refused. The usual definition; TA-Lib has "
          "none.\n\n" HELP_ALIGNED);
