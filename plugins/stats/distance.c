/* SPDX-License-Identifier: MPL-2.0 */
/* distance - distances between points. */
#include <string.h>

#include "infer.h"
#include "metric.h"

#define HELP_METRICS                                                                                         \
    "euclidean sqrt(sum (u - v)^2); sqeuclidean its square; cityblock sum |u - v|; chebyshev max |u - v|; "  \
    "cosine 1 - u.v / "                                                                                      \
    "(|u| |v|); correlation the cosine distance after taking the mean of its values off each point; "        \
    "mahalanobis sqrt((u - v) "                                                                              \
    "vi (u - v)'), vi positive definite, by default the inverse of the covariance (ddof 1) of all points.\n" \
    "Differences are taken before they are squared, so nearby points far from zero keep their digits. A "    \
    "point with NaN "                                                                                        \
    "has distances NaN, one without direction cosine and correlation distances NaN."

#define ROW_METRIC ROW_CHOICE("metric", METRICS, "euclidean", "which distance")
#define ROW_VI                                                                                               \
    {                                                                                                        \
        .name = "vi", .kind = KILN_ARRAY, .flags = KILN_FINITE, .shape = "k k",                              \
        .help = "mahalanobis: inverse covariance matrix"                                                     \
    }
#define ROW_POINT_POLICY                                                                                     \
    ROW_CHOICE("nan_policy", "propagate|raise", "propagate",                                                 \
               "what a NaN does: make its distances NaN, or be refused")

/* ---- cdist --------------------------------------------------------------------------------------------------- */

static const char cdist_help[] = "Distances of each point of xa from each of xb, as "
                                 "scipy.spatial.distance.cdist; a point is a row of k values.\n" HELP_METRICS;

enum { C_XA, C_XB, C_METRIC, C_VI, C_POLICY };

static const struct kiln_row cdist_params[] = {
    ROW_VECTOR("xa", "m k", "m points"),
    ROW_VECTOR("xb", "p k", "p points"),
    ROW_METRIC,
    ROW_VI,
    ROW_POINT_POLICY,
};

static const struct kiln_row cdist_results[] = {
    ROW_COLUMN("distances", "m p", "distance of each point of xa, a row for each, from each of xb"),
};

static const struct kiln_golden cdist_goldens[] = {
    {.title = "a right triangle",
     .args = "{\"xa\":[[0,0]],\"xb\":[[3,4],[1000000003,4]]}",
     .result = "{\"distances\":[[5,1000000003.000000008]]}",
     .rtol = 1e-15},
    {.title = "cosine",
     .args = "{\"xa\":[[1,0],[0,0]],\"xb\":[[1,1]],\"metric\":\"cosine\"}",
     .result = "{\"distances\":[[0.2928932188134524],[null]]}",
     .rtol = 1e-14},
    {.title = "not positive definite",
     .args = "{\"xa\":[[0,0]],\"xb\":[[3,4]],\"metric\":\"mahalanobis\",\"vi\":[[1,2],[2,1]]}",
     .status = KILN_INVALID,
     .result = "vi is not positive definite"},
};

/* All points, copied one behind the other. */
struct points {
    double *x;
    unsigned char *bad; /* has a NaN */
    size_t m, k;
    bool any_bad;
};

static int check_nan(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                     const struct kiln_slot *policy)
{
    struct sample s;
    if (policy->text[0] != 'r') {
        return KILN_OK;
    }
    return sample_take(call, slot, field, NAN_RAISE, &s);
}

static int points_take(struct kiln_call *call, const struct kiln_slot *a, const struct kiln_slot *b,
                       struct points *p)
{
    const size_t from_a = (size_t) a->array.count, from_b = b ? (size_t) b->array.count : 0;
    p->k = (size_t) a->array.shape[1];
    p->m = (from_a + from_b) / p->k;
    p->x = call->host->alloc(call, (from_a + from_b) * sizeof *p->x);
    p->bad = call->host->alloc(call, p->m);
    p->any_bad = false;
    if (!p->x || !p->bad) {
        return KILN_RESOURCE;
    }
    memcpy(p->x, a->array.data, from_a * sizeof *p->x);
    if (b) {
        memcpy(p->x + from_a, b->array.data, from_b * sizeof *p->x);
    }
    const struct kernels *kernels = call->state;
    for (size_t i = 0; i < p->m; i++) {
        double *x = p->x + i * p->k;
        p->bad[i] = kernels->find_nan(x, p->k) < p->k;
        p->any_bad |= p->bad[i];
        for (size_t j = 0; p->bad[i] && j < p->k; j++) {
            x[j] = 0; /* so that the others can be measured; its own distances are set later */
        }
    }
    return KILN_OK;
}

/* Points from..from + count as a tile. */
static void fill_tile(const struct points *p, size_t from, size_t count, double *tile)
{
    for (size_t j = 0; j < DISTANCE_TILE; j++) {
        const double *x = p->x + (from + (j < count ? j : 0)) * p->k;
        for (size_t l = 0; l < p->k; l++) {
            tile[l * DISTANCE_TILE + j] = x[l];
        }
    }
}

