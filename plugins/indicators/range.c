/* SPDX-License-Identifier: MPL-2.0 */
/* range - how wide the last bars range, and where the price stands in it: range_analysis. */
#include "analysis.h"

enum { HIGH, LOW, CLOSE, LAST };

static const struct kiln_row range_analysis_params[] = {
    [HIGH] = ROW_FINITE_HIGH,
    [LOW] = ROW_FINITE_LOW,
    [CLOSE] = ROW_FINITE_CLOSE,
    [LAST] = ROW_PERIOD("lookback", 1, "50", "last bars that are looked at"),
};

static const struct kiln_row range_analysis_results[] = {
    ROW_SCALAR("range_high", "price", "highest high"),
    ROW_SCALAR("range_low", "price", "lowest low"),
    ROW_SCALAR("range_position", "fraction", "where the last close lies: 0 range_low, 1 range_high"),
    ROW_SCALAR("range_strength", "fraction", "closes that keep a tenth of the range from its ends"),
};

static const struct kiln_golden range_analysis_goldens[] = {
    {.title = "0 .. 10; closes 0.5, 5 and 7.5",
     .args = "{\"high\":[8,10,9],\"low\":[0,3,2],\"close\":[0.5,5,7.5]}",
     .result = "{\"range_high\":10,\"range_low\":0,\"range_position\":0.75,\"range_strength\":0."
               "6666666666666666}",
     .rtol = 1e-14},
    {.title = "no range",
     .args = "{\"high\":[7,7],\"low\":[7,7],\"close\":[7,7]}",
     .result = "{\"range_position\":0.5,\"range_strength\":1}"},
    {.title = "a missing close",
     .args = "{\"high\":[7,7],\"low\":[7,7],\"close\":[7,null]}",
     .result = "close[1]",
     .status = KILN_INVALID},
};

static int range_analysis_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    size_t n = (size_t) args[HIGH].array.count, count = least((size_t) args[LAST].i64, n), inside = 0;
    const double *high = series_in(&args[HIGH]) + n - count, *low = series_in(&args[LOW]) + n - count;
    const double *close = series_in(&args[CLOSE]) + n - count;
    double top = high[0], bottom = low[0];
    for (size_t i = 1; i < count; i++) {
        top = high[i] > top ? high[i] : top;
        bottom = low[i] < bottom ? low[i] : bottom;
    }
    double range = top - bottom;
    for (size_t i = 0; i < count; i++) {
        inside += close[i] >= bottom + 0.1 * range && close[i] <= top - 0.1 * range;
    }
    give(&results[0], top);
    give(&results[1], bottom);
    give(&results[2], range == 0.0 ? 0.5 : (close[count - 1] - bottom) / range);
    give(&results[3], range == 0.0 ? 1.0 : (double) inside / (double) count);
    return KILN_OK;
}

ANALYSIS(range_analysis, "The range of the last bars, and where the price stands in it",
         "Over the last min(lookback, n) bars: range_high and range_low, R their difference, range_position "
         "= (last close - range_low)/R, and "
         "range_strength = the share of closes in range_low + 0.1 R .. range_high - 0.1 R. With R = 0 they "
         "are 0.5 and 1. Missing values are "
         "refused. Defined here.");
