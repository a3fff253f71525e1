/* SPDX-License-Identifier: MPL-2.0 */
/* running - results that hold all values so far, or the one before: cumprod, cummax, cummin, diff. */
#include <math.h>
#include <string.h>

#include "functions.h"
#include "sample.h"

#define ROW_X_OR_NOTHING                                                                                     \
    {                                                                                                        \
        .name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n>=0", .help = "values"           \
    }

enum { X, NAN_POLICY };

/* ---- cumprod, cummax, cummin: y[i] = f(y[i - 1], x[i]) ------------------------------------------------- */

typedef void run_along(const double *x, size_t n, bool omit, double *out);

/* An x that is NaN counts as nothing with nan_policy omit. */
static int cumulate(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
                    run_along *along)
{
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count;
    const enum nan_policy policy = nan_policy_of(&args[NAN_POLICY]);
    if (policy == NAN_RAISE) {
        struct sample s;
        int status = sample_take(call, &args[X], "x", policy, &s);
        if (status) {
            return status;
        }
    }
    along(x, n, policy == NAN_OMIT, results[0].array.data);
    return KILN_OK;
}

static void products(const double *x, size_t n, bool omit, double *out)
{
    double product = 1;
    for (size_t i = 0; i < n; i++) {
        product *= omit && isnan(x[i]) ? 1 : x[i];
        out[i] = product;
    }
}

/* NaN compare false: with omit they never win and, before the first number, are replaced by it. */
static void greatest(const double *x, size_t n, bool omit, double *out)
{
    double most = n ? x[0] : 0;
    for (size_t i = 0; i < n; i++) {
        const double v = x[i];
        most = v > most || (omit ? isnan(most) : isnan(v)) ? v : most;
        out[i] = most;
    }
}

static void least(const double *x, size_t n, bool omit, double *out)
{
    double lowest = n ? x[0] : 0;
    for (size_t i = 0; i < n; i++) {
        const double v = x[i];
        lowest = v < lowest || (omit ? isnan(lowest) : isnan(v)) ? v : lowest;
        out[i] = lowest;
    }
}

#define CUMULATIVE(id, text, along)                                                                          \
    static const struct kiln_row id##_results[] = {                                                          \
        {.name = #id, .kind = KILN_ARRAY, .shape = "n", .help = text " up to and with each"},                \
    };                                                                                                       \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return cumulate(call, args, results, along);                                                         \
    }                                                                                                        \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = #id,     .summary = "cumulative " text,              \
        .help = id##_help,  TABLES(id),         .run = id##_run,                                             \
    }

static const char cumprod_help[] = "Cumulative product y[0] = x[0], y[i] = y[i - 1] x[i], in this order and "
                                   "rounded at each step, as numpy.cumprod.\n"
                                   "An empty x gives an empty result. A NaN makes itself and everything "
                                   "behind it NaN; with nan_policy omit it counts "
                                   "as 1 (numpy.nancumprod).";

static const struct kiln_row cumprod_params[] = {
    ROW_X_OR_NOTHING,
    ROW_NAN_POLICY("what a NaN in x does: make all further products NaN, count as 1, or be refused"),
};

