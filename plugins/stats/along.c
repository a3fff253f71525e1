/* SPDX-License-Identifier: MPL-2.0 */
#include "along.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"

enum { GATHER = 8 };            /* columns copied at a time: a cache line of each row */
enum { POLL_VALUES = 1 << 20 }; /* values between two looks at whether the answer is still wanted */

/* One job under way. */
struct along {
    struct kiln_call *call;
    const struct kiln_slot *args;
    struct kiln_slot *results;
    const struct reducer *r;
    enum nan_policy policy;
    const double *companion;
    double *kept, *kept_companion; /* room for a slice without its NaN; NULL when nothing has to go */
};

/* ---- slices and their names ------------------------------------------------------------------------- */

struct slice_name slice_name(const struct slice *slice)
{
    struct slice_name name = {"x"};
    if (slice->at >= 0) {
        snprintf(name.text, sizeof name.text, "%s %lld of data", slice->axis ? "row" : "column",
                 (long long) slice->at);
    }
    return name;
}

const char *slice_field(const struct slice *slice)
{
    return slice->at < 0 ? "x" : "data";
}

int slice_check_ddof(struct kiln_call *call, const struct slice *slice, int64_t ddof)
{
    if ((int64_t) slice->s.n > ddof) {
        return KILN_OK;
    }
    if (slice->at >= 0 && slice->s.omitted) {
        return ALONG_NO_ANSWER;
    }
    return sample_check_ddof(call, &slice->s, slice_name(slice).text, ddof);
}

/* ---- one slice ---------------------------------------------------------------------------------------- */

static int no_answer(const struct reducer *r, double *ret)
{
    for (int i = 0; i < r->outputs; i++) {
        ret[i] = (double) NAN;
    }
    return KILN_OK;
}

static int reduce(const struct along *a, const struct slice *slice, double *ret)
{
    const struct kernels *k = a->call->state;
    const double *x = slice->s.x;
    const size_t n = slice->s.n;
    if (a->r->orders && a->policy == NAN_PROPAGATE && k->find_nan(x, n) < n) {
        return ALONG_NO_ANSWER;
    }
    if (a->r->of_values) {
        return a->r->of_values(a->call, a->args, slice, ret);
    }
    struct reduction m;
    switch (a->r->powers) {
    case 1:
        reduce_sum(k, x, n, &m);
        break;
    case 2:
        reduce_moments2(k, x, n, &m);
        break;
    default:
        reduce_shape(k, x, n, &m);
    }
    return a->r->of_moments(a->call, a->args, slice, &m, ret);
}

/* Leaves NaN out, and what belongs to them in the companion. */
static struct slice without_nan(const struct along *a, struct slice slice)
{
    const double *x = slice.s.x, *w = slice.companion;
    size_t count = 0;
    for (size_t i = 0; i < slice.s.n; i++) { /* each value is kept until the next one overwrites it */
        a->kept[count] = x[i];
        if (w) {
            a->kept_companion[count] = w[i];
        }
        count += x[i] == x[i];
    }
    slice.s = (struct sample){a->kept, count, slice.s.n - count};
    slice.companion = w ? a->kept_companion : NULL;
    return slice;
}

static int one_slice(const struct along *a, const double *x, size_t n, int64_t at, int64_t axis, double *ret)
{
    struct slice slice = {{x, n, 0}, a->companion, at, axis};
    if (a->kept) {
        slice = without_nan(a, slice);
    }
    int status = ALONG_NO_ANSWER;
    if (slice.s.n) {
        status = reduce(a, &slice, ret);
    } else if (at < 0) {
        return a->call->host->fail(a->call, KILN_INVALID, "x",
                                   "all %zu values are NaN, expected at least one number", n);
    }
    return status == ALONG_NO_ANSWER ? no_answer(a->r, ret) : status;
}

/* ---- results ------------------------------------------------------------------------------------------- */

static void put_numbers(const struct along *a, const double *values)
{
    for (int i = 0; i < a->r->outputs; i++) {
        struct kiln_slot *slot = &a->results[i];
        slot->present = 1;
        if (a->call->function->results[i].kind == KILN_INT) {
            slot->present = !isnan(values[i]);
            slot->i64 = isnan(values[i]) ? 0 : (int64_t) values[i];
        } else {
            slot->f64 = values[i];
        }
    }
}

