/* SPDX-License-Identifier: MPL-2.0 */
/* ml_trees - an ensemble of trees as an operator: what its readers fill in, and how it is planned and run. */
#ifndef INFERENCE_OP_ML_TREES_H
#define INFERENCE_OP_ML_TREES_H

#include "../kernel/trees.h"
#include "ml.h"
#include "ml_labels.h"

struct forest {
    const struct trees *trees;
    size_t targets; /* of the kernel: 1 where two classes have one weight */
    size_t scores;  /* columns of the output */
    enum tree_join join;
    double factor, start; /* sums are multiplied with factor, and begin with start */
    double *base;         /* of each target */
    enum ml_transform transform;
    struct ml_labels labels;
    bool pair, shares;
    bool as_input; /* the output has the input's type; else float32. Then there are no labels */
};

/* `read` is called once for all plans of a node. */
int forest_plan(struct step *s, int (*read)(struct step *s, struct forest *f));
void *forest_alloc(void *step, size_t bytes); /* for trees_build, with the step as its argument */

#endif
