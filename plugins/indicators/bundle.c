/* SPDX-License-Identifier: MPL-2.0 */
/* bundle - several indicators over the same bars in one job. */
#include "indicators.h"
#include "panel.h"

static const struct kiln_row bundle_params[] = {
    PANEL_ROWS,
    [PANEL_INDICATORS] = {.name = "indicators",
                          .kind = KILN_VALUE,
                          .flags = KILN_REQUIRED,
                          .help = "what to compute: a list like [{\"fn\": \"sma\", \"period\": 20}]"},
};

static const struct kiln_row bundle_results[] = {
    {.name = "values", .kind = KILN_VALUE, .help = "one map for each entry: fn, as, and its results by name"},
};

static const struct kiln_golden bundle_goldens[] = {
    {.title = "two averages and a volume",
     .args = "{\"close\":[1,2,3,4,6],\"volume\":[5,3,2,9,4.5],\"indicators\":[{\"fn\":\"sma\",\"period\":3},"
             "{\"fn\":\"ema\",\"period\":3,\"as\":\"quick\"},{\"fn\":\"obv\"}]}",
     .result = "{\"values\":[{\"fn\":\"sma\",\"as\":\"sma\",\"sma\":[null,null,2,3,4.333333333333333]},"
               "{\"fn\":\"ema\",\"as\":\"quick\",\"ema\":[null,null,2,3,4.5]},"
               "{\"fn\":\"obv\",\"as\":\"obv\",\"obv\":[5,8,10,19,23.5]}]}",
     .rtol = 1e-14},
    {.title = "the mean of another series",
     .args = "{\"volume\":[5,3,2],\"indicators\":{\"fn\":\"sma\",\"period\":2,\"close\":\"volume\"}}",
     .result = "{\"values\":[{\"fn\":\"sma\",\"as\":\"sma\",\"sma\":[null,4,2.5]}]}",
     .rtol = 1e-14},
    {.title = "a gap ends only what takes that series",
     .args = "{\"close\":[10,11,12],\"volume\":[5,null,2],\"indicators\":[{\"fn\":\"obv\"},"
             "{\"fn\":\"sma\",\"period\":2}]}",
     .result = "{\"values\":[{\"obv\":[5,null,null]},{\"sma\":[null,10.5,11.5]}]}",
     .rtol = 1e-14},
    {.title = "a bad entry is named",
     .args = "{\"close\":[1,2],\"indicators\":[{\"fn\":\"sma\"},{\"fn\":\"ema\",\"period\":1}]}",
     .result = "indicators[1].period is 1, expected 2..100000",
     .status = KILN_INVALID},
    {.title = "a series that is not there",
     .args = "{\"close\":[1,2],\"indicators\":[{\"fn\":\"obv\"}]}",
     .result = "volume is missing, indicators[0] (obv) takes it",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]},\"indicators\":[{\"fn\":\"sma\"},{\"fn\":\"ema\"},"
             "{\"fn\":\"bbands\"},{\"fn\":\"rsi\"}]}"},
};

static int bundle_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct panel p = {.call = call};
    int status = panel_series(&p, args);
    if (status == KILN_OK) {
        status = panel_parse(&p, "indicators", args[PANEL_INDICATORS].value);
    }
    if (status == KILN_OK) {
        status = panel_start(&p, "indicators");
    }
    if (status == KILN_OK) {
        status = panel_advance(&p);
    }
    return status == KILN_OK ? panel_values(&p, &results[0]) : status;
}

const struct kiln_function indicators_bundle = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "bundle",
    .summary = "Several indicators over the same bars in one job",
    .help = PANEL_HELP
    "\n\nEach result equals that of the function itself to the last bit. The series are decoded and looked "
    "through for missing bars once; an entry that is there twice is computed once. One bad entry fails the "
    "job, and is named in the error: indicators[3].period.",
    FUNCTION_TABLES(bundle),
    .run = bundle_run,
};
