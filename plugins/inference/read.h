/* SPDX-License-Identifier: MPL-2.0 */
/* read - from the bytes of an ONNX file to a graph. The file is not trusted: every number in it is checked
 * before it is used, and whatever is not understood is refused with the name of the node or tensor. */
#ifndef INFERENCE_READ_H
#define INFERENCE_READ_H

#include "model.h"
#include "names.h"
#include <onnx.pb-c.h> /* made by protoc-c */

enum { MOST_NODES = 100000, MOST_NODE_ENDS = 65536 };

struct reader {
    struct model *model;
    struct pool *pool; /* the model's: what stays */
    struct pool temporary;
    struct refusal *why;
    int folder; /* for external data; -1: none */
    struct names values;
};

/* Fills m->graph and what the file says about itself. Nodes are ordered, unneeded ones left out. */
int read_model(struct model *m, const void *data, size_t bytes, struct pool *home, int folder,
               struct refusal *why);
/* read_tensor.c. `what` is named in refusals: initializer "w". Elements go into the model's memory. */
int read_tensor(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *ret_tensor);
/* What is in the bytes of such a message, in temporary memory; NULL when they are damaged, or over the budget. */
ProtobufCMessage *read_message(struct reader *r, const ProtobufCMessageDescriptor *type, const void *data,
                               size_t bytes);
/* read_node.c. Fills everything of the node but in and out. */
int read_node(struct reader *r, const Pb__Node *from, int number, struct node *ret_node);
/* A message that holds one tensor, as the .pb files of ONNX's own tests are. */
int read_tensor_alone(struct model *m, const void *data, size_t bytes, struct tensor *ret_tensor,
                      struct refusal *why);

/* external.c. `bytes` of the file `location` from `offset` into `data`; length: what the model says there
 * is, -1: nothing. */
int external_read(int folder, const char *location, int64_t offset, int64_t length, void *data, size_t bytes,
                  const char *what, struct refusal *why);

/* order.c. Drops nodes that no output needs, orders the rest so that each comes after what it reads, and
 * counts readers. Refuses a cycle. */
int graph_order(struct graph *g, struct pool *temporary, struct refusal *why);

#endif
