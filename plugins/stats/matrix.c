/* SPDX-License-Identifier: MPL-2.0 */
#include "matrix.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "reduce.h"

/* Copies the columns without NaN. */
static int omit_columns(struct kiln_call *call, const double *x, size_t m, size_t n, struct table *ret)
{
    unsigned char *bad = call->host->alloc(call, n);
    double *kept = call->host->alloc(call, m * n * sizeof *kept);
    if (!bad || !kept) {
        return KILN_RESOURCE;
    }
    memset(bad, 0, n);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            bad[j] |= x[i * n + j] != x[i * n + j];
        }
    }
    double *to = kept;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            if (!bad[j]) {
                *to++ = x[i * n + j];
            }
        }
    }
    const size_t left = (size_t) (to - kept) / m;
    if (left == 0) {
        return call->host->fail(call, KILN_INVALID, "data",
                                "all %zu observations have a NaN, expected at least one without", n);
    }
    *ret = (struct table){kept, m, left, n - left};
    return KILN_OK;
}

int table_take(struct kiln_call *call, const struct kiln_slot *data, enum nan_policy policy,
               struct table *ret)
{
    const struct kernels *k = call->state;
    const double *x = data->array.data;
    const size_t m = (size_t) data->array.shape[0], n = (size_t) data->array.shape[1];
    if (m > INT_MAX || n > INT_MAX) {
        return call->host->fail(call, KILN_INVALID, "data",
                                "data is %zu by %zu, expected at most %d each way", m, n, INT_MAX);
    }
    const size_t first = policy == NAN_PROPAGATE ? m * n : k->find_nan(x, m * n);
    if (first == m * n) {
        *ret = (struct table){x, m, n, 0};
        return KILN_OK;
    }
    if (policy == NAN_RAISE) {
        return call->host->fail(call, KILN_INVALID, "data",
                                "element [%zu,%zu] of data is NaN, expected numbers (nan_policy is raise)",
                                first / n, first % n);
    }
    return omit_columns(call, x, m, n, ret);
}

/* ret = rows rows' - sums sums' / n: products of deviations, corrected for the rounding of the means that
 * were subtracted (sums holds what the rows still sum to). Both triangles. */
static void products(const double *rows, size_t m, size_t n, const double *sums, double *ret)
{
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int) m, (int) n, 1, rows, (int) n, 0, ret, (int) m);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j <= i; j++) {
            ret[i * m + j] -= sums[i] * sums[j] / (double) n;
            ret[j * m + i] = ret[i * m + j];
        }
    }
}

int table_covariance(struct kiln_call *call, const struct table *t, double ddof, double *ret)
{
    const struct kernels *k = call->state;
    const size_t m = t->m, n = t->n;
    double *rows = call->host->alloc(call, m * n * sizeof *rows),
           *sums = call->host->alloc(call, m * sizeof *sums);
    if (!rows || !sums) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < m; i++) {
        const double *x = t->rows + i * n, mean = reduce_mean(k, x, n);
        sums[i] = 0;
        for (size_t at = 0; at < n; at += KERNEL_BLOCK) {
            const size_t count = n - at < KERNEL_BLOCK ? n - at : KERNEL_BLOCK;
            sums[i] += k->center(x + at, count, mean, rows + i * n + at);
        }
    }
    products(rows, m, n, sums, ret);
    for (size_t i = 0; i < m * m; i++) {
        ret[i] /= (double) n - ddof;
    }
    return KILN_OK;
}

/* Deviations of one row from its mean, divided by their norm; returns their sum. NaN when they are all 0. */
static double unit_row(const struct kernels *k, const double *x, size_t n, double *out)
{
    struct reduction r;
    reduce_moments2(k, x, n, &r);
    const double *from = x;
    if (r.scale != 1) {
        for (size_t i = 0; i < n; i++) {
            out[i] = x[i] * r.scale;
        }
        from = out;
    }
    k->standardise(from, n, r.m.mean.hi, r.m.m2 > 0 ? sqrt(r.m.m2) : (double) NAN, out);
    double sum = 0;
    for (size_t at = 0; at < n; at += KERNEL_BLOCK) {
        sum += k->sum(out + at, n - at < KERNEL_BLOCK ? n - at : KERNEL_BLOCK);
    }
    return sum;
}

int table_correlation(struct kiln_call *call, const struct table *t, double *ret)
{
    const size_t m = t->m, n = t->n;
    double *rows = call->host->alloc(call, m * n * sizeof *rows),
           *sums = call->host->alloc(call, m * sizeof *sums);
    if (!rows || !sums) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < m; i++) {
        sums[i] = unit_row(call->state, t->rows + i * n, n, rows + i * n);
    }
    products(rows, m, n, sums, ret);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++) {
            double *r = &ret[i * m + j];
            *r = *r > 1 ? 1 : *r < -1 ? -1 : *r;
        }
        if (!isnan(ret[i * m + i])) {
            ret[i * m + i] = 1;
        }
    }
    return KILN_OK;
}
