/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "ml_svm.h"

int svm_kernel_read(struct step *s, size_t n, size_t columns, const float *vectors, struct svm_kernel *ret)
{
    static const char *const names[] = {
        [SVM_LINEAR] = "LINEAR", [SVM_POLY] = "POLY", [SVM_RBF] = "RBF", [SVM_SIGMOID] = "SIGMOID"};
    struct svm_kernel k = {.kind = -1, .gamma = 0, .degree = 3, .n = n, .columns = columns};
    const struct text given = step_text(s, "kernel_type", "LINEAR");
    for (int i = SVM_LINEAR; i <= SVM_SIGMOID; i++) {
        k.kind = text_is(given, names[i]) ? (enum svm_kind) i : k.kind;
    }
    const float *params;
    const size_t n_params = step_floats(s, "kernel_params", &params);
    if ((int) k.kind < 0 || (n_params != 3 && (n_params || k.kind != SVM_LINEAR))) {
        return step_fail(
            s,
            "kernel_type is \"%.*s\" with %zu kernel_params, expected LINEAR, POLY, RBF or SIGMOID with 3: "
            "gamma, coef0 and degree",
            (int) (given.bytes < 60 ? given.bytes : 60), given.chars, n_params);
    }
    if (n_params) {
        k.gamma = (double) params[0];
        k.coef0 = (double) params[1];
        k.degree = (double) params[2];
    }
    const size_t groups = (n + SVM_LANES - 1) / SVM_LANES;
    float *laid = model_alloc(s, (groups * columns + 1) * SVM_LANES * sizeof *laid);
    if (!laid) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < columns; c++) {
            laid[(i / SVM_LANES * columns + c) * SVM_LANES + i % SVM_LANES] = vectors[i * columns + c];
        }
    }
    k.vectors = laid;
    *ret = k;
    return KILN_OK;
}

static double power(double x, double degree)
{
    return degree == 2 ? x * x : degree == 3 ? x * x * x : pow(x, degree);
}

/* What a kernel makes of products and squares. */
static void bend(const struct svm_kernel *k, float *out)
{
    if (k->kind == SVM_LINEAR) {
        return;
    }
    const float gamma = (float) (k->kind == SVM_RBF ? -k->gamma : k->gamma);
    const float add = k->kind == SVM_RBF ? 0 : (float) k->coef0;
    for (size_t i = 0; i < k->n; i++) {
        out[i] = gamma * out[i] + add;
    }
    if (k->kind == SVM_POLY) {
        for (size_t i = 0; i < k->n; i++) {
            out[i] = (float) power((double) out[i], k->degree);
        }
    } else {
        act_map(k->kind == SVM_RBF ? ACT_EXP : ACT_TANH, out, out, k->n, 0, 0);
    }
}

void svm_kernel_run(const struct svm_kernel *k, const float *x, float *out)
{
    kernels()->near((k->n + SVM_LANES - 1) / SVM_LANES, k->kind == SVM_RBF, k->columns, k->vectors, x, out);
    bend(k, out);
}

void svm_couple(size_t n, const double *pairs, double *room, double *out)
{
    double *q = room, *qp = room + n * n;
    for (size_t i = 0; i < n; i++) {
        out[i] = 1 / (double) n;
        q[i * n + i] = 0;
        for (size_t j = 0; j < n; j++) {
            if (j != i) {
                q[i * n + i] += pairs[j * n + i] * pairs[j * n + i];
                q[i * n + j] = -pairs[j * n + i] * pairs[i * n + j];
            }
        }
    }
    for (size_t step = 0; step < (n > 100 ? n : 100); step++) {
        double pqp = 0, worst = 0;
        for (size_t i = 0; i < n; i++) {
            qp[i] = 0;
            for (size_t j = 0; j < n; j++) {
                qp[i] += q[i * n + j] * out[j];
            }
            pqp += out[i] * qp[i];
        }
        for (size_t i = 0; i < n; i++) {
            worst = fmax(worst, fabs(qp[i] - pqp));
        }
        if (worst < 0.005 / (double) n) {
            break;
        }
        for (size_t i = 0; i < n; i++) {
            const double change = (pqp - qp[i]) / q[i * n + i], whole = 1 + change;
            out[i] += change;
            pqp = (pqp + change * (change * q[i * n + i] + 2 * qp[i])) / whole / whole;
            for (size_t j = 0; j < n; j++) {
                qp[j] = (qp[j] + change * q[i * n + j]) / whole;
                out[j] /= whole;
            }
        }
    }
}
