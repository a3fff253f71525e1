/* SPDX-License-Identifier: MPL-2.0 */
/* ml_svm - kernels of support vector machines, and probabilities from votes. */
#ifndef INFERENCE_OP_ML_SVM_H
#define INFERENCE_OP_ML_SVM_H

#include "../kernel/kernels.h"
#include "../op.h"

enum svm_kind { SVM_LINEAR, SVM_POLY, SVM_RBF, SVM_SIGMOID };

enum { SVM_LANES = NEAR_GROUP };

/* n vectors of `columns` elements, and what they are compared by. */
struct svm_kernel {
    enum svm_kind kind;
    double gamma, coef0, degree;
    size_t n, columns;
    const float *
        vectors; /* SVM_LANES of them side by side: element k of vector i at [(i / LANES * columns + k) * LANES + i % LANES] */
};

/* Reads kernel_type and kernel_params, and lays out n * columns numbers; the memory is the model's. */
int svm_kernel_read(struct step *s, size_t n, size_t columns, const float *vectors, struct svm_kernel *ret);
/* out[i] = kernel(x, vector i); room for n rounded up to SVM_LANES. */
void svm_kernel_run(const struct svm_kernel *k, const float *x, float *out);

/* Probabilities of n classes from those of pairs, pairs[i * n + j] that of i against j (Wu, Lin, Weng 2004, second method, with
 * the bound on its steps and the tolerance that libsvm has). room: n * n + n. */
void svm_couple(size_t n, const double *pairs, double *room, double *out);

#endif
