/* SPDX-License-Identifier: MPL-2.0 */
/* resample - series on other points: interpolation, resampling, and series without their trend. */
#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "bins.h"
#include "functions.h"
#include "quantile.h"
#include "reduce.h"
#include "sample.h"

enum { CHUNK = 512, POLL = 1 << 16 };

/* ---- interp ------------------------------------------------------------------------------------------------- */

enum { INTERP_X, INTERP_XP, INTERP_FP, INTERP_LEFT, INTERP_RIGHT, INTERP_OUTSIDE };

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
    const double *x = args[INTERP_X].array.data, *xp = args[INTERP_XP].array.data,
                 *fp = args[INTERP_FP].array.data;
    const size_t n = (size_t) args[INTERP_X].array.count, m = (size_t) args[INTERP_XP].array.count;
    const char outside = args[INTERP_OUTSIDE].text[0];
    const double left = outside == 'n'              ? (double) NAN
                        : args[INTERP_LEFT].present ? args[INTERP_LEFT].f64
                                                    : fp[0];
    const double right = outside == 'n'               ? (double) NAN
                         : args[INTERP_RIGHT].present ? args[INTERP_RIGHT].f64
                                                      : fp[m - 1];
    double *out = results[0].array.data;
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
            if (outside == 'e' && args[INTERP_OUTSIDE].text[1] == 'r' && (v < xp[0] || v > xp[m - 1])) {
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

/* ---- resample_linear ---------------------------------------------------------------------------------------- */

enum { RESAMPLE_X, RESAMPLE_NUM, RESAMPLE_NAN_POLICY };

#define ROWS_RESAMPLE                                                                                        \
    [RESAMPLE_X] = ROW_X("values at equal distances"), [RESAMPLE_NUM] = {.name = "num",                      \
                                                                         .kind = KILN_INT,                   \
                                                                         .flags = KILN_REQUIRED,             \
                                                                         .min = 1,                           \
                                                                         .max = 2147483647,                  \
                                                                         .unit = "values",                   \
                                                                         .help = "number of values to give"}

static const char resample_linear_help[] =
    "num values at equal distances on the broken line through those of x, from the first to the last of "
    "them: "
    "numpy.interp(linspace(0, n - 1, num), arange(n), x), with places that are exact.\n"
    "num 1 gives the first value. A NaN shows in the values next to it.";

static const struct kiln_row resample_linear_params[] = {ROWS_RESAMPLE};

static const struct kiln_row resample_linear_results[] = {
    {.name = "resample_linear", .kind = KILN_ARRAY, .shape = "k", .help = "values on the line"},
};

static const struct kiln_golden resample_linear_goldens[] = {
    {.title = "three values as five",
     .args = "{\"x\":[1,3,4],\"num\":5}",
     .result = "{\"resample_linear\":[1,2,3,3.5,4]}"},
    {.title = "one value as three",
     .args = "{\"x\":[2.5],\"num\":3}",
     .result = "{\"resample_linear\":[2.5,2.5,2.5]}"},
    {.title = "as none", .args = "{\"x\":[1,3],\"num\":0}", .status = KILN_INVALID, .result = "num"},
    {.title = "1,000 values as 1,500", .args = "{\"x\":{\"$normal\":[1000,1]},\"num\":1500}"},
};

static int resample_linear_run(struct kiln_call *call, const struct kiln_slot *args,
                               struct kiln_slot *results)
{
    const double *x = args[RESAMPLE_X].array.data;
    const uint64_t last = (uint64_t) args[RESAMPLE_X].array.count - 1;
    const int64_t num = args[RESAMPLE_NUM].i64;
    const uint64_t parts = num > 1 ? (uint64_t) num - 1 : 1;
    double *out = call->host->grow(call, 0, num);
    if (!out) {
        return KILN_RESOURCE;
    }
    results[0].present = 1;
    uint64_t at = 0, rest = 0; /* the place is at + rest / parts */
    for (size_t i = 0; i < (size_t) num; i++) {
        if (i % POLL == 0 && i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        out[i] = rest == 0 ? x[at] : quantile_between(x[at], x[at + 1], (double) rest / (double) parts);
        at += last / parts;
        rest += last % parts;
        at += rest >= parts;
        rest -= rest >= parts ? parts : 0;
    }
    return KILN_OK;
}

const struct kiln_function stats_resample_linear = {
    KILN_FUNCTION_HEAD,           .flags = KILN_PURE,
    .name = "resample_linear",    .summary = "a series with another number of values, linearly",
    .help = resample_linear_help, TABLES(resample_linear),
    .run = resample_linear_run,
};

/* ---- resample ----------------------------------------------------------------------------------------------- */

static const char resample_help[] =
    "num values of the periodic band-limited function through those of x, by Fourier transform, as "
    "scipy.signal.resample: the first value stands where that of x does, the distance is n / num of the one "
    "before.\n"
    "With fewer values, frequencies above half the new rate are left out. Ends that differ ring: use "
    "resample_linear there. A NaN or an infinity makes all values NaN.";

static const struct kiln_row resample_params[] = {
    ROWS_RESAMPLE,
    [RESAMPLE_NAN_POLICY] = {.name = "nan_policy",
                             .kind = KILN_STRING,
                             .choices = "propagate|raise",
                             .fallback = "\"propagate\"",
                             .help = "what a NaN in x does: make all values NaN, or be refused"},
};

static const struct kiln_row resample_results[] = {
    {.name = "resample", .kind = KILN_ARRAY, .shape = "k", .help = "values at the new distance"},
};

static const struct kiln_golden resample_goldens[] = {
    {.title = "a wave, twice as close",
     .args = "{\"x\":[0,1,0,-1],\"num\":8}",
     .result = "{\"resample\":[0,0.7071067811865476,1,0.7071067811865476,0,-0.7071067811865476,-1,-0."
               "7071067811865476]}",
     .atol = 1e-15},
    {.title = "its mean is left",
     .args = "{\"x\":[1,2,4,5],\"num\":1}",
     .result = "{\"resample\":[3]}",
     .rtol = 1e-15},
    {.title = "a missing value refused",
     .args = "{\"x\":[1,null],\"num\":4,\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "1,000 values as 1,500", .args = "{\"x\":{\"$normal\":[1000,1]},\"num\":1500}"},
};

static int transform(struct kiln_call *call, const double *x, size_t n, size_t num, double *out)
{
    const size_t kept = n < num ? n : num, bins = (n > num ? n : num) / 2 + 1;
    double *in = call->host->alloc(call, n * sizeof *in);
    fftw_complex *spectrum = call->host->alloc(call, bins * sizeof *spectrum);
    if (!in || !spectrum || n > INT32_MAX) {
        return KILN_RESOURCE;
    }
    fftw_plan forward = fftw_plan_dft_r2c_1d((int) n, in, spectrum, FFTW_ESTIMATE);
    fftw_plan backward = fftw_plan_dft_c2r_1d((int) num, spectrum, out, FFTW_ESTIMATE);
    int status = forward && backward ? KILN_OK : KILN_RESOURCE;
    if (status == KILN_OK) {
        memcpy(in, x, n * sizeof *in);
        fftw_execute(forward);
        for (size_t b = kept / 2 + 1; b < bins; b++) {
            spectrum[b][0] = spectrum[b][1] = 0;
        }
        if (kept % 2 == 0 && n != num) { /* the highest frequency stands for both signs, or for one of two */
            const double factor = num < n ? 2 : 0.5;
            spectrum[kept / 2][0] *= factor;
            spectrum[kept / 2][1] *= factor;
        }
        fftw_execute(backward);
        for (size_t i = 0; i < num; i++) {
            out[i] /= (double) n;
        }
    }
    fftw_destroy_plan(forward);
    fftw_destroy_plan(backward);
    return status;
}

static int resample_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const double *x = args[RESAMPLE_X].array.data;
    const size_t n = (size_t) args[RESAMPLE_X].array.count;
    const int64_t num = args[RESAMPLE_NUM].i64;
    if (args[RESAMPLE_NAN_POLICY].text[0] == 'r') {
        struct sample s;
        const int status = sample_take(call, &args[RESAMPLE_X], "x", NAN_RAISE, &s);
        if (status) {
            return status;
        }
    }
    double *out = call->host->grow(call, 0, num);
    if (!out) {
        return KILN_RESOURCE;
    }
    results[0].present = 1;
    if (isnan(k->magnitude(x, n))) {
        for (size_t i = 0; i < (size_t) num; i++) {
            out[i] = (double) NAN;
        }
        return KILN_OK;
    }
    if (n == (size_t) num) {
        memcpy(out, x, n * sizeof *out);
        return KILN_OK;
    }
    return transform(call, x, n, (size_t) num, out);
}

const struct kiln_function stats_resample = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE,
    .name = "resample",    .summary = "a series with another number of values, by Fourier transform",
    .help = resample_help, TABLES(resample),
    .run = resample_run,
};

/* ---- detrend ------------------------------------------------------------------------------------------------ */

enum { DETREND_X, DETREND_TYPE, DETREND_BP, DETREND_NAN_POLICY };

static const char detrend_help[] =
    "The values less their mean (constant) or less the least-squares line through them (linear), as "
    "scipy.signal.detrend; with bp each stretch between break points by itself (scipy: the linear ones "
    "only).\n"
    "A stretch of one value leaves 0. A NaN makes its stretch NaN; with nan_policy omit it stays where it is "
    "and the trend is that of the other values.";

static const struct kiln_row detrend_params[] = {
    [DETREND_X] = ROW_X("values at equal distances"),
    [DETREND_TYPE] = {.name = "type",
                      .kind = KILN_STRING,
                      .choices = "linear|constant",
                      .fallback = "\"linear\"",
                      .help = "the trend to take away"},
    [DETREND_BP] = {.name = "bp",
                    .kind = KILN_ARRAY,
                    .dtype = KILN_I64,
                    .shape = "b>=0",
                    .min = 0,
                    .max = 9007199254740992.0,
                    .help = "indices at which a new stretch begins, ascending"},
    [DETREND_NAN_POLICY] =
        ROW_NAN_POLICY("what a NaN in x does: make its stretch NaN, be left out of the trend, or be refused"),
};

static const struct kiln_row detrend_results[] = {
    {.name = "detrend", .kind = KILN_ARRAY, .shape = "n", .help = "what the trend leaves of each value"},
};

static const struct kiln_golden detrend_goldens[] = {
    {.title = "a line leaves nothing",
     .args = "{\"x\":[1,3,5,7]}",
     .result = "{\"detrend\":[0,0,0,0]}",
     .atol = 1e-15},
    {.title = "two stretches less their means",
     .args = "{\"x\":[1,3,10,20],\"type\":\"constant\",\"bp\":[2]}",
     .result = "{\"detrend\":[-1,1,-5,5]}"},
    {.title = "a missing value",
     .args = "{\"x\":[1,null,5,8],\"nan_policy\":\"omit\"}",
     .result = "{\"detrend\":[0.14285714285714285,null,-0.42857142857142855,0.2857142857142857]}",
     .rtol = 1e-13},
    {.title = "a break point behind the end",
     .args = "{\"x\":[1,2],\"bp\":[3]}",
     .status = KILN_INVALID,
     .result = "element 0 of bp is 3, expected 0 to 2"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

/* places and kept: room for n numbers each. */
static void detrend(const struct kernels *k, const double *x, size_t n, bool linear, bool omit,
                    double *places, double *kept, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        places[count] = (double) i;
        kept[count] = x[i];
        count += !omit || !isnan(x[i]);
    }
    if (count == 0) {
        memcpy(out, x, n * sizeof *out);
        return;
    }
    struct coreduction r;
    reduce_comoments(k, places, kept, count, &r);
    const double slope = linear && r.m.sxx > 0 ? r.m.sxy / r.m.sxx : 0; /* of scaled values */
    for (size_t i = 0; i < n; i++) {
        const double t = ((double) i * r.scale_x - r.m.mean_x.hi) - r.m.mean_x.lo;
        const double d = (x[i] * r.scale_y - r.m.mean_y.hi) - r.m.mean_y.lo;
        out[i] = (d - slope * t) / r.scale_y;
    }
}

static int detrend_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *x = args[DETREND_X].array.data;
    const size_t n = (size_t) args[DETREND_X].array.count;
    const int64_t *bp = args[DETREND_BP].array.data;
    const size_t breaks = args[DETREND_BP].present ? (size_t) args[DETREND_BP].array.count : 0;
    const enum nan_policy policy = nan_policy_of(&args[DETREND_NAN_POLICY]);
    double *out = results[0].array.data, *room = call->host->alloc(call, 2 * n * sizeof *room);
    if (!room) {
        return KILN_RESOURCE;
    }
    if (policy == NAN_RAISE) {
        struct sample s;
        const int status = sample_take(call, &args[DETREND_X], "x", policy, &s);
        if (status) {
            return status;
        }
    }
    size_t from = 0;
    for (size_t b = 0; b <= breaks; b++) {
        const size_t end = b < breaks ? (size_t) bp[b] : n;
        if (end < from || end > n) {
            return call->host->fail(call, KILN_INVALID, "bp", "element %zu of bp is %zu, expected %zu to %zu",
                                    b, end, from, n);
        }
        if (end > from) {
            detrend(call->state, x + from, end - from, args[DETREND_TYPE].text[0] == 'l', policy == NAN_OMIT,
                    room, room + n, out + from);
        }
        from = end;
    }
    return KILN_OK;
}

const struct kiln_function stats_detrend = {
    KILN_FUNCTION_HEAD,   .flags = KILN_PURE, .name = "detrend",  .summary = "a series without its trend",
    .help = detrend_help, TABLES(detrend),    .run = detrend_run,
};
