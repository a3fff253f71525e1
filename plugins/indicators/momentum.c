/* SPDX-License-Identifier: MPL-2.0 */
/* momentum - how fast and which way the price moves: RSI, MACD. */
#include "indicator.h"
#include "indicators.h"
#include "smooth.h"

/* ---- rsi ------------------------------------------------------------------------------------- */

static const struct kiln_row rsi_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "changes in the first averages; later ones weigh 1/period"),
};

static const struct kiln_row rsi_results[] = {
    ROW_RESULT("rsi", "percent", "0 only losses, 100 only gains"),
};

static const struct kiln_golden rsi_goldens[] = {
    {.title = "two changes",
     .args = "{\"close\":[10,12,11,13],\"period\":2}",
     .result = "{\"rsi\":[null,null,66.66666666666667,85.71428571428571]}",
     .rtol = 1e-14},
    {.title = "only gains",
     .args = "{\"close\":[10,12,13,13.5],\"period\":2}",
     .result = "{\"rsi\":[null,null,100,100]}"},
    {.title = "nothing moves",
     .args = "{\"close\":[7,7,7,7],\"period\":2}",
     .result = "{\"rsi\":[null,null,0,0]}"},
    {.title = "a missing first bar",
     .args = "{\"close\":[null,10,12,11,13],\"period\":2}",
     .result = "{\"rsi\":[null,null,null,66.66666666666667,85.71428571428571]}",
     .rtol = 1e-14},
    {.title = "a period that is no whole number",
     .args = "{\"close\":[7,8],\"period\":2.5}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int rsi_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0];
    plan->history = SMOOTH_RSI_HISTORY;
    plan->state = SMOOTH_RSI;
    return KILN_OK;
}

static void rsi_advance(const struct plan *plan, struct feed *f)
{
    smooth_rsi_part(f->in[0], feed_part(f), plan->period[0], f->state, f->out[0]);
}

INDICATOR(rsi, 1, "Relative strength index",
          "100 G/(G + L), where G and L are Wilder's averages of the rises and of the falls of the price: "
          "first the mean of the "
          "first `period` changes, then (period - 1)/period of the average and 1/period of the new change. "
          "As TA-Lib's RSI: the first value is at bar "
          "`period`, and it is 0 where nothing moved (G + L below 1e-14).\n\n" HELP_ALIGNED);

/* ---- macd ------------------------------------------------------------------------------------ */

static const struct kiln_row macd_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("fast_period", 2, "12", "period of the fast exponential average"),
    ROW_PERIOD("slow_period", 2, "26", "period of the slow one; the two are swapped when it is the shorter"),
    ROW_PERIOD("signal_period", 1, "9", "period of the exponential average of the difference"),
};

static const struct kiln_row macd_results[] = {
    ROW_RESULT("macd", "price", "fast average - slow average"),
    ROW_RESULT("macd_signal", "price", "exponential average of macd"),
    ROW_RESULT("macd_hist", "price", "macd - macd_signal"),
};

static const struct kiln_golden macd_goldens[] = {
    {.title = "doubling",
     .args = "{\"close\":[1,2,4,8,16],\"fast_period\":2,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":[null,null,null,1.1666666666666667,2.1944444444444446],"
               "\"macd_signal\":[null,null,null,0.9166666666666666,1.7685185185185186],"
               "\"macd_hist\":[null,null,null,0.25,0.42592592592592593]}",
     .rtol = 1e-13},
    {.title = "swapped periods",
     .args = "{\"close\":[1,2,4,8,16],\"fast_period\":3,\"slow_period\":2,\"signal_period\":2}",
     .result = "{\"macd\":[null,null,null,1.1666666666666667,2.1944444444444446]}",
     .rtol = 1e-13},
    {.title = "a signal of one bar",
     .args = "{\"close\":[1,2,4,8],\"fast_period\":2,\"slow_period\":3,\"signal_period\":1}",
     .result = "{\"macd\":[null,null,0.6666666666666666,1.1666666666666667],\"macd_hist\":[null,null,0,0]}",
     .rtol = 1e-13},
    {.title = "one bar too few",
     .args = "{\"close\":[1,2,4],\"fast_period\":2,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":[null,null,null],\"macd_signal\":[null,null,null],\"macd_hist\":[null,null,null]}"},
    {.title = "a period out of range",
     .args = "{\"close\":[7,8],\"signal_period\":0}",
     .result = "signal_period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int macd_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t fast = (size_t) args[0].i64, slow = (size_t) args[1].i64, signal = (size_t) args[2].i64;
    plan->period[0] = fast < slow ? fast : slow;
    plan->period[1] = fast < slow ? slow : fast;
    plan->period[2] = signal;
    plan->lookback = plan->period[1] - 1 + signal - 1;
    plan->state = SMOOTH_MACD;
    return KILN_OK;
}

static void macd_advance(const struct plan *plan, struct feed *f)
{
    smooth_macd_part(f->in[0], feed_part(f), plan->period[0], plan->period[1], plan->period[2], f->state,
                     f->out[0], f->out[1], f->out[2]);
}

INDICATOR(macd, 1, "Moving average convergence and divergence",
          "macd = ema(fast_period) - ema(slow_period); macd_signal = ema(signal_period) of it; macd_hist "
          "is their difference. As TA-Lib's MACD: "
          "both averages start at bar slow_period - 1, the fast one from the mean of the fast_period "
          "prices that end there; the "
          "signal starts from the mean of the first signal_period differences; all three results start "
          "with the "
          "signal, at bar slow_period + signal_period - 2.\n\n" HELP_ALIGNED);
