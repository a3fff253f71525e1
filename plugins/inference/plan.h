/* SPDX-License-Identifier: MPL-2.0 */
/* plan - a graph made ready for inputs of given shapes: steps with their kernels chosen, places in memory
 * assigned.
 *
 * A plan has stages. The first one reaches as far as shapes follow from the shapes of the inputs; that is
 * all of the graph for most models. Where an operator needs elements that only a run makes (step_needs),
 * the stage ends. The next one is planned in that run, with the elements known, and kept: a later run that
 * makes the same elements there uses it again, one that makes others plans anew from there.
 *
 * Where a value lies is a BUFFER: in the workspace at an offset, in the caller's array of an input, in the
 * caller's array of an output. Values that are one another under other dims, or computed in place, share
 * one. Places of the workspace are given by the time between making and last reading. */
#ifndef INFERENCE_PLAN_H
#define INFERENCE_PLAN_H

#include "model.h"

enum knowledge {
    UNKNOWN,
    KNOWN,
    CONSTANT
}; /* elements: of a run; of this plan's inputs' shapes; of the model */

enum where { IN_WORKSPACE, IN_INPUT, IN_OUTPUT };

struct buffer {
    enum where where;
    int which;      /* input or output */
    int born, last; /* nodes: that makes it, that reads it last */
    size_t bytes, offset;
};

struct bind { /* a tensor that lies in the caller's array */
    struct tensor *tensor;
    bool output;
    int which;
};

struct stage {
    struct stage *next;
    struct pool pool;
    int first_node, end_node;
    int first_buffer;
    int n_steps;
    struct step *steps;
    size_t scratch_bytes, scratch_offset;
    size_t begin, end; /* its part of the workspace */
    int n_binds;
    struct bind *binds;
    int needs; /* the value whose elements the next stage is planned for; -1: there is no next stage */
    struct tensor expects; /* the elements that `next` was planned for */
};

struct plan {
    struct model *model;
    struct plan *next; /* in the model's list */
    struct pool pool;
    struct tensor *inputs;  /* the shapes it is for */
    struct tensor *tensors; /* of all values */
    uint8_t *known;         /* enum knowledge of all values */
    int *buffer;            /* of all values, -1: none */
    int *last_reader;       /* node of all values; INT_MAX for outputs of the graph */
    int n_buffers;
    struct buffer *buffers; /* at most one per value */
    struct tensor **outputs;
    void **own; /* memory of outputs for callers that give none */
    char *base; /* where the workspace was when tensors were bound */
    struct stage *stages;
    bool static_shapes; /* one stage: the outputs are known before a run */

    /* while a stage is planned */
    struct stage *stage;
    struct refusal *why;
    const struct node *node;
    bool bad_attribute;
};

/* Normally called by model_plan(). */
struct plan *plan_new(struct model *m, const struct tensor *inputs, struct refusal *why);
void plan_free(struct plan **p);

/* Runs it. inputs[i]: elements of graph input i, aligned as their type demands. outputs[k]: where output k
 * goes, with room for plan_output(p, k) - or NULL, as `outputs` may be: then they stay in the plan until
 * its next run. r: cancelled and cancelled_arg set or NULL. */
int plan_run(struct plan *p, void *const *inputs, void *const *outputs, struct run *r, struct refusal *why);
/* Shape and type, known before a run when static_shapes; elements after a run. */
const struct tensor *plan_output(const struct plan *p, int k);

size_t plan_bytes(const struct plan *p);

/* Computes the nodes of a graph whose inputs are all constant, and makes their outputs constants. */
int plan_fold(struct model *m, struct refusal *why);

#endif
