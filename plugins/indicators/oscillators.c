/* SPDX-License-Identifier: MPL-2.0 */
/* oscillators - who presses harder, and how far the price is from its mean: BOP, IMI, MFI, ULTOSC, CCI. */
#include "channel.h"
#include "indicator.h"
#include "indicators.h"
#include "pressure.h"
#include "rates.h"

#define OHLC_NOISE                                                                                           \
    "\"open\":{\"$normal\":[10000,1]},\"high\":{\"$normal\":[10000,2]},\"low\":{\"$normal\":[10000,3]},"     \
    "\"close\":{\"$normal\":[10000,4]}"
#define HLC_NOISE                                                                                            \
    "\"high\":{\"$normal\":[10000,2]},\"low\":{\"$normal\":[10000,3]},\"close\":{\"$normal\":[10000,4]}"

/* ---- bop ------------------------------------------------------------------------------------- */

static const struct kiln_row bop_params[] = {ROW_OPEN, ROW_HIGH, ROW_LOW, ROW_CLOSE};
static const struct kiln_row bop_results[] = {
    ROW_RESULT("bop", "fraction", "1: from the low up to the high, -1: from the high down to the low"),
};
static const struct kiln_golden bop_goldens[] = {
    {.title = "up half the range, down a quarter, no range",
     .args = "{\"open\":[9,12,7],\"high\":[11,13,7],\"low\":[8,9,7],\"close\":[10.5,11,7]}",
     .result = "{\"bop\":[0.5,-0.25,0]}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"open\":[9,12],\"high\":[11,13,7],\"low\":[8,9],\"close\":[10,11]}",
     .result = "high",
     .status = KILN_INVALID},
    {.args = "{" OHLC_NOISE "}"},
};

static int bop_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    (void) args;
    (void) plan;
    return KILN_OK;
}

static void bop_advance(const struct plan *plan, struct feed *f)
{
    (void) plan;
    rates_balance(f->in[0], f->in[1], f->in[2], f->in[3], f->begin, f->end, f->out[0]);
}

INDICATOR(
    bop, 4, "Balance of power",
    "(close - open)/(high - low), and 0 where high - low is below 1e-14 (TA-Lib's BOP). Every bar has a "
    "value.\n\n" HELP_ALIGNED);

/* ---- imi ------------------------------------------------------------------------------------- */

static const struct kiln_row imi_params[] = {
    ROW_OPEN,
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "bars in the sums"),
};
static const struct kiln_row imi_results[] = {
    ROW_RESULT("imi", "percent", "0 all bars fell, 100 all rose"),
};
static const struct kiln_golden imi_goldens[] = {
    {.title = "bars +2, -1, +3",
     .args = "{\"open\":[10,12,11],\"close\":[12,11,14],\"period\":2}",
     .result = "{\"imi\":[null,66.66666666666667,75]}",
     .rtol = 1e-14},
    {.title = "nothing moves, then it does",
     .args = "{\"open\":[7,7,7],\"close\":[7,7,6.5],\"period\":2}",
     .result = "{\"imi\":[null,null,0]}"},
    {.title = "a period too small",
     .args = "{\"open\":[7,8],\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"open\":{\"$normal\":[10000,1]},\"close\":{\"$normal\":[10000,2]}}"},
};

static int imi_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = period - 1;
    plan->scratch = pressure_scratch(period, 1);
    return KILN_OK;
}

static void imi_advance(const struct plan *plan, struct feed *f)
{
    pressure_intraday(f->in[0], f->in[1], feed_part(f), plan->period[0], f->scratch, f->out[0]);
}

INDICATOR(
    imi, 2, "Intraday momentum index",
    "100 R/(R + F), where R is the sum of close - open over those of the last `period` bars that rose, and F "
    "the sum of open - close over those that fell. As TA-Lib's IMI: the first value is at bar period - 1, "
    "and there is none (null) where no bar of the window moved.\n\n" HELP_ALIGNED);

/* ---- mfi ------------------------------------------------------------------------------------- */

static const struct kiln_row mfi_params[] = {
    ROW_HIGH, ROW_LOW, ROW_CLOSE, ROW_VOLUME, ROW_PERIOD("period", 2, "14", "bars in the sums"),
};
static const struct kiln_row mfi_results[] = {
    ROW_RESULT("mfi", "percent", "0 all money flows out, 100 all flows in"),
};
static const struct kiln_golden mfi_goldens[] = {
    {.title = "prices 9, 12, 15, 7: flows 12 in, 45 in, 28 out",
     .args =
         "{\"high\":[12,15,18,9],\"low\":[6,9,12,6],\"close\":[9,12,15,6],\"volume\":[2,1,3,4],\"period\":"
         "2}",
     .result = "{\"mfi\":[null,null,100,61.64383561643836]}",
     .rtol = 1e-14},
    {.title = "hardly any flow",
     .args = "{\"high\":[1,2,3],\"low\":[1,2,3],\"close\":[1,2,3],\"volume\":[1,0.1,0.2],\"period\":2}",
     .result = "{\"mfi\":[null,null,0]}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[12,15],\"low\":[6,9],\"close\":[9,12],\"volume\":[1,2,3]}",
     .result = "volume",
     .status = KILN_INVALID},
    {.args = "{" HLC_NOISE ",\"volume\":{\"$linspace\":[1,1000,10000]}}"},
};

static int mfi_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = period;
    plan->scratch = pressure_scratch(period, 1);
    return KILN_OK;
}

