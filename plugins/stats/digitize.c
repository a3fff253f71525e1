/* SPDX-License-Identifier: MPL-2.0 */
/* digitize - places of values among edges, and counts of small whole numbers. */
#include <string.h>

#include "bins.h"
#include "functions.h"
#include "sample.h"

enum { CHUNK = 1 << 16 }; /* values between two looks at whether the job is still wanted */

/* ---- search ------------------------------------------------------------------------------------------------- */

enum { ABREAST = 4 };

static inline bool before(double edge, double v, bool or_equal)
{
    return or_equal ? edge <= v : edge < v;
}

static inline void search(const double *edges, size_t n_edges, const double *v, size_t n, bool or_equal,
                          int64_t *ret)
{
    size_t i = 0;
    for (; i + ABREAST <= n; i += ABREAST) {
        size_t low[ABREAST] = {0}; /* the edges before low go before v */
        for (size_t left = n_edges; left > 0;) {
            const size_t half = (left + 1) / 2;
            for (int k = 0; k < ABREAST; k++) {
                low[k] += before(edges[low[k] + half - 1], v[i + k], or_equal) ? half : 0;
            }
            left -= half;
        }
        for (int k = 0; k < ABREAST; k++) {
            ret[i + k] = (int64_t) low[k];
        }
    }
    for (; i < n; i++) {
        size_t low = 0;
        for (size_t left = n_edges; left > 0;) {
            const size_t half = (left + 1) / 2;
            low += before(edges[low + half - 1], v[i], or_equal) ? half : 0;
            left -= half;
        }
        ret[i] = (int64_t) low;
    }
}

void bins_search(const double *edges, size_t n_edges, const double *v, size_t n, bool or_equal, int64_t *ret)
{
    size_t numbers = n_edges;
    while (numbers > 0 && isnan(edges[numbers - 1])) {
        numbers--;
    }
    if (or_equal) {
        search(edges, numbers, v, n, true, ret);
    } else {
        search(edges, numbers, v, n, false, ret);
    }
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i])) {
            ret[i] = (int64_t) (or_equal ? n_edges : numbers);
        }
    }
}

size_t bins_disorder(const double *edges, size_t n, bool falling)
{
    for (size_t i = 1; i < n; i++) {
        const double a = falling ? edges[i] : edges[i - 1], b = falling ? edges[i - 1] : edges[i];
        if (!(a <= b) && !isnan(b)) {
            return i;
        }
    }
    return n;
}

static int search_all(struct kiln_call *call, const double *edges, size_t n_edges, const struct kiln_slot *v,
                      bool or_equal, int64_t *ret)
{
    const double *values = v->array.data;
    const size_t n = (size_t) v->array.count;
    for (size_t i = 0; i < n; i += CHUNK) {
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        bins_search(edges, n_edges, values + i, n - i < CHUNK ? n - i : CHUNK, or_equal, ret + i);
    }
    return KILN_OK;
}

/* ---- searchsorted ------------------------------------------------------------------------------------------- */

enum { SEARCHSORTED_A, SEARCHSORTED_V, SEARCHSORTED_SIDE, SEARCHSORTED_NAN_POLICY };

static const char searchsorted_help[] =
    "Indices at which the values of v would be inserted into the ascending a to keep it in order, as "
    "numpy.searchsorted.\n"
    "side left gives the number of elements of a that are less than v, side right that of those not greater. "
    "NaN count as greater than all numbers. An a that does not ascend is refused.";

static const struct kiln_row searchsorted_params[] = {
    {.name = "a",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "m>=0",
     .help = "values in ascending order"},
    {.name = "v",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "n>=0",
     .help = "values to find a place for"},
    {.name = "side",
     .kind = KILN_STRING,
     .choices = "left|right",
     .fallback = "\"left\"",
     .help = "the place before or behind elements equal to the value"},
    ROW_NAN_RAISE("what a NaN in v does: count as greater than all numbers, or be refused"),
};

static const struct kiln_row searchsorted_results[] = {
    {.name = "searchsorted",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "n",
     .help = "index in a for each value, 0 to the length of a"},
};

static const struct kiln_golden searchsorted_goldens[] = {
    {.title = "before equal elements",
     .args = "{\"a\":[1,2,2,3],\"v\":[2,0,9,2.5]}",
     .result = "{\"searchsorted\":[1,0,4,3]}"},
    {.title = "behind equal elements",
     .args = "{\"a\":[1,2,2,3],\"v\":[2,null],\"side\":\"right\"}",
     .result = "{\"searchsorted\":[3,4]}"},
    {.title = "not ascending",
     .args = "{\"a\":[1,3,2],\"v\":[2]}",
     .status = KILN_INVALID,
     .result = "element 2 of a is 2, expected at least the 3 before it"},
    {.title = "10,000 values", .args = "{\"a\":{\"$linspace\":[-3,3,100]},\"v\":{\"$normal\":[10000,1]}}"},
};

