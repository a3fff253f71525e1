/* SPDX-License-Identifier: MPL-2.0 */
#include "quantile.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "sample.h"
#include "select.h"

/* ---- methods: where the quantile lies, counted from 0 -------------------------------------------- */

static struct quantile_place rank_place(double n, double rank)
{
    const size_t at = (size_t) (rank < 0 ? 0 : rank > n - 1 ? n - 1 : rank);
    return (struct quantile_place){at, at, 0};
}

static struct quantile_place between(double n, double place)
{
    if (!(place > 0) || place >= n - 1) {
        return rank_place(n, place);
    }
    const double low = floor(place);
    return (struct quantile_place){(size_t) low, (size_t) low + 1, place - low};
}

/* Hyndman and Fan (1996), types 4 to 9: alpha and beta are those of the plotting position (k - alpha) / (n +
 * 1 - alpha - beta). */
static struct quantile_place plotted(double n, double q, double alpha, double beta)
{
    return between(n, n * q + (alpha + q * (1 - alpha - beta)) - 1);
}

struct quantile_place quantile_linear(double n, double q)
{
    return between(n, (n - 1) * q);
}

static struct quantile_place lower(double n, double q)
{
    return rank_place(n, floor((n - 1) * q));
}

static struct quantile_place higher(double n, double q)
{
    return rank_place(n, ceil((n - 1) * q));
}

static struct quantile_place nearest(double n, double q)
{
    return rank_place(n, rint((n - 1) * q)); /* halves to even */
}

static struct quantile_place midpoint(double n, double q)
{
    const double place = (n - 1) * q;
    return (struct quantile_place){(size_t) floor(place), (size_t) ceil(place), 0.5};
}

static struct quantile_place inverted_cdf(double n, double q)
{
    return rank_place(n, ceil(n * q) - 1);
}

static struct quantile_place averaged_inverted_cdf(double n, double q)
{
    const double place = n * q - 1, low = floor(place);
    if (place < 0 || place > low || place >= n - 1) {
        return rank_place(n, ceil(place));
    }
    return (struct quantile_place){(size_t) low, (size_t) low + 1, 0.5};
}

/* The closest of the places k / n; of two equally close ones that of even k, counted from 1. */
static struct quantile_place closest_observation(double n, double q)
{
    return rank_place(n, rint(n * q) - 1);
}

static struct quantile_place interpolated_inverted_cdf(double n, double q)
{
    return plotted(n, q, 0, 1);
}

static struct quantile_place hazen(double n, double q)
{
    return plotted(n, q, 0.5, 0.5);
}

static struct quantile_place weibull(double n, double q)
{
    return plotted(n, q, 0, 0);
}

static struct quantile_place median_unbiased(double n, double q)
{
    return plotted(n, q, 1 / 3.0, 1 / 3.0);
}

static struct quantile_place normal_unbiased(double n, double q)
{
    return plotted(n, q, 3 / 8.0, 3 / 8.0);
}

#define METHODS(X)                                                                                           \
    X(linear, quantile_linear)                                                                               \
    X(lower, lower)                                                                                          \
    X(higher, higher)                                                                                        \
    X(nearest, nearest)                                                                                      \
    X(midpoint, midpoint)                                                                                    \
    X(inverted_cdf, inverted_cdf)                                                                            \
    X(averaged_inverted_cdf, averaged_inverted_cdf)                                                          \
    X(closest_observation, closest_observation)                                                              \
    X(interpolated_inverted_cdf, interpolated_inverted_cdf)                                                  \
    X(hazen, hazen)                                                                                          \
    X(weibull, weibull)                                                                                      \
    X(median_unbiased, median_unbiased)                                                                      \
    X(normal_unbiased, normal_unbiased)

quantile_method *quantile_method_of(const char *name)
{
    static const struct {
        const char *name;
        quantile_method *method;
    } methods[] = {
#define METHOD_ROW(id, function) {#id, function},
        METHODS(METHOD_ROW)};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, name) == 0) {
            return methods[i].method;
        }
    }
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------------------ */

/* From the nearer end, so that it is exact at both; a difference of finite values may overflow. */
double quantile_between(double a, double b, double weight)
{
    if (weight == 0 || a == b) {
        return a;
    }
    const double d = b - a;
    if (isinf(d) && isfinite(a) && isfinite(b)) {
        return a * (1 - weight) + b * weight;
    }
    return weight < 0.5 ? a + d * weight : b - d * (1 - weight);
}

static int by_rank(const void *a, const void *b)
{
    const size_t x = *(const size_t *) a, y = *(const size_t *) b;
    return (x > y) - (x < y);
}

/* Sorts and drops repetitions; returns how many are left. */
static size_t distinct(size_t *ranks, size_t n)
{
    qsort(ranks, n, sizeof *ranks, by_rank);
    size_t count = 1;
    for (size_t i = 1; i < n; i++) {
        if (ranks[i] != ranks[count - 1]) {
            ranks[count++] = ranks[i];
        }
    }
    return count;
}

