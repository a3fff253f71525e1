/* SPDX-License-Identifier: MPL-2.0 */
/* inference.predict - what a model says of rows of inputs. */
#include "predict.h"

#include <string.h>

#include "builtin.h"
#include "classes.h"
#include "output.h"
#include "plan.h"

enum { MODEL, VERSION, INPUTS, WANT_LABELS };
enum { OUTPUTS, OUT_MODEL, OUT_VERSION, LABELS, PROBABILITIES, CLASSES };
enum { MOST_TOGETHER = 64, MOST_ROWS = 4096 };

static const struct kiln_row params[] = {
    [MODEL] = {.name = "model", .kind = KILN_STRING, .flags = KILN_REQUIRED, .help = "Name of the model"},
    [VERSION] = {.name = "version",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 1e18,
                 .help = "Its version; the newest that works when it is not given"},
    [INPUTS] =
        {.name = "inputs",
         .kind = KILN_VALUE,
         .flags = KILN_REQUIRED,
         .help =
             "A map from the model's input names to arrays; for a model with one input also the array alone"},
    [WANT_LABELS] = {.name = "labels",
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

static int no_room(struct refusal *why)
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
        return no_room(why);
    }
    for (int i = 0; i < n_in; i++) {
        data[i] = r->inputs[i].data;
    }
    for (int k = 0; k < n_out; k++) { /* computed in the call's memory when it is known how much that is */
        out[k] = p->static_shapes ? call->host->alloc(call, tensor_bytes(plan_output(p, k))) : NULL;
        if (p->static_shapes && !out[k]) {
            return no_room(why);
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
            return no_room(why);
        }
    }
    *ret_outputs = outputs;
    return KILN_OK;
}

/* Bound already: converted, seen by the contract, computed. */
static int predict_bound(struct kiln_call *call, struct served *s, struct request *r,
                         struct tensor **ret_outputs, struct refusal *why)
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
    const int rc = c ? classes_of(call, m, outputs, c, why) : no_room(why);
    if (rc == KILN_OK) {
        slots[LABELS] = (struct kiln_slot){.present = 1, .value = &c->labels};
        slots[PROBABILITIES] = (struct kiln_slot){.present = 1, .value = &c->probabilities};
        slots[CLASSES] = (struct kiln_slot){.present = c->names.type != KILN_V_NULL, .value = &c->names};
    }
    return rc;
}

static int answer(struct kiln_call *call, const struct served *m, const struct kiln_slot *args,
                  const struct tensor *outputs, struct kiln_slot *slots, struct refusal *why)
{
    const struct graph *g = &m->model->graph;
    struct kiln_value *map = call->host->alloc(call, sizeof *map);
    if (!map || !value_map(call, (uint32_t) g->n_outputs, map)) {
        return no_room(why);
    }
    for (int k = 0; k < g->n_outputs; k++) {
        struct kiln_value value;
        const struct kiln_value name = value_text(call, g->values[g->outputs[k]].name);
        if (!name.text || output_value(call, &outputs[k], &value)) {
            return no_room(why);
        }
        value_put(map, name.text, value);
    }
    const struct kiln_value name = value_text(call, m->name);
    if (!name.text) {
        return no_room(why);
    }
    slots[OUTPUTS] = (struct kiln_slot){.present = 1, .value = map};
    slots[OUT_MODEL] = (struct kiln_slot){.present = 1, .text = name.text, .text_bytes = name.count};
    slots[OUT_VERSION] = (struct kiln_slot){.present = 1, .i64 = m->version};
    return args[WANT_LABELS].i64 ? put_labels(call, m, outputs, slots, why) : KILN_OK;
}

/* The argument that a refusal of a model or of its inputs is about. */
static const char *field_of(const struct refusal *why)
{
    return strncmp(why->text, "inputs", 6) == 0    ? "inputs"
           : strncmp(why->text, "version", 7) == 0 ? "version"
           : strncmp(why->text, "model", 5) == 0   ? "model"
                                                   : NULL;
}

