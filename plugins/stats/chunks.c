/* SPDX-License-Identifier: MPL-2.0 */
#include "chunks.h"

#include <string.h>

#include "functions.h"

struct division divide_by_size(int64_t n, int64_t size)
{
    return (struct division){n, n / size + (n % size != 0), size, 0};
}

struct division divide_in_parts(int64_t n, int64_t parts)
{
    return (struct division){n, parts, n / parts, n % parts};
}

/* Where the part ends that begins at `from`. */
static int64_t part_end(const struct chunks *c)
{
    const struct division *d = &c->division;
    const int64_t size = d->size + (c->index < d->longer);
    return size < d->n - c->from ? c->from + size : d->n;
}

int chunks_init(struct kiln_call *call, struct chunks *c, const char *field, int table,
                const struct division *division, enum nan_policy policy, double ddof)
{
    memset(c, 0, sizeof *c);
    c->k = call->state;
    c->field = field;
    c->policy = policy;
    c->ddof = ddof;
    c->division = *division;
    c->scratch = call->host->alloc(call, TALLY_PIECE * sizeof *c->scratch);
    if (table < 0) {
        return c->scratch ? KILN_OK : KILN_RESOURCE;
    }
    const size_t column = (size_t) table + 1;
    c->offset = call->host->grow(call, column, division->count);
    c->count = call->host->grow(call, column + 1, division->count);
    c->mean = call->host->grow(call, column + 2, division->count);
    c->std = call->host->grow(call, column + 3, division->count);
    c->min = call->host->grow(call, column + 4, division->count);
    c->max = call->host->grow(call, column + 5, division->count);
    return c->scratch && c->offset && c->count && c->mean && c->std && c->min && c->max ? KILN_OK
                                                                                        : KILN_RESOURCE;
}

static void end_part(struct chunks *c)
{
    if (c->offset) {
        const struct summary s = tally_summary(&c->part, c->policy, c->ddof);
        c->offset[c->index] = c->from;
        c->count[c->index] = s.nobs;
        c->mean[c->index] = s.mean;
        c->std[c->index] = s.std;
        c->min[c->index] = s.min;
        c->max[c->index] = s.max;
    }
    tally_join(&c->part, &c->whole);
    c->part.pieces = c->part.missing = 0;
    c->from = c->at;
    c->index++;
}

