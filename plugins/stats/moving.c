/* SPDX-License-Identifier: MPL-2.0 */
/* moving - functions on rolling windows: sums, moments, extremes, and those of two series. */
#include "functions.h"
#include "rolling.h"

enum { DDOF = ROLLING_ARGS, PAIR_Y = ROLLING_ARGS, PAIR_DDOF };

static int refuse_ddof(struct kiln_call *call, int64_t ddof, int64_t window)
{
    return call->host->fail(call, KILN_INVALID, "ddof", "ddof is %lld, expected less than window = %lld",
                            (long long) ddof, (long long) window);
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
               enum rolling what)
{
    const bool spread = what == ROLLING_VAR || what == ROLLING_STD || what == ROLLING_ZSCORE;
    const int64_t ddof = spread ? args[DDOF].i64 : 0, window = args[ROLLING_ARG_WINDOW].i64;
    struct windows w;
    const int status = windows_take(call, args, NULL, &w);
    if (status) {
        return status;
    }
    if (ddof >= window) {
        return refuse_ddof(call, ddof, window);
    }
    w.ddof = (double) ddof;
    return rolling_values(call, what, &w, results[0].array.data);
}

#define ROLLING_DDOF                                                                                         \
    [DDOF] = ROW_DDOF("0", "delta degrees of freedom: the divisor is the number of values - ddof")

#define ROLLING_RESULT(id, text)                                                                             \
    static const struct kiln_row id##_results[] = {                                                          \
        {.name = #id, .kind = KILN_ARRAY, .shape = "n", .help = text},                                       \
    };

#define ROLLING_FUNCTION(id, what, text)                                                                     \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return run(call, args, results, what);                                                               \
    }                                                                                                        \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = #id,     .summary = text,                            \
        .help = id##_help,  TABLES(id),         .run = id##_run,                                             \
    };

/* ---- sum --------------------------------------------------------------------------------------------------- */

static const char rolling_sum_help[] =
    "Sum of each window.\n" HELP_ROLLING "\n"
    "Each sum is put together from its own values, never by subtracting from the one before, so a spike "
    "leaves no trace. A window with infinities of both signs is NaN.";

static const struct kiln_row rolling_sum_params[] = {ROWS_ROLLING("values")};

ROLLING_RESULT(rolling_sum, "sum of the window that ends at each value")

static const struct kiln_golden rolling_sum_goldens[] = {
    {.title = "pairs",
     .args = "{\"x\":[1,2,4.5,-1],\"window\":2}",
     .result = "{\"rolling_sum\":[null,3,6.5,3.5]}"},
    {.title = "a spike, and the windows behind it",
     .args = "{\"x\":[1,1e17,1,1,1,1],\"window\":3}",
     .result = "{\"rolling_sum\":[null,null,1e17,1e17,3,3]}"},
    {.title = "a missing value left out, short windows at the start",
     .args = "{\"x\":[1,2,null,4],\"window\":3,\"min_periods\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"rolling_sum\":[1,3,3,6]}"},
    {.title = "a window longer than the series",
     .args = "{\"x\":[1,2],\"window\":3}",
     .status = KILN_INVALID,
     .result = "window is 3, expected at most the 2 values of x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_sum, ROLLING_SUM, "sum of each window")

/* ---- mean -------------------------------------------------------------------------------------------------- */

static const char rolling_mean_help[] =
    "Arithmetic mean of each window (moving average).\n" HELP_ROLLING "\n"
    "Sums are of deviations from a value inside the window and never go on from one window to the next: a "
    "spike leaves no trace, and data far from zero keeps its digits.";

static const struct kiln_row rolling_mean_params[] = {ROWS_ROLLING("values")};

ROLLING_RESULT(rolling_mean, "mean of the window that ends at each value")

static const struct kiln_golden rolling_mean_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[1,2,3,7],\"window\":3}",
     .result = "{\"rolling_mean\":[null,null,2,4]}",
     .rtol = 1e-15},
    {.title = "a missing value spoils the windows it is in",
     .args = "{\"x\":[1,null,3,5,7],\"window\":2}",
     .result = "{\"rolling_mean\":[null,null,null,4,6]}"},
    {.title = "from one value on",
     .args = "{\"x\":[1,2,6],\"window\":10,\"min_periods\":1}",
     .result = "{\"rolling_mean\":[1,1.5,3]}"},
    {.title = "more values asked for than the window has",
     .args = "{\"x\":[1,2,3],\"window\":2,\"min_periods\":3}",
     .status = KILN_INVALID,
     .result = "min_periods is 3, expected at most window = 2"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_mean, ROLLING_MEAN, "mean of each window")

/* ---- variance and standard deviation --------------------------------------------------------------------- */

static const char rolling_var_help[] =
    "Variance of each window: the sum of squared deviations from its mean over (number of values - ddof). "
    "ddof is 0 unless given, as for var and in numpy and bottleneck (pandas: 1).\n" HELP_ROLLING "\n"
    "Squares are of deviations from a value inside the window. A window of equal values has the variance 0 "
    "exactly; one with an infinity has none (NaN), nor has one of at most ddof values.";

static const struct kiln_row rolling_var_params[] = {ROWS_ROLLING("values"), ROLLING_DDOF};

ROLLING_RESULT(rolling_var, "variance of the window that ends at each value, in the squared unit of x")

static const struct kiln_golden rolling_var_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[1,2,3,7],\"window\":3,\"ddof\":1}",
     .result = "{\"rolling_var\":[null,null,1,7]}",
     .rtol = 1e-14},
    {.title = "far from zero, behind a spike",
     .args = "{\"x\":[1e15,1000000001,1000000002,1000000003,5,5],\"window\":2}",
     .result = "{\"rolling_var\":[null,2.499995000002495e+29,0.25,0.25,2.49999999e+17,0]}",
     .rtol = 1e-14},
    {.title = "a ddof that leaves nothing",
     .args = "{\"x\":[1,2,3],\"window\":2,\"ddof\":2}",
     .status = KILN_INVALID,
     .result = "ddof is 2, expected less than window = 2"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_var, ROLLING_VAR, "variance of each window")