static void blank_bad(const struct points *p, size_t i, size_t from, size_t count, double *d)
{
    for (size_t j = 0; j < count; j++) {
        d[j] = p->bad[i] || p->bad[from + j] ? (double) NAN : d[j];
    }
}

static int cdist_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct points p;
    struct metric metric;
    double out[DISTANCE_TILE], *d = results[0].array.data;
    int status = check_nan(call, &args[C_XA], "xa", &args[C_POLICY]);
    status = status ? status : check_nan(call, &args[C_XB], "xb", &args[C_POLICY]);
    status = status ? status : points_take(call, &args[C_XA], &args[C_XB], &p);
    const double *vi = args[C_VI].present ? args[C_VI].array.data : NULL;
    status = status ? status : metric_prepare(call, args[C_METRIC].text, vi, p.x, p.m, p.k, &metric);
    double *tile = status ? NULL : call->host->alloc(call, p.k * DISTANCE_TILE * sizeof *tile);
    if (status || !tile) {
        return status ? status : KILN_RESOURCE;
    }
    const size_t n = (size_t) args[C_XA].array.shape[0], to = (size_t) args[C_XB].array.shape[0];
    for (size_t at = 0; at < to; at += DISTANCE_TILE) {
        const size_t count = to - at < DISTANCE_TILE ? to - at : DISTANCE_TILE;
        fill_tile(&p, n + at, count, tile);
        for (size_t i = 0; i < n; i++) {
            metric.kernel(p.x + i * p.k, tile, p.k, out);
            metric_finish(&metric, out, count);
            if (p.any_bad) {
                blank_bad(&p, i, n + at, count, out);
            }
            memcpy(d + i * to + at, out, count * sizeof *d);
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

FUNCTION(cdist, "distances between the points of two sets", cdist_help);

/* ---- pdist --------------------------------------------------------------------------------------------------- */

static const char pdist_help[] = "Distances between the points of one set, as scipy.spatial.distance.pdist: "
                                 "of point 0 from 1, 2, ..., of 1 from 2, 3, "
                                 "..., m (m - 1) / 2 in all; a point is a row of k values.\n" HELP_METRICS;

enum { P_X, P_METRIC, P_VI, P_POLICY };

static const struct kiln_row pdist_params[] = {
    ROW_VECTOR("x", "m k", "m points"),
    ROW_METRIC,
    ROW_VI,
    ROW_POINT_POLICY,
};

static const struct kiln_row pdist_results[] = {
    ROW_COLUMN("distances", "q", "distances of all pairs"),
};

static const struct kiln_golden pdist_goldens[] = {
    {.title = "three points",
     .args = "{\"x\":[[0,0],[3,4],[6,8]],\"metric\":\"cityblock\"}",
     .result = "{\"distances\":[7,14,7]}"},
    {.title = "one point", .args = "{\"x\":[[2.385]]}", .result = "{\"distances\":[]}"},
    {.title = "points on a line",
     .args = "{\"x\":[[0,0],[1,1],[2,2]],\"metric\":\"mahalanobis\"}",
     .status = KILN_INVALID,
     .result = "the covariance of the 3 points is singular"},
};

static int pdist_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results; /* which grows */
    struct points p;
    struct metric metric;
    double out[DISTANCE_TILE];
    int status = check_nan(call, &args[P_X], "x", &args[P_POLICY]);
    status = status ? status : points_take(call, &args[P_X], NULL, &p);
    const double *vi = args[P_VI].present ? args[P_VI].array.data : NULL;
    status = status ? status : metric_prepare(call, args[P_METRIC].text, vi, p.x, p.m, p.k, &metric);
    if (!status && p.m > 1000000) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu points, expected at most 1000000", p.m);
    }
    double *tile = status ? NULL : call->host->alloc(call, p.k * DISTANCE_TILE * sizeof *tile);
    const size_t pairs = status ? 0 : p.m * (p.m - 1) / 2;
    double *d = status ? NULL : call->host->grow(call, 0, (int64_t) pairs);
    if (status || !tile || (!d && pairs)) {
        return status ? status : KILN_RESOURCE;
    }
    for (size_t at = 1; at < p.m; at += DISTANCE_TILE) {
        const size_t count = p.m - at < DISTANCE_TILE ? p.m - at : DISTANCE_TILE;
        fill_tile(&p, at, count, tile);
        for (size_t i = 0; i < at + count - 1; i++) {
            metric.kernel(p.x + i * p.k, tile, p.k, out);
            metric_finish(&metric, out, count);
            if (p.any_bad) {
                blank_bad(&p, i, at, count, out);
            }
            const size_t skip = i + 1 > at ? i + 1 - at : 0; /* points up to i itself */
            const size_t row = i * p.m - i * (i + 1) / 2;    /* of point i, which begins with i + 1 */
            memcpy(d + row + (at + skip - i - 1), out + skip, (count - skip) * sizeof *d);
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

FUNCTION(pdist, "distances between the points of one set", pdist_help);
