/* SPDX-License-Identifier: MPL-2.0 */
/* describe - the usual figures of a sample at once: one pass for sums, moments and extremes, one selection
 * for quartiles. */
#include <math.h>

#include "functions.h"
#include "quantile.h"
#include "reduce.h"
#include "sample.h"
#include "shape.h"

static const char describe_help[] =
    "Number of values, mean, variance, standard deviation, smallest and largest value, quartiles, "
    "skewness, kurtosis and sum, as scipy.stats.describe, numpy and pandas define them, in one job.\n"
    "var and std divide by n - ddof; ddof is 0 here as in numpy (scipy's and pandas' describe take 1). "
    "Quartiles are interpolated linearly. skewness is g1 = m3 / m2^1.5 and kurtosis g2 = m4 / m2^2 - 3 "
    "with central moments mk = sum((x - mean)^k) / n; with bias false G1 = g1 sqrt(n (n - 1)) / (n - 2) "
    "and G2 = (n - 1) ((n + 1) g2 + 6) / ((n - 2) (n - 3)) (Joanes and Gill 1998).\n"
    "skewness and kurtosis are null when all values are equal, and where G1 has fewer than 3 and G2 fewer "
    "than 4 values. Refused when n <= ddof. A NaN makes all but nobs NaN unless nan_policy says otherwise.";

enum { X, DDOF, BIAS, NAN_POLICY };

static const struct kiln_row describe_params[] = {
    ROW_X("values"),
    ROW_DDOF("0", "delta degrees of freedom of var and std: the divisor is n - ddof"),
    {.name = "bias",
     .kind = KILN_BOOL,
     .fallback = "true",
     .help = "skewness and kurtosis as they are; false corrects them for the bias of small samples"},
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

enum { NOBS, SUM, MEAN, VAR, STD, MIN, Q25, MEDIAN, Q75, MAX, SKEWNESS, KURTOSIS };

static const struct kiln_row describe_results[] = {
    {.name = "nobs", .kind = KILN_INT, .help = "number of values, without those left out"},
    {.name = "sum", .kind = KILN_FLOAT, .help = "sum"},
    {.name = "mean", .kind = KILN_FLOAT, .help = "arithmetic mean"},
    {.name = "var", .kind = KILN_FLOAT, .help = "variance"},
    {.name = "std", .kind = KILN_FLOAT, .help = "standard deviation"},
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value"},
    {.name = "q25", .kind = KILN_FLOAT, .help = "lower quartile"},
    {.name = "median", .kind = KILN_FLOAT, .help = "median"},
    {.name = "q75", .kind = KILN_FLOAT, .help = "upper quartile"},
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value"},
    {.name = "skewness", .kind = KILN_FLOAT, .help = "third standardised moment; null without spread"},
    {.name = "kurtosis",
     .kind = KILN_FLOAT,
     .help = "fourth standardised moment less 3; null without spread"},
};

static const struct kiln_golden describe_goldens[] = {
    {.title = "1..10",
     .args = "{\"x\":[10,9,8,7,6,5,4,3,2,1]}",
     .result = "{\"nobs\":10,\"sum\":55,\"mean\":5.5,\"var\":8.25,\"std\":2.8722813232690143,\"min\":1,"
               "\"q25\":3.25,"
               "\"median\":5.5,\"q75\":7.75,\"max\":10,\"skewness\":0,\"kurtosis\":-1.2242424242424244}",
     .rtol = 1e-14,
     .atol = 1e-15},
    {.title = "a skewed sample, corrected for bias",
     .args = "{\"x\":[1,2,4,8,16],\"ddof\":1,\"bias\":false}",
     .result = "{\"nobs\":5,\"mean\":6.2,\"var\":37.2,\"skewness\":1.3253147098134046,\"kurtosis\":1."
               "3037634408602106}",
     .rtol = 1e-14},
    {.title = "equal values",
     .args = "{\"x\":[2.385,2.385,2.385]}",
     .result = "{\"nobs\":3,\"std\":0,\"median\":2.385,\"skewness\":null,\"kurtosis\":null}"},
    {.title = "missing values only",
     .args = "{\"x\":[null,null],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "all 2 values are NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static void give_known(struct kiln_slot *slot, double value)
{
    if (!isnan(value)) {
        give(slot, value);
    }
}

static int describe_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    struct sample s;
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &s);
    if (status == KILN_OK) {
        status = sample_check_ddof(call, &s, "x", args[DDOF].i64);
    }
    if (status) {
        return status;
    }
    results[NOBS].present = 1;
    results[NOBS].i64 = (int64_t) s.n;
    struct reduction r;
    reduce_moments4(k, s.x, s.n, &r);
    if (isnan(r.m.sum) && k->find_nan(s.x, s.n) < s.n) { /* infinities, too, may make the sum NaN */
        for (int i = SUM; i <= KURTOSIS; i++) {
            give(&results[i], (double) NAN);
        }
        return KILN_OK;
    }
    static const double quarters[] = {0.25, 0.5, 0.75};
    double quartiles[3];
    status = quantiles(call, s.x, s.n, quantile_linear, quarters, 3, quartiles);
    if (status) {
        return status;
    }
    give(&results[SUM], reduction_sum(&r));
    give(&results[MEAN], reduction_mean(&r));
    give(&results[VAR], reduction_var(&r, (double) args[DDOF].i64));
    give(&results[STD], reduction_std(&r, (double) args[DDOF].i64));
    give(&results[MIN], r.m.min);
    give(&results[Q25], quartiles[0]);
    give(&results[MEDIAN], quartiles[1]);
    give(&results[Q75], quartiles[2]);
    give(&results[MAX], r.m.max);
    give_known(&results[SKEWNESS], shape_skewness(&r.m, args[BIAS].i64));
    give_known(&results[KURTOSIS], shape_kurtosis(&r.m, args[BIAS].i64));
    return KILN_OK;
}

const struct kiln_function stats_describe = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE,
    .name = "describe",    .summary = "count, moments, extremes and quartiles at once",
    .help = describe_help, TABLES(describe),
    .run = describe_run,
};
