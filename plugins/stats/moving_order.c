/* SPDX-License-Identifier: MPL-2.0 */
/* moving_order - medians and quantiles of rolling windows.
 *
 * The series is taken in stretches of a few windows. Each stretch is sorted once; from then on its values are
 * ranks, and the window is a set of them, in which the wanted place is never far from where it was. */
#include "functions.h"
#include "quantile.h"
#include "rank_set.h"
#include "rolling.h"
#include "sorting.h"

enum { STRETCH_LEAST = 1024, STRETCH_WINDOWS = 4, POLL = 1 << 16, Q = ROLLING_ARGS, METHOD };

struct stretch {
    double *sorted;
    uint32_t *order, *rank; /* of the sorted values, and of the values as they stand */
    uint64_t *set;
    void *scratch;
};

static int stretch_alloc(struct kiln_call *call, size_t n, struct stretch *ret)
{
    ret->sorted = call->host->alloc(call, n * sizeof *ret->sorted);
    ret->order = call->host->alloc(call, n * sizeof *ret->order);
    ret->rank = call->host->alloc(call, n * sizeof *ret->rank);
    ret->set = call->host->alloc(call, rank_set_words(n) * sizeof *ret->set);
    ret->scratch = call->host->alloc(call, sort_scratch_bytes(n));
    return ret->sorted && ret->order && ret->rank && ret->set && ret->scratch ? KILN_OK : KILN_RESOURCE;
}

static int stretch_sort(struct kiln_call *call, const double *x, size_t n, const struct stretch *s)
{
    const int status = sort_order(call, x, n, s->scratch, s->order);
    for (size_t i = 0; i < n && status == KILN_OK; i++) {
        s->rank[s->order[i]] = (uint32_t) i;
        s->sorted[i] = x[s->order[i]];
    }
    return status;
}

static double place_value(struct rank_set *set, const double *sorted, struct quantile_place place)
{
    const size_t at = rank_set_find(set, place.low);
    const double low = sorted[at];
    return place.weight == 0 || place.high == place.low
               ? low
               : quantile_between(low, sorted[rank_set_up(set, at + 1)], place.weight);
}

/* The windows that end at first .. end - 1. */
static int stretch_windows(struct kiln_call *call, const struct windows *w, size_t first, size_t end,
                           quantile_method *method, double q, const struct stretch *s, double *out)
{
    const size_t base = first < w->window - 1 ? 0 : first - (w->window - 1);
    const double *x = w->x + base;
    const int status = stretch_sort(call, x, end - base, s);
    struct rank_set set;
    size_t missing = 0, counted = 0;
    struct quantile_place place = {0, 0, 0};
    rank_set_init(&set, end - base, s->set);
    for (size_t i = base; i < end && status == KILN_OK; i++) {
        if (isnan(x[i - base])) {
            missing++;
        } else {
            rank_set_insert(&set, s->rank[i - base]);
        }
        if (i >= base + w->window) {
            const size_t old = i - base - w->window;
            if (isnan(x[old])) {
                missing--;
            } else {
                rank_set_remove(&set, s->rank[old]);
            }
        }
        if (i < first) {
            continue;
        }
        if (set.size < w->min_periods || (missing && !w->omit)) {
            out[i] = (double) NAN;
            continue;
        }
        if (set.size != counted) {
            counted = set.size;
            place = method((double) counted, q);
        }
        out[i] = place_value(&set, s->sorted, place);
    }
    return status;
}

static int rolling_places(struct kiln_call *call, const struct windows *w, quantile_method *method, double q,
                          double *out)
{
    const size_t most =
        w->window > STRETCH_LEAST / STRETCH_WINDOWS ? STRETCH_WINDOWS * w->window : STRETCH_LEAST;
    const size_t length = most < w->n ? most : w->n, room = length + w->window - 1;
    struct stretch s;
    int status = stretch_alloc(call, room < w->n ? room : w->n, &s);
    size_t since = 0;
    for (size_t first = 0; first < w->n && status == KILN_OK; first += length, since += length) {
        const size_t end = w->n - first < length ? w->n : first + length;
        if (since >= POLL) {
            since = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
        }
        status = stretch_windows(call, w, first, end, method, q, &s, out);
    }
    return status;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, quantile_method *method, double q,
               double *out)
{
    struct windows w;
    const int status = windows_take(call, args, NULL, &w);
    if (status) {
        return status;
    }
    if (w.n > SORT_MOST) {
        return call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %zu", w.n,
                                SORT_MOST);
    }
    return rolling_places(call, &w, method, q, out);
}

