/* SPDX-License-Identifier: MPL-2.0 */
/* trees - an ensemble of decision trees, laid out for walking.
 *
 *     trees_build()   from nodes as ai.onnx.ml lists them; refuses what is no forest
 *     trees_run()     joins, for each row of x, the weights of the leaves it comes to
 *
 * Layout. The two children of a node are neighbours, so that a step is one load, one comparison and one addition
 * without a branch: next = left + !(x <= threshold). Trees lie one after the other, each in order of its levels: the
 * top, where every row comes by, is together. A leaf is its own left child and its threshold is infinite, so a row that is
 * there stays, and a tree is walked as often as it is deep, whatever the row. Eight rows, or for one row eight trees, are
 * on their way at a time: what one of them waits for memory, the others use. The columns that the trees ask for are copied
 * first, eight rows side by side, and a tree is walked by a block of rows before the next tree is: it stays near.
 *
 * x < t is x <= the float before t, x >= t is its opposite with the children changed, and a NaN that goes left is one more
 * comparison, made for rows that have one. Equality and sets are walked node by node: the plain walk, which is also the reference. */
#ifndef INFERENCE_TREES_H
#define INFERENCE_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_mode { TREE_LEQ, TREE_LT, TREE_GTE, TREE_GT, TREE_EQ, TREE_NEQ, TREE_MEMBER, TREE_LEAF };

/* Real numbers of either width; the other is NULL. */
struct tree_reals {
    const float *floats;
    const double *doubles;
};

static inline double tree_real(struct tree_reals reals, size_t i)
{
    return reals.doubles ? reals.doubles[i] : (double) reals.floats[i];
}

/* Nodes as ai.onnx.ml lists them: a list of n elements for each property. Nodes are known by (tree, id). */
struct tree_nodes {
    size_t n;
    const int64_t *tree, *id, *feature;
    const int64_t *yes, *no; /* ids of the children in the same tree; of no meaning in a leaf */
    struct tree_reals threshold;
    const uint8_t *mode; /* enum tree_mode; MEMBER: x is in the set whose number is the threshold */
    const int64_t *
        nan_yes; /* where not 0 a NaN goes to yes; else to no, except that it is != everything. NULL: nowhere */
    /* The sets, one after the other, each ended by a NaN that is not of it. */
    const double *members;
    size_t n_members;
};

/* The weights that leaves give to targets. */
struct tree_weights {
    size_t n;
    const int64_t *tree, *id, *target;
    int64_t first_target; /* number of what is target 0 here */
    struct tree_reals weight;
};

enum tree_join { TREE_SUM, TREE_MIN, TREE_MAX };

struct trees;

/* Memory for good, zeroed, aligned to 64 bytes; NULL when it is spent. */
typedef void *trees_alloc_fn(void *arg, size_t bytes);

/* KILN_OK; KILN_INVALID with a sentence in why (of why_bytes) that names tree and node; KILN_RESOURCE. The
 * larger memory of building is taken with malloc and released. */
int trees_build(const struct tree_nodes *nodes, const struct tree_weights *weights, size_t n_targets,
                trees_alloc_fn *alloc, void *arg, const struct trees **ret, char *why, size_t why_bytes);

size_t trees_count(const struct trees *f);
size_t trees_columns(const struct trees *f); /* a row has at least so many */

/* Rows that can be run at once, and what a run needs beside: a multiple of 64 bytes, aligned to 64. */
enum { TREES_BLOCK = 64 };
size_t trees_scratch(const struct trees *f);

/* Rows of x, ldx elements from one to the next. Doubles are compared as doubles, not rounded. */
struct tree_rows {
    const void *x;
    bool doubles;
    size_t n, ldx;
};

/* out[row * targets + target] (already set to what is to be joined with: 0, or infinities) joined with the weights of
 * the leaves, of any number of rows. Some 4 ns for a row and a tree of depth 6. */
void trees_run(const struct trees *f, struct tree_rows rows, enum tree_join join, double *out, void *scratch);

/* The same by the definition, node by node. */
void trees_run_plain(const struct trees *f, struct tree_rows rows, enum tree_join join, double *out);

#endif