/* ---- matrices ------------------------------------------------------------------------------------------ */

struct matrix {
    const double *x;
    size_t rows, columns;
    double *values[ALONG_OUTPUTS];
};

static void put_values(const struct along *a, const struct matrix *m, size_t at, const double *values)
{
    for (int i = 0; i < a->r->outputs; i++) {
        m->values[i][at] = values[i];
    }
}

static int slice_of_matrix(const struct along *a, const struct matrix *m, const double *x, size_t n,
                           size_t at, int64_t axis)
{
    double values[ALONG_OUTPUTS];
    int status = one_slice(a, x, n, (int64_t) at, axis, values);
    if (status == KILN_OK) {
        put_values(a, m, at, values);
    }
    return status;
}

static int each_row(const struct along *a, const struct matrix *m)
{
    size_t since_poll = 0;
    for (size_t i = 0; i < m->rows; i++) {
        int status = slice_of_matrix(a, m, m->x + i * m->columns, m->columns, i, 1);
        if (status) {
            return status;
        }
        since_poll += m->columns;
        if (since_poll > POLL_VALUES) {
            since_poll = 0;
            if (a->call->host->cancelled(a->call)) {
                return KILN_CANCELLED;
            }
        }
    }
    return KILN_OK;
}

/* Some columns, copied so that each lies in one piece. */
static void gather(const struct matrix *m, size_t first, size_t count, double *to)
{
    for (size_t i = 0; i < m->rows; i++) {
        const double *row = m->x + i * m->columns + first;
        for (size_t j = 0; j < count; j++) {
            to[j * m->rows + i] = row[j];
        }
    }
}

static int gathered_columns(const struct along *a, const struct matrix *m)
{
    const size_t most = m->columns < GATHER ? m->columns : GATHER;
    double *copy = a->call->host->alloc(a->call, most * m->rows * sizeof *copy);
    if (!copy) {
        return KILN_RESOURCE;
    }
    size_t since_poll = 0;
    for (size_t j = 0; j < m->columns; j += GATHER) {
        const size_t count = m->columns - j < GATHER ? m->columns - j : GATHER;
        gather(m, j, count, copy);
        for (size_t i = 0; i < count; i++) {
            int status = slice_of_matrix(a, m, copy + i * m->rows, m->rows, j + i, 0);
            if (status) {
                return status;
            }
        }
        since_poll += count * m->rows;
        if (since_poll > POLL_VALUES) {
            since_poll = 0;
            if (a->call->host->cancelled(a->call)) {
                return KILN_CANCELLED;
            }
        }
    }
    return KILN_OK;
}

/* Where a column's moments cannot be trusted as they are, because their range was left or nothing but
 * rounding is left of them, the column is looked at by itself. */
static int moments_of_columns(const struct along *a, const struct matrix *m)
{
    struct reduction *found = a->call->host->alloc(a->call, m->columns * sizeof *found);
    double *column = NULL;
    if (!found) {
        return KILN_RESOURCE;
    }
    int status = columns_moments(a->call, m->x, m->rows, m->columns, a->r->powers, found);
    for (size_t j = 0; status == KILN_OK && j < m->columns; j++) {
        if (reduction_is_final(&found[j], a->r->powers)) {
            const struct slice slice = {{NULL, m->rows, 0}, NULL, (int64_t) j, 0};
            double values[ALONG_OUTPUTS];
            status = a->r->of_moments(a->call, a->args, &slice, &found[j], values);
            if (status == ALONG_NO_ANSWER) {
                status = no_answer(a->r, values);
            }
            put_values(a, m, j, values);
            continue;
        }
        column = column ? column : a->call->host->alloc(a->call, m->rows * sizeof *column);
        if (!column) {
            return KILN_RESOURCE;
        }
        gather(m, j, 1, column);
        status = slice_of_matrix(a, m, column, m->rows, j, 0);
    }
    return status;
}

