/* SPDX-License-Identifier: MPL-2.0 */
#include "triangle.h"

#include <string.h>

void triangle_lengths(const double *r, size_t k, size_t stride, double *ret)
{
    for (size_t j = 0; j < k; j++) {
        double sum = 0;
        for (size_t i = 0; i <= j; i++) {
            sum += r[i * stride + j] * r[i * stride + j];
        }
        ret[j] = sqrt(sum);
    }
}

bool triangle_invert(const double *r, size_t k, size_t stride, const double *lengths, double *ret)
{
    memset(ret, 0, k * k * sizeof *ret);
    for (size_t i = k; i-- > 0;) { /* row i from those below: they are whole rows, read in order */
        const double diagonal = r[i * stride + i] / lengths[i];
        if (!(fabs(diagonal) > 0)) {
            return false;
        }
        double *row = ret + i * k;
        for (size_t l = i + 1; l < k; l++) {
            const double factor = r[i * stride + l] / lengths[l];
            for (size_t j = l; j < k; j++) {
                row[j] -= factor * ret[l * k + j];
            }
        }
        row[i] = 1;
        for (size_t j = i; j < k; j++) {
            row[j] /= diagonal;
        }
    }
    return true;
}

/* ---- in twice the precision ----------------------------------------------------------------------------- */

static struct dd dot(const struct dd *a, const struct dd *b, size_t n, size_t stride)
{
    struct dd s = dd_of(0);
    for (size_t i = 0; i < n; i++) {
        s = dd_mul_add(s, a[i * stride], b[i * stride]);
    }
    return s;
}

static void swap(struct dd *a, struct dd *b)
{
    const struct dd t = *a;
    *a = *b;
    *b = t;
}

/* Brings the longest of the columns i.. (below row i) to column i; returns its length. */
static struct dd pivot(struct dd *r, size_t k, size_t i, size_t *order)
{
    size_t best = i;
    struct dd most = dd_of(-1);
    for (size_t j = i; j < k; j++) {
        const struct dd square = dot(r + i * k + j, r + i * k + j, k - i, k);
        if (square.hi > most.hi) {
            best = j;
            most = square;
        }
    }
    if (best != i) {
        for (size_t row = 0; row < k; row++) {
            swap(&r[row * k + i], &r[row * k + best]);
        }
        const size_t t = order[i];
        order[i] = order[best];
        order[best] = t;
    }
    return dd_sqrt(most);
}

/* Zeroes column i below its diagonal by a reflection, which the columns behind it and c undergo as well. */
static void reflect(struct dd *r, struct dd *c, size_t k, size_t i, struct dd length)
{
    struct dd *v = r + i * k + i;
    const struct dd beta = v->hi > 0 ? dd_neg(length) : length, v0 = dd_sub(*v, beta);
    const struct dd f = dd_mul(beta, v0); /* -v'v / 2 */
    *v = v0;
    for (size_t j = i + 1; j <= k; j++) {
        struct dd *u = j < k ? r + i * k + j : c + i;
        const size_t stride = j < k ? k : 1;
        struct dd w = dd_of(0);
        for (size_t row = 0; row < k - i; row++) {
            w = dd_mul_add(w, v[row * k], u[row * stride]);
        }
        w = dd_div(w, f);
        for (size_t row = 0; row < k - i; row++) {
            u[row * stride] = dd_mul_add(u[row * stride], w, v[row * k]);
        }
    }
    *v = beta;
}

/* The pivoted triangle of the scaled columns; returns the rank. */
static size_t factor(struct dd *r, struct dd *c, size_t k, double rcond, size_t *order)
{
    double first = 0;
    for (size_t i = 0; i < k; i++) {
        const struct dd length = pivot(r, k, i, order);
        if (i == 0) {
            first = length.hi;
        }
        if (!(length.hi > rcond * first)) {
            return i;
        }
        reflect(r, c, k, i, length);
    }
    return k;
}

/* rows (rank by k) = t' z', z with orthonormal columns, by Gram and Schmidt, each done twice. z replaces the rows. */
static void orthonormal_rows(struct dd *rows, size_t rank, size_t k, struct dd *t)
{
    for (size_t i = 0; i < rank; i++) {
        struct dd *v = rows + i * k;
        for (size_t j = 0; j < i; j++) {
            t[j * rank + i] = dd_of(0);
        }
        for (int pass = 0; pass < 2; pass++) {
            for (size_t j = 0; j < i; j++) {
                const struct dd s = dot(rows + j * k, v, k, 1);
                t[j * rank + i] = dd_add(t[j * rank + i], s);
                for (size_t l = 0; l < k; l++) {
                    v[l] = dd_sub(v[l], dd_mul(s, rows[j * k + l]));
                }
            }
        }
        t[i * rank + i] = dd_sqrt(dot(v, v, k, 1));
        for (size_t l = 0; l < k; l++) {
            v[l] = dd_div(v[l], t[i * rank + i]);
        }
    }
}

