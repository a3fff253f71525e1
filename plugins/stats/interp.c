/* SPDX-License-Identifier: MPL-2.0 */
/* interp - linear interpolation between points. */
#include <math.h>

#include "bins.h"
#include "functions.h"
#include "quantile.h"
#include "sample.h"

enum {
    CHUNK = 512,
    POLL = 1 << 16
}; /* values searched together; and between two looks at whether the job is wanted */

enum { X, XP, FP, LEFT, RIGHT, OUTSIDE, NAN_POLICY };

static const char interp_help[] =
    "Linear interpolation, as numpy.interp: the value at x of the line through the points (xp, fp) on either "
    "side of it.\n"
    "Below the first point it is left, or the first of fp; above the last one right, or the last of fp; with "
    "outside nan it is NaN on both sides instead, with outside error refused. A NaN in x gives NaN, one in "
    "fp "
    "where its points count. xp must increase.";

static const struct kiln_row interp_params[] = {
    {.name = "x",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "n>=0",
     .help = "where to interpolate"},
    {.name = "xp",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .shape = "m",
     .help = "places of the points, increasing, in the unit of x"},
    {.name = "fp", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "m", .help = "values of the points"},
    {.name = "left", .kind = KILN_FLOAT, .help = "value below the first point; its own unless given"},
    {.name = "right", .kind = KILN_FLOAT, .help = "value above the last point; its own unless given"},
    {.name = "outside",
     .kind = KILN_STRING,
     .choices = "edge|nan|error",
     .fallback = "\"edge\"",
     .help = "what an x outside of xp gives: left and right, NaN, or an error"},
    ROW_NAN_RAISE("what a NaN in x does: give NaN, or be refused"),
};

static const struct kiln_row interp_results[] = {
    {.name = "interp", .kind = KILN_ARRAY, .shape = "n", .help = "value at each x, in the unit of fp"},
};

static const struct kiln_golden interp_goldens[] = {
    {.title = "between and outside",
     .args = "{\"x\":[0,1,1.5,2.75,4],\"xp\":[1,2,3],\"fp\":[3,2,0]}",
     .result = "{\"interp\":[3,3,2.5,0.5,0]}"},
    {.title = "given ends",
     .args = "{\"x\":[0,null,9],\"xp\":[1,2],\"fp\":[3,2],\"left\":-1,\"right\":7}",
     .result = "{\"interp\":[-1,null,7]}"},
    {.title = "places that do not increase",
     .args = "{\"x\":[1],\"xp\":[1,1],\"fp\":[3,2]}",
     .status = KILN_INVALID,
     .result = "element 1 of xp is 1, expected more than the 1 before it"},
    {.title = "1,000 places",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"xp\":{\"$linspace\":[-3,3,100]},\"fp\":{\"$normal\":[100,2]}}"},
};

static double between_points(const double *xp, const double *fp, size_t j, double x)
{
    const double slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
    double v = slope * (x - xp[j]) + fp[j];
    if (isnan(v)) { /* an infinite point: seen from the other side */
        v = slope * (x - xp[j + 1]) + fp[j + 1];
        v = isnan(v) && fp[j] == fp[j + 1] ? fp[j] : v;
    } else if (isinf(v) && isfinite(fp[j]) && isfinite(fp[j + 1])) { /* a difference beyond the range */
        v = quantile_between(fp[j], fp[j + 1], (x / 2 - xp[j] / 2) / (xp[j + 1] / 2 - xp[j] / 2));
    }
    return v;
}

static int interp_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *x = args[X].array.data, *xp = args[XP].array.data, *fp = args[FP].array.data;
    const size_t n = (size_t) args[X].array.count, m = (size_t) args[XP].array.count;
    const char outside = args[OUTSIDE].text[0];
    const double left = outside == 'n' ? (double) NAN : args[LEFT].present ? args[LEFT].f64 : fp[0];
    const double right = outside == 'n' ? (double) NAN : args[RIGHT].present ? args[RIGHT].f64 : fp[m - 1];
    double *out = results[0].array.data;
    if (sample_check_nan(call, &args[X], "x", &args[NAN_POLICY])) {
        return KILN_INVALID;
    }
    for (size_t i = 1; i < m; i++) {
        if (!(xp[i] > xp[i - 1])) {
            return call->host->fail(call, KILN_INVALID, "xp",
                                    "element %zu of xp is %.15g, expected more than the %.15g before it", i,
                                    xp[i], xp[i - 1]);
        }
    }
    for (size_t from = 0; from < n; from += CHUNK) {
        const size_t count = n - from < CHUNK ? n - from : CHUNK;
        int64_t below[CHUNK]; /* points not above x */
        if (from % POLL == 0 && from > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        bins_search(xp, m, x + from, count, true, below);
        for (size_t i = 0; i < count; i++) {
            const double v = x[from + i];
            const size_t j = (size_t) below[i];
            if (outside == 'e' && args[OUTSIDE].text[1] == 'r' && (v < xp[0] || v > xp[m - 1])) {
                return call->host->fail(
                    call, KILN_INVALID, "x",
                    "element %zu of x is %.15g, expected %.15g to %.15g (outside is error)", from + i, v,
                    xp[0], xp[m - 1]);
            }
            out[from + i] = isnan(v)         ? v
                            : j == 0         ? left
                            : v == xp[j - 1] ? fp[j - 1]
                            : j == m         ? right
                                             : between_points(xp, fp, j - 1, v);
        }
    }
    return KILN_OK;
}

const struct kiln_function stats_interp = {
    KILN_FUNCTION_HEAD,  .flags = KILN_PURE, .name = "interp",  .summary = "linear interpolation",
    .help = interp_help, TABLES(interp),     .run = interp_run,
};