/* Makes room for the results, and for slices without NaN when there are any. */
static int matrix_take(struct along *a, struct matrix *m)
{
    const struct kiln_array *data = &a->args[ALONG_DATA].array;
    const int64_t axis = a->args[ALONG_AXIS].i64;
    *m =
        (struct matrix){.x = data->data, .rows = (size_t) data->shape[0], .columns = (size_t) data->shape[1]};
    for (int i = 0; i < a->r->outputs; i++) {
        m->values[i] = a->call->host->grow(a->call, (size_t) (a->r->outputs + i), data->shape[!axis]);
        if (!m->values[i]) {
            return KILN_RESOURCE;
        }
    }
    return KILN_OK;
}

/* ---- a job --------------------------------------------------------------------------------------------- */

static int refuse_nan(struct kiln_call *call, const struct kiln_slot *slot, bool is_matrix, size_t at)
{
    if (!is_matrix) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "element %zu of x is NaN, expected numbers (nan_policy is raise)", at);
    }
    const size_t columns = (size_t) slot->array.shape[1];
    return call->host->fail(call, KILN_INVALID, "data",
                            "element [%zu,%zu] of data is NaN, expected numbers (nan_policy is raise)",
                            at / columns, at % columns);
}

/* Looks for NaN as far as the policy wants to know; n is the length of a slice. */
static int nan_take(struct along *a, const struct kiln_slot *slot, bool is_matrix, size_t n)
{
    const struct kernels *k = a->call->state;
    if (a->policy == NAN_PROPAGATE) {
        return KILN_OK;
    }
    const size_t count = (size_t) slot->array.count, first = k->find_nan(slot->array.data, count);
    if (first == count) {
        return KILN_OK;
    }
    if (a->policy == NAN_RAISE) {
        return refuse_nan(a->call, slot, is_matrix, first);
    }
    a->kept = a->call->host->alloc(a->call, n * sizeof(double));
    a->kept_companion = a->companion ? a->call->host->alloc(a->call, n * sizeof(double)) : a->kept;
    return a->kept && a->kept_companion ? KILN_OK : KILN_RESOURCE;
}

static int companion_take(struct along *a, size_t n)
{
    const struct kiln_slot *slot = &a->args[ALONG_COMPANION];
    if (!a->r->companion || !slot->present) {
        return KILN_OK;
    }
    if ((size_t) slot->array.count != n) {
        return a->call->host->fail(a->call, KILN_INVALID, a->r->companion, "%s has %lld values, expected %zu",
                                   a->r->companion, (long long) slot->array.count, n);
    }
    a->companion = slot->array.data;
    return KILN_OK;
}

int along_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
              const struct reducer *r)
{
    const bool is_matrix = args[ALONG_DATA].present;
    if (is_matrix && args[ALONG_X].present) {
        return call->host->fail(call, KILN_INVALID, "data", "data is given beside x, expected one of them");
    }
    if (!is_matrix && !args[ALONG_X].present) {
        return call->host->fail(call, KILN_INVALID, "x", "x is missing, expected x or data");
    }
    const struct kiln_slot *slot = &args[is_matrix ? ALONG_DATA : ALONG_X];
    const int64_t axis = args[ALONG_AXIS].i64;
    const size_t n = (size_t) slot->array.shape[is_matrix ? axis : 0];
    struct along a = {call, args, results, r, nan_policy_of(&args[ALONG_NAN_POLICY]), NULL, NULL, NULL};
    int status = companion_take(&a, n);
    if (status == KILN_OK) {
        status = nan_take(&a, slot, is_matrix, n);
    }
    if (status) {
        return status;
    }
    if (!is_matrix) {
        double values[ALONG_OUTPUTS];
        status = one_slice(&a, slot->array.data, n, -1, 0, values);
        if (status == KILN_OK) {
            put_numbers(&a, values);
        }
        return status;
    }
    struct matrix m;
    status = matrix_take(&a, &m);
    if (status) {
        return status;
    }
    if (axis == 1) {
        return each_row(&a, &m);
    }
    return r->of_moments && !a.kept ? moments_of_columns(&a, &m) : gathered_columns(&a, &m);
}
