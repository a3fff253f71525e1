/* SPDX-License-Identifier: MPL-2.0 */
#include "rolling.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 17 }; /* windows between two looks at whether the job is still wanted */

/* ---- arguments ----------------------------------------------------------------------------------------- */

int windows_take(struct kiln_call *call, const struct kiln_slot *args, const struct kiln_slot *y,
                 struct windows *ret)
{
    const struct kiln_slot *x = &args[ROLLING_ARG_X], *least = &args[ROLLING_ARG_MIN_PERIODS];
    const int64_t n = x->array.count, window = args[ROLLING_ARG_WINDOW].i64;
    const int64_t min_periods = least->present ? least->i64 : window;
    const enum nan_policy policy = nan_policy_of(&args[ROLLING_ARG_NAN_POLICY]);
    if (min_periods > window) {
        return call->host->fail(call, KILN_INVALID, "min_periods",
                                "min_periods is %lld, expected at most window = %lld",
                                (long long) min_periods, (long long) window);
    }
    if (min_periods > n) {
        return call->host->fail(call, KILN_INVALID, least->present ? "min_periods" : "window",
                                "%s is %lld, expected at most the %lld values of x",
                                least->present ? "min_periods" : "window", (long long) min_periods,
                                (long long) n);
    }
    if (policy == NAN_RAISE) {
        struct sample s, t;
        const int status =
            y ? sample_take_pairs(call, x, y, policy, &s, &t) : sample_take(call, x, "x", policy, &s);
        if (status) {
            return status;
        }
    }
    *ret = (struct windows){
        .x = x->array.data,
        .y = y ? y->array.data : NULL,
        .n = (size_t) n,
        .window = (size_t) (window < n ? window : n),
        .min_periods = (size_t) min_periods,
        .omit = policy == NAN_OMIT,
    };
    return KILN_OK;
}

/* ---- sums that count ----------------------------------------------------------------------------------- */

static int counted(struct kiln_call *call, enum rolling what, const struct windows *w, size_t end,
                   double *out)
{
    double *scratch = call->host->alloc(call, ROLLING_SCRATCH(w->window) * sizeof *scratch);
    if (!scratch) {
        return KILN_RESOURCE;
    }
    const size_t step = w->window > CHUNK / 16 ? 16 * w->window : CHUNK;
    for (size_t i = 0; i < end; i += step) {
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        rolling_counted(what, w, i, end - i < step ? end : i + step, scratch, out + i);
    }
    return KILN_OK;
}

/* ---- kernels --------------------------------------------------------------------------------------------- */

static int rolling_full(struct kiln_call *call, enum rolling what, const struct windows *w, bool gaps,
                        double *out)
{
    const struct kernels *k = call->state;
    const size_t windows = w->n - w->window + 1, step = w->window > CHUNK / 16 ? 16 * w->window : CHUNK;
    double *scratch = call->host->alloc(call, ROLLING_SCRATCH(w->window) * sizeof *scratch);
    if (!scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < windows; i += step) {
        struct windows part = *w;
        part.x = w->x + i;
        part.n = (windows - i < step ? windows - i : step) + w->window - 1;
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        if (gaps) {
            k->rolling_gaps[what](&part, scratch, out + i);
        } else {
            k->rolling[what](part.x, part.n, w->window, (double) w->window - w->ddof, scratch, out + i);
        }
    }
    return KILN_OK;
}

/* Windows at the start that are not full, and then the others: a NaN that is not left out needs no counting. */
static int rolling_sums(struct kiln_call *call, enum rolling what, const struct windows *w, bool missing,
                        double *out)
{
    const size_t before = w->window - 1;
    int status = KILN_OK;
    if (w->min_periods < w->window) {
        status = counted(call, what, w, before, out);
    } else {
        for (size_t i = 0; i < before; i++) {
            out[i] = (double) NAN;
        }
    }
    const bool gaps = missing && w->omit && w->min_periods < w->window;
    return status ? status : rolling_full(call, what, w, gaps, out + before);
}

/* Gaps, and what lies before the start, become values that are never an extreme; windows that have too few
 * others, or a NaN that counts, become NaN afterwards. */
