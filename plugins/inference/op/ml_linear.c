/* SPDX-License-Identifier: MPL-2.0 */
/* LinearClassifier and LinearRegressor: a product, and what becomes of its scores.
 *
 * Two classes and one score: it is that of the second class, and decides by its sign. */
#include "../kernel/gemm.h"

#include <string.h>

#include "ml.h"
#include "ml_labels.h"

enum { MODEL }; /* number of what all plans share */
enum { BLOCK = 64 /* rows at a time */ };

struct linear {
    struct gemm g;
    size_t columns, scores; /* of the product */
    size_t out_columns;
    enum ml_transform transform;
    struct ml_labels labels;
    bool pair;
};

/* ---- running */

/* One exp for all rows together: rows are short. */
static void softmax(size_t rows, size_t n, float *scores, float *out)
{
    for (size_t i = 0; i < rows * n; i += n) {
        const float most = scores[i + ml_greatest_float(n, scores + i)];
        for (size_t k = 0; k < n; k++) {
            scores[i + k] -= most;
        }
    }
    act_map(ACT_EXP, scores, out, rows * n, 0, 0);
    for (float *row = out; row < out + rows * n; row += n) {
        float sum = 0;
        for (size_t k = 0; k < n; k++) {
            sum += row[k];
        }
        const float scale = 1 / sum;
        for (size_t k = 0; k < n; k++) {
            row[k] *= scale;
        }
    }
}

/* What becomes of one row; `room` holds as many doubles. */
static void finish_row(const struct linear *l, const float *scores, double *room, float *out)
{
    if (l->pair) {
        ml_transform_pair(l->transform, true, (double) scores[0], out);
    } else {
        for (size_t i = 0; i < l->scores; i++) {
            room[i] = (double) scores[i];
        }
        ml_transform(l->transform, l->scores, room, out);
    }
}

/* scores: are not kept. */
static void finish(const struct linear *l, size_t rows, float *scores, double *room, float *out)
{
    if (!l->pair && l->transform == ML_NONE) {
        memcpy(out, scores, rows * l->scores * sizeof *out);
    } else if (!l->pair && l->transform == ML_LOGISTIC) {
        act_map(ACT_SIGMOID, scores, out, rows * l->scores, 0, 0);
    } else if (!l->pair && l->transform == ML_SOFTMAX) {
        softmax(rows, l->scores, scores, out);
    } else {
        for (size_t i = 0; i < rows; i++) {
            finish_row(l, scores + i * l->scores, room, out + i * l->out_columns);
        }
    }
}