static int take(struct kiln_call *call, const struct kiln_slot *args, struct served **ret,
                struct refusal *why)
{
    return store_take(store_of(call), args[MODEL].text, args[VERSION].present ? args[VERSION].i64 : 0, call,
                      ret, why);
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    struct refusal why = {.status = KILN_OK};
    struct served *m;
    struct tensor *outputs;
    int rc = take(call, args, &m, &why);
    if (rc == KILN_OK) {
        rc = predict_values(call, m, args[INPUTS].value, &outputs, &why);
        rc = rc ? rc : answer(call, m, args, outputs, slots, &why);
        store_release(m);
    }
    return rc ? fail_as(call, &why, field_of(&why)) : KILN_OK;
}

/* ---- many callers */

struct together {
    struct served *m;
    int n;
    int64_t rows;
    struct kiln_item *items[MOST_TOGETHER];
    struct request requests[MOST_TOGETHER];
};

static bool same_model(const struct kiln_slot *a, const struct kiln_slot *b)
{
    return strcmp(a[MODEL].text, b[MODEL].text) == 0 && a[VERSION].present == b[VERSION].present &&
           a[VERSION].i64 == b[VERSION].i64;
}

static bool same_rows(const struct request *a, const struct request *b)
{
    for (int i = 0; i < a->model->graph.n_inputs; i++) {
        const struct tensor *x = &a->inputs[i], *y = &b->inputs[i];
        if (x->rank != y->rank ||
            memcmp(x->dims + 1, y->dims + 1, (size_t) (x->rank - 1) * sizeof *x->dims) != 0) {
            return false;
        }
    }
    return true;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Where the inputs of all go, one after the other, then the outputs. 0: too much. */
static size_t lay_out(const struct model *m, const struct tensor *inputs, const struct plan *p,
                      size_t *offsets)
{
    size_t at = 0;
    int n = 0;
    for (int i = 0; i < m->graph.n_inputs; i++) {
        offsets[n++] = at;
        at += aligned(tensor_bytes(&inputs[i]));
    }
    for (int k = 0; k < m->graph.n_outputs; k++) {
        offsets[n++] = at;
        at += aligned(tensor_bytes(plan_output(p, k)));
    }
    return at;
}

/* Inputs of each caller into his rows. One whose elements are refused gets zeros: only he fails. */
static void fill_rows(struct together *g, void *const *data, const struct tensor *inputs)
{
    int64_t row = 0;
    for (int j = 0; j < g->n; row += g->requests[j].rows, j++) {
        struct refusal why = {.status = KILN_OK};
        for (int i = 0; i < g->m->model->graph.n_inputs; i++) {
            struct tensor *t = &g->requests[j].inputs[i];
            char *to =
                (char *) data[i] + (size_t) (row * tensor_inner(&inputs[i], 1)) * dtype_size(inputs[i].dtype);
            if (why.status || request_fill(&g->requests[j], i, to, &why)) {
                memset(to, 0, tensor_bytes(t));
            }
            t->data = to;
        }
        g->items[j]->status = why.status ? fail_as(g->items[j]->call, &why, field_of(&why)) : KILN_OK;
    }
}

/* Only now: a run that fails is done again, one by one, and nothing is to be counted twice. */
static int see_rows(const struct together *g, int j, struct refusal *why)
{
    int rc = KILN_OK;
    for (int i = 0; g->m->contract && i < g->m->model->graph.n_inputs && rc == KILN_OK; i++) {
        rc = contract_see(g->m->contract, g->m->model, i, &g->requests[j].inputs[i], why);
    }
    return rc;
}

static int split(struct together *g, const struct plan *p, void *const *out)
{
    const int n_out = g->m->model->graph.n_outputs;
    int64_t row = 0;
    for (int j = 0; j < g->n; row += g->requests[j].rows, j++) {
        struct kiln_item *item = g->items[j];
        if (item->status) {
            continue;
        }
        struct refusal why = {.status = KILN_OK};
        struct tensor *outputs = item->call->host->alloc(item->call, (size_t) n_out * sizeof *outputs);
        int rc = outputs ? see_rows(g, j, &why) : no_room(&why);
        for (int k = 0; k < n_out && rc == KILN_OK; k++) {
            struct tensor all = *plan_output(p, k);
            all.data = out[k];
            rc = output_copy(item->call, &all, row, g->requests[j].rows, &outputs[k]) ? no_room(&why)
                                                                                      : KILN_OK;
        }
        rc = rc ? rc : answer(item->call, g->m, item->args, outputs, item->results, &why);
        item->status = rc ? fail_as(item->call, &why, field_of(&why)) : KILN_OK;
    }
    return KILN_OK;
}

/* One run for all of them. Not KILN_OK: nobody has an answer. */
static int run_together(struct together *g)
{
    struct kiln_call *call = g->items[0]->call;
    struct model *m = g->m->model;
    struct store *s = store_of(call);
    struct refusal why = {.status = KILN_OK};
    const size_t ends = (size_t) (m->graph.n_inputs + m->graph.n_outputs);
    struct tensor *inputs = call->host->alloc(call, ends * sizeof *inputs);
    size_t *offsets = call->host->alloc(call, ends * sizeof *offsets);
    void **data = call->host->alloc(call, ends * sizeof *data);
    if (!inputs || !offsets || !data) {
        return KILN_RESOURCE;
    }
    for (int i = 0; i < m->graph.n_inputs; i++) {
        inputs[i] = g->requests[0].inputs[i];
        inputs[i].dims[0] = g->rows;
        inputs[i].count = g->rows * tensor_inner(&inputs[i], 1);
    }
    struct plan *p = model_plan(m, inputs, &why);
    if (!p || !p->static_shapes || !workspace_reserve(&s->stack, lay_out(m, inputs, p, offsets))) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < ends; i++) {
        data[i] = s->stack.base + offsets[i];
    }
    fill_rows(g, data, inputs);
    struct run r = {.cancelled = NULL};
    const int rc = plan_run(p, data, data + m->graph.n_inputs, &r, &why);
    return rc ? rc : split(g, p, data + m->graph.n_inputs);
}

