/* SPDX-License-Identifier: MPL-2.0 */
/* volume - prices weighed with what was traded: OBV, VWAP. */
#include "indicators.h"
#include "moving.h"
#include "running.h"
#include "series.h"

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

static int obv_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    const double *series[] = {series_in(&args[0]), series_in(&args[1])};
    size_t n = (size_t) args[0].array.count;
    double *out = series_out(&results[0]);
    struct span span = series_span(n, KILN_COUNT(series), series);
    if (series_length(span) > 0) {
        running_obv(series[0] + span.begin, series[1] + span.begin, series_length(span), out + span.begin);
    }
    series_blank(out, n, span, 0);
    return KILN_OK;
}

const struct kiln_function indicators_obv = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "obv",
    .summary = "On-balance volume",
    .help = "Starts at the first volume; adds the volume of a bar that closes higher than the one before, "
            "takes away that of one that closes lower, "
            "leaves out that of one that closes level. As TA-Lib's OBV.\n\n" HELP_ALIGNED,
    FUNCTION_TABLES(obv),
    .run = obv_run,
};

/* ---- vwap ------------------------------------------------------------------------------------ */

enum { VWAP_HIGH, VWAP_LOW, VWAP_CLOSE, VWAP_VOLUME, VWAP_PERIOD };

static const struct kiln_row vwap_params[] = {
    [VWAP_HIGH] = ROW_HIGH,
    [VWAP_LOW] = ROW_LOW,
    [VWAP_CLOSE] = ROW_CLOSE,
    [VWAP_VOLUME] = ROW_SERIES("volume", NULL, "volume of each bar, not negative"),
    [VWAP_PERIOD] = ROW_PERIOD("period", 0, "0", "bars in the mean; 0: all since the first"),
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

static int vwap_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *series[] = {series_in(&args[VWAP_HIGH]), series_in(&args[VWAP_LOW]),
                              series_in(&args[VWAP_CLOSE]), series_in(&args[VWAP_VOLUME])};
    size_t n = (size_t) args[VWAP_CLOSE].array.count, period = (size_t) args[VWAP_PERIOD].i64;
    size_t lookback = period > 0 ? period - 1 : 0;
    double *out = series_out(&results[0]);

    size_t negative = series_first_negative(series[VWAP_VOLUME], n);
    if (negative < n) {
        return call->host->fail(call, KILN_INVALID, "volume", "volume[%zu] is %g, expected 0 or more",
                                negative, series[VWAP_VOLUME][negative]);
    }
    struct span span = series_span(n, KILN_COUNT(series), series);
    size_t length = series_length(span);
    for (size_t s = 0; s < KILN_COUNT(series); s++) {
        series[s] += span.begin;
    }
    if (length > lookback && period > 0) {
        double *scratch = call->host->alloc(call, 2 * period * sizeof(double));
        if (!scratch) {
            return call->host->fail(call, KILN_RESOURCE, NULL, "no memory for a window of %zu bars", period);
        }
        moving_vwap(series[VWAP_HIGH], series[VWAP_LOW], series[VWAP_CLOSE], series[VWAP_VOLUME], length,
                    period, scratch, out + span.begin);
    } else if (length > lookback) {
        running_vwap(series[VWAP_HIGH], series[VWAP_LOW], series[VWAP_CLOSE], series[VWAP_VOLUME], length,
                     out + span.begin);
    }
    series_blank(out, n, span, lookback);
    return KILN_OK;
}

const struct kiln_function indicators_vwap = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "vwap",
    .summary = "Volume-weighted average price",
    .help = "sum(p v) / sum(v) with the typical price p = (high + low + close)/3. With period 0 the sums run "
            "from the first bar sent, so send one session at a "
            "time; with another period they cover the last `period` bars, and the first value is at bar "
            "period - 1. null where the volume "
            "in the sums is 0; negative volumes are refused. The usual definition; TA-Lib has "
            "none.\n\n" HELP_ALIGNED,
    FUNCTION_TABLES(vwap),
    .run = vwap_run,
};
