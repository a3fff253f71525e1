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

/* ---- sums of products ---------------------------------------------------------------------------------------- */

#define PANEL     512 /* observations; up to 60 rows of them stay in the second-level cache */
#define BLAS_ROWS 256 /* with more of them BLAS, which copies them together, is quicker */

/* Rows of a panel, in fours, the last of them filled up with rows of 0; likewise its observations to a multiple of 8. */
static size_t rows_of_panel(size_t m)
{
    return (m + 3) / 4 * 4;
}

/* Adds the products of the rows of a panel to the lower triangle of ret, which has rows_of_panel(m) rows and columns. */
static void add_products(const struct kernels *k, const double *panel, size_t m, size_t n, double *ret)
{
    const size_t rows = rows_of_panel(m);
    if (m > BLAS_ROWS) {
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int) rows, (int) n, 1, panel, PANEL, 1, ret,
                    (int) rows);
        return;
    }
    for (size_t i = 0; i < rows; i += 4) {
        for (size_t j = 0; j <= i; j += 4) {
            double tile[16];
            k->products(panel + i * PANEL, panel + j * PANEL, n, PANEL, tile);
            for (size_t l = 0; l < 16; l++) {
                ret[(i + l / 4) * rows + j + l % 4] += tile[l];
            }
        }
    }
}

/* ret = sums of products of the deviations of rows from their means, both triangles, m by m: panel by panel, so that
 * deviations need not leave the cache. They are corrected for the rounding of the means, which their sums tell. */
static int deviation_products(struct kiln_call *call, const struct table *t, const double *means, double *ret)
{
    const struct kernels *k = call->state;
    const size_t m = t->m, n = t->n, rows = rows_of_panel(m);
    double *panel = call->host->alloc(call, rows * PANEL * sizeof *panel);
    double *all = call->host->alloc(call, rows * rows * sizeof *all),
           *sums = call->host->alloc(call, m * sizeof *sums);
    if (!panel || !all || !sums) {
        return KILN_RESOURCE;
    }
    memset(panel, 0, rows * PANEL * sizeof *panel);
    memset(all, 0, rows * rows * sizeof *all);
    memset(sums, 0, m * sizeof *sums);
    for (size_t at = 0; at < n; at += PANEL) {
        const size_t count = n - at < PANEL ? n - at : PANEL, width = (count + 7) / 8 * 8;
        for (size_t i = 0; i < m; i++) {
            double *row = panel + i * PANEL;
            sums[i] += k->center(t->rows + i * n + at, count, means[i], row);
            memset(row + count, 0, (width - count) * sizeof *row);
        }
        add_products(k, panel, m, width, all);
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j <= i; j++) {
            ret[i * m + j] = ret[j * m + i] = all[i * rows + j] - sums[i] * sums[j] / (double) n;
        }
    }
    return KILN_OK;
}

static double *means_of(struct kiln_call *call, const struct table *t)
{
    double *means = call->host->alloc(call, t->m * sizeof *means);
    for (size_t i = 0; means && i < t->m; i++) {
        means[i] = reduce_mean(call->state, t->rows + i * t->n, t->n);
    }
    return means;
}

int table_covariance(struct kiln_call *call, const struct table *t, double ddof, double *ret)
{
    const double *means = means_of(call, t);
    const int status = means ? deviation_products(call, t, means, ret) : KILN_RESOURCE;
    for (size_t i = 0; i < t->m * t->m && !status; i++) {
        ret[i] /= (double) t->n - ddof;
    }
    return status;
}

/* ---- correlations -------------------------------------------------------------------------------------------- */

/* Deviations of one row from its mean, divided by their norm. NaN when they are all 0. */
static void unit_row(const struct kernels *k, const double *x, size_t n, double *out)
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
}

/* Whether the sums of squares are well within range and more than what rounding leaves of equal values. */
static bool plain_squares(const double *products, const double *means, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++) {
        const double square = products[i * m + i], noise = 0x1p-48 * means[i];
        if (!(square > 0x1p-400 && square < 0x1p400 && square > (double) n * noise * noise)) {
            return false;
        }
    }
    return true;
}

/* Rows that need care: each brought to unit length first. */
static int unit_products(struct kiln_call *call, const struct table *t, double *means, double *ret)
{
    double *rows = call->host->alloc(call, t->m * t->n * sizeof *rows);
    if (!rows) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < t->m; i++) {
        unit_row(call->state, t->rows + i * t->n, t->n, rows + i * t->n);
        means[i] = 0;
    }
    const struct table units = {rows, t->m, t->n, t->omitted};
    return deviation_products(call, &units, means, ret);
}

int table_correlation(struct kiln_call *call, const struct table *t, double *ret)
{
    const size_t m = t->m;
    double *means = means_of(call, t), *lengths = call->host->alloc(call, m * sizeof *lengths);
    if (!means || !lengths) {
        return KILN_RESOURCE;
    }
    int status = deviation_products(call, t, means, ret);
    if (!status && !plain_squares(ret, means, m, t->n)) {
        status = unit_products(call, t, means, ret);
    }
    for (size_t i = 0; i < m && !status; i++) {
        lengths[i] = sqrt(ret[i * m + i]);
    }
    for (size_t i = 0; i < m && !status; i++) {
        for (size_t j = 0; j < i; j++) {
            const double r = ret[i * m + j] / lengths[i] / lengths[j];
            ret[i * m + j] = ret[j * m + i] = r > 1 ? 1 : r < -1 ? -1 : r;
        }
        ret[i * m + i] /= ret[i * m + i]; /* 1, or NaN */
    }
    return status;
}
