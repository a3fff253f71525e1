/* SPDX-License-Identifier: MPL-2.0 */
/* scaling - values brought into a range, freed of extremes, or found to be some: minmax_scale, robust_scale,
 * winsorize, outliers. */
#include <math.h>
#include <string.h>

#include "functions.h"
#include "order.h"
#include "quantile.h"
#include "reduce.h"
#include "sample.h"

#define HELP_NAN_PLACE "what a NaN in x does: make all results NaN, only its own, or be refused"

static void all_nan(double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (double) NAN;
    }
}

/* The sample of args[0], whose policy is args[policy]. *ret_nan: NaN make all results NaN. */
static int take(struct kiln_call *call, const struct kiln_slot *args, size_t policy, struct sample *ret,
                bool *ret_nan)
{
    const struct kernels *k = call->state;
    int status = sample_take(call, &args[0], "x", nan_policy_of(&args[policy]), ret);
    if (status == KILN_OK) {
        *ret_nan = k->find_nan(ret->x, ret->n) < ret->n;
    }
    return status;
}

/* ---- minmax_scale -------------------------------------------------------------------------------------- */

static const char minmax_scale_help[] =
    "Values moved and stretched so that the smallest becomes low and the largest high: low + (x - min) / "
    "(max - min) "
    "(high - low), with feature_range = [low, high], as sklearn.preprocessing.minmax_scale.\n"
    "When all values are equal it is refused, or with zero_range one (as in scikit-learn) each becomes low. "
    "A NaN "
    "makes every result NaN; with nan_policy omit only its own.";

enum { MINMAX_RANGE = 1, MINMAX_ZERO, MINMAX_POLICY };

#define ROW_ZERO(id, text)                                                                                   \
    {                                                                                                        \
        .name = id, .kind = KILN_STRING, .choices = "error|one", .fallback = "\"error\"", .help = text       \
    }

static const struct kiln_row minmax_scale_params[] = {
    ROW_X("values"),
    {.name = "feature_range",
     .kind = KILN_ARRAY,
     .flags = KILN_FINITE,
     .shape = "2",
     .fallback = "[0,1]",
     .help = "what the smallest and the largest value become"},
    ROW_ZERO("zero_range", "what to do when all values are equal: refuse, or take the range for 1"),
    ROW_NAN_POLICY(HELP_NAN_PLACE),
};

static const struct kiln_row minmax_scale_results[] = {
    {.name = "minmax_scale", .kind = KILN_ARRAY, .shape = "n", .help = "each value in its range"},
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value of x"},
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value of x"},
};

