/* SPDX-License-Identifier: MPL-2.0 */
/* moments - mean, variance and standard deviation. */
#include "functions.h"
#include "reduce.h"
#include "sample.h"

static const char mean_help[] =
    "Arithmetic mean, sum(x) / n, as numpy.mean. The sum is made from blocks joined in pairs, so its error "
    "grows with the logarithm of n. Values whose sum overflows still have their mean.\n"
    "An empty x is refused. A NaN in x makes the mean NaN unless nan_policy says otherwise.";

static const char var_help[] =
    "Variance, sum((x - mean)^2) / (n - ddof), as numpy.var: ddof 0 gives that of a whole population, ddof "
    "1 the unbiased estimate from a sample.\n"
    "Deviations are taken from the mean in a second pass, never from raw squares: 1e9 + noise keeps the "
    "digits of the noise. Equal values have variance 0 exactly. Refused when n <= ddof (numpy: NaN).";

static const char std_help[] =
    "Standard deviation, the square root of the variance sum((x - mean)^2) / (n - ddof), as numpy.std with "
    "ddof 0 by default.\n"
    "Found also where the variance itself would leave the range of a double. Equal values have deviation 0 "
    "exactly. Refused when n <= ddof (numpy: NaN).";

enum { MEAN_X, MEAN_NAN_POLICY };

static const struct kiln_row mean_params[] = {
    ROW_X("values"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row mean_results[] = {
    {.name = "mean", .kind = KILN_FLOAT, .help = "arithmetic mean"},
};

static const struct kiln_golden mean_goldens[] = {
    {.title = "mean of 1..10", .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}", .result = "{\"mean\":5.5}"},
    {.title = "a missing value left out",
     .args = "{\"x\":[2.385,null,7.615],\"nan_policy\":\"omit\"}",
     .result = "{\"mean\":5.0}",
     .rtol = 1e-15},
    {.title = "a missing value makes it missing",
     .args = "{\"x\":[2.385,null]}",
     .result = "{\"mean\":null}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[1,null,3],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int mean_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample s;
    int status = sample_take(call, &args[MEAN_X], "x", nan_policy_of(&args[MEAN_NAN_POLICY]), &s);
    return status ? status : give(&results[0], reduce_mean(call->state, s.x, s.n));
}

const struct kiln_function stats_mean = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "mean",  .summary = "arithmetic mean",
    .help = mean_help,  TABLES(mean),       .run = mean_run,
};

enum { SPREAD_X, SPREAD_DDOF, SPREAD_NAN_POLICY };

static const struct kiln_row spread_params[] = {
    ROW_X("values"),
    ROW_DDOF("0", HELP_DDOF),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

#define var_params spread_params
#define std_params spread_params

static int spread(struct kiln_call *call, const struct kiln_slot *args, struct reduction *ret)
{
    struct sample s;
    int status = sample_take(call, &args[SPREAD_X], "x", nan_policy_of(&args[SPREAD_NAN_POLICY]), &s);
    if (status == KILN_OK) {
        status = sample_check_ddof(call, &s, "x", args[SPREAD_DDOF].i64);
    }
    if (status == KILN_OK) {
        reduce_moments2(call->state, s.x, s.n, ret);
    }
    return status;
}

static const struct kiln_row var_results[] = {
    {.name = "var", .kind = KILN_FLOAT, .help = "variance, in the square of the unit of x"},
};

static const struct kiln_golden var_goldens[] = {
    {.title = "variance of 1..10", .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}", .result = "{\"var\":8.25}"},
    {.title = "of a sample",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10],\"ddof\":1}",
     .result = "{\"var\":9.166666666666666}",
     .rtol = 1e-15},
    {.title = "far from zero",
     .args = "{\"x\":[1000000004,1000000007,1000000013,1000000016],\"ddof\":1}",
     .result = "{\"var\":30}"},
    {.title = "one value of a sample",
     .args = "{\"x\":[2.385],\"ddof\":1}",
     .status = KILN_INVALID,
     .result = "ddof is 1, expected less than the 1 values of x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int var_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct reduction r;
    int status = spread(call, args, &r);
    return status ? status : give(&results[0], reduction_var(&r, (double) args[SPREAD_DDOF].i64));
}

const struct kiln_function stats_var = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "var",  .summary = "variance",
    .help = var_help,   TABLES(var),        .run = var_run,
};

static const struct kiln_row std_results[] = {
    {.name = "std", .kind = KILN_FLOAT, .help = "standard deviation, in the unit of x"},
};

static const struct kiln_golden std_goldens[] = {
    {.title = "deviation of 1..10",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}",
     .result = "{\"std\":2.8722813232690143}",
     .rtol = 1e-15},
    {.title = "of equal values", .args = "{\"x\":[0.1,0.1,0.1,0.1,0.1,0.1]}", .result = "{\"std\":0}"},
    {.title = "as many values as ddof",
     .args = "{\"x\":[3,null,5],\"ddof\":2,\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "ddof is 2, expected less than the 2 values of x that are not NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"ddof\":1}"},
};

static int std_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct reduction r;
    int status = spread(call, args, &r);
    return status ? status : give(&results[0], reduction_std(&r, (double) args[SPREAD_DDOF].i64));
}

const struct kiln_function stats_std = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "std",  .summary = "standard deviation",
    .help = std_help,   TABLES(std),        .run = std_run,
};