/* ---- rolling_median ---------------------------------------------------------------------------------------- */

static const char rolling_median_help[] =
    "Median of each window: the middle one of its values in order, or the mean of the middle "
    "two.\n" HELP_ROLLING
    "\nThe time hardly depends on the window: the series is sorted in stretches, and the place of the median "
    "followed from window to window.";

static const struct kiln_row rolling_median_params[] = {ROWS_ROLLING("values")};

static const struct kiln_row rolling_median_results[] = {
    {.name = "rolling_median",
     .kind = KILN_ARRAY,
     .shape = "n",
     .help = "median of the window that ends at each value"},
};

static const struct kiln_golden rolling_median_goldens[] = {
    {.title = "a spike does not show",
     .args = "{\"x\":[1,2,300,3,4],\"window\":3}",
     .result = "{\"rolling_median\":[null,null,2,3,4]}"},
    {.title = "an even window",
     .args = "{\"x\":[1,2,4,8],\"window\":2}",
     .result = "{\"rolling_median\":[null,1.5,3,6]}"},
    {.title = "a missing value left out",
     .args = "{\"x\":[5,null,1,3],\"window\":3,\"min_periods\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"rolling_median\":[5,5,3,2]}"},
    {.title = "a window longer than the series",
     .args = "{\"x\":[1,2],\"window\":3}",
     .status = KILN_INVALID,
     .result = "expected at most the 2 values of x"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"window\":50}"},
};

static int rolling_median_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return run(call, args, quantile_linear, 0.5, results[0].array.data);
}

const struct kiln_function stats_rolling_median = {
    KILN_FUNCTION_HEAD,          .flags = KILN_PURE,
    .name = "rolling_median",    .summary = "median of each window",
    .help = rolling_median_help, TABLES(rolling_median),
    .run = rolling_median_run,
};

/* ---- rolling_quantile -------------------------------------------------------------------------------------- */

static const char rolling_quantile_help[] =
    "A quantile of each window, by any of the methods of quantile.\n" HELP_ROLLING;

static const struct kiln_row rolling_quantile_params[] = {
    ROWS_ROLLING("values"),
    [Q] = {.name = "q",
           .kind = KILN_FLOAT,
           .flags = KILN_REQUIRED,
           .min = 0,
           .max = 1,
           .unit = "fraction",
           .help = "probability: 0 asks for the smallest value, 0.5 for the median, 1 for the largest"},
    [METHOD] = {.name = "method",
                .kind = KILN_STRING,
                .choices = QUANTILE_METHODS,
                .fallback = "\"linear\"",
                .help = "what a quantile between two values is"},
};

static const struct kiln_row rolling_quantile_results[] = {
    {.name = "rolling_quantile",
     .kind = KILN_ARRAY,
     .shape = "n",
     .help = "quantile of the window that ends at each value"},
};

static const struct kiln_golden rolling_quantile_goldens[] = {
    {.title = "lower quartiles of three",
     .args = "{\"x\":[4,1,3,2],\"window\":3,\"q\":0.25}",
     .result = "{\"rolling_quantile\":[null,null,2,1.5]}"},
    {.title = "an observed value",
     .args = "{\"x\":[4,1,3,2],\"window\":3,\"q\":0.75,\"method\":\"higher\"}",
     .result = "{\"rolling_quantile\":[null,null,4,3]}"},
    {.title = "a probability above 1",
     .args = "{\"x\":[1,2],\"window\":2,\"q\":1.5}",
     .status = KILN_INVALID,
     .result = "1.5"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"window\":50,\"q\":0.9}"},
};

static int rolling_quantile_run(struct kiln_call *call, const struct kiln_slot *args,
                                struct kiln_slot *results)
{
    return run(call, args, quantile_method_of(args[METHOD].text), args[Q].f64, results[0].array.data);
}

const struct kiln_function stats_rolling_quantile = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "rolling_quantile",
    .summary = "a quantile of each window",
    .help = rolling_quantile_help,
    TABLES(rolling_quantile),
    .run = rolling_quantile_run,
};
