/* SPDX-License-Identifier: MPL-2.0 */
/* model - a graph, the memory that it lives in, and the plans that were made for it.
 *
 *     model_load(...)        read, ordered, checked, constants folded, fused; not planned yet
 *     model_plan(m, inputs)  a plan for inputs of these shapes: made, or found
 *     plan_run(...)          plan.h
 *     model_free(&m)
 *
 * Owned by whoever loaded it. The workspace and the budget are the owner's and outlive it. */
#ifndef INFERENCE_MODEL_H
#define INFERENCE_MODEL_H

#include "graph.h"
#include "pool.h"
#include "refusal.h"
#include "workspace.h"

/* Plans kept, in number and in bytes beside twice those of the model; the one unused longest goes first. */
enum { MODEL_PLANS = 96, MODEL_PLAN_BYTES = 16 << 20 };

struct model_entry {
    const char *key, *value;
};

struct model {
    struct graph graph;
    struct budget budget; /* real bytes of the model and of its plans; part of the owner's */
    struct pool pool;
    struct workspace *workspace;
    const char *producer, *doc, *graph_name;
    int64_t version; /* what the file says */
    size_t n_metadata;
    const struct model_entry *metadata;
    const char ***dim_names; /* of graph inputs: [input][dimension], NULL where it has none */
    struct plan *plans;      /* most recently used first */
    int n_plans, n_planned;  /* kept; ever made */
};

/* The model in a file. External data is found in the file's folder only. */
int model_load(const char *path, struct budget *budget, struct workspace *w, struct model **ret_model,
               struct refusal *why);
/* The model in `bytes` bytes of memory. `home`: NULL, or the pool that holds nothing but `data`, which is then used up: the model
 * takes its memory. `folder`: a descriptor for external data, or -1 when there may be none. */
int model_read(const void *data, size_t bytes, struct pool *home, int folder, struct budget *budget,
               struct workspace *w, struct model **ret_model, struct refusal *why);
void model_free(struct model **m);

/* inputs[i]: dtype and shape of graph input i. NULL when it was refused. The plan is the model's; it is
 * valid until MODEL_PLANS others were asked for. */
struct plan *model_plan(struct model *m, const struct tensor *inputs, struct refusal *why);
/* All plans away: their memory is given back. */
void model_forget_plans(struct model *m);

#endif
