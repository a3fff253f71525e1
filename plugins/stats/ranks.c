/* SPDX-License-Identifier: MPL-2.0 */
/* ranks - sorted values, the order of values, and ranks. */
#include <string.h>

#include "functions.h"
#include "sample.h"
#include "sorting.h"

static int refuse_too_many(struct kiln_call *call, size_t n)
{
    return call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %zu", n, SORT_MOST);
}

#define ROW_X_ANY(text)                                                                                      \
    {                                                                                                        \
        .name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n>=0", .help = text               \
    }
#define ROW_DESCENDING                                                                                       \
    {                                                                                                        \
        .name = "descending", .kind = KILN_BOOL, .fallback = "false",                                        \
        .help = "the largest first instead of the smallest"                                                  \
    }

/* What sort and argsort share: scratch memory, and how many values the result has. */
static int prepare(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *policy,
                   size_t *ret_count, void **ret_scratch)
{
    const struct kernels *k = call->state;
    const double *v = x->array.data;
    const size_t n = (size_t) x->array.count;
    const enum nan_policy nan = nan_policy_of(policy);
    if (n > SORT_MOST) {
        return refuse_too_many(call, n);
    }
    size_t count = n;
    if (nan != NAN_PROPAGATE && n > 0 && k->find_nan(v, n) < n) {
        struct sample s;
        if (nan == NAN_RAISE) {
            return sample_take(call, x, "x", nan, &s);
        }
        for (size_t i = 0; i < n; i++) {
            count -= v[i] != v[i];
        }
    }
    *ret_count = count;
    *ret_scratch = call->host->alloc(call, sort_scratch_bytes(n));
    return *ret_scratch ? KILN_OK : KILN_RESOURCE;
}

/* ---- sort ------------------------------------------------------------------------------------------------- */

enum { X, DESCENDING, NAN_POLICY };

static const char sort_help[] =
    "The values of x in ascending order, as numpy.sort, or in descending order.\n"
    "NaN stand at the end in either order; with nan_policy omit they are left out and the result is shorter. "
    "An empty x gives an empty result.";

static const struct kiln_row sort_params[] = {
    ROW_X_ANY("values"),
    ROW_DESCENDING,
    ROW_NAN_POLICY("what NaN do: stand at the end, be left out, or be refused"),
};

static const struct kiln_row sort_results[] = {
    {.name = "sort", .kind = KILN_ARRAY, .shape = "m", .help = "the values in order"},
};

static const struct kiln_golden sort_goldens[] = {
    {.title = "four values", .args = "{\"x\":[3,-1,2.5,10]}", .result = "{\"sort\":[-1,2.5,3,10]}"},
    {.title = "descending, a missing value last",
     .args = "{\"x\":[3,null,2.5,10],\"descending\":true}",
     .result = "{\"sort\":[10,3,2.5,null]}"},
    {.title = "nothing", .args = "{\"x\":[]}", .result = "{\"sort\":[]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[3,null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int sort_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const size_t n = (size_t) args[X].array.count;
    size_t count;
    void *scratch;
    int status = prepare(call, &args[X], &args[NAN_POLICY], &count, &scratch);
    if (status) {
        return status;
    }
    const double *x = args[X].array.data;
    double *out = call->host->grow(call, 0, (int64_t) count);
    if (!out && count > 0) {
        return KILN_RESOURCE;
    }
    size_t numbers = 0;
    for (size_t i = 0; i < n && numbers < count; i++) { /* count is less than n when NaN are left out */
        out[numbers] = x[i];
        numbers += count == n || !isnan(x[i]);
    }
    status = count > 0 ? sort_values(call, out, count, scratch) : KILN_OK;
    while (numbers > 0 && isnan(out[numbers - 1])) {
        numbers--;
    }
    for (size_t i = 0; args[DESCENDING].i64 && i < numbers / 2; i++) {
        const double v = out[i];
        out[i] = out[numbers - 1 - i];
        out[numbers - 1 - i] = v;
    }
    results[0].present = 1;
    return status;
}

const struct kiln_function stats_sort = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "sort",  .summary = "values in order",
    .help = sort_help,  TABLES(sort),       .run = sort_run,
};

/* ---- argsort ---------------------------------------------------------------------------------------------- */

static const char argsort_help[] =
    "The indices, from 0, that put x in ascending order, as numpy.argsort with kind stable, or in descending "
    "order: equal values keep the order they have in x, and -0 equals 0.\n"
    "The indices of NaN stand at the end in either order; with nan_policy omit they are left out.";

static const struct kiln_row argsort_params[] = {
    ROW_X_ANY("values"),
    ROW_DESCENDING,
    ROW_NAN_POLICY("what NaN do: stand at the end, be left out, or be refused"),
};

static const struct kiln_row argsort_results[] = {
    {.name = "argsort",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "m",
     .help = "index of the smallest value, of the next ..."},
};

static const struct kiln_golden argsort_goldens[] = {
    {.title = "four values, two of them equal",
     .args = "{\"x\":[3,-1,3,0]}",
     .result = "{\"argsort\":[1,3,0,2]}"},
    {.title = "descending, a missing value last",
     .args = "{\"x\":[3,null,3,10],\"descending\":true}",
     .result = "{\"argsort\":[3,0,2,1]}"},
    {.title = "a missing value left out",
     .args = "{\"x\":[3,null,1],\"nan_policy\":\"omit\"}",
     .result = "{\"argsort\":[2,0]}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[3,null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int argsort_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const size_t n = (size_t) args[X].array.count;
    const double *x = args[X].array.data;
    size_t count;
    void *scratch;
    int status = prepare(call, &args[X], &args[NAN_POLICY], &count, &scratch);
    if (status) {
        return status;
    }
    uint32_t *order = call->host->alloc(call, n * sizeof *order);
    double *negated = args[DESCENDING].i64 ? call->host->alloc(call, n * sizeof *negated) : NULL;
    int64_t *out = call->host->grow(call, 0, (int64_t) count);
    if (!order || (!negated && args[DESCENDING].i64) || (!out && count > 0)) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; negated && i < n; i++) {
        negated[i] = -x[i];
    }
    status = n > 0 ? sort_order(call, negated ? negated : x, n, scratch, order) : KILN_OK;
    for (size_t i = 0; i < count && status == KILN_OK; i++) {
        out[i] = order[i];
    }
    results[0].present = 1;
    return status;
}

const struct kiln_function stats_argsort = {
    KILN_FUNCTION_HEAD,   .flags = KILN_PURE, .name = "argsort",  .summary = "indices that sort values",
    .help = argsort_help, TABLES(argsort),    .run = argsort_run,
};

/* ---- rankdata --------------------------------------------------------------------------------------------- */

enum { RANKDATA_X, RANKDATA_METHOD, RANKDATA_NAN_POLICY };

static const char rankdata_help[] =
    "Ranks of the values, from 1 for the smallest, as scipy.stats.rankdata.\n"
    "Equal values get, by method, the average of the ranks they take together, the least or the greatest of "
    "them, one rank for each different value (dense), or ranks in the order they stand in x (ordinal). -0 "
    "equals 0.\n"
    "A NaN makes every rank NaN; with nan_policy omit only its own, and the others are ranked without it.";

static const struct kiln_row rankdata_params[] = {
    ROW_X_ANY("values"),
    {.name = "method",
     .kind = KILN_STRING,
     .choices = "average|min|max|dense|ordinal",
     .fallback = "\"average\"",
     .help = "the rank of equal values"},
    ROW_NAN_POLICY("what a NaN does: make all ranks NaN, only its own, or be refused"),
};

static const struct kiln_row rankdata_results[] = {
    {.name = "rankdata", .kind = KILN_ARRAY, .shape = "n", .help = "rank of each value, from 1"},
};

static const struct kiln_golden rankdata_goldens[] = {
    {.title = "two equal values", .args = "{\"x\":[0,2,3,2]}", .result = "{\"rankdata\":[1,2.5,4,2.5]}"},
    {.title = "dense",
     .args = "{\"x\":[0,2,3,2],\"method\":\"dense\"}",
     .result = "{\"rankdata\":[1,2,3,2]}"},
    {.title = "ordinal, without the missing value",
     .args = "{\"x\":[5,null,3,5],\"method\":\"ordinal\",\"nan_policy\":\"omit\"}",
     .result = "{\"rankdata\":[2,null,1,3]}"},
    {.title = "a missing value", .args = "{\"x\":[1,null]}", .result = "{\"rankdata\":[null,null]}"},
    {.title = "an unknown method",
     .args = "{\"x\":[1,2],\"method\":\"mean\"}",
     .status = KILN_INVALID,
     .result = "mean"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static enum rank_method method_of(const char *name)
{
    static const char *const names[] = {"average", "min", "max", "dense",
                                        "ordinal"}; /* as enum rank_method */
    for (int i = 0; i < RANK_ORDINAL; i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum rank_method) i;
        }
    }
    return RANK_ORDINAL;
}

static int rankdata_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const double *x = args[RANKDATA_X].array.data;
    double *out = results[0].array.data;
    const size_t n = (size_t) args[RANKDATA_X].array.count;
    size_t count;
    void *scratch;
    const int status = prepare(call, &args[RANKDATA_X], &args[RANKDATA_NAN_POLICY], &count, &scratch);
    if (status || n == 0) {
        return status;
    }
    if (nan_policy_of(&args[RANKDATA_NAN_POLICY]) == NAN_PROPAGATE && k->find_nan(x, n) < n) {
        for (size_t i = 0; i < n; i++) {
            out[i] = (double) NAN;
        }
        return KILN_OK;
    }
    return sort_ranks(call, x, n, method_of(args[RANKDATA_METHOD].text), scratch, out, NULL);
}

const struct kiln_function stats_rankdata = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "rankdata",  .summary = "ranks of values",
    .help = rankdata_help, TABLES(rankdata),   .run = rankdata_run,
};