/* Column `which` of the solution operator: rows b = e(which), of least length. At full rank a back substitution, else
 * rows are z of orthonormal_rows, and t' (z' b) = e. */
static void solve(const struct dd *rows, const struct dd *t, size_t rank, size_t k, struct dd *c,
                  struct dd *ret)
{
    if (!t) {
        for (size_t i = k; i-- > 0;) {
            struct dd s = c[i];
            for (size_t j = i + 1; j < k; j++) {
                s = dd_sub(s, dd_mul(rows[i * k + j], ret[j]));
            }
            ret[i] = dd_div(s, rows[i * k + i]);
        }
        return;
    }
    for (size_t l = 0; l < k; l++) {
        ret[l] = dd_of(0);
    }
    for (size_t i = 0; i < rank; i++) {
        struct dd s = c[i];
        for (size_t j = 0; j < i; j++) {
            s = dd_sub(s, dd_mul(t[j * rank + i], c[j]));
        }
        c[i] = dd_div(s, t[i * rank + i]);
        for (size_t l = 0; l < k; l++) {
            ret[l] = dd_mul_add(ret[l], c[i], rows[i * k + l]);
        }
    }
}

struct workspace {
    struct dd *lengths, *t, *unit, *solution;
    size_t *order;
};

static bool take(struct kiln_call *call, size_t k, struct workspace *w)
{
    w->lengths = call->host->alloc(call, 3 * k * sizeof *w->lengths);
    w->t = call->host->alloc(call, k * k * sizeof *w->t);
    w->order = call->host->alloc(call, k * sizeof *w->order);
    if (!w->lengths || !w->t || !w->order) {
        return false;
    }
    w->unit = w->lengths + k;
    w->solution = w->unit + k;
    return true;
}

/* |R| |R^-1| of the scaled triangle: columns of R have length 1 each. */
static double condition_of(const double *root, const struct dd *lengths, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            const double scaled = root[i * k + j] * lengths[i].hi;
            sum += scaled * scaled;
        }
    }
    return sqrt((double) k * sum);
}

int triangle_solve(struct kiln_call *call, struct dd *r, struct dd *c, size_t k, double rcond,
                   struct dd *ret_b, double *ret_root, size_t *ret_rank, double *ret_condition)
{
    struct workspace w;
    if (!take(call, k, &w)) {
        return KILN_RESOURCE;
    }
    for (size_t j = 0; j < k; j++) {
        w.order[j] = j;
        w.lengths[j] = dd_sqrt(dot(r + j, r + j, k, k));
        for (size_t i = 0; i < k && w.lengths[j].hi > 0; i++) {
            r[i * k + j] = dd_div(r[i * k + j], w.lengths[j]);
        }
    }
    const size_t rank = factor(r, c, k, rcond, w.order);
    for (size_t i = 0; i < rank; i++) { /* the triangle of the columns as they were */
        for (size_t j = 0; j < k; j++) {
            r[i * k + j] = j < i ? dd_of(0) : dd_mul(r[i * k + j], w.lengths[w.order[j]]);
        }
    }
    if (rank < k) {
        orthonormal_rows(r, rank, k, w.t);
    }
    memset(ret_root, 0, k * k * sizeof *ret_root);
    for (size_t i = 0; i < rank; i++) {
        for (size_t j = 0; j < rank; j++) {
            w.unit[j] = dd_of(i == j);
        }
        solve(r, rank < k ? w.t : NULL, rank, k, w.unit, w.solution);
        for (size_t j = 0; j < k; j++) {
            ret_root[w.order[j] * k + i] = w.solution[j].hi;
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    memcpy(w.unit, c, k * sizeof *c);
    solve(r, rank < k ? w.t : NULL, rank, k, w.unit, w.solution);
    for (size_t j = 0; j < k; j++) {
        ret_b[w.order[j]] = w.solution[j];
    }
    *ret_rank = rank;
    *ret_condition = rank < k ? HUGE_VAL : condition_of(ret_root, w.lengths, k);
    return KILN_OK;
}