static const char rolling_std_help[] =
    "Standard deviation of each window: the square root of rolling_var, of which the same holds; ddof is 0 "
    "unless given (pandas: 1).\n" HELP_ROLLING;

static const struct kiln_row rolling_std_params[] = {ROWS_ROLLING("values"), ROLLING_DDOF};

ROLLING_RESULT(rolling_std, "standard deviation of the window that ends at each value")

static const struct kiln_golden rolling_std_goldens[] = {
    {.title = "pairs",
     .args = "{\"x\":[1,2,5,5],\"window\":2}",
     .result = "{\"rolling_std\":[null,0.5,1.5,0]}",
     .rtol = 1e-15},
    {.title = "two values at least",
     .args = "{\"x\":[1,3,null,9],\"window\":3,\"min_periods\":2,\"ddof\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"rolling_std\":[null,1.4142135623730951,1.4142135623730951,4.242640687119285]}",
     .rtol = 1e-15},
    {.title = "no window",
     .args = "{\"x\":[1,2,3],\"window\":0}",
     .status = KILN_INVALID,
     .result = "window"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_std, ROLLING_STD, "standard deviation of each window")

static const char rolling_zscore_help[] =
    "Standard score of each value within the window that it ends: (x[i] - mean) / std of the window, with "
    "ddof 0 unless given.\n" HELP_ROLLING "\n"
    "In a window of equal values the score is 0 / 0, NaN.";

static const struct kiln_row rolling_zscore_params[] = {ROWS_ROLLING("values"), ROLLING_DDOF};

ROLLING_RESULT(rolling_zscore, "standard score of each value in its window")

static const struct kiln_golden rolling_zscore_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[1,2,3,3,3],\"window\":3}",
     .result = "{\"rolling_zscore\":[null,null,1.224744871391589,0.7071067811865475,null]}",
     .rtol = 1e-14},
    {.title = "a window longer than the series",
     .args = "{\"x\":[1,2],\"window\":3}",
     .status = KILN_INVALID,
     .result = "expected at most the 2 values of x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_zscore, ROLLING_ZSCORE, "standard score of each value in its window")

/* ---- extremes ---------------------------------------------------------------------------------------------- */

static const char rolling_min_help[] =
    "Smallest value of each window, in a time that does not depend on the window (van Herk 1992, Gil and "
    "Werman 1993).\n" HELP_ROLLING;

static const struct kiln_row rolling_min_params[] = {ROWS_ROLLING("values")};

ROLLING_RESULT(rolling_min, "smallest value of the window that ends at each value")

static const struct kiln_golden rolling_min_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[3,1,2,5,4],\"window\":3}",
     .result = "{\"rolling_min\":[null,null,1,1,2]}"},
    {.title = "a missing value",
     .args = "{\"x\":[3,null,2,5],\"window\":2}",
     .result = "{\"rolling_min\":[null,null,null,2]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[3,null,2],\"window\":2,\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_min, ROLLING_MIN, "smallest value of each window")

static const char rolling_max_help[] =
    "Largest value of each window, in a time that does not depend on the window (van Herk 1992, Gil and "
    "Werman 1993).\n" HELP_ROLLING;

static const struct kiln_row rolling_max_params[] = {ROWS_ROLLING("values")};

ROLLING_RESULT(rolling_max, "largest value of the window that ends at each value")

static const struct kiln_golden rolling_max_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[3,1,2,5,4],\"window\":3}",
     .result = "{\"rolling_max\":[null,null,3,5,5]}"},
    {.title = "a missing value left out",
     .args = "{\"x\":[3,null,2,5],\"window\":2,\"min_periods\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"rolling_max\":[3,3,2,5]}"},
    {.title = "a window longer than the series",
     .args = "{\"x\":[1,2],\"window\":3}",
     .status = KILN_INVALID,
     .result = "expected at most the 2 values of x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"window\":50}"},
};