static int refuse_disorder(struct kiln_call *call, const char *field, const double *edges, size_t at,
                           const char *order)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "element %zu of %s is %.15g, expected %s the %.15g before it", at, field,
                            edges[at], order, edges[at - 1]);
}

static int searchsorted_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *a = args[SEARCHSORTED_A].array.data;
    const size_t n_a = (size_t) args[SEARCHSORTED_A].array.count, at = bins_disorder(a, n_a, false);
    if (sample_check_nan(call, &args[SEARCHSORTED_V], "v", &args[SEARCHSORTED_NAN_POLICY])) {
        return KILN_INVALID;
    }
    if (at < n_a) {
        return refuse_disorder(call, "a", a, at, "at least");
    }
    return search_all(call, a, n_a, &args[SEARCHSORTED_V], args[SEARCHSORTED_SIDE].text[0] == 'r',
                      results[0].array.data);
}

const struct kiln_function stats_searchsorted = {
    KILN_FUNCTION_HEAD,        .flags = KILN_PURE,
    .name = "searchsorted",    .summary = "places of values in a sorted array",
    .help = searchsorted_help, TABLES(searchsorted),
    .run = searchsorted_run,
};

/* ---- digitize ----------------------------------------------------------------------------------------------- */

enum { DIGITIZE_X, DIGITIZE_BINS, DIGITIZE_RIGHT, DIGITIZE_NAN_POLICY };

static const char digitize_help[] =
    "Number of the bin each value lies in, as numpy.digitize.\n"
    "With ascending bins, i means bins[i - 1] <= x < bins[i], with right bins[i - 1] < x <= bins[i]; with "
    "descending ones bins[i - 1] > x >= bins[i], with right bins[i - 1] >= x > bins[i]. 0 means before the "
    "first edge, the number of edges behind the last. A NaN is greater than all edges.";

static const struct kiln_row digitize_params[] = {
    {.name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n>=0", .help = "values"},
    {.name = "bins",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "m",
     .help = "edges, ascending or descending"},
    {.name = "right",
     .kind = KILN_BOOL,
     .fallback = "false",
     .help = "whether bins contain their right edge in place of the left one"},
    ROW_NAN_RAISE("what a NaN in x does: count as greater than all edges, or be refused"),
};

static const struct kiln_row digitize_results[] = {
    {.name = "digitize",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "n",
     .help = "number of the bin of each value"},
};

static const struct kiln_golden digitize_goldens[] = {
    {.title = "left edges belong to bins",
     .args = "{\"x\":[0.2,6.4,3,1.6,10],\"bins\":[0,1,2.5,4,10]}",
     .result = "{\"digitize\":[1,4,3,2,5]}"},
    {.title = "descending, right edges belong to bins",
     .args = "{\"x\":[0,1,2,3],\"bins\":[2,1],\"right\":true}",
     .result = "{\"digitize\":[2,2,1,0]}"},
    {.title = "neither ascending nor descending",
     .args = "{\"x\":[1],\"bins\":[1,3,2]}",
     .status = KILN_INVALID,
     .result = "element 2 of bins is 2, expected at least the 3 before it"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"bins\":{\"$linspace\":[-3,3,100]}}"},
};

static int digitize_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double *bins = args[DIGITIZE_BINS].array.data;
    int64_t *out = results[0].array.data;
    const size_t n = (size_t) args[DIGITIZE_BINS].array.count, n_x = (size_t) args[DIGITIZE_X].array.count;
    const bool falling = bins[0] > bins[n - 1], or_equal = !args[DIGITIZE_RIGHT].i64;
    const size_t nan = ((const struct kernels *) call->state)->find_nan(bins, n);
    if (sample_check_nan(call, &args[DIGITIZE_X], "x", &args[DIGITIZE_NAN_POLICY])) {
        return KILN_INVALID;
    }
    if (nan < n) {
        return call->host->fail(call, KILN_INVALID, "bins", "element %zu of bins is NaN, expected numbers",
                                nan);
    }
    const size_t at = bins_disorder(bins, n, falling);
    if (at < n) {
        return refuse_disorder(call, "bins", bins, at, falling ? "at most" : "at least");
    }
    if (!falling) {
        return search_all(call, bins, n, &args[DIGITIZE_X], or_equal, out);
    }
    double *rising = call->host->alloc(call, n * sizeof *rising);
    if (!rising) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n; i++) {
        rising[i] = bins[n - 1 - i];
    }
    const int status = search_all(call, rising, n, &args[DIGITIZE_X], or_equal, out);
    for (size_t i = 0; i < n_x && status == KILN_OK; i++) {
        out[i] = (int64_t) n - out[i];
    }
    return status;
}

