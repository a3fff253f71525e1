/* SPDX-License-Identifier: MPL-2.0 */
/* histogram - how many values lie in each of a number of bins. */
#include <string.h>

#include "bins.h"
#include "functions.h"
#include "sample.h"
#include "sorting.h"

enum { X, BINS, EDGES, RANGE, DENSITY, WEIGHTS, NAN_POLICY };
enum { HIST, BIN_EDGES };
enum { CHUNK = 1 << 18 }; /* values between two looks at whether the job is still wanted */

static const char histogram_help[] =
    "Number of values in each bin, as numpy.histogram.\n"
    "Bins are half-open, edges[i] <= v < edges[i + 1], but for the last one, which contains its upper edge. "
    "bins bins of equal width lie between the ends of range, which is that of the values unless given (half "
    "a unit to either side when all are equal); or edges gives the edges, ascending. Values outside are not "
    "counted.\n"
    "With weights each value counts as its weight. With density the counts are divided by the widths and "
    "their sum, so that the area is 1 (NaN when nothing was counted).\n"
    "A NaN lies in no bin, but without range or edges it is refused unless nan_policy is omit; so is an "
    "infinity.";

static const struct kiln_row histogram_params[] = {
    [X] = {.name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .help = "values"},
    [BINS] = {.name = "bins",
              .kind = KILN_INT,
              .min = 1,
              .max = 1e8,
              .fallback = "10",
              .help = "number of bins of equal width"},
    [EDGES] = {.name = "edges",
               .kind = KILN_ARRAY,
               .flags = KILN_FINITE,
               .shape = "e>=2",
               .help = "edges of the bins, ascending, in place of bins and range"},
    [RANGE] = {.name = "range",
               .kind = KILN_ARRAY,
               .flags = KILN_FINITE,
               .shape = "2",
               .help = "lowest and highest edge; those of the values unless given"},
    [DENSITY] = {.name = "density",
                 .kind = KILN_BOOL,
                 .fallback = "false",
                 .help = "give a density, whose integral is 1, in place of counts"},
    [WEIGHTS] = {.name = "weights",
                 .kind = KILN_ARRAY,
                 .shape = "n",
                 .help = "weight of each value; 1 unless given"},
    [NAN_POLICY] = ROW_NAN_POLICY("what a NaN in x does: lie in no bin (refused without range and edges), be "
                                  "left out, or be refused"),
};

static const struct kiln_row histogram_results[] = {
    [HIST] = {.name = "hist",
              .kind = KILN_ARRAY,
              .shape = "b",
              .help = "count, sum of weights, or density of each bin"},
    [BIN_EDGES] = {.name = "bin_edges",
                   .kind = KILN_ARRAY,
                   .shape = "c",
                   .help = "edges, one more than bins"},
};

static const struct kiln_golden histogram_goldens[] = {
    {.title = "the last bin is closed",
     .args = "{\"x\":[1,2,1,4,3],\"bins\":3}",
     .result = "{\"hist\":[2,1,2],\"bin_edges\":[1,2,3,4]}"},
    {.title = "given edges, a value outside",
     .args = "{\"x\":[1,2,1,9],\"edges\":[0,1,2,3]}",
     .result = "{\"hist\":[0,2,1],\"bin_edges\":[0,1,2,3]}"},
    {.title = "density of weights",
     .args = "{\"x\":[0,1,2],\"bins\":2,\"range\":[0,4],\"weights\":[1,2,5],\"density\":true}",
     .result = "{\"hist\":[0.1875,0.3125]}"},
    {.title = "equal values",
     .args = "{\"x\":[2.5,2.5],\"bins\":2}",
     .result = "{\"hist\":[0,2],\"bin_edges\":[2,2.5,3]}"},
    {.title = "an infinity without a range",
     .args = "{\"x\":[1,null]}",
     .status = KILN_INVALID,
     .result = "element 1 of x is nan, expected finite values"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"bins\":100}"},
};

/* ---- edges -------------------------------------------------------------------------------------------------- */

/* numpy.linspace, to the bit: i times the step, rounded, plus the start. */
static void equal_edges(double first, double last, size_t bins, double *edges)
{
    const double step = (last - first) / (double) bins;
    for (size_t i = 0; i < bins; i++) {
        edges[i] =
            step == 0 ? (double) i / (double) bins * (last - first) + first : (double) i * step + first;
    }
    edges[bins] = last;
}

static int refuse_range(struct kiln_call *call, double first, double last)
{
    return call->host->fail(call, KILN_INVALID, "range",
                            "range is %.15g to %.15g, expected the lower end first and a finite width", first,
                            last);
}

static int range_of(struct kiln_call *call, const struct sample *s, const struct kiln_slot *range,
                    double *ret_first, double *ret_last)
{
    const struct kernels *k = call->state;
    double first, last;
    if (range->present) {
        const double *ends = range->array.data;
        first = ends[0];
        last = ends[1];
        if (!(first <= last)) {
            return refuse_range(call, first, last);
        }
    } else {
        if (!all_finite(k, s->x, s->n)) {
            size_t i = 0;
            while (isfinite(s->x[i])) {
                i++;
            }
            return call->host->fail(
                call, KILN_INVALID, "x",
                "element %zu of x is %g, expected finite values unless range or edges is given", i, s->x[i]);
        }
        k->extremes(s->x, s->n, &first, &last);
    }
    if (first == last) {
        first -= 0.5;
        last += 0.5;
    }
    if (isinf(last - first)) {
        return refuse_range(call, first, last);
    }
    *ret_first = first;
    *ret_last = last;
    return KILN_OK;
}