int chunks_add(struct kiln_call *call, struct chunks *c, const double *x, size_t n)
{
    while (n) {
        const int64_t end = part_end(c);
        size_t piece = n < TALLY_PIECE ? n : TALLY_PIECE;
        if ((int64_t) piece > end - c->at) {
            piece = (size_t) (end - c->at);
        }
        if (piece && !tally_add(c->k, x, piece, c->policy, c->scratch, &c->part)) {
            const size_t first = c->k->find_nan(x, piece);
            return call->host->fail(call, KILN_INVALID, c->field,
                                    "value %lld of %s is NaN, expected numbers (nan_policy is raise)",
                                    (long long) (c->at + (int64_t) first), c->field);
        }
        x += piece;
        n -= piece;
        c->at += (int64_t) piece;
        if (c->at == end) {
            end_part(c);
        }
        if (c->index % 1024 == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

void chunks_finish(struct chunks *c)
{
    while (c->index < c->division.count) {
        end_part(c);
    }
}

/* ---- chunk_statistics ---------------------------------------------------------------------------------- */

static const char chunk_statistics_help[] =
    "Count, mean, standard deviation and extremes of consecutive parts of x, and of the whole. Parts have "
    "chunk_size "
    "values, the last one fewer; or there are `parts` of them, the first n mod parts one longer than the "
    "others "
    "(numpy.array_split), empty ones included, whose statistics are NaN.\n"
    "The whole is joined from the parts. exact: M2 = M2a + M2b + d^2 na nb / n and so on (Chan, Golub and "
    "LeVeque; Pebay), "
    "the statistics of all values. average: mean and std are plain averages of those of the parts, equal to "
    "the exact ones "
    "only for parts of equal length and equal mean. With n <= ddof a std is NaN. A NaN makes its part NaN, "
    "and the "
    "whole; nan_policy omit leaves it out, where count says how many values stay.";

enum { C_X, C_CHUNK_SIZE, C_PARTS, C_DDOF, C_COMBINE, C_NAN_POLICY };
enum { R_NOBS, R_MEAN, R_VAR, R_STD, R_MIN, R_MAX, R_CHUNKS };

static const struct kiln_row chunk_statistics_params[] = {
    ROW_X("values"),
    {.name = "chunk_size",
     .kind = KILN_INT,
     .min = 1,
     .max = HUGE_VAL,
     .help = "values in a part; absent: 10000, or as parts says"},
    {.name = "parts",
     .kind = KILN_INT,
     .min = 1,
     .max = 1e7,
     .help = "number of parts, instead of their size"},
    ROW_DDOF("0", HELP_DDOF),
    {.name = "combine",
     .kind = KILN_STRING,
     .choices = "exact|average",
     .fallback = "\"exact\"",
     .help = "how the whole comes from the parts"},
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row chunk_statistics_results[] = {
    {.name = "nobs", .kind = KILN_INT, .help = "values, without those left out"},
    {.name = "mean", .kind = KILN_FLOAT, .help = "arithmetic mean of the whole"},
    {.name = "var", .kind = KILN_FLOAT, .help = "variance of the whole"},
    {.name = "std", .kind = KILN_FLOAT, .help = "standard deviation of the whole"},
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value"},
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value"},
    CHUNK_ROWS,
};

static const struct kiln_golden chunk_statistics_goldens[] = {
    {.title = "1..5 by two",
     .args = "{\"x\":[1,2,3,4,5],\"chunk_size\":2}",
     .result =
         "{\"nobs\":5,\"mean\":3,\"var\":2,\"std\":1.4142135623730951,\"min\":1,\"max\":5,\"chunks\":{"
         "\"offset\":[0,2,4],\"count\":[2,2,1],\"mean\":[1.5,3.5,5],\"std\":[0.5,0.5,0],\"min\":[1,3,5],"
         "\"max\":[2,4,5]}}",
     .rtol = 1e-15},
    {.title = "the average of the parts is something else",
     .args = "{\"x\":[1,2,3,4,5],\"chunk_size\":2,\"combine\":\"average\"}",
     .result = "{\"nobs\":5,\"mean\":3.3333333333333335,\"std\":0.3333333333333333}",
     .rtol = 1e-15},
    {.title = "in four parts, one of them empty",
     .args = "{\"x\":[2.385,null,7.615],\"parts\":4,\"nan_policy\":\"omit\"}",
     .result =
         "{\"nobs\":2,\"mean\":5,\"chunks\":{\"offset\":[0,1,2,3],\"count\":[1,0,1,0],\"mean\":[2.385,null,"
         "7.615,null]}}",
     .rtol = 1e-15},
    {.title = "both ways of dividing",
     .args = "{\"x\":[1],\"parts\":1,\"chunk_size\":1}",
     .status = KILN_INVALID,
     .result = "parts is 1 and chunk_size is 1, expected one of them"},
    {.title = "50,000 values", .args = "{\"x\":{\"$normal\":[50000,1]}}"},
};

/* Plain averages over the parts that have values. */
static void average_parts(const struct chunks *c, struct summary *whole)
{
    double mean = 0, std = 0, count = 0;
    for (int64_t i = 0; i < c->division.count; i++) {
        if (c->count[i]) {
            mean += c->mean[i];
            std += c->std[i];
            count++;
        }
    }
    whole->mean = mean / count;
    whole->std = std / count;
    whole->var = whole->std * whole->std;
}

static int chunk_statistics_run(struct kiln_call *call, const struct kiln_slot *args,
                                struct kiln_slot *results)
{
    const int64_t n = args[C_X].array.count, ddof = args[C_DDOF].i64;
    if (args[C_PARTS].present && args[C_CHUNK_SIZE].present) {
        return call->host->fail(call, KILN_INVALID, "parts",
                                "parts is %lld and chunk_size is %lld, expected one of them",
                                (long long) args[C_PARTS].i64, (long long) args[C_CHUNK_SIZE].i64);
    }
    const struct division division =
        args[C_PARTS].present
            ? divide_in_parts(n, args[C_PARTS].i64)
            : divide_by_size(n, args[C_CHUNK_SIZE].present ? args[C_CHUNK_SIZE].i64 : 10000);
    const enum nan_policy policy = nan_policy_of(&args[C_NAN_POLICY]);
    struct chunks c;
    int status = chunks_init(call, &c, "x", R_CHUNKS, &division, policy, (double) ddof);
    if (status == KILN_OK) {
        status = chunks_add(call, &c, args[C_X].array.data, (size_t) n);
    }
    if (status) {
        return status;
    }
    chunks_finish(&c);
    struct summary whole = tally_summary(&c.whole, policy, (double) ddof);
    if (whole.nobs <= ddof) {
        return call->host->fail(call, KILN_INVALID, whole.nobs ? "ddof" : "x",
                                "x has %lld values that count, expected more than ddof = %lld",
                                (long long) whole.nobs, (long long) ddof);
    }
    if (args[C_COMBINE].text[0] == 'a') {
        average_parts(&c, &whole);
    }
    results[R_NOBS].present = 1;
    results[R_NOBS].i64 = whole.nobs;
    give(&results[R_MEAN], whole.mean);
    give(&results[R_VAR], whole.var);
    give(&results[R_STD], whole.std);
    give(&results[R_MIN], whole.min);
    return give(&results[R_MAX], whole.max);
}

const struct kiln_function stats_chunk_statistics = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "chunk_statistics",
    .summary = "statistics of consecutive parts, and of the whole from them",
    .help = chunk_statistics_help,
    TABLES(chunk_statistics),
    .run = chunk_statistics_run,
};
