/* SPDX-License-Identifier: MPL-2.0 */
/* classes - outputs of a classifier as labels and probabilities.
 *
 * A classifier has either two outputs, labels and a row of scores for each (what scikit-learn exports), or
 * one row of scores for each and the names of classes in its contract (what PyTorch exports): then the
 * label is the class of the highest score. */
#ifndef INFERENCE_CLASSES_H
#define INFERENCE_CLASSES_H

#include <kiln/plugin.h>

#include "served.h"

struct classes {
    struct kiln_value labels, probabilities, names; /* names: NULL type when they are not known */
};

/* The names of classes in the order of scores: of the contract, else of the operator that chooses one; null where neither is. */
struct kiln_value classes_names(struct kiln_call *call, const struct served *s);

/* KILN_INVALID: it is no classifier. */
int classes_of(struct kiln_call *call, const struct served *s, const struct tensor *outputs,
               struct classes *ret, struct refusal *why);

#endif