const struct kiln_function stats_digitize = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "digitize",  .summary = "the bin each value lies in",
    .help = digitize_help, TABLES(digitize),   .run = digitize_run,
};

/* ---- bincount ----------------------------------------------------------------------------------------------- */

enum { BINCOUNT_X, BINCOUNT_WEIGHTS, BINCOUNT_MINLENGTH, BINCOUNT_NAN_POLICY };

static const char bincount_help[] =
    "How often each whole number from 0 to the largest of x occurs, as numpy.bincount; with weights, the sum "
    "of the weights that stand beside it.\n"
    "The result has at least minlength elements, and one more than the largest value; when that is more than "
    "a job may use, it is refused.";

static const struct kiln_row bincount_params[] = {
    {.name = "x",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .flags = KILN_REQUIRED,
     .shape = "n>=0",
     .min = 0,
     .max = 4294967294.0,
     .help = "whole numbers"},
    {.name = "weights", .kind = KILN_ARRAY, .shape = "n", .help = "weight of each number; 1 unless given"},
    {.name = "minlength",
     .kind = KILN_INT,
     .min = 0,
     .max = 4294967295.0,
     .fallback = "0",
     .help = "least length of the result"},
    ROW_NAN_RAISE("what a NaN in weights does: make the sum it belongs to NaN, or be refused"),
};

static const struct kiln_row bincount_results[] = {
    {.name = "bincount",
     .kind = KILN_ARRAY,
     .shape = "m",
     .help = "count, or sum of weights, of 0, 1, 2 ..."},
};

static const struct kiln_golden bincount_goldens[] = {
    {.title = "counts", .args = "{\"x\":[0,1,1,3]}", .result = "{\"bincount\":[1,2,0,1]}"},
    {.title = "weights and a least length",
     .args = "{\"x\":[0,1,1],\"weights\":[0.5,1,2],\"minlength\":4}",
     .result = "{\"bincount\":[0.5,3,0,0]}"},
    {.title = "nothing", .args = "{\"x\":[]}", .result = "{\"bincount\":[]}"},
    {.title = "1,000 numbers", .args = "{\"x\":{\"$linspace\":[0,999,1000]}}"},
    {.title = "a negative number", .args = "{\"x\":[1,-1]}", .status = KILN_INVALID, .result = "-1"},
};

/* Into several tables in turn, so that equal numbers in a row need not wait for each other. */
static int count_numbers(struct kiln_call *call, const int64_t *x, size_t n, size_t length, double *out)
{
    uint32_t *tables = call->host->alloc(call, BINS_TABLES * length * sizeof *tables);
    if (!tables) {
        return KILN_RESOURCE;
    }
    memset(tables, 0, BINS_TABLES * length * sizeof *tables);
    uint32_t *a = tables, *b = a + length, *c = b + length, *d = c + length;
    size_t i = 0;
    for (; i + BINS_TABLES <= n; i += BINS_TABLES) {
        a[x[i]]++;
        b[x[i + 1]]++;
        c[x[i + 2]]++;
        d[x[i + 3]]++;
    }
    for (; i < n; i++) {
        a[x[i]]++;
    }
    for (i = 0; i < length; i++) {
        out[i] = (double) a[i] + b[i] + c[i] + d[i];
    }
    return KILN_OK;
}

static int bincount_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const int64_t *x = args[BINCOUNT_X].array.data;
    const double *weights = args[BINCOUNT_WEIGHTS].present ? args[BINCOUNT_WEIGHTS].array.data : NULL;
    const size_t n = (size_t) args[BINCOUNT_X].array.count;
    int64_t length = args[BINCOUNT_MINLENGTH].i64;
    if (weights && sample_check_nan(call, &args[BINCOUNT_WEIGHTS], "weights", &args[BINCOUNT_NAN_POLICY])) {
        return KILN_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        length = x[i] >= length ? x[i] + 1 : length;
    }
    double *out = call->host->grow(call, 0, length);
    if (!out && length > 0) {
        return KILN_RESOURCE;
    }
    results[0].present = 1;
    if (!weights && (size_t) length <= n && n <= UINT32_MAX) {
        return count_numbers(call, x, n, (size_t) length, out);
    }
    for (size_t i = 0; i < (size_t) length; i++) {
        out[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        out[x[i]] += weights ? weights[i] : 1;
    }
    return KILN_OK;
}

const struct kiln_function stats_bincount = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "bincount",  .summary = "counts of whole numbers",
    .help = bincount_help, TABLES(bincount),   .run = bincount_run,
};
