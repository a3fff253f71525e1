/* SPDX-License-Identifier: MPL-2.0 */
/* graph - a model as it was read: values, nodes in an order in which they can be computed, constants.
 *
 * Made by read.c from a file, changed by fuse.c, planned by plan.c. Everything in it lives in the model's
 * own memory. */
#ifndef INFERENCE_GRAPH_H
#define INFERENCE_GRAPH_H

#include "op.h"

enum { GRAPH_SHARED = 4 };

enum attr_type {
    ATTR_INT,
    ATTR_FLOAT,
    ATTR_TEXT,
    ATTR_TENSOR,
    ATTR_INTS,
    ATTR_FLOATS,
    ATTR_TEXTS,
    ATTR_GRAPH
};

struct attr {
    const char *name; /* terminated */
    enum attr_type type;
    int64_t i;
    float f;
    struct text text;
    struct tensor tensor;
    size_t n;
    const int64_t *ints;
    const float *floats;
    const struct text *texts;
};

/* What flows: a graph input, a constant, or the output of one node. */
struct value {
    const char *name;
    struct tensor
        constant; /* data set: its elements, for good. Graph inputs: dtype and, in dims, the declared shape,
                               -1 where a dimension is free; rank -1 when no shape is declared */
    bool is_input, is_output;
    int maker;     /* node, or -1 */
    int n_readers; /* nodes that take it; graph outputs count once more */
};

struct node {
    const char *name; /* "" when it has none */
    const struct op *op;
    int n_in, n_out;
    int *in, *out; /* indices of values, -1 where absent */
    size_t n_attrs;
    const struct attr *attrs;
    void *shared[GRAPH_SHARED]; /* see step_shared */
};

struct graph {
    int n_values, n_nodes, n_inputs, n_outputs;
    struct value *values;
    struct node *nodes; /* in an order in which each comes after those it needs */
    int *inputs,
        *outputs; /* values, in the order of the file; initializers with the name of an input are no inputs */
    int opset, opset_ml; /* imported versions of ai.onnx and ai.onnx.ml; 0: not imported */
};

#endif