static const struct kiln_golden minmax_scale_goldens[] = {
    {.title = "to 0..1",
     .args = "{\"x\":[2,4,3,6]}",
     .result = "{\"minmax_scale\":[0,0.5,0.25,1],\"min\":2,\"max\":6}"},
    {.title = "to -1..1, a missing value in its place",
     .args = "{\"x\":[2,null,6],\"feature_range\":[-1,1],\"nan_policy\":\"omit\"}",
     .result = "{\"minmax_scale\":[-1,null,1]}"},
    {.title = "equal values",
     .args = "{\"x\":[2.385,2.385]}",
     .status = KILN_INVALID,
     .result = "all 2 values of x are 2.385"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int refuse_equal(struct kiln_call *call, const struct sample *s, const char *option)
{
    return call->host->fail(call, KILN_INVALID, "x",
                            "all %zu values of x are %.15g, expected some spread (or %s: one)", s->n, s->x[0],
                            option);
}

static int minmax_scale_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const double *x = args[0].array.data, *to = args[MINMAX_RANGE].array.data;
    const size_t n = (size_t) args[0].array.count;
    double *out = results[0].array.data, min, max;
    struct sample s;
    if (to[0] >= to[1]) {
        return call->host->fail(call, KILN_INVALID, "feature_range",
                                "feature_range is %.15g, %.15g, expected the smaller number first", to[0],
                                to[1]);
    }
    int status = sample_take(call, &args[0], "x", nan_policy_of(&args[MINMAX_POLICY]), &s);
    if (status) {
        return status;
    }
    if (k->extremes(s.x, s.n, &min, &max)) {
        all_nan(out, n);
        return KILN_OK;
    }
    if (min == max && args[MINMAX_ZERO].text[0] == 'e') {
        return refuse_equal(call, &s, "zero_range");
    }
    const double part = isfinite(max - min) ? 1 : 0.5; /* a range may overflow */
    const double range = min == max ? 1 : max * part - min * part, width = to[1] - to[0];
    for (size_t i = 0; i < n; i++) {
        const double place = (x[i] * part - min * part) / range;
        const double v = to[0] + place * width;
        out[i] = place == 1 ? to[1] : v;
    }
    give(&results[1], min);
    return give(&results[2], max);
}

const struct kiln_function stats_minmax_scale = {
    KILN_FUNCTION_HEAD,        .flags = KILN_PURE,
    .name = "minmax_scale",    .summary = "values moved and stretched into a range",
    .help = minmax_scale_help, TABLES(minmax_scale),
    .run = minmax_scale_run,
};

/* ---- robust_scale -------------------------------------------------------------------------------------- */

static const char robust_scale_help[] =
    "Values less their median, in parts of the difference of two quantiles: (x - median) / (q_high - q_low), "
    "with "
    "quantile_range in percent (25 and 75), as sklearn.preprocessing.robust_scale.\n"
    "When the quantiles are equal it is refused, or with zero_range one (as in scikit-learn) the divisor is "
    "1. A NaN "
    "makes every result NaN; with nan_policy omit only its own.";

enum { ROBUST_RANGE = 1, ROBUST_ZERO, ROBUST_POLICY };

static const struct kiln_row robust_scale_params[] = {
    ROW_X("values"),
    {.name = "quantile_range",
     .kind = KILN_ARRAY,
     .flags = KILN_FINITE,
     .shape = "2",
     .unit = "percent",
     .min = 0,
     .max = 100,
     .fallback = "[25,75]",
     .help = "the quantiles whose difference is the unit"},
    ROW_ZERO("zero_range", "what to do when the quantiles are equal: refuse, or divide by 1"),
    ROW_NAN_POLICY(HELP_NAN_PLACE),
};

static const struct kiln_row robust_scale_results[] = {
    {.name = "robust_scale", .kind = KILN_ARRAY, .shape = "n", .help = "each value, scaled"},
    {.name = "center", .kind = KILN_FLOAT, .help = "median of x"},
    {.name = "scale", .kind = KILN_FLOAT, .help = "difference of the quantiles"},
};

static const struct kiln_golden robust_scale_goldens[] = {
    {.title = "a wild value",
     .args = "{\"x\":[1,2,3,4,101]}",
     .result = "{\"robust_scale\":[-1,-0.5,0,0.5,49],\"center\":3,\"scale\":2}"},
    {.title = "equal quartiles",
     .args = "{\"x\":[2,2,2,2,7],\"zero_range\":\"one\"}",
     .result = "{\"robust_scale\":[0,0,0,0,5],\"scale\":0}"},
    {.title = "equal quartiles refused",
     .args = "{\"x\":[2,2,2,2,7]}",
     .status = KILN_INVALID,
     .result = "both quantiles of x are 2"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int robust_scale_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *x = args[0].array.data, *range = args[ROBUST_RANGE].array.data;
    const size_t n = (size_t) args[0].array.count;
    double *out = results[0].array.data, q[2], median;
    struct sample s;
    bool nan;
    if (range[0] >= range[1]) {
        return call->host->fail(call, KILN_INVALID, "quantile_range",
                                "quantile_range is %.15g, %.15g, expected the smaller number first", range[0],
                                range[1]);
    }
    int status = take(call, args, ROBUST_POLICY, &s, &nan);
    if (status) {
        return status;
    }
    if (nan) {
        all_nan(out, n);
        return KILN_OK;
    }
    status = quantiles(call, s.x, s.n, quantile_linear, (double[]){range[0] / 100, range[1] / 100}, 2, q);
    if (status == KILN_OK) {
        status = order_median(call, s.x, s.n, &median);
    }
    if (status) {
        return status;
    }
    if (q[0] == q[1] && args[ROBUST_ZERO].text[0] == 'e') {
        return call->host->fail(call, KILN_INVALID, "x",
                                "both quantiles of x are %.15g, expected some spread (or zero_range: one)",
                                q[0]);
    }
    const double unit = q[0] == q[1] ? 1 : q[1] - q[0];
    for (size_t i = 0; i < n; i++) {
        out[i] = (x[i] - median) / unit;
    }
    give(&results[1], median);
    return give(&results[2], q[1] - q[0]);
}

const struct kiln_function stats_robust_scale = {
    KILN_FUNCTION_HEAD,        .flags = KILN_PURE,
    .name = "robust_scale",    .summary = "values less the median, in quartile ranges",
    .help = robust_scale_help, TABLES(robust_scale),
    .run = robust_scale_run,
};

/* ---- winsorize ----------------------------------------------------------------------------------------- */

static const char winsorize_help[] =
    "The floor(limits[0] n) smallest values become the next larger one, and the floor(limits[1] n) largest "
    "the next "
    "smaller one, as scipy.stats.mstats.winsorize. Each value keeps its place.\n"
    "A NaN makes every result NaN; with nan_policy omit it stays where it is and is not counted.";

enum { LIMITS = 1, WINSORIZE_POLICY };

static const struct kiln_row winsorize_params[] = {
    ROW_X("values"),
    {.name = "limits",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .shape = "2",
     .unit = "fraction",
     .min = 0,
     .max = 1,
     .help = "the parts of the values to replace at the lower and at the upper end; less than 1 together"},
    ROW_NAN_POLICY(HELP_NAN_PLACE),
};

static const struct kiln_row winsorize_results[] = {
    {.name = "winsorize",
     .kind = KILN_ARRAY,
     .shape = "n",
     .help = "each value, or the bound that it crossed"},
    {.name = "low", .kind = KILN_FLOAT, .help = "the lower bound, a value of x"},
    {.name = "high", .kind = KILN_FLOAT, .help = "the upper bound, a value of x"},
};

static const struct kiln_golden winsorize_goldens[] = {
    {.title = "one at each end",
     .args = "{\"x\":[5,-100,4,3,1000],\"limits\":[0.2,0.2]}",
     .result = "{\"winsorize\":[5,3,4,3,5],\"low\":3,\"high\":5}"},
    {.title = "above only, with a missing value",
     .args = "{\"x\":[1,2,null,9,4],\"limits\":[0,0.25],\"nan_policy\":\"omit\"}",
     .result = "{\"winsorize\":[1,2,null,4,4]}"},
    {.title = "everything",
     .args = "{\"x\":[1,2],\"limits\":[0.5,0.5]}",
     .status = KILN_INVALID,
     .result = "limits are 0.5 and 0.5, expected less than 1 together"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"limits\":[0.05,0.05]}"},
};

static int winsorize_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *x = args[0].array.data, *limits = args[LIMITS].array.data;
    const size_t n = (size_t) args[0].array.count;
    double *out = results[0].array.data, bounds[2];
    struct sample s;
    bool nan;
    if (!(limits[0] + limits[1] < 1)) {
        return call->host->fail(call, KILN_INVALID, "limits",
                                "limits are %.15g and %.15g, expected less than 1 together", limits[0],
                                limits[1]);
    }
    int status = take(call, args, WINSORIZE_POLICY, &s, &nan);
    if (status) {
        return status;
    }
    if (nan) {
        all_nan(out, n);
        return KILN_OK;
    }
    const size_t low = (size_t) (limits[0] * (double) s.n),
                 high = s.n - (size_t) (limits[1] * (double) s.n) - 1;
    status = order_values(call, s.x, s.n, (size_t[]){low, high}, 2, bounds);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = x[i] < bounds[0] ? bounds[0] : x[i] > bounds[1] ? bounds[1] : x[i];
    }
    give(&results[1], bounds[0]);
    return give(&results[2], bounds[1]);
}

const struct kiln_function stats_winsorize = {
    KILN_FUNCTION_HEAD,     .flags = KILN_PURE,
    .name = "winsorize",    .summary = "extreme values replaced by the next ones",
    .help = winsorize_help, TABLES(winsorize),
    .run = winsorize_run,
};