static void put_labels(const struct linear *l, const struct tensor *out, size_t from, size_t rows,
                       const float *scores)
{
    for (size_t i = 0; i < rows; i++, scores += l->scores) {
        const size_t best = l->pair ? scores[0] > 0 : ml_greatest_float(l->scores, scores);
        ml_labels_put(&l->labels, out, (int64_t) (from + i), best);
    }
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t block_of(size_t rows, size_t columns)
{
    return aligned((rows < BLOCK ? rows : BLOCK) * columns * sizeof(float));
}

static int run_linear(const struct step *s, struct run *r)
{
    const struct linear *l = s->state;
    const struct tensor *in = s->in[0];
    const size_t rows = in->rank == 2 ? (size_t) in->dims[0] : 1;
    struct tensor *labels = l->labels.n ? s->out[0] : NULL;
    struct tensor *out = !l->labels.n ? s->out[0] : s->n_out > 1 ? s->out[1] : NULL;
    char *scratch = r->scratch;
    double *room = (double *) (void *) scratch;
    float *scores = (float *) (void *) (scratch + aligned(l->scores * sizeof(double)));
    float *converted = scores + block_of(rows, l->scores) / sizeof(float);
    for (size_t from = 0; from < rows; from += BLOCK) {
        const size_t n = rows - from < BLOCK ? rows - from : BLOCK;
        const float *x = ml_floats(in, (int64_t) (from * l->columns), (int64_t) (n * l->columns), converted);
        gemm_run(&l->g, n, x, l->columns, scores, l->scores);
        if (labels) {
            put_labels(l, labels, from, n, scores);
        }
        if (out) {
            finish(l, n, scores, room, (float *) out->data + from * l->out_columns);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* ---- planning */

static int pack(struct step *s, struct linear *l, size_t scores)
{
    const float *coefficients, *intercepts;
    const size_t n = step_floats(s, "coefficients", &coefficients),
                 n_bias = step_floats(s, "intercepts", &intercepts);
    if (n == 0 || n % scores != 0 || (n_bias && n_bias != scores)) {
        return step_fail(
            s,
            "there are %zu coefficients and %zu intercepts, expected %zu times as many as columns, and %zu",
            n, n_bias, scores, scores);
    }
    l->scores = scores;
    l->columns = n / scores;
    const size_t bytes = gemm_bytes(l->columns, scores);
    void *memory = bytes ? model_alloc(s, bytes) : NULL;
    if (!memory) {
        return KILN_RESOURCE;
    }
    gemm_pack(&l->g, l->columns, scores, coefficients, 1, l->columns, 1, memory);
    l->g.bias = n_bias ? intercepts : NULL;
    return KILN_OK;
}

static int read_classifier(struct step *s, struct linear *l)
{
    int rc = ml_labels_read(s, &l->labels);
    rc = rc ? rc : ml_transform_read(s, &l->transform);
    if (rc) {
        return rc;
    }
    const float *intercepts;
    const size_t n = step_floats(s, "intercepts", &intercepts), classes = l->labels.n;
    l->pair = n == 1 && classes == 2;
    l->out_columns = classes;
    return n && n != classes && !l->pair
               ? step_fail(s, "there are %zu intercepts, expected %zu, one for each class", n, classes)
               : pack(s, l, l->pair ? 1 : classes);
}

static int read_regressor(struct step *s, struct linear *l)
{
    const int rc = ml_transform_read(s, &l->transform);
    const int64_t targets = step_int(s, "targets", 1);
    if (rc == KILN_OK && (targets < 1 || targets > INT32_MAX / 16)) {
        return step_fail(s, "attribute targets is %lld, expected 1..%d", (long long) targets, INT32_MAX / 16);
    }
    l->out_columns = (size_t) targets;
    return rc ? rc : pack(s, l, (size_t) targets);
}

static int plan(struct step *s, int (*read)(struct step *, struct linear *))
{
    struct ml_table x;
    int rc = ml_table(s, 0, &x);
    void **shared = step_shared(s, MODEL);
    if (rc == KILN_OK && !*shared) {
        struct linear *l = model_alloc(s, sizeof *l);
        rc = l ? read(s, l) : KILN_RESOURCE;
        *shared = rc ? NULL : l;
    }
    if (rc) {
        return rc;
    }
    struct linear *l = *shared;
    if (l->columns != (uint64_t) x.columns) {
        return step_fail(s, "the input has %lld columns, expected %zu", (long long) x.columns, l->columns);
    }
    const size_t rows = (size_t) x.rows;
    s->scratch_bytes = aligned(l->scores * sizeof(double)) + block_of(rows, l->scores) +
                       (s->in[0]->dtype == DT_F32 ? 0 : block_of(rows, l->columns));
    s->state = l;
    s->run = run_linear;
    const int64_t dims[] = {x.rows, (int64_t) l->out_columns};
    rc = l->labels.n ? ml_labels_output(s, &l->labels, x.rows) : KILN_OK;
    return rc ? rc : step_output(s, l->labels.n ? 1 : 0, DT_F32, 2, dims);
}

static int plan_classifier(struct step *s)
{
    return plan(s, read_classifier);
}

static int plan_regressor(struct step *s)
{
    return plan(s, read_regressor);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "LinearClassifier", 1, 1, 1, 1, 2, plan_classifier},
    {"ai.onnx.ml", "LinearRegressor", 1, 1, 1, 1, 1, plan_regressor},
};

const struct op_table op_ml_linear = {ops, sizeof ops / sizeof *ops};
