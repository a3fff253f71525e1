/* SPDX-License-Identifier: MPL-2.0 */
/* SVMClassifier and SVMRegressor, as libsvm decides.
 *
 * With vectors_per_class, each pair of classes i < j has a score, positive for i. With prob_a and prob_b, they become
 * probabilities, which are the output, and the most probable class is the label. Without, the label is the class with most
 * votes of pairs, and the scores of the pairs are the output; for two classes the score s as -s and s (as ONNX Runtime
 * has it: the second column is positive where the first class wins). Without vectors_per_class, there is one row of
 * coefficients for each class. */
#include "ml_svm.h"

#include <math.h>
#include <string.h>

#include "ml.h"
#include "ml_labels.h"

enum { MACHINE }; /* number of what all plans share */
enum { MOST_CLASSES = 1024 };

struct machine {
    struct svm_kernel kernel;
    struct ml_labels labels;
    enum ml_transform transform;
    const float *coefficients, *rho, *a, *b; /* a, b: NULL without probabilities */
    const int64_t *per_class;
    size_t *starts; /* of each class: its first vector */
    size_t classes, pairs, out_columns;
    bool one_class;
    size_t room; /* doubles */
};

/* ---- running */

static size_t rounded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* The score of each pair: what the vectors of one class say with the coefficients it has against the other. */
static void score_pairs(const struct machine *m, const float *near, double *scores)
{
    const size_t n = m->kernel.n;
    for (size_t i = 0, pair = 0; i < m->classes; i++) {
        for (size_t j = i + 1; j < m->classes; j++, pair++) {
            double sum = 0;
            for (size_t v = m->starts[i]; v < m->starts[i + 1]; v++) {
                sum += (double) m->coefficients[(j - 1) * n + v] * (double) near[v];
            }
            for (size_t v = m->starts[j]; v < m->starts[j + 1]; v++) {
                sum += (double) m->coefficients[i * n + v] * (double) near[v];
            }
            scores[pair] = sum + (double) m->rho[pair];
        }
    }
}

/* Platt's sigmoid for each pair, and the pairs made one. */
static void probabilities(const struct machine *m, const double *scores, double *room, double *out)
{
    const size_t n = m->classes;
    double *pairs = room;
    for (size_t i = 0, pair = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++, pair++) {
            const double p = 1 / (1 + exp(scores[pair] * (double) m->a[pair] + (double) m->b[pair]));
            pairs[i * n + j] = p < 1e-7 ? 1e-7 : p > 1 - 1e-7 ? 1 - 1e-7 : p;
            pairs[j * n + i] = 1 - pairs[i * n + j];
        }
    }
    svm_couple(n, pairs, room + n * n, out);
}

static size_t most_votes(const struct machine *m, const double *scores, double *votes)
{
    memset(votes, 0, m->classes * sizeof *votes);
    for (size_t i = 0, pair = 0; i < m->classes; i++) {
        for (size_t j = i + 1; j < m->classes; j++, pair++) {
            votes[scores[pair] > 0 ? i : j]++;
        }
    }
    return ml_greatest(m->classes, votes);
}

/* Returns the label's number. near: what the kernel says of each vector. */
static size_t classify(const struct machine *m, const float *near, double *room, float *out)
{
    double *scores = room, *found = scores + m->pairs;
    if (!m->per_class) {
        for (size_t i = 0; i < m->classes; i++) {
            scores[i] = (double) near[i] + (double) m->rho[0];
        }
        ml_transform(m->transform, m->classes, scores, out);
        return ml_greatest(m->classes, scores);
    }
    score_pairs(m, near, scores);
    if (m->a) {
        probabilities(m, scores, found + m->classes, found);
        ml_transform(m->transform, m->classes, found, out);
        return ml_greatest(m->classes, found);
    }
    if (m->classes == 2) {
        ml_transform_pair(m->transform, false, scores[0], out);
    } else {
        ml_transform(m->transform, m->pairs, scores, out);
    }
    return most_votes(m, scores, found);
}

