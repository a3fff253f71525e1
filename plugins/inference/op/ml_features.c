/* SPDX-License-Identifier: MPL-2.0 */
/* ArrayFeatureExtractor, FeatureVectorizer, ZipMap: columns chosen, put side by side, and named. */
#include <stdio.h>
#include <string.h>

#include "ml.h"
#include "ml_labels.h"

/* ---- ArrayFeatureExtractor: columns of the last dimension */

static const char *check_columns(const struct tensor *columns, int64_t n, char *why, size_t bytes)
{
    for (int64_t i = 0; i < columns->count; i++) {
        const int64_t k = ((const int64_t *) columns->data)[i];
        if (k < 0 || k >= n) {
            snprintf(why, bytes, "element %lld of the indices is %lld, expected 0..%lld", (long long) i,
                     (long long) k, (long long) n - 1);
            return why;
        }
    }
    return NULL;
}

static int run_extract(const struct step *s, struct run *r)
{
    const struct tensor *x = s->in[0], *columns = s->in[1];
    const int64_t n = x->dims[x->rank - 1], rows = tensor_rows(x, x->rank - 1);
    char why[160];
    if (check_columns(columns, n, why, sizeof why)) {
        return run_fail(r, "%s", why);
    }
    const size_t size = dtype_size(x->dtype);
    const char *from = x->data;
    char *to = s->out[0]->data;
    for (int64_t i = 0; i < rows; i++, from += (size_t) n * size) {
        for (int64_t k = 0; k < columns->count; k++, to += size) {
            memcpy(to, from + (size_t) ((const int64_t *) columns->data)[k] * size, size);
        }
    }
    return KILN_OK;
}

static int plan_extract(struct step *s)
{
    const struct tensor *x = s->in[0], *columns = s->in[1];
    char shown[120], why[160];
    if (x->rank < 1) {
        return step_fail(s, "the input is %s, expected at least one dimension",
                         tensor_text(x, shown, sizeof shown));
    }
    if (columns->dtype != DT_I64 || columns->count < 1) {
        return step_fail(s, "the indices are %s, expected int64, one or more",
                         tensor_text(columns, shown, sizeof shown));
    }
    if (columns->data && check_columns(columns, x->dims[x->rank - 1], why, sizeof why)) {
        return step_fail(s, "%s", why);
    }
    int64_t dims[TENSOR_RANK] = {1, columns->count};
    const int rank = x->rank > 1 ? x->rank : 2;
    if (x->rank > 1) {
        memcpy(dims, x->dims, sizeof dims);
        dims[rank - 1] = columns->count;
    }
    s->run = run_extract;
    return step_output(s, 0, x->dtype, rank, dims);
}

/* ---- FeatureVectorizer: tables side by side, cut or filled with zeros to the widths that are given */

struct vector {
    int64_t rows, columns;
    const int64_t *widths;
};

static int run_vectorize(const struct step *s, struct run *r)
{
    const struct vector *v = s->state;
    float *to = s->out[0]->data;
    memset(to, 0, tensor_bytes(s->out[0]));
    for (int i = 0; i < s->n_in; i++) {
        const struct tensor *x = s->in[i];
        const int64_t n = x->dims[x->rank - 1], width = n < v->widths[i] ? n : v->widths[i];
        for (int64_t row = 0; row < v->rows && width; row++) {
            const float *from = ml_floats(x, row * n, width, r->scratch);
            memcpy(to + row * v->columns, from, (size_t) width * sizeof *to);
        }
        to += v->widths[i];
    }
    return KILN_OK;
}

static int plan_vectorize(struct step *s)
{
    struct vector *v = plan_alloc(s->plan, sizeof *v);
    if (!v) {
        return KILN_RESOURCE;
    }
    const size_t n = step_ints(s, "inputdimensions", &v->widths);
    int64_t *widths = plan_alloc(s->plan, (size_t) s->n_in * sizeof *widths);
    if (!widths) {
        return KILN_RESOURCE;
    }
    if (n && n != (size_t) s->n_in) {
        return step_fail(s, "attribute inputdimensions has %zu elements, expected %d", n, s->n_in);
    }
    for (int i = 0; i < s->n_in; i++) {
        struct ml_table x;
        const int rc = ml_table(s, i, &x);
        if (rc) {
            return rc;
        }
        widths[i] = n ? v->widths[i] : x.columns;
        v->rows = i ? v->rows : x.rows;
        if (x.rows != v->rows) {
            return step_fail(s, "input %d has %lld rows, expected %lld", i, (long long) x.rows,
                             (long long) v->rows);
        }
        if (widths[i] < 0 || widths[i] > INT32_MAX) {
            return step_fail(s, "attribute inputdimensions has %lld, expected 0..%d", (long long) widths[i],
                             INT32_MAX);
        }
        v->columns += widths[i];
        const size_t room = (size_t) x.columns * sizeof(float);
        s->scratch_bytes = s->scratch_bytes < room ? room : s->scratch_bytes;
    }
    v->widths = widths;
    s->state = v;
    s->run = run_vectorize;
    const int64_t dims[] = {v->rows, v->columns};
    return step_output(s, 0, DT_F32, 2, dims);
}

/* ---- ZipMap: maps from labels to scores. The scores go through as they are; the labels are the same for all rows: ml_labels */

static int plan_zip(struct step *s)
{
    struct ml_labels labels;
    struct ml_table x;
    int rc = ml_labels_read(s, &labels);
    rc = rc ? rc : ml_table(s, 0, &x);
    if (rc) {
        return rc;
    }
    if (labels.n != (uint64_t) x.columns) {
        return step_fail(s, "the input has %lld columns, expected %zu, one for each label",
                         (long long) x.columns, labels.n);
    }
    s->alias = 0;
    return step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "ArrayFeatureExtractor", 1, 2, 2, 1, 1, plan_extract},
    {"ai.onnx.ml", "FeatureVectorizer", 1, 1, -1, 1, 1, plan_vectorize},
    {"ai.onnx.ml", "ZipMap", 1, 1, 1, 1, 1, plan_zip},
};

const struct op_table op_ml_features = {ops, sizeof ops / sizeof *ops};
