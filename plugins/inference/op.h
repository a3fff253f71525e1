/* SPDX-License-Identifier: MPL-2.0 */
/* op - what an operator is, and what it is given to do its work.
 *
 * An operator is one row (struct op): domain, name, the opset since which the row holds, and `plan`. A
 * graph is PLANNED for the shapes of its inputs, once, and then run as often as wished for these shapes:
 *
 *     plan   sees input tensors - dtype and shape always, data where the elements are known already (constants,
 *            what was computed from constants, the shapes of things) - and the node's attributes. It refuses
 *            what cannot be, says what its outputs are (step_output), chooses a kernel (step->run), and keeps what that
 *            needs in step->state. All decisions belong here, so that run has none to take.
 *     run    pure arithmetic, from in[i]->data to out[k]->data. It reads dims of tensors as they were planned.
 *
 * Constant folding is the planner's: when all inputs of a step are known, it is run at once and its
 * outputs are known. An operator needs no shape inference apart from its plan.
 *
 * SHAPES THAT DEPEND ON DATA plan needs the elements of an input (Reshape's shape, TopK's k) that are not
 * known: it returns step_needs(s, i). The planner stops there; whoever runs the plan computes what comes
 * before, and goes on planning with the elements known. plan may therefore be called again for the same
 * step. The number of output elements is known only by computing them (NonZero, Unique, Compress): plan
 * computes them at once - all inputs asked for with step_needs - and gives the output with step_known().
 *
 * MEMORY plan_alloc      lives as long as the plan: step->state, tables of indices step_shared     lives
 * as long as the model and is made once for all plans of a node: packed weights step->scratch_bytes  asked
 * for in plan, given to run; not kept between runs All of it is taken from budgets and may be NULL: return
 * KILN_RESOURCE then (plan_fail is not needed).
 *
 * ERRORS are statuses of <kiln/status.h>. A refusal is `return step_fail(s, "...")`: KILN_INVALID with a
 * sentence to which the planner adds the node's name and operator. run may fail, too (an index out of
 * range): through run_fail; it must never read or write outside of its tensors, whatever the data.
 *
 * Optional inputs that are absent are NULL in `in`; optional outputs that nobody wants are NULL in `out`. */
#ifndef INFERENCE_OP_H
#define INFERENCE_OP_H

#include <kiln/status.h>

#include "tensor.h"

#if defined(__GNUC__)
#define OP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define OP_PRINTF(fmt, args)
#endif

struct node;  /* graph.h: the operator as the model has it */
struct plan;  /* plan.h */
struct model; /* graph.h */

struct step;
struct run {                  /* one run of a plan; what a kernel is given besides its step */
    void *scratch;            /* scratch_bytes of the step, aligned to 64 */
    char why[200];            /* run_fail writes here */
    int (*cancelled)(void *); /* to be asked every few milliseconds of long work: run_cancelled() */
    void *cancelled_arg;
};

typedef int run_fn(const struct step *s, struct run *r); /* KILN_OK, or a status */

struct step {
    const struct node *node;
    struct plan *plan;
    int n_in, n_out;
    struct tensor **in, **out; /* NULL where absent */

    /* set by plan() */
    run_fn *run;
    void *state;
    size_t scratch_bytes;
    int8_t
        alias; /* -1, or: out[0] is in[alias] under other dims, no copy, run is not called (Reshape, Identity) */
    int8_t inplace; /* -1, or: out[0] may take the memory of in[inplace] if nobody else reads that afterwards;
                       run must then work with out[0]->data == in[inplace]->data. Sizes in bytes are equal */
};

struct op {
    const char *domain; /* "" is ai.onnx; "ai.onnx.ml"; "kiln": made by fusing, never in files */
    const char *name;
    int since; /* holds for models of this opset and later, until a row with a higher one */
    int8_t min_in, max_in, min_out, max_out; /* numbers of inputs and outputs; -1: any */
    int (*plan)(struct step *s);
};

/* Each family of operators, one file op/<family>.c, exports one table; plugins/inference/ops.c lists the
 * tables. */
struct op_table {
    const struct op *ops;
    size_t n;
};

/* ---- for plan() ------------------------------------------------------------------------------- */

int step_fail(struct step *s, const char *format, ...) OP_PRINTF(2, 3); /* returns KILN_INVALID */
/* The elements of in[i] are wanted before this step can be planned. Returns what plan() is to return:
 * KILN_OK is never returned, so `if (!s->in[1]->data) return step_needs(s, 1);`. */
int step_needs(struct step *s, int i);
/* What out[k] is. KILN_OK, or the refusal to return (too large, bad dimension). Does nothing when out[k]
 * is NULL. */
int step_output(struct step *s, int k, enum dtype dtype, int rank, const int64_t *dims);
/* out[k] is this, with these elements, now: data lives in plan memory (plan_alloc). */
int step_known(struct step *s, int k, enum dtype dtype, int rank, const int64_t *dims, void *data);
void *plan_alloc(struct plan *p, size_t bytes); /* zeroed, aligned to 64; NULL when the budget is spent */
/* The object of this node that all its plans share, under a small number of the operator's choice (< 4):
 * the first time NULL is in *slot, and the operator may fill it with memory of model_alloc. Only what
 * follows from constants and attributes alone may be kept there. */
void **step_shared(struct step *s, int number);
void *model_alloc(struct step *s, size_t bytes);    /* zeroed, aligned to 64; NULL when the budget is spent */
int step_opset(const struct step *s);               /* of the node's domain */
bool step_is_constant(const struct step *s, int i); /* in[i] is the same in every plan of this model */

/* Attributes: the value, or `fallback` when the node has none. Of another type than asked: the model was
 * refused when it was read, for these calls know their type - the reader keeps what it finds, step_attr_*
 * answer fallback and remember a refusal, which the planner gives after plan() returned. */
int64_t step_int(struct step *s, const char *name, int64_t fallback);
float step_float(struct step *s, const char *name, float fallback);
struct text step_text(struct step *s, const char *name, const char *fallback);
size_t step_ints(struct step *s, const char *name,
                 const int64_t **ret); /* the number of them; 0 when absent */
size_t step_floats(struct step *s, const char *name, const float **ret);
size_t step_texts(struct step *s, const char *name, const struct text **ret);
const struct tensor *step_tensor(struct step *s, const char *name); /* NULL when absent */
bool step_has(const struct step *s, const char *name);
bool text_is(struct text t, const char *word);

/* axis in -rank .. rank-1 -> 0 .. rank-1; -1 when it is not. */
int axis_of(int64_t axis, int rank);

/* ---- for run() ---------------------------------------------------------------------------------- */

int run_fail(struct run *r, const char *format, ...) OP_PRINTF(2, 3); /* returns KILN_INVALID */
static inline bool run_cancelled(struct run *r)
{
    return r->cancelled && r->cancelled(r->cancelled_arg);
}

#endif