/* Places are rounded to some parts in 2^53 of the number of bins, edges to as many of the larger end. */
static struct bins bins_between(double first, double last, const double *edges, size_t count)
{
    const double per_unit = (double) count / (last - first);
    const double doubt = 0x1p-50 * (double) count + 0x1p-50 * fmax(fabs(first), fabs(last)) * per_unit;
    return (struct bins){edges, count, first, last, per_unit, doubt < 0.25 ? doubt : 0.5};
}

static int check_edges(struct kiln_call *call, const double *edges, size_t n)
{
    const size_t i = bins_disorder(edges, n, false);
    return i == n ? KILN_OK
                  : call->host->fail(call, KILN_INVALID, "edges",
                                     "element %zu of edges is %.15g, expected at least the %.15g before it",
                                     i, edges[i], edges[i - 1]);
}

/* The bin of v among any edges; the number of bins when it lies in none. */
static size_t search(const double *edges, size_t bins, double v)
{
    int64_t below;
    if (!(v >= edges[0] && v <= edges[bins])) {
        return bins;
    }
    bins_search(edges, bins, &v, 1, true, &below); /* the last edge closes the last bin */
    return (size_t) below - 1;
}

/* ---- counts ------------------------------------------------------------------------------------------------- */

static int count_equal(struct kiln_call *call, const struct sample *s, const struct bins *b, double *hist)
{
    const struct kernels *k = call->state;
    const size_t stride = b->count + 1;
    uint32_t *tables = call->host->alloc(call, BINS_TABLES * stride * sizeof *tables);
    if (!tables) {
        return KILN_RESOURCE;
    }
    memset(tables, 0, BINS_TABLES * stride * sizeof *tables);
    for (size_t i = 0; i < s->n; i += CHUNK) {
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        k->count(s->x + i, s->n - i < CHUNK ? s->n - i : CHUNK, b, tables);
    }
    for (size_t i = 0; i < b->count; i++) {
        hist[i] = 0;
        for (size_t t = 0; t < BINS_TABLES; t++) {
            hist[i] += tables[t * stride + i];
        }
    }
    return KILN_OK;
}

/* One by one, with weights or any edges. */
static int count_each(struct kiln_call *call, const double *x, size_t n, const double *weights,
                      const struct bins *b, bool equal, double *hist)
{
    double *sums =
        call->host->alloc(call, (b->count + 1) * sizeof *sums); /* the last one: what lies outside */
    if (!sums) {
        return KILN_RESOURCE;
    }
    memset(sums, 0, (b->count + 1) * sizeof *sums);
    for (size_t i = 0; i < n; i++) {
        if (i % CHUNK == 0 && i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        sums[equal ? bins_find(b, x[i]) : search(b->edges, b->count, x[i])] += weights ? weights[i] : 1;
    }
    memcpy(hist, sums, b->count * sizeof *hist);
    return KILN_OK;
}

static void to_density(double *hist, const double *edges, size_t bins)
{
    double total = 0;
    for (size_t i = 0; i < bins; i++) {
        total += hist[i];
    }
    for (size_t i = 0; i < bins; i++) {
        hist[i] = hist[i] / (edges[i + 1] - edges[i]) / total;
    }
}

static int histogram_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const bool given = args[EDGES].present, weighted = args[WEIGHTS].present;
    const size_t bins = given ? (size_t) args[EDGES].array.count - 1 : (size_t) args[BINS].i64;
    const enum nan_policy policy = nan_policy_of(&args[NAN_POLICY]);
    struct sample s = {args[X].array.data, (size_t) args[X].array.count, 0};
    int status = policy == NAN_RAISE || (policy == NAN_OMIT && !weighted && !given)
                     ? sample_take(call, &args[X], "x", policy, &s)
                     : KILN_OK;
    if (given && args[RANGE].present) {
        return call->host->fail(call, KILN_INVALID, "range",
                                "range and edges were given, expected one of them");
    }
    if (status == KILN_OK && given) {
        status = check_edges(call, args[EDGES].array.data, bins + 1);
    }
    if (status == KILN_OK && s.n > SORT_MOST) {
        status = call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %zu", s.n,
                                  SORT_MOST);
    }
    if (status) {
        return status;
    }
    double *edges = call->host->grow(call, BIN_EDGES, (int64_t) bins + 1);
    double *hist = call->host->grow(call, HIST, (int64_t) bins);
    if (!edges || !hist) {
        return KILN_RESOURCE;
    }
    struct bins b = {.edges = edges, .count = bins};
    if (given) {
        memcpy(edges, args[EDGES].array.data, (bins + 1) * sizeof *edges);
    } else {
        double first = 0, last = 0;
        struct sample seen = s;
        if (policy == NAN_OMIT && weighted) {
            status = sample_take(call, &args[X], "x", policy, &seen);
        }
        status = status ? status : range_of(call, &seen, &args[RANGE], &first, &last);
        if (status) {
            return status;
        }
        equal_edges(first, last, bins, edges);
        b = bins_between(first, last, edges, bins);
    }
    status = given || weighted
                 ? count_each(call, s.x, s.n, weighted ? args[WEIGHTS].array.data : NULL, &b, !given, hist)
                 : count_equal(call, &s, &b, hist);
    if (args[DENSITY].i64) {
        to_density(hist, edges, bins);
    }
    results[HIST].present = results[BIN_EDGES].present = 1;
    return status;
}

const struct kiln_function stats_histogram = {
    KILN_FUNCTION_HEAD,     .flags = KILN_PURE,
    .name = "histogram",    .summary = "number of values in each bin",
    .help = histogram_help, TABLES(histogram),
    .run = histogram_run,
};