ROLLING_FUNCTION(rolling_max, ROLLING_MAX, "largest value of each window")

/* ---- two series -------------------------------------------------------------------------------------------- */

static int run_pair(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
                    enum rolling what)
{
    const int64_t ddof = what == ROLLING_COV ? args[PAIR_DDOF].i64 : 0;
    const int64_t window = args[ROLLING_ARG_WINDOW].i64;
    struct windows w;
    const int status = windows_take(call, args, &args[PAIR_Y], &w);
    if (status) {
        return status;
    }
    if (ddof >= window) {
        return refuse_ddof(call, ddof, window);
    }
    w.ddof = (double) ddof;
    return rolling_values(call, what, &w, results[0].array.data);
}

#define ROLLING_Y                                                                                            \
    [PAIR_Y] = {.name = "y",                                                                                 \
                .kind = KILN_ARRAY,                                                                          \
                .flags = KILN_REQUIRED,                                                                      \
                .shape = "n",                                                                                \
                .help = "values of the second series, as many as x has"}

static const char rolling_cov_help[] =
    "Covariance of two series in each window: the sum of products of deviations from their means over "
    "(number of pairs - ddof), with ddof 1 unless given, as covariance and pandas.\n" HELP_ROLLING "\n"
    "A pair with a NaN in x or y counts as missing. A window with an infinity gives NaN.";

static const struct kiln_row rolling_cov_params[] = {
    ROWS_ROLLING("values of the first series"),
    ROLLING_Y,
    [PAIR_DDOF] = ROW_DDOF("1", "delta degrees of freedom: the divisor is the number of pairs - ddof"),
};

ROLLING_RESULT(rolling_cov, "covariance of the window that ends at each pair")

static const struct kiln_golden rolling_cov_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[1,2,3,4],\"y\":[2,4,9,8],\"window\":3}",
     .result = "{\"rolling_cov\":[null,null,3.5,2]}",
     .rtol = 1e-15},
    {.title = "one pair has none",
     .args = "{\"x\":[1,2],\"y\":[3,4],\"window\":1}",
     .status = KILN_INVALID,
     .result = "ddof is 1, expected less than window = 1"},
    {.title = "1,000 pairs",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]},\"window\":50}"},
};

static int rolling_cov_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return run_pair(call, args, results, ROLLING_COV);
}

const struct kiln_function stats_rolling_cov = {
    KILN_FUNCTION_HEAD,       .flags = KILN_PURE,
    .name = "rolling_cov",    .summary = "covariance of two series in each window",
    .help = rolling_cov_help, TABLES(rolling_cov),
    .run = rolling_cov_run,
};

static const char rolling_corr_help[] =
    "Pearson's correlation of two series in each window, as pandas.Series.rolling.corr.\n" HELP_ROLLING "\n"
    "A pair with a NaN in x or y counts as missing. A window in which a series does not vary has no "
    "correlation (NaN), nor has one with an infinity.";

static const struct kiln_row rolling_corr_params[] = {
    ROWS_ROLLING("values of the first series"),
    ROLLING_Y,
};

ROLLING_RESULT(rolling_corr, "correlation of the window that ends at each pair, -1 to 1")

static const struct kiln_golden rolling_corr_goldens[] = {
    {.title = "windows of three",
     .args = "{\"x\":[1,2,3,4],\"y\":[3,5,7,5],\"window\":3}",
     .result = "{\"rolling_corr\":[null,null,1,0]}",
     .rtol = 1e-15},
    {.title = "a series that does not vary",
     .args = "{\"x\":[1,2,3],\"y\":[5,5,5],\"window\":2}",
     .result = "{\"rolling_corr\":[null,null,null]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[1,2,3],\"y\":[5,null,5],\"window\":2,\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of y is NaN"},
    {.title = "1,000 pairs",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]},\"window\":50}"},
};

static int rolling_corr_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return run_pair(call, args, results, ROLLING_CORR);
}

const struct kiln_function stats_rolling_corr = {
    KILN_FUNCTION_HEAD,        .flags = KILN_PURE,
    .name = "rolling_corr",    .summary = "Pearson's correlation of two series in each window",
    .help = rolling_corr_help, TABLES(rolling_corr),
    .run = rolling_corr_run,
};