static double regress(const struct machine *m, const float *near)
{
    double sum = (double) m->rho[0];
    for (size_t v = 0; v < m->kernel.n; v++) {
        sum += m->coefficients ? (double) m->coefficients[v] * (double) near[v] : (double) near[v];
    }
    return m->one_class ? (sum > 0 ? 1 : -1) : sum;
}

static int run_machine(const struct step *s, struct run *r)
{
    const struct machine *m = s->state;
    const struct tensor *in = s->in[0];
    const size_t columns = m->kernel.columns, rows = in->rank == 2 ? (size_t) in->dims[0] : 1;
    double *room = r->scratch;
    float *near = (float *) (room + m->room), *x = near + rounded(m->kernel.n, SVM_LANES),
          *unwanted = x + rounded(columns, SVM_LANES);
    struct tensor *labels = m->labels.n ? s->out[0] : NULL;
    struct tensor *scores = !m->labels.n ? s->out[0] : s->n_out > 1 ? s->out[1] : NULL;
    for (size_t i = 0; i < rows; i++) {
        float *out = scores ? (float *) scores->data + i * m->out_columns : unwanted;
        svm_kernel_run(&m->kernel, ml_floats(in, (int64_t) (i * columns), (int64_t) columns, x), near);
        if (m->labels.n) {
            const size_t label = classify(m, near, room, out);
            if (labels) {
                ml_labels_put(&m->labels, labels, (int64_t) i, label);
            }
        } else {
            const double y = regress(m, near);
            ml_transform(m->transform, 1, &y, out);
        }
        if ((i & 15) == 15 && run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* ---- planning */

/* The kernel of `n` vectors that the attribute `name` lists, with columns as many as that makes. */
static int take_vectors(struct step *s, struct machine *m, const char *name, size_t n)
{
    const float *vectors;
    const size_t found = step_floats(s, name, &vectors);
    if (n == 0 || found == 0 || found % n != 0) {
        return step_fail(s, "attribute %s has %zu elements, expected %zu times as many as columns", name,
                         found, n);
    }
    return svm_kernel_read(s, n, found / n, vectors, &m->kernel);
}

static int check_count(struct step *s, const char *name, size_t found, size_t expected)
{
    return found == expected
               ? KILN_OK
               : step_fail(s, "attribute %s has %zu elements, expected %zu", name, found, expected);
}

static int take_starts(struct step *s, struct machine *m, size_t *ret_vectors)
{
    m->starts = model_alloc(s, (m->classes + 1) * sizeof *m->starts);
    if (!m->starts) {
        return KILN_RESOURCE;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->classes; i++) {
        if (m->per_class[i] < 0 || m->per_class[i] > INT32_MAX / 16) {
            return step_fail(s, "attribute vectors_per_class has %lld, expected 0..%d",
                             (long long) m->per_class[i], INT32_MAX / 16);
        }
        m->starts[i] = n;
        n += (size_t) m->per_class[i];
    }
    m->starts[m->classes] = *ret_vectors = n;
    return KILN_OK;
}

static int read_pairs(struct step *s, struct machine *m, size_t n_per_class, size_t n_coefficients,
                      size_t n_rho)
{
    size_t vectors = 0;
    m->pairs = m->classes * (m->classes - 1) / 2;
    const size_t n_a = step_floats(s, "prob_a", &m->a), n_b = step_floats(s, "prob_b", &m->b);
    int rc = check_count(s, "vectors_per_class", n_per_class, m->classes);
    rc = rc ? rc : take_starts(s, m, &vectors);
    rc = rc ? rc : take_vectors(s, m, "support_vectors", vectors);
    rc = rc ? rc : check_count(s, "coefficients", n_coefficients, vectors * (m->classes - 1));
    rc = rc ? rc : check_count(s, "rho", n_rho, m->pairs);
    rc = rc || !n_a ? rc : check_count(s, "prob_a", n_a, m->pairs);
    rc = rc ? rc : check_count(s, "prob_b", n_b, n_a);
    m->a = n_a ? m->a : NULL;
    m->out_columns = m->a || m->classes == 2 ? m->classes : m->pairs;
    m->room = m->pairs + m->classes + 2 * m->classes * m->classes + m->classes;
    return rc;
}

static int read_classifier(struct step *s, struct machine *m)
{
    int rc = ml_labels_read(s, &m->labels);
    rc = rc ? rc : ml_transform_read(s, &m->transform);
    if (rc) {
        return rc;
    }
    m->classes = m->labels.n;
    if (m->classes < 2 || m->classes > MOST_CLASSES) {
        return step_fail(s, "there are %zu class labels, expected 2..%d", m->classes, MOST_CLASSES);
    }
    const size_t n_coefficients = step_floats(s, "coefficients", &m->coefficients),
                 n_rho = step_floats(s, "rho", &m->rho),
                 n_per_class = step_ints(s, "vectors_per_class", &m->per_class);
    if (n_per_class) {
        return read_pairs(s, m, n_per_class, n_coefficients, n_rho);
    }
    m->per_class = NULL;
    m->out_columns = m->room = m->classes;
    rc = n_rho >= 1 ? take_vectors(s, m, "coefficients", m->classes)
                    : step_fail(s, "attribute rho has no elements, expected one");
    return rc;
}

static int read_regressor(struct step *s, struct machine *m)
{
    int rc = ml_transform_read(s, &m->transform);
    const int64_t n = step_int(s, "n_supports", 0);
    if (rc) {
        return rc;
    }
    if (n < 0 || n > INT32_MAX / 16) {
        return step_fail(s, "attribute n_supports is %lld, expected 0..%d", (long long) n, INT32_MAX / 16);
    }
    m->out_columns = 1;
    m->one_class = step_int(s, "one_class", 0) != 0;
    const size_t n_coefficients = step_floats(s, "coefficients", &m->coefficients),
                 n_rho = step_floats(s, "rho", &m->rho);
    rc = check_count(s, "rho", n_rho, 1);
    if (rc == KILN_OK && n == 0) { /* one vector: the coefficients themselves */
        m->coefficients = NULL;
        return take_vectors(s, m, "coefficients", 1);
    }
    rc = rc ? rc : check_count(s, "coefficients", n_coefficients, (size_t) n);
    return rc ? rc : take_vectors(s, m, "support_vectors", (size_t) n);
}

static int plan(struct step *s, int (*read)(struct step *, struct machine *))
{
    struct ml_table x;
    int rc = ml_table(s, 0, &x);
    void **shared = step_shared(s, MACHINE);
    if (rc == KILN_OK && !*shared) {
        struct machine *m = model_alloc(s, sizeof *m);
        rc = m ? read(s, m) : KILN_RESOURCE;
        *shared = rc ? NULL : m;
    }
    if (rc) {
        return rc;
    }
    struct machine *m = *shared;
    if (m->kernel.columns != (uint64_t) x.columns) {
        return step_fail(s, "the input has %lld columns, expected %zu", (long long) x.columns,
                         m->kernel.columns);
    }
    m->room = rounded(m->room, 8);
    s->scratch_bytes = m->room * sizeof(double) + (rounded(m->kernel.n, SVM_LANES) +
                                                   rounded(m->kernel.columns, SVM_LANES) + m->out_columns) *
                                                      sizeof(float);
    s->state = m;
    s->run = run_machine;
    const int64_t dims[] = {x.rows, (int64_t) m->out_columns};
    rc = m->labels.n ? ml_labels_output(s, &m->labels, x.rows) : KILN_OK;
    return rc ? rc : step_output(s, m->labels.n ? 1 : 0, DT_F32, 2, dims);
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
    {"ai.onnx.ml", "SVMClassifier", 1, 1, 1, 1, 2, plan_classifier},
    {"ai.onnx.ml", "SVMRegressor", 1, 1, 1, 1, 1, plan_regressor},
};

const struct op_table op_ml_svm = {ops, sizeof ops / sizeof *ops};
