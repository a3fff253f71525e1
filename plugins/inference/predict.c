/* SPDX-License-Identifier: MPL-2.0 */
/* inference.predict - what a model says of rows of inputs. */
#include "predict.h"

#include <string.h>

#include "builtin.h"
#include "classes.h"
#include "output.h"
#include "plan.h"

enum { OUTPUTS, OUT_MODEL, OUT_VERSION, LABELS, PROBABILITIES, CLASSES };

static const struct kiln_row params[] = {
    [PREDICT_MODEL] = {.name = "model",
                       .kind = KILN_STRING,
                       .flags = KILN_REQUIRED,
                       .help = "Name of the model"},
    [PREDICT_VERSION] = {.name = "version",
                         .kind = KILN_INT,
                         .min = 1,
                         .max = 1e18,
                         .help = "Its version; the newest that works when it is not given"},
    [PREDICT_INPUTS] =
        {.name = "inputs",
         .kind = KILN_VALUE,
         .flags = KILN_REQUIRED,
         .help =
             "A map from the model's input names to arrays; for a model with one input also the array alone"},
    [PREDICT_LABELS] = {.name = "labels",
                        .kind = KILN_BOOL,
                        .fallback = "false",
                        .help = "Of a classifier: labels and probabilities by themselves, too"},
};

static const struct kiln_row results[] = {
    [OUTPUTS] = {.name = "outputs",
                 .kind = KILN_VALUE,
                 .help = "A map from the model's output names to arrays"},
    [OUT_MODEL] = {.name = "model", .kind = KILN_STRING, .help = "Name of the model that answered"},
    [OUT_VERSION] = {.name = "version", .kind = KILN_INT, .help = "Its version"},
    [LABELS] = {.name = "labels",
                .kind = KILN_VALUE,
                .flags = KILN_OPTIONAL,
                .help = "The label of each row"},
    [PROBABILITIES] = {.name = "probabilities",
                       .kind = KILN_VALUE,
                       .flags = KILN_OPTIONAL,
                       .help = "The scores of each row, one for each class"},
    [CLASSES] = {.name = "classes",
                 .kind = KILN_VALUE,
                 .flags = KILN_OPTIONAL,
                 .help = "The names of the classes, when the model's contract has them"},
};

/* ---- one caller */

static void *from_call(void *call, size_t bytes)
{
    const struct kiln_call *c = call;
    return c->host->alloc(call, bytes);
}

static int ask_cancelled(void *call)
{
    const struct kiln_call *c = call;
    return c->host->cancelled(call);
}

struct memory predict_memory(struct kiln_call *call)
{
    return (struct memory){from_call, call};
}

int predict_no_room(struct refusal *why)
{
    return refuse(why, KILN_RESOURCE, "no memory left for the outputs");
}

int predict_outputs(struct kiln_call *call, struct model *m, const struct request *r,
                    struct tensor **ret_outputs, struct refusal *why)
{
    const int n_in = m->graph.n_inputs, n_out = m->graph.n_outputs;
    struct plan *p = model_plan(m, r->inputs, why);
    if (!p) {
        return why->status;
    }
    void **data = call->host->alloc(call, (size_t) (n_in + n_out + 1) * sizeof *data), **out = data + n_in;
    struct tensor *outputs = call->host->alloc(call, (size_t) n_out * sizeof *outputs);
    if (!data || !outputs) {
        return predict_no_room(why);
    }
    for (int i = 0; i < n_in; i++) {
        data[i] = r->inputs[i].data;
    }
    for (int k = 0; k < n_out; k++) { /* computed in the call's memory when it is known how much that is */
        out[k] = p->static_shapes ? call->host->alloc(call, tensor_bytes(plan_output(p, k))) : NULL;
        if (p->static_shapes && !out[k]) {
            return predict_no_room(why);
        }
    }
    struct run run = {.cancelled = ask_cancelled, .cancelled_arg = call};
    const int rc = plan_run(p, data, out, &run, why);
    if (rc) {
        return rc;
    }
    for (int k = 0; k < n_out; k++) {
        const struct tensor *t = plan_output(p, k);
        outputs[k] = *t;
        outputs[k].data = out[k];
        if (!out[k] && output_copy(call, t, 0, t->rank ? t->dims[0] : 1, &outputs[k])) {
            return predict_no_room(why);
        }
    }
    *ret_outputs = outputs;
    return KILN_OK;
}

/* Bound already: converted, seen by the contract, computed. */
int predict_bound(struct kiln_call *call, struct served *s, struct request *r, struct tensor **ret_outputs,
                  struct refusal *why)
{
    const struct memory memory = predict_memory(call);
    int rc = request_fill_all(r, &memory, why);
    for (int i = 0; rc == KILN_OK && s->contract && i < s->model->graph.n_inputs; i++) {
        rc = contract_see(s->contract, s->model, i, &r->inputs[i], why);
    }
    return rc ? rc : predict_outputs(call, s->model, r, ret_outputs, why);
}

