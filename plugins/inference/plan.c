/* SPDX-License-Identifier: MPL-2.0 */
#include "plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "stage.h"

static bool fits_declaration(const struct tensor *declared, const struct tensor *given)
{
    if (declared->dtype != given->dtype || (declared->rank >= 0 && declared->rank != given->rank)) {
        return false;
    }
    for (int d = 0; d < declared->rank; d++) {
        if (declared->dims[d] >= 0 && declared->dims[d] != given->dims[d]) {
            return false;
        }
    }
    return true;
}

static int take_inputs(struct plan *p, const struct tensor *inputs)
{
    const struct graph *g = &p->model->graph;
    for (int i = 0; i < g->n_inputs; i++) {
        const struct value *v = &g->values[g->inputs[i]];
        if (!fits_declaration(&v->constant, &inputs[i])) {
            char declared[120], given[120];
            return refuse(p->why, KILN_INVALID, "input \"%.60s\" is %s, expected %s", v->name,
                          tensor_text(&inputs[i], given, sizeof given),
                          tensor_text(&v->constant, declared, sizeof declared));
        }
        p->inputs[i] = inputs[i];
        p->inputs[i].data = NULL;
        p->tensors[g->inputs[i]] = p->inputs[i];
        p->buffer[g->inputs[i]] = place_input(p, i);
    }
    return KILN_OK;
}

/* Who reads last, and what is known before anything was planned. */
static void look_at_values(struct plan *p)
{
    const struct graph *g = &p->model->graph;
    for (int v = 0; v < g->n_values; v++) {
        p->buffer[v] = p->last_reader[v] = -1;
        if (g->values[v].constant.data && !g->values[v].is_input) {
            p->tensors[v] = g->values[v].constant;
            p->known[v] = CONSTANT;
        }
    }
    for (int n = 0; n < g->n_nodes; n++) {
        for (int i = 0; i < g->nodes[n].n_in; i++) {
            if (g->nodes[n].in[i] >= 0) {
                p->last_reader[g->nodes[n].in[i]] = n;
            }
        }
    }
    for (int k = 0; k < g->n_outputs; k++) {
        p->outputs[k] = &p->tensors[g->outputs[k]];
        p->last_reader[g->outputs[k]] = INT_MAX;
    }
}

static struct plan *plan_empty(struct model *m, struct refusal *why)
{
    const struct graph *g = &m->graph;
    const size_t n = (size_t) g->n_values + 1;
    struct pool pool;
    pool_init(&pool, &m->budget);
    struct plan *p = pool_small(&pool, sizeof *p);
    if (p) {
        p->tensors = pool_array(&pool, n, sizeof *p->tensors);
        p->known = pool_array(&pool, n, sizeof *p->known);
        p->buffer = pool_array(&pool, n, sizeof *p->buffer);
        p->last_reader = pool_array(&pool, n, sizeof *p->last_reader);
        p->buffers = pool_array(&pool, n, sizeof *p->buffers);
        p->inputs = pool_array(&pool, (size_t) g->n_inputs, sizeof *p->inputs);
        p->outputs = pool_array(&pool, (size_t) g->n_outputs, sizeof *p->outputs);
        p->own = pool_array(&pool, (size_t) g->n_outputs, sizeof *p->own);
    }
    if (!p || !p->tensors || !p->known || !p->buffer || !p->last_reader || !p->buffers || !p->inputs ||
        !p->outputs || !p->own) {
        pool_done(&pool);
        refuse_memory(why, "a plan");
        return NULL;
    }
    p->model = m;
    p->pool = pool;
    p->why = why;
    look_at_values(p);
    return p;
}

struct plan *plan_new(struct model *m, const struct tensor *inputs, struct refusal *why)
{
    struct plan *p = plan_empty(m, why);
    if (p && (take_inputs(p, inputs) || stage_plan(p, NULL))) {
        plan_free(&p);
    }
    if (p) {
        p->static_shapes = p->stages->needs < 0;
        p->why = NULL;
    }
    return p;
}

void plan_free(struct plan **p)
{
    if (*p) {
        stage_drop(*p, NULL);
        struct pool pool = (*p)->pool; /* the plan lies in it */
        pool_done(&pool);
        *p = NULL;
    }
}

const struct tensor *plan_output(const struct plan *p, int k)
{
    return p->outputs[k];
}

size_t plan_bytes(const struct plan *p)
{
    size_t bytes = p->pool.bytes;
    for (const struct stage *s = p->stages; s; s = s->next) {
        bytes += s->pool.bytes;
    }
    return bytes;
}

static int run_steps(struct plan *p, const struct stage *stage, struct run *r, struct refusal *why)
{
    r->scratch = p->base + stage->scratch_offset;
    for (const struct step *s = stage->steps, *end = s + stage->n_steps; s < end; s++) {
        const int rc = s->run(s, r);
        if (rc != KILN_OK) {
            return refuse(why, rc, "node \"%.60s\" (%s): %s", s->node->name, s->node->op->name,
                          *r->why                ? r->why
                          : rc == KILN_CANCELLED ? "cancelled"
                          : rc == KILN_RESOURCE  ? "no memory left"
                                                 : "cannot be computed");
        }
    }
    return KILN_OK;
}

/* The stage after `stage`, which has just been run: the one that is there, when the elements that it was
 * planned for came again. */
static int next_stage(struct plan *p, struct stage *stage, void *const *inputs, void *const *outputs,
                      struct refusal *why)
{
    const struct tensor *made = &p->tensors[stage->needs];
    if (stage->next) {
        /* Strings are addresses here, which say nothing. */
        if (made->dtype != DT_STRING && memcmp(stage->expects.data, made->data, tensor_bytes(made)) == 0) {
            return KILN_OK;
        }
        stage_drop(p, stage);
    }
    p->why = why;
    int rc = stage_plan(p, stage);
    p->why = NULL;
    if (rc == KILN_OK) {
        rc = place_bind(p, inputs, outputs, why);
    }
    return rc;
}

int plan_run(struct plan *p, void *const *inputs, void *const *outputs, struct run *r, struct refusal *why)
{
    r->why[0] = 0;
    int rc = place_bind(p, inputs, outputs, why);
    for (struct stage *stage = p->stages; rc == KILN_OK; stage = stage->next) {
        rc = run_steps(p, stage, r, why);
        if (stage->needs < 0) {
            break;
        }
        if (rc == KILN_OK) {
            rc = next_stage(p, stage, inputs, outputs, why);
        }
    }
    if (rc == KILN_OK && outputs) {
        place_copy_out(p, outputs);
    }
    return rc;
}

int plan_fold(struct model *m, struct refusal *why)
{
    struct plan *p = plan_empty(m, why);
    if (!p) {
        return why->status;
    }
    const int rc = stage_fold(p);
    plan_free(&p);
    return rc;
}
