/* SPDX-License-Identifier: MPL-2.0 */
/* Jobs that wait together: rows of those that ask the same model are computed in one run. */
#include <string.h>

#include "output.h"
#include "plan.h"
#include "predict.h"

enum { MOST_ROWS = 4096 };

struct together {
    struct served *m;
    int n;
    int64_t rows;
    struct kiln_item *items[PREDICT_TOGETHER];
    struct request requests[PREDICT_TOGETHER];
};

static bool same_model(const struct kiln_slot *a, const struct kiln_slot *b)
{
    return strcmp(a[PREDICT_MODEL].text, b[PREDICT_MODEL].text) == 0 &&
           a[PREDICT_VERSION].present == b[PREDICT_VERSION].present &&
           a[PREDICT_VERSION].i64 == b[PREDICT_VERSION].i64;
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
        g->items[j]->status = why.status ? fail_as(g->items[j]->call, &why, predict_field(&why)) : KILN_OK;
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
        int rc = outputs ? see_rows(g, j, &why) : predict_no_room(&why);
        for (int k = 0; k < n_out && rc == KILN_OK; k++) {
            struct tensor all = *plan_output(p, k);
            all.data = out[k];
            rc = output_copy(item->call, &all, row, g->requests[j].rows, &outputs[k]) ? predict_no_room(&why)
                                                                                      : KILN_OK;
        }
        rc = rc ? rc : predict_answer(item->call, g->m, item->args, outputs, item->results, &why);
        item->status = rc ? fail_as(item->call, &why, predict_field(&why)) : KILN_OK;
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
        rc = rc ? rc : predict_answer(item->call, g->m, item->args, outputs, item->results, &why);
        item->status = rc ? fail_as(item->call, &why, predict_field(&why)) : KILN_OK;
    }
}

/* Takes an item in when it can be computed with those that are in already. done: it was refused. */
static bool join(struct together *g, struct kiln_item *item, bool *done)
{
    struct refusal why = {.status = KILN_OK};
    const struct memory memory = predict_memory(item->call);
    struct request *r = &g->requests[g->n];
    if (request_bind(g->m->model, item->args[PREDICT_INPUTS].value, &memory, r, &why)) {
        item->status = fail_as(item->call, &why, predict_field(&why));
        return *done = true;
    }
    if (g->n && (r->rows < 1 || g->rows + r->rows > MOST_ROWS || !same_rows(&g->requests[0], r))) {
        return false;
    }
    g->items[g->n++] = item;
    g->rows += r->rows;
    return *done = true;
}

int predict_batch(struct kiln_item *items, size_t n)
{
    bool done[PREDICT_TOGETHER] = {false};
    for (size_t i = 0; i < n; i++) {
        if (done[i]) {
            continue;
        }
        struct refusal why = {.status = KILN_OK};
        struct together g = {.n = 0};
        if (predict_take(items[i].call, items[i].args, &g.m, &why)) {
            items[i].status = fail_as(items[i].call, &why, predict_field(&why));
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
