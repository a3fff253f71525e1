/* SPDX-License-Identifier: MPL-2.0 */
/* arrays - functions that give one value for each value: z-scores and cumulative sums. */
#include <math.h>
#include <string.h>

#include "functions.h"
#include "reduce.h"
#include "sample.h"

/* ---- zscore ------------------------------------------------------------------------------------------- */

static const char zscore_help[] =
    "Standard scores z = (x - mean) / std, as scipy.stats.zscore, with ddof 0 by default: x normalised to "
    "mean "
    "0 and deviation 1.\n"
    "When all values are equal, std is 0: refused, or with zero_std zeros a score of 0 for each (scipy: "
    "NaN). A NaN in x makes every score NaN; with nan_policy omit only its own, and mean and std are those "
    "of the other values. Refused when n <= ddof.";

enum { ZSCORE_X, ZSCORE_DDOF, ZSCORE_ZERO_STD, ZSCORE_NAN_POLICY };

static const struct kiln_row zscore_params[] = {
    ROW_X("values"),
    ROW_DDOF("0", "delta degrees of freedom of std: its divisor is n - ddof"),
    {.name = "zero_std",
     .kind = KILN_STRING,
     .choices = "error|zeros",
     .fallback = "\"error\"",
     .help = "what to do when all values are equal: refuse, or give zeros"},
    ROW_NAN_POLICY("what a NaN in x does: make all scores NaN, only its own, or be refused"),
};

static const struct kiln_row zscore_results[] = {
    {.name = "zscore", .kind = KILN_ARRAY, .shape = "n", .help = "standard score of each value"},
};

static const struct kiln_golden zscore_goldens[] = {
    {.title = "1, 2, 3",
     .args = "{\"x\":[1,2,3]}",
     .result = "{\"zscore\":[-1.224744871391589,0,1.224744871391589]}",
     .rtol = 1e-15},
    {.title = "a missing value keeps its place",
     .args = "{\"x\":[1,null,2,3],\"nan_policy\":\"omit\"}",
     .result = "{\"zscore\":[-1.224744871391589,null,0,1.224744871391589]}",
     .rtol = 1e-15},
    {.title = "equal values, as zeros",
     .args = "{\"x\":[2.385,2.385],\"zero_std\":\"zeros\"}",
     .result = "{\"zscore\":[0,0]}"},
    {.title = "equal values",
     .args = "{\"x\":[2.385,2.385,2.385]}",
     .status = KILN_INVALID,
     .result = "all 3 values of x are 2.385"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int zscore_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const double *x = args[ZSCORE_X].array.data;
    const size_t n = (size_t) args[ZSCORE_X].array.count;
    double *out = results[0].array.data;
    struct sample s;
    int status = sample_take(call, &args[ZSCORE_X], "x", nan_policy_of(&args[ZSCORE_NAN_POLICY]), &s);
    if (status == KILN_OK) {
        status = sample_check_ddof(call, &s, "x", args[ZSCORE_DDOF].i64);
    }
    if (status) {
        return status;
    }
    struct reduction r;
    reduce_moments2(k, s.x, s.n, &r);
    if (r.m.m2 == 0) {
        if (args[ZSCORE_ZERO_STD].text[0] == 'e') {
            return call->host->fail(
                call, KILN_INVALID, "x",
                "all %zu values of x are %.15g, expected some spread (or zero_std: zeros)", s.n, s.x[0]);
        }
        for (size_t i = 0; i < n; i++) {
            out[i] = isnan(x[i]) ? x[i] : 0;
        }
        return KILN_OK;
    }
    const double *from = x;
    if (r.scale != 1) { /* the moments are those of scaled values, and so are the scores */
        for (size_t i = 0; i < n; i++) {
            out[i] = x[i] * r.scale;
        }
        from = out;
    }
    k->standardise(from, n, r.m.mean.hi, sqrt(r.m.m2 / (r.m.n - (double) args[ZSCORE_DDOF].i64)), out);
    return KILN_OK;
}

const struct kiln_function stats_zscore = {
    KILN_FUNCTION_HEAD,  .flags = KILN_PURE, .name = "zscore",  .summary = "standard scores",
    .help = zscore_help, TABLES(zscore),     .run = zscore_run,
};

/* ---- cumsum ------------------------------------------------------------------------------------------- */

static const char cumsum_help[] =
    "Cumulative sum y[0] = x[0], y[i] = y[i - 1] + x[i], in this order and rounded at each step, as "
    "numpy.cumsum.\n"
    "An empty x gives an empty result. A NaN makes itself and everything behind it NaN; with nan_policy "
    "omit it counts as 0 (numpy.nancumsum).";

enum { CUMSUM_X, CUMSUM_NAN_POLICY };

static const struct kiln_row cumsum_params[] = {
    {.name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n>=0", .help = "values"},
    ROW_NAN_POLICY("what a NaN in x does: make all further sums NaN, count as 0, or be refused"),
};

static const struct kiln_row cumsum_results[] = {
    {.name = "cumsum", .kind = KILN_ARRAY, .shape = "n", .help = "sum of the values up to and with each"},
};

static const struct kiln_golden cumsum_goldens[] = {
    {.title = "running totals", .args = "{\"x\":[1,2,3.5,-4]}", .result = "{\"cumsum\":[1,3,6.5,2.5]}"},
    {.title = "nothing", .args = "{\"x\":[]}", .result = "{\"cumsum\":[]}"},
    {.title = "a missing value counted as 0",
     .args = "{\"x\":[1,null,2],\"nan_policy\":\"omit\"}",
     .result = "{\"cumsum\":[1,1,3]}"},
    {.title = "a missing value", .args = "{\"x\":[1,null,2]}", .result = "{\"cumsum\":[1,null,null]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[1,2,null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 2 of x is NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int cumsum_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *x = args[CUMSUM_X].array.data;
    const size_t n = (size_t) args[CUMSUM_X].array.count;
    const enum nan_policy policy = nan_policy_of(&args[CUMSUM_NAN_POLICY]);
    double *out = results[0].array.data, sum = 0;
    if (policy == NAN_OMIT) {
        for (size_t i = 0; i < n; i++) {
            sum += isnan(x[i]) ? 0 : x[i];
            out[i] = sum;
        }
        return KILN_OK;
    }
    if (policy == NAN_RAISE) {
        struct sample s;
        int status = sample_take(call, &args[CUMSUM_X], "x", policy, &s);
        if (status) {
            return status;
        }
    }
    ((const struct kernels *) call->state)->cumsum(x, n, 0, out);
    return KILN_OK;
}

const struct kiln_function stats_cumsum = {
    KILN_FUNCTION_HEAD,  .flags = KILN_PURE, .name = "cumsum",  .summary = "cumulative sum",
    .help = cumsum_help, TABLES(cumsum),     .run = cumsum_run,
};
