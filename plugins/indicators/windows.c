/* SPDX-License-Identifier: MPL-2.0 */
/* windows - the sum and the extremes of the last bars, and where the extremes stand. */
#include "extremes.h"
#include "indicator.h"
#include "indicators.h"
#include "trend.h"

#define HELP_NUMBER                                                                                          \
    "Bars are counted from 0 at the first one that has no missing value before or in it; without "           \
    "missing bars that is the first bar sent, and in a stream the first bar of the stream. Of equal "        \
    "values the latest counts. "

static int window_plan(const struct kiln_slot *args, struct plan *plan)
{
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = plan->period[0] - 1;
    return KILN_OK;
}

/* Rows of a function of one series and a period. */
#define WINDOW_PARAMS(id)                                                                                    \
    static const struct kiln_row id##_params[] = {ROW_CLOSE,                                                 \
                                                  ROW_PERIOD("period", 2, "30", "bars in the window")}
#define GOLDEN_PERIOD_1                                                                                      \
    {                                                                                                        \
        .title = "a period too short", .args = "{\"close\":[7,8],\"period\":1}", .result = "period",         \
        .status = KILN_INVALID                                                                               \
    }
#define GOLDEN_WARM                                                                                          \
    {                                                                                                        \
        .args = "{\"close\":{\"$normal\":[10000,1]}}"                                                        \
    }

/* plan and advance of the values, or the places, of extremes; each `compute` is a statement. */
#define WINDOW(id, scratch_of, ...)                                                                          \
    static int id##_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)            \
    {                                                                                                        \
        (void) call;                                                                                         \
        plan->scratch = (scratch_of) * (size_t) args[0].i64;                                                 \
        return window_plan(args, plan);                                                                      \
    }                                                                                                        \
    static void id##_advance(const struct plan *plan, struct feed *f)                                        \
    {                                                                                                        \
        const double *x = f->in[0];                                                                          \
        size_t period = plan->period[0], begin = part_from(feed_part(f), plan->lookback).begin;              \
        __VA_ARGS__                                                                                          \
    }

/* ---- max, min -------------------------------------------------------------------------------- */

WINDOW_PARAMS(max);

static const struct kiln_row max_results[] = {
    ROW_RESULT("max", "price", "highest of the last `period` prices"),
};

static const struct kiln_golden max_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[1,5,2,3,4],\"period\":3}",
     .result = "{\"max\":[null,null,5,5,4]}"},
    {.title = "a missing first bar",
     .args = "{\"close\":[null,5,2,3,4],\"period\":3}",
     .result = "{\"max\":[null,null,null,5,4]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(max, 0, extremes_max(x, begin, f->end, period, f->out[0]);)

INDICATOR(max, 1, "Highest price of a window",
          "Highest of the last `period` prices, as TA-Lib's MAX; the first value is at bar period - 1. Takes "
          "the same time whatever the prices.\n\n" HELP_ALIGNED);

WINDOW_PARAMS(min);

static const struct kiln_row min_results[] = {
    ROW_RESULT("min", "price", "lowest of the last `period` prices"),
};

static const struct kiln_golden min_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[4,1,5,2,3],\"period\":3}",
     .result = "{\"min\":[null,null,1,1,2]}"},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"min\":[null,null]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(min, 0, extremes_min(x, begin, f->end, period, f->out[0]);)

INDICATOR(min, 1, "Lowest price of a window",
          "Lowest of the last `period` prices, as TA-Lib's MIN; the first value is at bar period - 1. Takes "
          "the same time whatever the prices.\n\n" HELP_ALIGNED);

/* ---- minmax ---------------------------------------------------------------------------------- */

WINDOW_PARAMS(minmax);

static const struct kiln_row minmax_results[] = {
    ROW_RESULT("min", "price", "lowest of the last `period` prices"),
    ROW_RESULT("max", "price", "highest of them"),
};

static const struct kiln_golden minmax_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[4,1,5,2,3],\"period\":3}",
     .result = "{\"min\":[null,null,1,1,2],\"max\":[null,null,5,5,5]}"},
    {.title = "a missing bar in the middle",
     .args = "{\"close\":[4,1,null,2,3],\"period\":2}",
     .result = "{\"min\":[null,1,null,null,null],\"max\":[null,4,null,null,null]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(minmax, 0, extremes_min(x, begin, f->end, period, f->out[0]);
       extremes_max(x, begin, f->end, period, f->out[1]);)

INDICATOR(minmax, 1, "Lowest and highest price of a window",
          "Lowest and highest of the last `period` prices, as TA-Lib's MINMAX; the first values are at bar "
          "period - 1.\n\n" HELP_ALIGNED);