int predict_values(struct kiln_call *call, struct served *s, const struct kiln_value *inputs,
                   struct tensor **ret_outputs, struct refusal *why)
{
    const struct memory memory = predict_memory(call);
    struct request r;
    const int rc = request_bind(s->model, inputs, &memory, &r, why);
    return rc ? rc : predict_bound(call, s, &r, ret_outputs, why);
}

static int put_labels(struct kiln_call *call, const struct served *m, const struct tensor *outputs,
                      struct kiln_slot *slots, struct refusal *why)
{
    struct classes *c = call->host->alloc(call, sizeof *c);
    const int rc = c ? classes_of(call, m, outputs, c, why) : predict_no_room(why);
    if (rc == KILN_OK) {
        slots[LABELS] = (struct kiln_slot){.present = 1, .value = &c->labels};
        slots[PROBABILITIES] = (struct kiln_slot){.present = 1, .value = &c->probabilities};
        slots[CLASSES] = (struct kiln_slot){.present = c->names.type != KILN_V_NULL, .value = &c->names};
    }
    return rc;
}

int predict_answer(struct kiln_call *call, const struct served *m, const struct kiln_slot *args,
                   const struct tensor *outputs, struct kiln_slot *slots, struct refusal *why)
{
    const struct graph *g = &m->model->graph;
    struct kiln_value *map = call->host->alloc(call, sizeof *map);
    if (!map || !value_map(call, (uint32_t) g->n_outputs, map)) {
        return predict_no_room(why);
    }
    for (int k = 0; k < g->n_outputs; k++) {
        struct kiln_value value;
        const struct kiln_value name = value_text(call, g->values[g->outputs[k]].name);
        if (!name.text || output_value(call, &outputs[k], &value)) {
            return predict_no_room(why);
        }
        value_put(map, name.text, value);
    }
    const struct kiln_value name = value_text(call, m->name);
    if (!name.text) {
        return predict_no_room(why);
    }
    slots[OUTPUTS] = (struct kiln_slot){.present = 1, .value = map};
    slots[OUT_MODEL] = (struct kiln_slot){.present = 1, .text = name.text, .text_bytes = name.count};
    slots[OUT_VERSION] = (struct kiln_slot){.present = 1, .i64 = m->version};
    return args[PREDICT_LABELS].i64 ? put_labels(call, m, outputs, slots, why) : KILN_OK;
}

/* The argument that a refusal of a model or of its inputs is about. */
const char *predict_field(const struct refusal *why)
{
    return strncmp(why->text, "inputs", 6) == 0    ? "inputs"
           : strncmp(why->text, "version", 7) == 0 ? "version"
           : strncmp(why->text, "model", 5) == 0   ? "model"
                                                   : NULL;
}

int predict_take(struct kiln_call *call, const struct kiln_slot *args, struct served **ret,
                 struct refusal *why)
{
    return store_take(store_of(call), args[PREDICT_MODEL].text,
                      args[PREDICT_VERSION].present ? args[PREDICT_VERSION].i64 : 0, call, ret, why);
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    struct refusal why = {.status = KILN_OK};
    struct served *m;
    struct tensor *outputs;
    int rc = predict_take(call, args, &m, &why);
    if (rc == KILN_OK) {
        rc = predict_values(call, m, args[PREDICT_INPUTS].value, &outputs, &why);
        rc = rc ? rc : predict_answer(call, m, args, outputs, slots, &why);
        store_release(m);
    }
    return rc ? fail_as(call, &why, predict_field(&why)) : KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "a linear model, two rows",
     .args = "{\"model\":\"" BUILTIN_NAME "\",\"inputs\":{\"x\":[[1,2,3],[0.5,-1,4]]}}",
     .result =
         "{\"outputs\":{\"y\":[[0.125,9],[-7.625,10.375]]},\"model\":\"" BUILTIN_NAME "\",\"version\":1}",
     .rtol = 1e-6,
     .atol = 1e-6},
    {.title = "one row alone",
     .args = "{\"model\":\"" BUILTIN_NAME "\",\"version\":1,\"inputs\":[1,2,3]}",
     .result = "{\"outputs\":{\"y\":[[0.125,9]]}}",
     .rtol = 1e-6,
     .atol = 1e-6},
    {.title = "an input that is not there",
     .args = "{\"model\":\"" BUILTIN_NAME "\",\"inputs\":{\"z\":[[1,2,3]]}}",
     .status = KILN_INVALID,
     .result = "inputs has the name \"z\", which the model does not know, expected \"x\""},
    {.title = "too few columns",
     .args = "{\"model\":\"" BUILTIN_NAME "\",\"inputs\":{\"x\":[[1,2]]}}",
     .status = KILN_INVALID,
     .result = "inputs.x is float32[1,2], expected float32[?,3]"},
};

const struct kiln_function inference_predict = {
    KILN_FUNCTION_HEAD,
    .name = "predict",
    .summary = "Outputs of a model for rows of inputs",
    .help = "Rows of jobs that wait together for the same model are computed in one run. Inputs become the "
            "type that the "
            "model declares, exactly or not at all; only doubles are rounded to floats.",
    .max_batch = PREDICT_TOGETHER,
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
    .run_batch = predict_batch,
};
