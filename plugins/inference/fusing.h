/* SPDX-License-Identifier: MPL-2.0 */
/* fusing - what the rewrites of fuse.c, fuse_quantized.c and quantize.c have in common: looking at a graph, and putting nodes in
 * place of others. */
#ifndef INFERENCE_FUSING_H
#define INFERENCE_FUSING_H

#include "kernel/act.h"
#include "model.h"

struct fusing {
    struct model *m;
    struct graph *g;
    int room; /* values there is memory for; 0: as many as there are */
    bool no_memory;
};

struct fused_act {
    enum act_kind kind;
    float a, b;
};

bool fusing_wanted(void);
/* The node that makes v, when it is this operator of ai.onnx (or of "kiln") and nobody but one node reads v. */
struct node *fusing_maker(const struct fusing *f, int v, const char *domain, const char *name);
bool node_is(const struct node *n, const char *domain, const char *name);
int node_in(const struct node *n, int i); /* -1: absent */
/* The constant elements of v, or NULL. */
const struct tensor *fusing_constant(const struct fusing *f, int v);
const struct attr *node_attr(const struct node *n, const char *name);
int64_t node_int(const struct node *n, const char *name, int64_t fallback);
float node_float(const struct node *n, const char *name, float fallback);

/* The activation that n is, of its input 0; false when it is none. */
bool fusing_act(const struct fusing *f, const struct node *n, struct fused_act *ret);
/* Makes n the operator kiln.`name` with these inputs; its outputs stay. Attributes of `from` are kept, those of the activation
 * are added; both may be NULL. */
void fusing_replace(struct fusing *f, struct node *n, const char *name, int n_in, const int *in,
                    const struct node *from, const struct fused_act *act);
/* A new constant in the model's memory, its elements to be filled in; -1 when there is no memory. */
int fusing_new_constant(struct fusing *f, enum dtype dtype, int rank, const int64_t *dims);

#endif