static int rolling_extreme(struct kiln_call *call, enum rolling what, const struct windows *w, double *out)
{
    const size_t before = w->window - 1;
    double *filled = call->host->alloc(call, (w->n + before) * sizeof *filled);
    if (!filled) {
        return KILN_RESOURCE;
    }
    const double never = what == ROLLING_MIN ? HUGE_VAL : -HUGE_VAL;
    for (size_t i = 0; i < before; i++) {
        filled[i] = never;
    }
    for (size_t i = 0; i < w->n; i++) {
        filled[before + i] = isnan(w->x[i]) ? never : w->x[i];
    }
    const struct windows whole = {.x = filled, .n = w->n + before, .window = w->window};
    const int status = rolling_full(call, what, &whole, false, out);
    size_t values = 0, missing = 0;
    for (size_t i = 0; i < w->n && status == KILN_OK; i++) {
        const size_t gap = isnan(w->x[i]), leaves = i >= w->window,
                     gone = leaves && isnan(w->x[i - w->window]);
        missing += gap - gone;
        values += (1 - gap) - (leaves - gone);
        if (values < w->min_periods || (missing && !w->omit)) {
            out[i] = (double) NAN;
        }
    }
    return status;
}

/* ---- scale ------------------------------------------------------------------------------------------------ */

static double magnitude_of_finite(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = isfinite(x[i]) && fabs(x[i]) > most ? fabs(x[i]) : most;
    }
    return most;
}

/* The power of two to multiply by so that sums and squares stay in range; 1 almost always. */
static double scale_for(enum rolling what, double magnitude)
{
    const bool squares = what != ROLLING_SUM && what != ROLLING_MEAN;
    if (what == ROLLING_MIN || what == ROLLING_MAX || magnitude == 0 ||
        (magnitude < (squares ? 0x1p450 : 0x1p900) && magnitude > (squares ? 0x1p-400 : 0))) {
        return 1;
    }
    int exponent;
    frexp(magnitude, &exponent);
    return ldexp(1, exponent > -1000 ? -exponent : 1000);
}

int rolling_scaled(struct kiln_call *call, enum rolling what, size_t n, double magnitude, const double **x,
                   double *ret_scale)
{
    const double *from = *x;
    const double scale = scale_for(what, isinf(magnitude) ? magnitude_of_finite(from, n) : magnitude);
    *ret_scale = scale;
    if (scale == 1) {
        return KILN_OK;
    }
    double *copy = call->host->alloc(call, n * sizeof *copy);
    if (!copy) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = from[i] * scale;
    }
    *x = copy;
    return KILN_OK;
}

static void multiply(double *x, size_t n, double factor)
{
    for (size_t i = 0; i < n && factor != 1; i++) {
        x[i] *= factor;
    }
}

void rolling_unscale(enum rolling what, double *out, size_t n, double scale_x, double scale_y)
{
    if (what == ROLLING_ZSCORE || what == ROLLING_CORR) {
        return;
    }
    multiply(out, n, 1 / scale_x);
    if (what == ROLLING_VAR || what == ROLLING_COV) {
        multiply(out, n, 1 / scale_y);
    }
}

int rolling_values(struct kiln_call *call, enum rolling what, const struct windows *given, double *out)
{
    const struct kernels *k = call->state;
    struct windows w = *given;
    const bool extreme = what == ROLLING_MIN || what == ROLLING_MAX;
    double scale_x = 1, scale_y = 1;
    bool nan_x, nan_y;
    const double magnitude = k->magnitude(w.x, w.n, &nan_x);
    int status = rolling_scaled(call, what, w.n, magnitude, &w.x, &scale_x);
    if (w.y && status == KILN_OK) {
        status = rolling_scaled(call, what, w.n, k->magnitude(w.y, w.n, &nan_y), &w.y, &scale_y);
    }
    if (status) {
        return status;
    }
    if (w.y || (isinf(magnitude) && !extreme)) {
        status = counted(call, what, &w, w.n, out);
    } else if (extreme && (nan_x || w.min_periods < w.window)) {
        status = rolling_extreme(call, what, &w, out);
    } else {
        status = rolling_sums(call, what, &w, nan_x, out);
    }
    rolling_unscale(what, out, w.n, scale_x, w.y ? scale_y : scale_x);
    return status;
}
