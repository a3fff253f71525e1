/* SPDX-License-Identifier: MPL-2.0 */
/* volatility - how far the price ranges: ATR. */
#include "indicators.h"
#include "series.h"
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

static int atr_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    const double *series[] = {series_in(&args[0]), series_in(&args[1]), series_in(&args[2])};
    size_t n = (size_t) args[0].array.count, period = (size_t) args[3].i64;
    double *out = series_out(&results[0]);
    struct span span = series_span(n, KILN_COUNT(series), series);
    if (series_length(span) > period) {
        smooth_atr(series[0] + span.begin, series[1] + span.begin, series[2] + span.begin,
                   series_length(span), period, out + span.begin);
    }
    series_blank(out, n, span, period);
    return KILN_OK;
}

const struct kiln_function indicators_atr = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "atr",
    .summary = "Average true range",
    .help = "The true range of a bar is the largest of high - low, |high - previous close| and |low - "
            "previous close|. Its average is Wilder's: the mean of the first "
            "`period` true ranges (bars 1 .. period), then (period - 1)/period of the average and 1/period "
            "of the new one. As TA-Lib's ATR: the first value is at "
            "bar `period`; period 1 gives the true range itself.\n\n" HELP_ALIGNED,
    FUNCTION_TABLES(atr),
    .run = atr_run,
};
