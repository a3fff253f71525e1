/* SPDX-License-Identifier: MPL-2.0 */
/* overlap - indicators on the scale of the price: SMA, EMA, Bollinger bands. */
#include <stdbool.h>

#include "average.h"
#include "bands.h"
#include "indicator.h"
#include "indicators.h"
#include "moving.h"
#include "smooth.h"

/* ---- sma ------------------------------------------------------------------------------------- */

static const struct kiln_row sma_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "bars in the mean"),
};

static const struct kiln_row sma_results[] = {
    ROW_RESULT("sma", "price", "mean of the last `period` prices"),
};

static const struct kiln_golden sma_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[1,2,3,4,6],\"period\":3}",
     .result = "{\"sma\":[null,null,2,3,4.333333333333333]}",
     .rtol = 1e-14},
    {.title = "a spike leaves no trace",
     .args = "{\"close\":[100,1e17,100,102,101,103],\"period\":2}",
     .result = "{\"sma\":[null,50000000000000050,50000000000000050,101,101.5,102]}",
     .rtol = 1e-15},
    {.title = "a missing first bar",
     .args = "{\"close\":[null,7,8,9],\"period\":2}",
     .result = "{\"sma\":[null,null,7.5,8.5]}",
     .rtol = 1e-14},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"sma\":[null,null]}"},
    {.title = "a period too short",
     .args = "{\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int sma_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0] - 1;
    plan->history = moving_history(plan->period[0]);
    plan->scratch = moving_mean_scratch(plan->period[0]);
    return KILN_OK;
}

static void sma_advance(const struct plan *plan, struct feed *f)
{
    moving_mean_part(f->in[0], feed_part(f), plan->period[0], f->scratch, f->out[0]);
}

INDICATOR(
    sma, 1, "Simple moving average",
    "sma_i = (x_i + x_{i-1} + .. + x_{i-period+1}) / period, as TA-Lib's SMA; the first value is at bar "
    "period - 1.\n\n"
    "No bar is ever subtracted from a running sum: a spike leaves no trace after it has left the window, "
    "and the mean of "
    "equal prices is that price.\n\n" HELP_ALIGNED);

/* ---- ema ------------------------------------------------------------------------------------- */

static const struct kiln_row ema_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "the newest price weighs 2/(period + 1)"),
};

static const struct kiln_row ema_results[] = {
    ROW_RESULT("ema", "price", "exponential average of the prices"),
};

static const struct kiln_golden ema_goldens[] = {
    {.title = "a weight of one half",
     .args = "{\"close\":[2,4,6,8,12],\"period\":3}",
     .result = "{\"ema\":[null,null,4,6,9]}",
     .rtol = 1e-14},
    {.title = "a missing bar in the middle",
     .args = "{\"close\":[2,4,6,8,null,12],\"period\":3}",
     .result = "{\"ema\":[null,null,4,6,null,null]}",
     .rtol = 1e-14},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"ema\":[null,null]}"},
    {.title = "a period too long",
     .args = "{\"close\":[7,8],\"period\":100001}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int ema_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0] - 1;
    plan->state = SMOOTH_AVERAGE;
    return KILN_OK;
}

static void ema_advance(const struct plan *plan, struct feed *f)
{
    smooth_ema_part(f->in[0], feed_part(f), 0, plan->period[0], f->state, f->out[0]);
}

INDICATOR(ema, 1, "Exponential moving average",
          "ema_i = (1 - k) ema_{i-1} + k x_i with k = 2/(period + 1), as TA-Lib's EMA: the first value, at "
          "bar period - 1, "
          "is the mean of the first `period` prices.\n\n" HELP_ALIGNED);

/* ---- bbands ---------------------------------------------------------------------------------- */

enum { BBANDS_PERIOD, BBANDS_NBDEV_UP, BBANDS_NBDEV_DN, BBANDS_MATYPE }; /* behind the series */

static const struct kiln_row bbands_params[] = {
    ROW_CLOSE,
    [1 + BBANDS_PERIOD] = ROW_PERIOD("period", 2, "5", "bars in the mean and in the standard deviation"),
    [1 + BBANDS_NBDEV_UP] = {.name = "nbdev_up",
                             .kind = KILN_FLOAT,
                             .flags = KILN_FINITE,
                             .min = -3e37,
                             .max = 3e37,
                             .fallback = "2",
                             .help = "standard deviations from the middle to the upper band"},
    [1 + BBANDS_NBDEV_DN] = {.name = "nbdev_dn",
                             .kind = KILN_FLOAT,
                             .flags = KILN_FINITE,
                             .min = -3e37,
                             .max = 3e37,
                             .fallback = "2",
                             .help = "standard deviations from the middle to the lower band"},
    [1 + BBANDS_MATYPE] = {.name = "ma_type",
                           .kind = KILN_STRING,
                           .fallback = "\"sma\"",
                           .choices = AVERAGE_CHOICES,
                           .help = "average that makes the middle band"},
};