static void run_alone(struct together *g)
{
    for (int j = 0; j < g->n; j++) {
        struct refusal why = {.status = KILN_OK};
        struct kiln_item *item = g->items[j];
        struct tensor *outputs;
        int rc = predict_bound(item->call, g->m, &g->requests[j], &outputs, &why);
        rc = rc ? rc : answer(item->call, g->m, item->args, outputs, item->results, &why);
        item->status = rc ? fail_as(item->call, &why, field_of(&why)) : KILN_OK;
    }
}

/* Takes an item in when it can be computed with those that are in already. done: it was refused. */
static bool join(struct together *g, struct kiln_item *item, bool *done)
{
    struct refusal why = {.status = KILN_OK};
    const struct memory memory = predict_memory(item->call);
    struct request *r = &g->requests[g->n];
    if (request_bind(g->m->model, item->args[INPUTS].value, &memory, r, &why)) {
        item->status = fail_as(item->call, &why, field_of(&why));
        return *done = true;
    }
    if (g->n && (r->rows < 1 || g->rows + r->rows > MOST_ROWS || !same_rows(&g->requests[0], r))) {
        return false;
    }
    g->items[g->n++] = item;
    g->rows += r->rows;
    return *done = true;
}

static int run_batch(struct kiln_item *items, size_t n)
{
    bool done[MOST_TOGETHER] = {false};
    for (size_t i = 0; i < n; i++) {
        if (done[i]) {
            continue;
        }
        struct refusal why = {.status = KILN_OK};
        struct together g = {.n = 0};
        if (take(items[i].call, items[i].args, &g.m, &why)) {
            items[i].status = fail_as(items[i].call, &why, field_of(&why));
            continue;
        }
        join(&g, &items[i], &done[i]);
        const bool stack = g.n && g.m->stackable && g.rows >= 1;
        for (size_t k = i + 1; stack && k < n; k++) {
            if (!done[k] && same_model(items[i].args, items[k].args)) {
                join(&g, &items[k], &done[k]);
            }
        }
        if (g.n == 1 || (g.n && run_together(&g))) {
            run_alone(&g);
        }
        store_release(g.m);
    }
    return KILN_OK;
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
    .max_batch = MOST_TOGETHER,
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
    .run_batch = run_batch,
};