static double value_of(const size_t *ranks, const double *values, size_t n, size_t rank)
{
    return values[(const size_t *) bsearch(&rank, ranks, n, sizeof *ranks, by_rank) - ranks];
}

int quantiles(struct kiln_call *call, const double *x, size_t n, quantile_method *method, const double *q,
              size_t n_q, double *ret)
{
    size_t *ranks = call->host->alloc(call, 2 * n_q * sizeof *ranks);
    double *values = call->host->alloc(call, 2 * n_q * sizeof *values);
    double *scratch = call->host->alloc(call, select_scratch_bytes(n));
    if (!ranks || !values || !scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n_q; i++) {
        const struct quantile_place place = method((double) n, q[i]);
        ranks[2 * i] = place.low;
        ranks[2 * i + 1] = place.high;
    }
    const size_t n_ranks = distinct(ranks, 2 * n_q);
    select_ranks(call->state, x, n, ranks, n_ranks, SELECT_PATIENCE, scratch, values);
    for (size_t i = 0; i < n_q; i++) {
        const struct quantile_place place = method((double) n, q[i]);
        ret[i] = quantile_between(value_of(ranks, values, n_ranks, place.low),
                                  value_of(ranks, values, n_ranks, place.high), place.weight);
    }
    return KILN_OK;
}

/* ---- the function -------------------------------------------------------------------------------------- */

static const char quantile_help[] =
    "Quantiles of x, as numpy.quantile and (times 100) percentile, found by selection instead of a full "
    "sort; q may have any order.\n"
    "linear: with h = (n - 1) q and the values in ascending order, x[floor h] + (h - floor h) (x[floor h + "
    "1] - x[floor h]). lower, higher, nearest (half to even) and midpoint take the values beside h. The "
    "others are the nine types of Hyndman and Fan (1996): inverted_cdf 1, averaged_inverted_cdf 2, "
    "closest_observation 3 (the even one of two equally close, as published and as numpy from 2.0 on), "
    "interpolated_inverted_cdf 4, hazen 5, weibull 6, linear 7, median_unbiased 8, normal_unbiased 9.\n"
    "An empty x or q is refused. A NaN in x makes every quantile NaN unless nan_policy says otherwise.";

enum { X, Q, METHOD, NAN_POLICY };

static const struct kiln_row quantile_params[] = {
    ROW_X("values"),
    {.name = "q",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .shape = "k",
     .min = 0,
     .max = 1,
     .unit = "fraction",
     .help = "probabilities: 0 asks for the smallest value, 0.5 for the median, 1 for the largest"},
    {.name = "method",
     .kind = KILN_STRING,
     .choices = QUANTILE_METHODS,
     .fallback = "\"linear\"",
     .help = "what a quantile between two values is"},
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row quantile_results[] = {
    {.name = "quantile", .kind = KILN_ARRAY, .shape = "k", .help = "one value for each q, in the unit of x"},
};

static const struct kiln_golden quantile_goldens[] = {
    {.title = "quartiles of four values",
     .args = "{\"x\":[4,1,3,2],\"q\":[0.25,0.5,0.75]}",
     .result = "{\"quantile\":[1.75,2.5,3.25]}"},
    {.title = "an observed value, any order of q",
     .args = "{\"x\":[9,1,7,3,5],\"q\":[1,0.5,0],\"method\":\"inverted_cdf\"}",
     .result = "{\"quantile\":[9,5,1]}"},
    {.title = "median-unbiased, a missing value left out",
     .args = "{\"x\":[2,null,8,4,6],\"q\":[0.4],\"method\":\"median_unbiased\",\"nan_policy\":\"omit\"}",
     .result = "{\"quantile\":[4.133333333333333]}",
     .rtol = 1e-14},
    {.title = "a probability above 1",
     .args = "{\"x\":[1,2],\"q\":[1.5]}",
     .status = KILN_INVALID,
     .result = "1.5"},
    {.title = "quartiles of 10,000 values",
     .args = "{\"x\":{\"$normal\":[10000,1]},\"q\":[0.05,0.25,0.5,0.75,0.95]}"},
};

static int quantile_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    double *ret = results[0].array.data;
    const size_t n_q = (size_t) args[Q].array.count;
    struct sample s;
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &s);
    if (status) {
        return status;
    }
    if (k->find_nan(s.x, s.n) < s.n) {
        for (size_t i = 0; i < n_q; i++) {
            ret[i] = (double) NAN;
        }
        return KILN_OK;
    }
    return quantiles(call, s.x, s.n, quantile_method_of(args[METHOD].text), args[Q].array.data, n_q, ret);
}

const struct kiln_function stats_quantile = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE,
    .name = "quantile",    .summary = "quantiles, by any of numpy's methods",
    .help = quantile_help, TABLES(quantile),
    .run = quantile_run,
};