static const struct kiln_row bbands_results[] = {
    ROW_RESULT("upper_band", "price", "middle_band + nbdev_up x standard deviation"),
    ROW_RESULT("middle_band", "price", "moving average of the prices"),
    ROW_RESULT("lower_band", "price", "middle_band - nbdev_dn x standard deviation"),
};

static const struct kiln_golden bbands_goldens[] = {
    {.title = "1..5",
     .args = "{\"close\":[1,2,3,4,5]}",
     .result =
         "{\"upper_band\":[null,null,null,null,5.82842712474619],\"middle_band\":[null,null,null,null,3],"
         "\"lower_band\":[null,null,null,null,0.17157287525380990]}",
     .rtol = 1e-13},
    {.title = "a spike leaves no trace",
     .args = "{\"close\":[100,101,1e9,100,101,102,100],\"period\":3}",
     .result = "{\"upper_band\":[null,null,1276142347.163088,1276142347.163088,1276142347.163088,102."
               "63299316185545,"
               "102.63299316185545],"
               "\"lower_band\":[null,null,-609475546.4964213,-609475546.4964213,-609475546.4964213,99."
               "36700683814455,"
               "99.36700683814455]}",
     .rtol = 1e-13},
    {.title = "around an exponential average",
     .args = "{\"close\":[2,4,6,10],\"period\":3,\"nbdev_up\":1,\"nbdev_dn\":3,"
             "\"ma_type\":\"ema\"}",
     .result =
         "{\"upper_band\":[null,null,5.632993161855452,9.494438257849294],\"middle_band\":[null,null,4,7],"
         "\"lower_band\":[null,null,-0.8989794855663558,-0.48331477354788265]}",
     .rtol = 1e-13},
    {.title = "an average unknown here",
     .args = "{\"close\":[1,2,3],\"ma_type\":\"hull\"}",
     .result = "ma_type",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]},\"period\":20}"},
    {.args = "{\"close\":{\"$normal\":[10000,1]},\"period\":5}"},
};

static int bbands_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[BBANDS_PERIOD].i64;
    plan->factor[0] = args[BBANDS_NBDEV_UP].f64;
    plan->factor[1] = args[BBANDS_NBDEV_DN].f64;
    plan->period[1] = (size_t) average_kind_of(args[BBANDS_MATYPE].text);
    struct average_needs middle = average_needs((enum average_kind) plan->period[1], plan->period[0]);
    size_t history = moving_history(plan->period[0]), scratch = moving_moments_scratch(plan->period[0]);
    plan->lookback = middle.lookback > plan->period[0] - 1 ? middle.lookback : plan->period[0] - 1;
    plan->history = middle.history > history ? middle.history : history;
    plan->state = middle.state;
    plan->scratch = middle.scratch > scratch ? middle.scratch : scratch;
    plan->scratch_bars = middle.scratch_bars;
    return KILN_OK;
}

static void bbands_advance(const struct plan *plan, struct feed *f)
{
    struct part part = feed_part(f);
    enum average_kind kind = (enum average_kind) plan->period[1];
    bool own_middle = kind == AVERAGE_SMA;
    if (!own_middle) {
        average_part(kind, plan->period[0], f->in[0], part, f->state, f->scratch, f->out[1]);
    }
    bands_part(f->in[0], part_from(part, plan->lookback), plan->period[0], plan->factor[0], plan->factor[1],
               own_middle, f->scratch, f->out[0], f->out[1], f->out[2]);
}

INDICATOR(bbands, 1, "Bollinger bands",
          "The middle band is the moving average of the prices that ma_type names (see ma); the "
          "outer ones lie nbdev_up and nbdev_dn "
          "population standard deviations of the last `period` prices (around their mean) away from it, as "
          "in TA-Lib's BBANDS. The first values are at bar "
          "period - 1, or where the average has its first value if that is later (mama begins at bar 32 "
          "whatever the period).\n\n"
          "The variance is that of the window alone, to nearly full precision: unlike with running sums of "
          "squares, a spike leaves "
          "no trace after it has left the window, and there is no least variance (TA-Lib's running sums "
          "read one below "
          "1e-14 as 0). Deviations beyond about 1e153 overflow and give null.\n\n" HELP_ALIGNED);
