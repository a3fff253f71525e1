/* SPDX-License-Identifier: MPL-2.0 */
/* reach - where the extremes of the last bars stand and how long ago they were: WILLR, AROON, AROONOSC. */
#include "indicator.h"
#include "indicators.h"
#include "standing.h"

#define HLC HL ",\"close\":[9,11,10,13,12]"
#define HL  "\"high\":[10,12,11,14,13],\"low\":[8,9,9,10,11]"
#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":[10000,3]}"
#define FLAT "\"high\":[7,7,7,7],\"low\":[7,7,7,7],\"close\":[7,7,7,7]"

#define GOLDEN_UNEQUAL                                                                                       \
    {                                                                                                        \
        .title = "unequal lengths", .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9]}",        \
        .result = "low", .status = KILN_INVALID                                                              \
    }

/* ---- willr ----------------------------------------------------------------------------------- */

static const struct kiln_row willr_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "bars in the window"),
};
static const struct kiln_row willr_results[] = {
    ROW_RESULT("willr", "percent", "0 at the highest high, -100 at the lowest low"),
};
static const struct kiln_golden willr_goldens[] = {
    {.title = "ranges 8..12, 9..12, 9..14, 10..14",
     .args = "{" HLC ",\"period\":2}",
     .result = "{\"willr\":[null,-25,-66.66666666666667,-20,-50]}",
     .rtol = 1e-14},
    {.title = "no range", .args = "{" FLAT ",\"period\":2}", .result = "{\"willr\":[null,0,0,0]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int willr_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = period - 1;
    plan->scratch = standing_scratch(period);
    return KILN_OK;
}

static void willr_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    standing_willr(f->in[0], f->in[1], f->in[2], from, f->end, plan->period[0], f->scratch, f->out[0] + from);
}

INDICATOR(willr, 3, "Williams' %R",
          "-100 (H - close)/(H - L), where H is the highest high and L the lowest low of the last `period` "
          "bars, and "
          "0 where H = L. As TA-Lib's WILLR: the first value is at bar period - 1.\n\n" HELP_ALIGNED);

/* ---- aroon, aroonosc --------------------------------------------------------------------------- */

static const struct kiln_row aroon_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_PERIOD("period", 2, "14", "bars back to the oldest of the window, which has one more"),
};
static const struct kiln_row aroon_results[] = {
    ROW_RESULT("aroon_down", "percent", "100: the lowest low is now, 0: it is `period` bars ago"),
    ROW_RESULT("aroon_up", "percent", "100: the highest high is now, 0: it is `period` bars ago"),
};
static const struct kiln_golden aroon_goldens[] = {
    {.title = "highs 12, 14, 14; lows 8, 9, 9, the latter twice",
     .args = "{" HL ",\"period\":2}",
     .result = "{\"aroon_down\":[null,null,0,50,0],\"aroon_up\":[null,null,50,100,50]}",
     .rtol = 1e-14},
    {.title = "the latest counts",
     .args = "{\"high\":[7,7,7,7],\"low\":[7,7,7,7],\"period\":3}",
     .result = "{\"aroon_down\":[null,null,null,100],\"aroon_up\":[null,null,null,100]}"},
    {.title = "a period too small",
     .args = "{\"high\":[7,8],\"low\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]}}"},
};

static int aroon_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = period;
    plan->scratch = standing_scratch(period + 1);
    return KILN_OK;
}

static void aroon_advance(const struct plan *plan, struct feed *f)
{
    standing_aroon(f->in[0], f->in[1], feed_index(f, plan->lookback), f->end, plan->period[0], f->scratch,
                   f->out[0], f->out[1]);
}

#define HELP_AROON "over the last period + 1 bars, the latest bar counting on ties"

INDICATOR(aroon, 2, "Aroon: how long ago the extremes were",
          "aroon_up = 100 (period - bars since the highest high)/period and aroon_down = 100 (period - bars "
          "since the "
          "lowest low)/period, " HELP_AROON
          ". As TA-Lib's AROON: the first values are at bar `period`.\n\n" HELP_ALIGNED);

static const struct kiln_row aroonosc_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_PERIOD("period", 2, "14", "bars back to the oldest of the window, which has one more"),
};
static const struct kiln_row aroonosc_results[] = {
    ROW_RESULT("aroonosc", "percent", "above 0: the highest high is later than the lowest low"),
};
static const struct kiln_golden aroonosc_goldens[] = {
    {.title = "up 50, 100, 50 less down 0, 50, 0",
     .args = "{" HL ",\"period\":2}",
     .result = "{\"aroonosc\":[null,null,50,50,50]}",
     .rtol = 1e-14},
    {.title = "a period too small",
     .args = "{\"high\":[7,8],\"low\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]}}"},
};

#define aroonosc_plan aroon_plan

static void aroonosc_advance(const struct plan *plan, struct feed *f)
{
    standing_aroon_oscillator(f->in[0], f->in[1], feed_index(f, plan->lookback), f->end, plan->period[0],
                              f->scratch, f->out[0]);
}

INDICATOR(aroonosc, 2, "Aroon oscillator",
          "aroon_up - aroon_down: 100 (bars from the lowest low to the highest high)/period, " HELP_AROON
          ". As TA-Lib's AROONOSC: the first value is at bar `period`.\n\n" HELP_ALIGNED);
