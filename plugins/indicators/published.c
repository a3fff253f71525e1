/* SPDX-License-Identifier: MPL-2.0 */
/* published - RSI and MACD as the Virtuoso project has them, which is not quite as TA-Lib has them: rsi_published, macd_published,
 * rsi_summary, macd_summary. */
#include "indicator.h"
#include "rolling.h"

#define ROW_VARIANT                                                                                          \
    {                                                                                                        \
        .name = "variant", .kind = KILN_STRING, .choices = "wilder|simple", .fallback = "\"wilder\"",        \
        .help = "wilder: averages that run on; simple: means of the last `period` changes"                   \
    }

enum { CLOSE, PERIOD, VARIANT };

/* ---- rsi_published, rsi_summary -------------------------------------------------------------- */

static const struct kiln_row rsi_published_params[] = {
    [CLOSE] = ROW_FINITE_CLOSE,
    [PERIOD] = ROW_PERIOD("period", 1, "14", "changes in an average"),
    [VARIANT] = ROW_VARIANT,
};

static const struct kiln_row rsi_published_results[] = {
    ROW_RESULT("rsi", "percent", "0 only losses, 100 no losses; 0 for the first `period` bars"),
};

static const struct kiln_golden rsi_published_goldens[] = {
    {.title = "gains 2 0 2, losses 0 1 0",
     .args = "{\"close\":[10,12,11,13],\"period\":2}",
     .result = "{\"rsi\":[0,0,66.66666666666667,85.71428571428571]}",
     .rtol = 1e-14},
    {.title = "simple means",
     .args = "{\"close\":[10,12,11,13],\"period\":2,\"variant\":\"simple\"}",
     .result = "{\"rsi\":[0,0,66.66666666666667,66.66666666666667]}",
     .rtol = 1e-14},
    {.title = "nothing moves", .args = "{\"close\":[7,7,7],\"period\":2}", .result = "{\"rsi\":[0,0,100]}"},
    {.title = "too few bars", .args = "{\"close\":[7,8],\"period\":2}", .result = "{\"rsi\":[50,50]}"},
    {.title = "a period of 0",
     .args = "{\"close\":[7,8],\"period\":0}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[5000,1]}}"},
    {.args = "{\"close\":{\"$normal\":[5000,1]},\"variant\":\"simple\"}"},
};

static inline double rsi_of(double gain, double loss)
{
    return loss == 0.0 ? 100.0 : 100.0 - 100.0 / (1.0 + gain / loss);
}

static void rsi_wilder(const double *close, size_t n, size_t period, double *out)
{
    double gain = 0.0, loss = 0.0, keep = (double) (period - 1), all = (double) period;
    for (size_t i = 1; i <= period; i++) {
        double d = close[i] - close[i - 1];
        gain += d > 0.0 ? d : 0.0;
        loss -= d < 0.0 ? d : 0.0;
    }
    gain /= all;
    loss /= all;
    out[period] = rsi_of(gain, loss);
    for (size_t i = period + 1; i < n; i++) {
        double d = close[i] - close[i - 1];
        gain = (gain * keep + (d > 0.0 ? d : 0.0)) / all;
        loss = (loss * keep - (d < 0.0 ? d : 0.0)) / all;
        out[i] = rsi_of(gain, loss);
    }
}

static int rsi_simple(struct kiln_call *call, const double *close, size_t n, size_t period, double *out)
{
    double *room = analysis_room(call, 2 * n), *scratch = analysis_room(call, rolling_scratch(period));
    if (!room || !scratch) {
        return KILN_RESOURCE;
    }
    double *change = room, *losses = room + n;
    change[0] = 0.0;
    for (size_t i = 1; i < n; i++) {
        change[i] = close[i] < close[i - 1] ? close[i - 1] - close[i] : 0.0;
    }
    rolling_sums(change, n, period, scratch, losses);
    for (size_t i = 1; i < n; i++) {
        change[i] = close[i] > close[i - 1] ? close[i] - close[i - 1] : 0.0;
    }
    rolling_sums(change, n, period, scratch, out);
    for (size_t i = period; i < n; i++) {
        out[i] = rsi_of(out[i], losses[i]);
    }
    return KILN_OK;
}

