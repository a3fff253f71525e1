/* SPDX-License-Identifier: MPL-2.0 */
/* resample - series with another number of values, and without their trend. */
#include <math.h>
#include <string.h>

#include "fft.h"
#include "functions.h"
#include "quantile.h"
#include "reduce.h"
#include "sample.h"

enum { POLL = 1 << 16 }; /* values between two looks at whether the job is still wanted */

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

static const struct kiln_row resample_linear_params[] = {
    ROWS_RESAMPLE,
    [RESAMPLE_NAN_POLICY] =
        ROW_NAN_RAISE("what a NaN in x does: show in the values next to it, or be refused"),
};

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
    if (sample_check_nan(call, &args[RESAMPLE_X], "x", &args[RESAMPLE_NAN_POLICY])) {
        return KILN_INVALID;
    }
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
    [RESAMPLE_NAN_POLICY] = ROW_NAN_RAISE("what a NaN in x does: make all values NaN, or be refused"),
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
    double *spectrum = call->host->alloc(call, 2 * bins * sizeof *spectrum);
    if (!spectrum || n > FFT_MAX || num > FFT_MAX || !fft_run_real(n, x, spectrum)) {
        return KILN_RESOURCE;
    }
    for (size_t b = 2 * (kept / 2 + 1); b < 2 * bins; b++) {
        spectrum[b] = 0;
    }
    if (kept % 2 == 0 && n != num) { /* the highest frequency stands for both signs, or for one of two */
        const double factor = num < n ? 2 : 0.5;
        spectrum[kept] *= factor;
        spectrum[kept + 1] *= factor;
    }
    if (!fft_run_inverse_real(num, spectrum, out)) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < num; i++) {
        out[i] /= (double) n;
    }
    return KILN_OK;
}

static int resample_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const double *x = args[RESAMPLE_X].array.data;
    const size_t n = (size_t) args[RESAMPLE_X].array.count;
    const int64_t num = args[RESAMPLE_NUM].i64;
    if (sample_check_nan(call, &args[RESAMPLE_X], "x", &args[RESAMPLE_NAN_POLICY])) {
        return KILN_INVALID;
    }
    double *out = call->host->grow(call, 0, num);
    if (!out) {
        return KILN_RESOURCE;
    }
    results[0].present = 1;
    if (!all_finite(k, x, n)) {
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
    if (sample_check_nan(call, &args[DETREND_X], "x", &args[DETREND_NAN_POLICY])) {
        return KILN_INVALID;
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
