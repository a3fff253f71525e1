/* SPDX-License-Identifier: MPL-2.0 */
/* outliers - values far from the others. */
#include <math.h>

#include "functions.h"
#include "order.h"
#include "quantile.h"
#include "reduce.h"
#include "sample.h"

static const char outliers_help[] =
    "The values outside of low..high, with their indices.\n"
    "method z: mean -+ threshold std (ddof 0), threshold 3. iqr: q25 - threshold iqr .. q75 + threshold iqr, "
    "threshold "
    "1.5 (Tukey's fences, quartiles interpolated linearly). mad: median -+ threshold mad / "
    "0.6744897501960817, with the "
    "median absolute deviation mad and threshold 3.5 (modified z-scores, Iglewicz and Hoaglin 1993). A "
    "spread of 0 "
    "makes every other value an outlier.\n"
    "A NaN makes all results null; with nan_policy omit it is none of the values and no outlier.";

enum { X, METHOD, THRESHOLD, NAN_POLICY };

static const struct kiln_row outliers_params[] = {
    ROW_X("values"),
    {.name = "method",
     .kind = KILN_STRING,
     .choices = "z|iqr|mad",
     .fallback = "\"iqr\"",
     .help = "how the bounds are found"},
    {.name = "threshold",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "0.0",
     .help = "how many of the method's units the bounds are away; 0: 3 for z, 1.5 for iqr, 3.5 for mad"},
    ROW_NAN_POLICY("what a NaN in x does: make the results null, be left out, or be refused"),
};

enum { INDICES, VALUES, COUNT, LOW, HIGH };

static const struct kiln_row outliers_results[] = {
    {.name = "indices",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "k",
     .help = "places of the outliers, from 0"},
    {.name = "values", .kind = KILN_ARRAY, .shape = "k", .help = "the outliers"},
    {.name = "count", .kind = KILN_INT, .help = "how many there are"},
    {.name = "low", .kind = KILN_FLOAT, .help = "lower bound"},
    {.name = "high", .kind = KILN_FLOAT, .help = "upper bound"},
};

static const struct kiln_golden outliers_goldens[] = {
    {.title = "Tukey's fences",
     .args = "{\"x\":[1,2,3,4,50]}",
     .result = "{\"indices\":[4],\"values\":[50],\"count\":1,\"low\":-1,\"high\":7}"},
    {.title = "modified z-scores, a missing value left out",
     .args = "{\"x\":[-90,2,null,3,1],\"method\":\"mad\",\"nan_policy\":\"omit\"}",
     .result = "{\"indices\":[0],\"values\":[-90],\"low\":-3.689107764769609,\"high\":6.689107764769609}",
     .rtol = 1e-14},
    {.title = "none",
     .args = "{\"x\":[1,2,3],\"method\":\"z\"}",
     .result = "{\"indices\":[],\"values\":[],\"count\":0}"},
    {.title = "an unknown method",
     .args = "{\"x\":[1],\"method\":\"zz\"}",
     .status = KILN_INVALID,
     .result = "zz"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int bounds_by_z(struct kiln_call *call, const struct sample *s, double threshold, double *ret)
{
    struct reduction r;
    reduce_moments2(call->state, s->x, s->n, &r);
    const double mean = r.m.m2 == 0 ? r.m.mean.hi / r.scale : reduction_mean(&r), std = reduction_std(&r, 0);
    ret[0] = mean - threshold * std;
    ret[1] = mean + threshold * std;
    return KILN_OK;
}

static int bounds_by_iqr(struct kiln_call *call, const struct sample *s, double threshold, double *ret)
{
    double q[2];
    int status = quantiles(call, s->x, s->n, quantile_linear, (double[]){0.25, 0.75}, 2, q);
    if (status == KILN_OK) {
        ret[0] = q[0] - threshold * (q[1] - q[0]);
        ret[1] = q[1] + threshold * (q[1] - q[0]);
    }
    return status;
}

static int bounds_by_mad(struct kiln_call *call, const struct sample *s, double threshold, double *ret)
{
    double median, mad;
    int status = order_median(call, s->x, s->n, &median);
    if (status == KILN_OK) {
        status = order_deviation(call, s->x, s->n, median, &mad);
    }
    if (status == KILN_OK) {
        ret[0] = median - threshold * mad / 0.6744897501960817;
        ret[1] = median + threshold * mad / 0.6744897501960817;
    }
    return status;
}

static int find_bounds(struct kiln_call *call, const struct kiln_slot *args, const struct sample *s,
                       double *ret)
{
    const double asked = args[THRESHOLD].f64;
    switch (args[METHOD].text[0]) { /* one of the row's choices */
    case 'z':
        return bounds_by_z(call, s, asked > 0 ? asked : 3, ret);
    case 'm':
        return bounds_by_mad(call, s, asked > 0 ? asked : 3.5, ret);
    default:
        return bounds_by_iqr(call, s, asked > 0 ? asked : 1.5, ret);
    }
}

static int list_outliers(struct kiln_call *call, const double *x, size_t n, const double *bounds,
                         struct kiln_slot *results)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += (x[i] < bounds[0]) + (x[i] > bounds[1]);
    }
    int64_t *indices = call->host->grow(call, INDICES, (int64_t) count);
    double *values = indices ? call->host->grow(call, VALUES, (int64_t) count) : NULL;
    if (!values) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0, at = 0; i < n && at < count; i++) {
        if (x[i] < bounds[0] || x[i] > bounds[1]) {
            indices[at] = (int64_t) i;
            values[at++] = x[i];
        }
    }
    results[COUNT].present = 1;
    results[COUNT].i64 = (int64_t) count;
    return KILN_OK;
}

static int outliers_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const enum nan_policy policy = nan_policy_of(&args[NAN_POLICY]);
    struct sample s;
    int status = sample_take(call, &args[X], "x", policy, &s);
    if (status || (policy == NAN_PROPAGATE && k->find_nan(s.x, s.n) < s.n)) {
        return status;
    }
    double bounds[2];
    status = find_bounds(call, args, &s, bounds);
    if (status) {
        return status;
    }
    give(&results[LOW], bounds[0]);
    give(&results[HIGH], bounds[1]);
    return list_outliers(call, args[X].array.data, (size_t) args[X].array.count, bounds, results);
}

const struct kiln_function stats_outliers = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "outliers",  .summary = "values far from the others",
    .help = outliers_help, TABLES(outliers),   .run = outliers_run,
};
