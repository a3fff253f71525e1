/* SPDX-License-Identifier: MPL-2.0 */
/* ml - what operators of ai.onnx.ml have in common: tables of rows as input, and what becomes of scores. */
#ifndef INFERENCE_OP_ML_H
#define INFERENCE_OP_ML_H

#include "../op.h"

/* Input i as rows of columns; one dimension is one row. Refuses strings and more dimensions. */
struct ml_table {
    int64_t rows, columns;
};
int ml_table(struct step *s, int i, struct ml_table *ret);

bool ml_is_number(const struct tensor *t); /* of a type that operators of ai.onnx.ml compute with */
/* Elements from .. from + n - 1 as floats: where they are, or converted into `room`. */
const float *ml_floats(const struct tensor *t, int64_t from, int64_t n, float *room);
/* The same as doubles. */
const double *ml_doubles(const struct tensor *t, int64_t from, int64_t n, double *room);

/* post_transform */
enum ml_transform { ML_NONE, ML_SOFTMAX, ML_LOGISTIC, ML_SOFTMAX_ZERO, ML_PROBIT };
int ml_transform_read(struct step *s, enum ml_transform *ret);
/* n scores of one row. */
void ml_transform(enum ml_transform transform, size_t n, const double *scores, float *out);
void ml_transform_doubles(enum ml_transform transform, size_t n, const double *scores, double *out);
/* One score for two classes. The first class has what is left: of one when scores are shares (`shares`), else of nothing. */
void ml_transform_pair(enum ml_transform transform, bool shares, double score, float *out);

/* The first of the greatest. */
size_t ml_greatest(size_t n, const double *scores);
size_t ml_greatest_float(size_t n, const float *scores);

#endif