/* ---- maxindex, minindex, minmaxindex --------------------------------------------------------- */

WINDOW_PARAMS(maxindex);

static const struct kiln_row maxindex_results[] = {
    ROW_RESULT("maxindex", "bars", "number of the bar with the highest of the last `period` prices"),
};

static const struct kiln_golden maxindex_goldens[] = {
    {.title = "of equal prices the latest",
     .args = "{\"close\":[1,5,5,3,4],\"period\":3}",
     .result = "{\"maxindex\":[null,null,2,2,2]}"},
    {.title = "a missing first bar is not counted",
     .args = "{\"close\":[null,5,2,3,4],\"period\":3}",
     .result = "{\"maxindex\":[null,null,null,0,3]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(maxindex, 1, extremes_max_at(x, begin, f->end, period, f->origin, f->scratch, f->out[0]);)

INDICATOR(maxindex, 1, "Bar of the highest price of a window",
          "Number of the bar that has the highest of the last `period` prices, as TA-Lib's MAXINDEX; the "
          "first value is at bar period - 1. " HELP_NUMBER "\n\n" HELP_ALIGNED);

WINDOW_PARAMS(minindex);

static const struct kiln_row minindex_results[] = {
    ROW_RESULT("minindex", "bars", "number of the bar with the lowest of the last `period` prices"),
};

static const struct kiln_golden minindex_goldens[] = {
    {.title = "of equal prices the latest",
     .args = "{\"close\":[4,1,1,2,3],\"period\":3}",
     .result = "{\"minindex\":[null,null,2,2,2]}"},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"minindex\":[null,null]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(minindex, 1, extremes_min_at(x, begin, f->end, period, f->origin, f->scratch, f->out[0]);)

INDICATOR(minindex, 1, "Bar of the lowest price of a window",
          "Number of the bar that has the lowest of the last `period` prices, as TA-Lib's MININDEX; the "
          "first value is at bar period - 1. " HELP_NUMBER "\n\n" HELP_ALIGNED);

WINDOW_PARAMS(minmaxindex);

static const struct kiln_row minmaxindex_results[] = {
    ROW_RESULT("minindex", "bars", "number of the bar with the lowest of the last `period` prices"),
    ROW_RESULT("maxindex", "bars", "number of the bar with the highest of them"),
};

static const struct kiln_golden minmaxindex_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[4,1,5,2,3],\"period\":3}",
     .result = "{\"minindex\":[null,null,1,1,3],\"maxindex\":[null,null,2,2,2]}"},
    {.title = "equal prices",
     .args = "{\"close\":[6,6,6],\"period\":2}",
     .result = "{\"minindex\":[null,1,2],\"maxindex\":[null,1,2]}"},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

WINDOW(minmaxindex, 1, extremes_min_at(x, begin, f->end, period, f->origin, f->scratch, f->out[0]);
       extremes_max_at(x, begin, f->end, period, f->origin, f->scratch, f->out[1]);)

INDICATOR(minmaxindex, 1, "Bars of the lowest and highest price of a window",
          "Numbers of the bars that have the lowest and the highest of the last `period` prices, as TA-Lib's "
          "MINMAXINDEX; the first values are at bar period - 1. " HELP_NUMBER "\n\n" HELP_ALIGNED);

/* ---- sum ------------------------------------------------------------------------------------- */

WINDOW_PARAMS(sum);

static const struct kiln_row sum_results[] = {
    ROW_RESULT("sum", "price", "sum of the last `period` prices"),
};

static const struct kiln_golden sum_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[1,5,2,3,4],\"period\":3}",
     .result = "{\"sum\":[null,null,8,10,9]}"},
    {.title = "a spike leaves no trace",
     .args = "{\"close\":[1,1e17,1,3,4],\"period\":2}",
     .result = "{\"sum\":[null,1e17,1e17,4,7]}",
     .rtol = 1e-15},
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

static int sum_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    window_plan(args, plan);
    plan->history = blocks_history(plan->period[0]);
    plan->scratch = blocks_scratch(1, plan->period[0]);
    return KILN_OK;
}

static void sum_advance(const struct plan *plan, struct feed *f)
{
    trend_sum_part(f->in[0], feed_part(f), plan->period[0], f->scratch, f->out[0]);
}

INDICATOR(sum, 1, "Sum of a window",
          "Sum of the last `period` prices, as TA-Lib's SUM; the first value is at bar period - 1. No bar is "
          "ever subtracted from a running sum, so a spike leaves no trace after it has left the "
          "window.\n\n" HELP_ALIGNED);
