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

/* Some values of a window: their number and sums of deviations from the first of them. */
struct part {
    double n, x, y, xx, yy, xy, anchor_x, anchor_y;
    size_t missing, above, below; /* NaN; infinities */
};

static inline void part_add(struct part *p, double x, double y, bool pairs)
{
    if (isnan(x) || isnan(y)) {
        p->missing++;
        return;
    }
    if (isinf(x) || isinf(y)) {
        p->above += x > 0 || isinf(y);
        p->below += x < 0 || isinf(y);
        return;
    }
    if (p->n == 0) {
        p->anchor_x = x;
        p->anchor_y = y;
    }
    const double dx = x - p->anchor_x;
    p->n++;
    p->x += dx;
    p->xx += dx * dx;
    if (pairs) {
        const double dy = y - p->anchor_y;
        p->y += dy;
        p->yy += dy * dy;
        p->xy += dx * dy;
    }
}

/* Sum of products of deviations from the mean, from sums of deviations from the anchor. */
static double central(double n, double xy, double x, double y)
{
    return n > 0 ? xy - x * (y / n) : 0;
}

/* The result of the window that consists of two parts and ends with `last`. */
static double part_give(enum rolling what, const struct windows *w, const struct part *head,
                        const struct part *tail, double last)
{
    const size_t above = head->above + tail->above, below = head->below + tail->below;
    const double n = head->n + tail->n;
    if ((!w->omit && head->missing + tail->missing) ||
        n + (double) above + (double) below < (double) w->min_periods) {
        return (double) NAN;
    }
    if (above || below) {
        return (what != ROLLING_SUM && what != ROLLING_MEAN) || (above && below) ? (double) NAN
               : above                                                           ? HUGE_VAL
                                                                                 : -HUGE_VAL;
    }
    const struct part *a = head->n > 0 ? head : tail, *b = head->n > 0 ? tail : head;
    const double share = b->n / n; /* the mean lies there between those of a and of b */
    const double mx = a->x / a->n, my = a->y / a->n;
    const double dx = b->n > 0 ? (b->anchor_x - a->anchor_x) + (b->x / b->n - mx) : 0;
    const double dy = b->n > 0 ? (b->anchor_y - a->anchor_y) + (b->y / b->n - my) : 0;
    const double mean = mx + dx * share; /* less the anchor of a */
    if (what == ROLLING_SUM) {
        return (a->n * a->anchor_x + b->n * b->anchor_x) + (a->x + b->x);
    }
    if (what == ROLLING_MEAN) {
        return a->anchor_x + mean;
    }
    const double both = a->n * share;
    const double xx =
        fmax(central(a->n, a->xx, a->x, a->x) + central(b->n, b->xx, b->x, b->x), 0) + dx * dx * both;
    const double free = n - w->ddof;
    if (!(free > 0)) {
        return (double) NAN;
    }
    if (what == ROLLING_VAR || what == ROLLING_STD) {
        return what == ROLLING_VAR ? xx / free : sqrt(xx / free);
    }
    if (what == ROLLING_ZSCORE) {
        return ((last - a->anchor_x) - mean) / sqrt(xx / free);
    }
    const double yy =
        fmax(central(a->n, a->yy, a->y, a->y) + central(b->n, b->yy, b->y, b->y), 0) + dy * dy * both;
    const double xy = central(a->n, a->xy, a->x, a->y) + central(b->n, b->xy, b->x, b->y) + dx * dy * both;
    if (what == ROLLING_COV) {
        return xy / free;
    }
    const double r = xy / (sqrt(xx) * sqrt(yy));
    return r > 1 ? 1 : r < -1 ? -1 : r; /* rounding; 0 / 0 stays NaN */
}

/* The windows of a block all contain x[from], where the block begins: the head sums on from there; tails[age]
 * are the `age` values before it. */
static inline int counted(struct kiln_call *call, enum rolling what, const struct windows *w, bool pairs,
                          struct part *tails, double *out)
{
    const double *x = w->x, *y = w->y;
    size_t done = 0;
    for (size_t from = 0; from < w->n; from += w->window, done += w->window) {
        const size_t end = w->n - from < w->window ? w->n : from + w->window;
        const size_t oldest = from < w->window - 1 ? from : w->window - 1;
        struct part sum = {0};
        if (done >= CHUNK) {
            done = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
        }
        tails[0] = sum;
        for (size_t age = 1; age <= oldest; age++) {
            part_add(&sum, x[from - age], pairs ? y[from - age] : 0, pairs);
            tails[age] = sum;
        }
        for (size_t age = oldest + 1; age < w->window; age++) { /* before the start of the series */
            tails[age] = sum;
        }
        sum = (struct part){0};
        for (size_t i = from; i < end; i++) {
            part_add(&sum, x[i], pairs ? y[i] : 0, pairs);
            out[i] = part_give(what, w, &sum, &tails[w->window - 1 - (i - from)], x[i]);
        }
    }
    return KILN_OK;
}

static int rolling_counted(struct kiln_call *call, enum rolling what, const struct windows *w, double *out)
{
    struct part *tails = call->host->alloc(call, w->window * sizeof *tails);
    if (!tails) {
        return KILN_RESOURCE;
    }
    return w->y ? counted(call, what, w, true, tails, out) : counted(call, what, w, false, tails, out);
}

/* ---- kernels --------------------------------------------------------------------------------------------- */

static int rolling_full(struct kiln_call *call, enum rolling what, const double *x, size_t n, size_t window,
                        double divisor, double *out)
{
    const struct kernels *k = call->state;
    double *scratch = call->host->alloc(call, ROLLING_SCRATCH(window) * sizeof *scratch);
    if (!scratch) {
        return KILN_RESOURCE;
    }
    const size_t windows = n - window + 1, step = window > CHUNK / 16 ? 16 * window : CHUNK;
    for (size_t i = 0; i < windows; i += step) {
        const size_t count = windows - i < step ? windows - i : step;
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        k->rolling[what](x + i, count + window - 1, window, divisor, scratch, out + i);
    }
    return KILN_OK;
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
    const int status = rolling_full(call, what, filled, w->n + before, w->window, 1, out);
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
    const double scale = scale_for(what, isnan(magnitude) ? magnitude_of_finite(from, n) : magnitude);
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
    double scale_x = 1, scale_y = 1;
    const double magnitude = k->magnitude(w.x, w.n);
    const bool clean = !w.y && w.min_periods == w.window && !isnan(magnitude);
    int status = rolling_scaled(call, what, w.n, magnitude, &w.x, &scale_x);
    if (w.y && status == KILN_OK) {
        status = rolling_scaled(call, what, w.n, k->magnitude(w.y, w.n), &w.y, &scale_y);
    }
    if (status) {
        return status;
    }
    if (clean && (double) w.window > w.ddof) {
        for (size_t i = 0; i + 1 < w.window; i++) {
            out[i] = (double) NAN;
        }
        status = rolling_full(call, what, w.x, w.n, w.window, (double) w.window - w.ddof, out + w.window - 1);
    } else if (what == ROLLING_MIN || what == ROLLING_MAX) {
        status = rolling_extreme(call, what, &w, out);
    } else {
        status = rolling_counted(call, what, &w, out);
    }
    rolling_unscale(what, out, w.n, scale_x, w.y ? scale_y : scale_x);
    return status;
}