static int rsi_fill(struct kiln_call *call, const struct kiln_slot *args, double *out)
{
    size_t n = (size_t) args[CLOSE].array.count, period = (size_t) args[PERIOD].i64;
    const double *close = series_in(&args[CLOSE]);
    int status = KILN_OK;
    bool enough = n > period;
    if (enough && args[VARIANT].text[0] == 's') {
        status = rsi_simple(call, close, n, period, out);
    } else if (enough) {
        rsi_wilder(close, n, period, out);
    }
    for (size_t i = 0; i < least(period, n); i++) {
        out[i] = enough ? 0.0 : 50.0;
    }
    return status;
}

static int rsi_published_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return rsi_fill(call, args, series_out(&results[0]));
}

#define HELP_RSI                                                                                             \
    "100 - 100/(1 + G/L), where G and L are averages of the gains and of the losses of the close: with the " \
    "variant wilder the mean of the first `period` changes, then (average (period - 1) + change)/period; "   \
    "with simple the mean of the last `period` changes. 100 where L = 0; "

ANALYSIS(rsi_published, "Relative strength index, as published: with zeros at the start",
         HELP_RSI "0 for the first `period` bars; 50 everywhere when there are fewer than period + 1 bars. "
                  "Unlike rsi (TA-Lib), which has no values there and is 0 where nothing moves. Missing "
                  "values are refused. "
                  "Source: the indicator tests of the Virtuoso project.");

#define rsi_summary_params rsi_published_params

static const struct kiln_row rsi_summary_results[] = {
    ROW_SCALAR("rsi", "percent", "of the last bar; 50 with too few bars"),
};

static const struct kiln_golden rsi_summary_goldens[] = {
    {.title = "the last bar",
     .args = "{\"close\":[10,12,11,13],\"period\":2}",
     .result = "{\"rsi\":85.71428571428571}",
     .rtol = 1e-14},
    {.title = "too few bars", .args = "{\"close\":[7]}", .result = "{\"rsi\":50}"},
    {.title = "a missing close", .args = "{\"close\":[null]}", .result = "close[0]", .status = KILN_INVALID},
};

static int rsi_summary_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[CLOSE].array.count;
    double *out = analysis_room(call, n);
    int status = out ? rsi_fill(call, args, out) : KILN_RESOURCE;
    if (status == KILN_OK) {
        give(&results[0], out[n - 1]);
    }
    return status;
}

ANALYSIS(rsi_summary, "Relative strength index now",
         "rsi_published at the last bar. " HELP_RSI "50 when there are fewer than period + 1 bars. Missing "
         "values are refused.");

/* ---- macd_published, macd_summary ------------------------------------------------------------ */

static const struct kiln_row macd_published_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("fast_period", 1, "12", "period of the fast exponential average"),
    ROW_PERIOD("slow_period", 1, "26", "period of the slow one"),
    ROW_PERIOD("signal_period", 1, "9", "period of the exponential average of the difference"),
};

static const struct kiln_row macd_published_results[] = {
    ROW_RESULT("macd", "price", "fast average - slow average"),
    ROW_RESULT("macd_signal", "price", "exponential average of macd"),
    ROW_RESULT("macd_hist", "price", "macd - macd_signal"),
};

static const struct kiln_golden macd_published_goldens[] = {
    {.title = "weights 1, 1/2 and 2/3",
     .args = "{\"close\":[1,3,7],\"fast_period\":1,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":[0,1,2.5],\"macd_signal\":[0,0.6666666666666666,1.8888888888888888],"
               "\"macd_hist\":[0,0.3333333333333333,0.6111111111111112]}",
     .rtol = 1e-13},
    {.title = "one bar",
     .args = "{\"close\":[7]}",
     .result = "{\"macd\":[0],\"macd_signal\":[0],\"macd_hist\":[0]}"},
    {.title = "a period out of range",
     .args = "{\"close\":[7,8],\"signal_period\":0}",
     .result = "signal_period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[5000,1]}}"},
};

