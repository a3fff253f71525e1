/* SPDX-License-Identifier: MPL-2.0 */
/* trees - an ensemble of decision trees, laid out for walking.
 *
 *     trees_build()   from nodes as ai.onnx.ml lists them; refuses what is no forest
 *     trees_run()     adds up, for each row of x, the weights of the leaves it comes to
 *
 * Layout. The two children of a node are neighbours, so that a step is one load, one comparison and one addition
 * without a branch: next = left + !(x <= threshold). Trees lie one after the other, each in order of its levels: the
 * top, where every row comes by, is together. A leaf is its own left child and its threshold is infinite, so a row that is
 * there stays, and a tree is walked as often as it is deep, whatever the row. Eight rows, or for one row eight trees, are
 * on their way at a time: what one of them waits for memory, the others use.
 *
 * x < t is x <= the float before t, x >= t is its opposite, with the children changed. Nodes of other kinds, and rows with a
 * NaN, which must know its way, are walked one step after the other by the plain walk, which is also the reference. */
#ifndef INFERENCE_TREES_H
#define INFERENCE_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_mode { TREE_LEQ, TREE_LT, TREE_GTE, TREE_GT, TREE_EQ, TREE_NEQ, TREE_LEAF };

/* A node as it is listed. Nodes are known by (tree, id). */
struct tree_given {
    int64_t tree, id, feature, yes,
        no; /* yes, no: ids of the children in the same tree; of no meaning in a leaf */
    float threshold;
    enum tree_mode mode;
    bool nan_yes; /* a NaN goes to yes; else to no, except that it is != everything */
};

/* The weight that a leaf gives to a target. */
struct tree_weight {
    int64_t tree, id, target;
    float weight;
};

enum tree_join { TREE_SUM, TREE_MIN, TREE_MAX };

struct trees;

/* Memory for good, zeroed, aligned to 64 bytes; NULL when it is spent. */
typedef void *trees_alloc_fn(void *arg, size_t bytes);

/* KILN_OK; KILN_INVALID with a sentence in why (of why_bytes) that names tree and node; KILN_RESOURCE. `features`: columns of x;
 * the larger memory of building is taken with malloc and released. */
int trees_build(const struct tree_given *nodes, size_t n_nodes, const struct tree_weight *weights,
                size_t n_weights, size_t n_targets, size_t n_features, trees_alloc_fn *alloc, void *arg,
                const struct trees **ret, char *why, size_t why_bytes);

size_t trees_count(const struct trees *f);

/* out[row * targets + target] (rows x targets, already set to what is to be joined with: 0, or infinities) joined with
 * the weights of the leaves. x: rows x ldx, of which the first n_features are read. Some 4 ns for a row and a tree of depth 6. */
void trees_run(const struct trees *f, const float *x, size_t rows, size_t ldx, enum tree_join join,
               double *out);

/* The same by the definition, node by node. */
void trees_run_plain(const struct trees *f, const float *x, size_t rows, size_t ldx, enum tree_join join,
                     double *out);

#endif
