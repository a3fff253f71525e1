/* SPDX-License-Identifier: MPL-2.0 */
/* ml_labels - the names of the classes that operators of ai.onnx.ml choose from: whole numbers or texts, which are attributes
 * of the node and live as long as it. */
#ifndef INFERENCE_OP_ML_LABELS_H
#define INFERENCE_OP_ML_LABELS_H

#include "../op.h"

struct ml_labels {
    size_t n;
    const int64_t *ints; /* one of the two is NULL */
    const struct text *texts;
};

/* The classes of a classifier or a ZipMap, in the order of the columns of its scores; false when `node` has none. */
bool ml_labels(const struct node *node, struct ml_labels *ret);

/* The same while a step is planned: KILN_OK, or the refusal of a node without labels or with both kinds. */
int ml_labels_read(struct step *s, struct ml_labels *ret);
/* Output 0: one label per row. */
int ml_labels_output(struct step *s, const struct ml_labels *labels, int64_t rows);

/* Label number `i` into row `row` of what ml_labels_output described. */
static inline void ml_labels_put(const struct ml_labels *labels, const struct tensor *out, int64_t row,
                                 size_t i)
{
    if (labels->texts) {
        ((struct text *) out->data)[row] = labels->texts[i];
    } else {
        ((int64_t *) out->data)[row] = labels->ints[i];
    }
}

#endif