static int macd_published_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    for (size_t k = 0; k < 3; k++) {
        plan->factor[k] = 2.0 / ((double) args[k].i64 + 1.0);
    }
    plan->state = 3;
    return KILN_OK;
}

/* One bar: the averages move; the first bar of all starts them. */
static inline void macd_step(const double *take, double x, bool first, double *average)
{
    average[0] = first ? x : average[0] + take[0] * (x - average[0]);
    average[1] = first ? x : average[1] + take[1] * (x - average[1]);
    double macd = average[0] - average[1];
    average[2] = first ? macd : average[2] + take[2] * (macd - average[2]);
}

static void macd_published_advance(const struct plan *plan, struct feed *f)
{
    double average[3] = {f->state[0], f->state[1], f->state[2]};
    for (size_t i = f->begin; i < f->end; i++) {
        macd_step(plan->factor, f->in[0][i], feed_number(f, i) == 0, average);
        f->out[0][i] = average[0] - average[1];
        f->out[1][i] = average[2];
        f->out[2][i] = f->out[0][i] - average[2];
    }
    for (size_t k = 0; k < 3; k++) {
        f->state[k] = average[k];
    }
}

#define HELP_MACD                                                                                            \
    "macd = fast average - slow average, macd_signal the average of macd. An average takes 2/(period + 1) "  \
    "of each new value; those of the close start with the first close, that of macd with the first macd, "   \
    "which is 0. "

INDICATOR(macd_published, 1, "MACD, as published: values from the first bar on",
          HELP_MACD "Unlike macd (TA-Lib), whose averages start with means and whose periods are swapped "
                    "when the slow one is the shorter.\n\n"
                    "Leading missing bars are passed over; from a later one on there are no values. Source: "
                    "the indicator tests of the Virtuoso project.");

static const struct kiln_row macd_summary_params[] = {
    ROW_FINITE_CLOSE,
    ROW_PERIOD("fast_period", 1, "12", "period of the fast exponential average"),
    ROW_PERIOD("slow_period", 1, "26", "period of the slow one"),
    ROW_PERIOD("signal_period", 1, "9", "period of the exponential average of the difference"),
};

static const struct kiln_row macd_summary_results[] = {
    ROW_SCALAR("macd", "price", "of the last bar"),
    ROW_SCALAR("signal", "price", "of the last bar"),
    ROW_SCORE("score", "above 50: macd is above its signal; below: below it"),
};

static const struct kiln_golden macd_summary_goldens[] = {
    {.title = "2.5 above 17/9",
     .args = "{\"close\":[1,3,7],\"fast_period\":1,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":2.5,\"signal\":1.8888888888888888,\"score\":56.962025316455694}",
     .rtol = 1e-13},
    {.title = "one bar", .args = "{\"close\":[7]}", .result = "{\"macd\":0,\"signal\":0,\"score\":50}"},
    {.title = "a missing close", .args = "{\"close\":[null]}", .result = "close[0]", .status = KILN_INVALID},
};

static int macd_summary_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct plan plan = {0};
    double average[3] = {0.0, 0.0, 0.0};
    const double *close = series_in(&args[CLOSE]);
    int status = macd_published_plan(call, args + 1, &plan);
    for (size_t i = 0; i < (size_t) args[CLOSE].array.count; i++) {
        macd_step(plan.factor, close[i], i == 0, average);
    }
    double macd = average[0] - average[1], signal = average[2], size = fabs(macd) + fabs(signal);
    give(&results[0], macd);
    give(&results[1], signal);
    give(&results[2], size > 0.0 ? 50.0 + 50.0 * (macd - signal) / size : 50.0);
    return status;
}

ANALYSIS(macd_summary, "MACD now, and a score",
         "macd_published at the last bar. " HELP_MACD
         "score = 50 + 50 (macd - signal)/(|macd| + |signal|), 50 where both are 0 (defined here). Missing "
         "values are refused.");