static const struct kiln_golden cumprod_goldens[] = {
    {.title = "factorials", .args = "{\"x\":[1,2,3,4.5]}", .result = "{\"cumprod\":[1,2,6,27]}"},
    {.title = "nothing", .args = "{\"x\":[]}", .result = "{\"cumprod\":[]}"},
    {.title = "a missing value counted as 1",
     .args = "{\"x\":[2,null,3],\"nan_policy\":\"omit\"}",
     .result = "{\"cumprod\":[2,2,6]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[2,null,3],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "1,000 values", .args = "{\"x\":{\"$linspace\":[0.9,1.1,1000]}}"},
};

CUMULATIVE(cumprod, "product of the values", products);

static const char cummax_help[] = "Largest value so far, as numpy.maximum.accumulate.\n"
                                  "An empty x gives an empty result. A NaN makes itself and everything "
                                  "behind it NaN; with nan_policy omit it is "
                                  "passed over (numpy.fmax.accumulate): only NaN in front stay.";

static const struct kiln_row cummax_params[] = {
    ROW_X_OR_NOTHING,
    ROW_NAN_POLICY("what a NaN in x does: make all further results NaN, be passed over, or be refused"),
};

static const struct kiln_golden cummax_goldens[] = {
    {.title = "highs", .args = "{\"x\":[1,3,2,5,4]}", .result = "{\"cummax\":[1,3,3,5,5]}"},
    {.title = "a missing value", .args = "{\"x\":[1,null,2]}", .result = "{\"cummax\":[1,null,null]}"},
    {.title = "passed over",
     .args = "{\"x\":[null,1,null,2],\"nan_policy\":\"omit\"}",
     .result = "{\"cummax\":[null,1,1,2]}"},
    {.title = "not a policy",
     .args = "{\"x\":[1],\"nan_policy\":\"drop\"}",
     .status = KILN_INVALID,
     .result = "drop"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

CUMULATIVE(cummax, "maximum of the values", greatest);

static const char cummin_help[] = "Smallest value so far, as numpy.minimum.accumulate.\n"
                                  "An empty x gives an empty result. A NaN makes itself and everything "
                                  "behind it NaN; with nan_policy omit it is "
                                  "passed over (numpy.fmin.accumulate): only NaN in front stay.";

#define cummin_params cummax_params

static const struct kiln_golden cummin_goldens[] = {
    {.title = "lows", .args = "{\"x\":[3,1,2,0,4]}", .result = "{\"cummin\":[3,1,1,0,0]}"},
    {.title = "nothing", .args = "{\"x\":[]}", .result = "{\"cummin\":[]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 0 of x is NaN"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

CUMULATIVE(cummin, "minimum of the values", least);

/* ---- diff ---------------------------------------------------------------------------------------------- */

static const char diff_help[] = "Differences of neighbours, x[i + 1] - x[i], taken n times, as numpy.diff: "
                                "the result is n shorter than x, and "
                                "empty when x has no more than n values. n 0 gives x itself.\n"
                                "A NaN makes the differences that it takes part in NaN; with nan_policy omit "
                                "NaN are taken out of x first.";

enum { N = 1, DIFF_POLICY };

static const struct kiln_row diff_params[] = {
    ROW_X_OR_NOTHING,
    {.name = "n",
     .kind = KILN_INT,
     .min = 0,
     .max = 1000,
     .fallback = "1",
     .help = "how many times to take differences"},
    ROW_NAN_POLICY("what a NaN in x does: make its differences NaN, be taken out first, or be refused"),
};

static const struct kiln_row diff_results[] = {
    {.name = "diff", .kind = KILN_ARRAY, .shape = "d>=0", .help = "differences"},
};

static const struct kiln_golden diff_goldens[] = {
    {.title = "of squares", .args = "{\"x\":[0,1,4,9]}", .result = "{\"diff\":[1,3,5]}"},
    {.title = "twice", .args = "{\"x\":[0,1,4,9],\"n\":2}", .result = "{\"diff\":[2,2]}"},
    {.title = "too often", .args = "{\"x\":[0,1],\"n\":3}", .result = "{\"diff\":[]}"},
    {.title = "a negative order", .args = "{\"x\":[0,1],\"n\":-1}", .status = KILN_INVALID, .result = "-1"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static void differences(const double *x, size_t n, double *out)
{
    for (size_t i = 0; i + 1 < n; i++) {
        out[i] = x[i + 1] - x[i];
    }
}

static int diff_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    struct sample s = {args[X].array.data, (size_t) args[X].array.count, 0};
    const size_t times = (size_t) args[N].i64;
    const enum nan_policy policy = nan_policy_of(&args[DIFF_POLICY]);
    const struct kernels *k = call->state;
    if (policy == NAN_RAISE || (policy == NAN_OMIT && k->find_nan(s.x, s.n) < s.n)) {
        int status = sample_take(call, &args[X], "x", policy, &s);
        if (status) {
            return status;
        }
    }
    const size_t count = s.n > times ? s.n - times : 0;
    double *out = call->host->grow(call, 0, (int64_t) count);
    double *longer = times > 1 && count ? call->host->alloc(call, (s.n - 1) * sizeof *longer) : out;
    if (!out || !longer) {
        return KILN_RESOURCE;
    }
    const double *from = s.x;
    size_t n = count ? s.n : 0;
    for (size_t i = 0; i < times && count; i++, n--) {
        double *to = i + 1 == times ? out : longer; /* in place is safe: each is read before it is written */
        differences(from, n, to);
        from = to;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    if (times == 0 && count) {
        memcpy(out, s.x, count * sizeof *out);
    }
    return KILN_OK;
}

const struct kiln_function stats_diff = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "diff",  .summary = "differences of neighbours",
    .help = diff_help,  TABLES(diff),       .run = diff_run,
};
