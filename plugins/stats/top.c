/* SPDX-License-Identifier: MPL-2.0 */
/* top - the k largest or smallest values and where they are. */
#include <math.h>
#include <stdlib.h>

#include "functions.h"
#include "order.h"
#include "sample.h"

static const char top_k_help[] = "The k largest values, largest first, or with largest false the k smallest, "
                                 "smallest first, and their indices in "
                                 "x. Equal values come in the order of their indices.\n"
                                 "A NaN makes the result null; with nan_policy omit it is not one of the "
                                 "values. Refused when there are fewer than "
                                 "k values.";

enum { X, K, LARGEST, NAN_POLICY };

static const struct kiln_row top_k_params[] = {
    ROW_X("values"),
    {.name = "k", .kind = KILN_INT, .flags = KILN_REQUIRED, .min = 1, .max = HUGE_VAL, .help = "how many"},
    {.name = "largest",
     .kind = KILN_BOOL,
     .fallback = "true",
     .help = "the largest ones; false: the smallest"},
    ROW_NAN_POLICY("what a NaN in x does: make the results null, be left out, or be refused"),
};

enum { VALUES, INDICES };

static const struct kiln_row top_k_results[] = {
    {.name = "values", .kind = KILN_ARRAY, .shape = "t", .help = "the k values, in order"},
    {.name = "indices",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "t",
     .help = "their places in x, from 0"},
};

static const struct kiln_golden top_k_goldens[] = {
    {.title = "the two largest",
     .args = "{\"x\":[3,9,1,9],\"k\":2}",
     .result = "{\"values\":[9,9],\"indices\":[1,3]}"},
    {.title = "the smallest, with a missing value left out",
     .args = "{\"x\":[3,null,1],\"k\":1,\"largest\":false,\"nan_policy\":\"omit\"}",
     .result = "{\"values\":[1],\"indices\":[2]}"},
    {.title = "a missing value", .args = "{\"x\":[3,null],\"k\":1}", .result = "{\"values\":null}"},
    {.title = "more than there are",
     .args = "{\"x\":[3,9,1],\"k\":5}",
     .status = KILN_INVALID,
     .result = "k is 5, expected at most the 3 values of x"},
    {.title = "10 of 1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"k\":10}"},
};

struct place {
    double value; /* with its sign changed when the largest come first */
    int64_t index;
};

static int by_value(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->value != q->value) {
        return p->value < q->value ? -1 : 1;
    }
    return (p->index > q->index) - (p->index < q->index);
}

/* The values beyond the k-th, and then as many of its equals, from the front, as there is room for. */
static void collect(const double *x, size_t n, double last, double sign, size_t k, struct place *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < n && count < k; i++) {
        if (sign * x[i] < sign * last) {
            ret[count++] = (struct place){sign * x[i], (int64_t) i};
        }
    }
    for (size_t i = 0; i < n && count < k; i++) {
        if (x[i] == last) {
            ret[count++] = (struct place){sign * x[i], (int64_t) i};
        }
    }
    qsort(ret, k, sizeof *ret, by_value);
}

static int top_k_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const struct kernels *kernels = call->state;
    const double *x = args[X].array.data, sign = args[LARGEST].i64 ? -1 : 1;
    const enum nan_policy policy = nan_policy_of(&args[NAN_POLICY]);
    struct sample s;
    int status = sample_take(call, &args[X], "x", policy, &s);
    if (status) {
        return status;
    }
    if (args[K].i64 > (int64_t) s.n) {
        return call->host->fail(call, KILN_INVALID, "k", "k is %lld, expected at most the %zu values of x%s",
                                (long long) args[K].i64, s.n, s.omitted ? " that are not NaN" : "");
    }
    if (policy == NAN_PROPAGATE && kernels->find_nan(s.x, s.n) < s.n) {
        return KILN_OK;
    }
    const size_t k = (size_t) args[K].i64, rank = args[LARGEST].i64 ? s.n - k : k - 1;
    double last;
    status = order_values(call, s.x, s.n, &rank, 1, &last);
    struct place *places = status ? NULL : call->host->alloc(call, k * sizeof *places);
    double *values = places ? call->host->grow(call, VALUES, (int64_t) k) : NULL;
    int64_t *indices = values ? call->host->grow(call, INDICES, (int64_t) k) : NULL;
    if (!indices) {
        return KILN_RESOURCE;
    }
    collect(x, (size_t) args[X].array.count, last, sign, k, places);
    for (size_t i = 0; i < k; i++) {
        values[i] = x[places[i].index];
        indices[i] = places[i].index;
    }
    return KILN_OK;
}

const struct kiln_function stats_top_k = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "top_k",  .summary = "the largest or smallest values",
    .help = top_k_help, TABLES(top_k),      .run = top_k_run,
};