static void mfi_advance(const struct plan *plan, struct feed *f)
{
    pressure_money(f->in[0], f->in[1], f->in[2], f->in[3], feed_part(f), plan->period[0], f->scratch,
                   f->out[0]);
}

INDICATOR(
    mfi, 4, "Money flow index",
    "100 P/(P + N). The flow of a bar is its typical price (high + low + close)/3 times its volume; P is the "
    "sum of the flows of those of the last `period` bars whose typical price rose, N that of those whose "
    "price fell. As TA-Lib's MFI: the first value is at bar `period`, and it is 0 where P + N is below 1. "
    "Sums are taken afresh, so that a spike leaves no trace.\n\n" HELP_ALIGNED);

/* ---- ultosc ---------------------------------------------------------------------------------- */

static const struct kiln_row ultosc_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period1", 1, "7", "bars of one window; the shortest of the three weighs 4"),
    ROW_PERIOD("period2", 1, "14", "bars of another; the middle one weighs 2"),
    ROW_PERIOD("period3", 1, "28", "bars of the last; the longest weighs 1"),
};
static const struct kiln_row ultosc_results[] = {
    ROW_RESULT("ultosc", "percent", "0 all bars close at their low, 100 at their high"),
};
static const struct kiln_golden ultosc_goldens[] = {
    {.title = "pressures 2, 3, 0 over ranges 3, 4, 4",
     .args = "{\"high\":[10,12,14,13],\"low\":[8,9,10,9],\"close\":[9,11,13,9],\"period1\":1,\"period2\":2,"
             "\"period3\":3}",
     .result = "{\"ultosc\":[null,null,null,17.207792207792206]}",
     .rtol = 1e-13},
    {.title = "in any order",
     .args = "{\"high\":[10,12,14,13],\"low\":[8,9,10,9],\"close\":[9,11,13,9],\"period1\":3,\"period2\":1,"
             "\"period3\":2}",
     .result = "{\"ultosc\":[null,null,null,17.207792207792206]}",
     .rtol = 1e-13},
    {.title = "no range",
     .args = "{\"high\":[7,7,7],\"low\":[7,7,7],\"close\":[7,7,7],\"period1\":1,\"period2\":1,\"period3\":2}",
     .result = "{\"ultosc\":[null,null,0]}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9]}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{" HLC_NOISE "}"},
};

static void sort_two(size_t *a, size_t *b)
{
    if (*b < *a) {
        size_t swap = *a;
        *a = *b;
        *b = swap;
    }
}

static int ultosc_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t *period = plan->period;
    for (size_t i = 0; i < PRESSURE_WINDOWS; i++) {
        period[i] = (size_t) args[i].i64;
    }
    sort_two(&period[0], &period[1]);
    sort_two(&period[1], &period[2]);
    sort_two(&period[0], &period[1]);
    plan->lookback = plan->history = period[2];
    plan->scratch = pressure_scratch(period[2], PRESSURE_WINDOWS);
    return KILN_OK;
}

static void ultosc_advance(const struct plan *plan, struct feed *f)
{
    pressure_ultimate(f->in[0], f->in[1], f->in[2], feed_part(f), plan->period, f->scratch, f->out[0]);
}

INDICATOR(
    ultosc, 3, "Ultimate oscillator",
    "100 (4 A + 2 B + C)/7, where A, B and C are, for the shortest, the middle and the longest of the three "
    "periods, the sum of close - min(low, previous close) over the sum of the true range; a zero sum (below "
    "1e-14) contributes 0. As TA-Lib's ULTOSC: the first value is at the bar of the longest "
    "period.\n\n" HELP_ALIGNED);

/* ---- cci ------------------------------------------------------------------------------------- */

static const struct kiln_row cci_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "bars in the mean and in the mean deviation"),
};
static const struct kiln_row cci_results[] = {
    ROW_RESULT("cci", NULL, "mean deviations from the mean, over 0.015"),
};
static const struct kiln_golden cci_goldens[] = {
    {.title = "prices 9, 12, 15, 7",
     .args = "{\"high\":[12,15,18,9],\"low\":[6,9,12,6],\"close\":[9,12,15,6],\"period\":3}",
     .result = "{\"cci\":[null,null,100,-100]}",
     .rtol = 1e-13},
    {.title = "a constant price is its mean",
     .args =
         "{\"high\":[0.1,0.1,0.1,0.1],\"low\":[0.1,0.1,0.1,0.1],\"close\":[0.1,0.1,0.1,0.1],\"period\":3}",
     .result = "{\"cci\":[null,null,0,0]}"},
    {.title = "a period too small",
     .args = "{\"high\":[7,8],\"low\":[7,8],\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{" HLC_NOISE "}"},
};

static int cci_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = period - 1;
    plan->scratch = channel_scratch(period);
    return KILN_OK;
}

static void cci_advance(const struct plan *plan, struct feed *f)
{
    channel_index(f->in[0], f->in[1], f->in[2], feed_index(f, plan->lookback), f->end, plan->period[0],
                  f->scratch, f->out[0]);
}

INDICATOR(
    cci, 3, "Commodity channel index",
    "(p - m)/(0.015 d), where p = (high + low + close)/3 is the typical price, m its mean over the last "
    "`period` bars, and d the mean of |p - m| over the same bars; 0 where p = m. As TA-Lib's CCI (Lambert "
    "1980): the first value is at bar period - 1. The mean of equal prices is exactly that price, so the "
    "index of a constant is 0. Takes time in proportion to `period`.\n\n" HELP_ALIGNED);
