/* SPDX-License-Identifier: MPL-2.0 */
/* trees_layout - how trees.c lays an ensemble out and trees_walk.c walks it. */
#ifndef INFERENCE_TREES_LAYOUT_H
#define INFERENCE_TREES_LAYOUT_H

#include "trees.h"

enum { TREES_ABREAST = 8 };

struct place {
    float threshold; /* a row goes left when x <= threshold */
    int32_t
        x; /* where the column is in a group of rows: its number among those used, times TREES_ABREAST; of a leaf one more, a zero */
    int32_t left;
    int32_t nan_left;
};

/* What the plain walk needs beside. */
struct kind {
    double threshold;
    uint8_t mode, nan_yes, turned; /* turned: the child `no` is the left one */
};

struct leaf_weight {
    int32_t target;
    float weight;
};

/* How doubles become floats without a decision being changed. */
enum rounding {
    ROUND_UP,   /* all nodes ask for x <= t or x > t, and all t are floats */
    ROUND_DOWN, /* x < t or x >= t */
    ROUND_NOT   /* both, or other thresholds: walked plainly */
};

struct trees {
    size_t n_trees, n_targets, n_columns, n_used;
    const int32_t *used; /* columns that are asked for, ascending */
    const struct place *places;
    const struct kind *kinds;
    const int32_t *roots, *depths;
    const double *members; /* of a node of TREE_MEMBER: from its threshold on, to the next NaN */
    const int32_t *first;  /* of the leaf at i: weights first[i] .. first[i + 1] */
    const struct leaf_weight *weights;
    const double *exact; /* the same weights, where floats do not say them; else NULL */
    const float *
        sums; /* of the leaf at i: sums[i * n_targets ..], what all its weights add; NULL with many targets */
    bool plain; /* there are nodes that only the plain walk knows */
    bool nans;  /* there are nodes in which a NaN goes left */
    enum rounding rounding;
};

static inline bool place_is_leaf(const struct place *places, int32_t at)
{
    return places[at].left == at;
}

#endif
