/* SPDX-License-Identifier: MPL-2.0 */
#include "stage.h"

#include <string.h>

#include "place.h"
#include "step.h"

static struct stage *stage_new(struct plan *p, int first_node)
{
    struct pool pool;
    pool_init(&pool, &p->model->budget);
    struct stage *stage = pool_small(&pool, sizeof *stage);
    const size_t most = (size_t) (p->model->graph.n_nodes - first_node);
    struct step *steps = stage ? pool_array(&pool, most, sizeof *steps) : NULL;
    if (!steps) {
        pool_done(&pool);
        refuse_memory(p->why, "a plan");
        return NULL;
    }
    stage->pool = pool;
    stage->steps = steps;
    stage->first_node = stage->end_node = first_node;
    stage->first_buffer = p->n_buffers;
    stage->needs = -1;
    return stage;
}

static void stage_free(struct stage *stage)
{
    struct pool pool = stage->pool; /* the stage lies in it */
    pool_done(&pool);
}

/* Which values a step takes and gives, as plan() sees them: elements only where they are known. */
static bool connect(struct plan *p, struct step *s)
{
    const struct node *node = s->node;
    struct tensor **tensors =
        pool_array(&p->stage->pool, (size_t) (node->n_in + node->n_out), sizeof *tensors);
    if (!tensors) {
        return false;
    }
    s->n_in = node->n_in;
    s->n_out = node->n_out;
    s->in = tensors;
    s->out = tensors + node->n_in;
    for (int i = 0; i < node->n_in; i++) {
        s->in[i] = node->in[i] >= 0 ? &p->tensors[node->in[i]] : NULL;
    }
    for (int k = 0; k < node->n_out; k++) {
        s->out[k] = node->out[k] >= 0 ? &p->tensors[node->out[k]] : NULL;
        if (s->out[k]) {
            *s->out[k] = (struct tensor){.dtype = DT_NONE};
        }
    }
    return true;
}

/* What the operator says of the node, judged. KILN_OK, STEP_NEEDS or a refusal. */
static int ask(struct plan *p, struct step *s)
{
    if (!connect(p, s)) {
        return refuse_memory(p->why, "a plan");
    }
    p->bad_attribute = false;
    const int rc = s->node->op->plan(s);
    if (p->bad_attribute) {
        return p->why->status;
    }
    if (rc == STEP_NEEDS) {
        return rc;
    }
    if (rc == KILN_RESOURCE) {
        return refuse(p->why, rc, "node \"%.60s\" (%s): no memory left: the budget of models is spent",
                      s->node->name, s->node->op->name);
    }
    if (rc != KILN_OK) {
        return refuse(p->why, rc, "node \"%.60s\" (%s): cannot be computed", s->node->name,
                      s->node->op->name);
    }
    bool known = true;
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] && s->out[k]->dtype == DT_NONE) {
            return step_fail(s, "has no output %d", k);
        }
        known = known && (!s->out[k] || s->out[k]->data || (k == 0 && s->alias >= 0));
    }
    if (s->alias >= 0 && s->out[0] && tensor_bytes(s->out[0]) != tensor_bytes(s->in[s->alias])) {
        return step_fail(s, "renames an input of another size");
    }
    return known || (s->run && s->alias < 0) ? KILN_OK : step_fail(s, "has no kernel");
}

static enum knowledge least_known(const struct plan *p, const struct step *s)
{
    enum knowledge least = CONSTANT;
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] && p->known[s->node->in[i]] < least) {
            least = p->known[s->node->in[i]];
        }
    }
    return least;
}

static bool all_outputs_known(const struct step *s)
{
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] && !s->out[k]->data) {
            return false;
        }
    }
    return true;
}

/* Where nothing comes out, nothing needs to be computed: no kernel has to think of empty outputs. */
static bool gives_nothing(const struct step *s)
{
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] && s->out[k]->count) {
            return false;
        }
    }
    return true;
}

/* Runs a step whose inputs are known, while planning. */
static int compute_now(struct plan *p, struct step *s)
{
    if (s->alias >= 0) {
        s->out[0]->data = s->in[s->alias]->data;
        return KILN_OK;
    }
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] && !(s->out[k]->data = plan_alloc(p, tensor_bytes(s->out[k])))) {
            return refuse_memory(p->why, "constants");
        }
    }
    if (gives_nothing(s)) {
        return KILN_OK;
    }
    struct pool scratch;
    pool_init(&scratch, &p->model->budget);
    struct run r = {.scratch = pool_alloc(&scratch, s->scratch_bytes)};
    const int rc = !r.scratch ? refuse_memory(p->why, "constants") : s->run(s, &r);
    pool_done(&scratch);
    if (rc != KILN_OK) {
        refuse(p->why, rc, "node \"%.60s\" (%s): %s", s->node->name, s->node->op->name,
               *r.why ? r.why : "cannot be computed");
    }
    return rc;
}

static void now_known(struct plan *p, const struct step *s, enum knowledge how)
{
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k]) {
            p->known[s->node->out[k]] = (uint8_t) how;
        }
    }
}

/* Only the planner asks; an operator whose result depends on nothing but its inputs' shapes says so with
 * step_known(). */
static int plan_node(struct plan *p, int n)
{
    struct stage *stage = p->stage;
    struct step *s = &stage->steps[stage->n_steps];
    *s = (struct step){.node = &p->model->graph.nodes[n], .plan = p, .alias = -1, .inplace = -1};
    int rc = ask(p, s);
    if (rc != KILN_OK) {
        return rc;
    }
    const enum knowledge inputs = least_known(p, s);
    const bool renames_known = s->alias >= 0 && p->known[s->node->in[s->alias]] != UNKNOWN;
    if (!all_outputs_known(s) && inputs == UNKNOWN && !renames_known) {
        stage->scratch_bytes =
            s->scratch_bytes > stage->scratch_bytes ? s->scratch_bytes : stage->scratch_bytes;
        const bool renames = place_step(p, s, n);
        stage->n_steps += !renames && !gives_nothing(s);
        return KILN_OK;
    }
    if (!all_outputs_known(s)) {
        rc = compute_now(p, s);
    }
    now_known(p, s, inputs == CONSTANT ? CONSTANT : KNOWN);
    return rc;
}

/* The elements that the next stage is planned for: a copy, as the run goes on to write where they are. */
static int keep_needed(struct plan *p, struct stage *before)
{
    struct tensor *t = &p->tensors[before->needs];
    before->expects = *t;
    before->expects.data = plan_alloc(p, tensor_bytes(t));
    if (!before->expects.data) {
        return refuse_memory(p->why, "a plan");
    }
    if (t->count) {
        memcpy(before->expects.data, t->data, tensor_bytes(t));
    }
    return KILN_OK;
}

/* While planning, only elements that are known may be seen. */
static void hide_unknown(struct plan *p)
{
    for (int v = 0; v < p->model->graph.n_values; v++) {
        if (p->known[v] == UNKNOWN) {
            p->tensors[v].data = NULL;
        }
    }
    p->base = NULL; /* bind again */
}

/* What the stages before this one stopped for is known while it is planned: if it ever is something else,
 * they are planned anew. */
static void set_needed(struct plan *p, const struct stage *stage, enum knowledge how)
{
    for (struct stage *s = p->stages; s != stage; s = s->next) {
        p->known[s->needs] = (uint8_t) how;
        p->tensors[s->needs].data = how == KNOWN ? s->expects.data : NULL;
    }
}

static int plan_nodes(struct plan *p, struct stage *stage)
{
    const int n_nodes = p->model->graph.n_nodes;
    for (int n = stage->first_node; n < n_nodes; n++) {
        stage->end_node = n;
        const int rc = plan_node(p, n);
        if (rc != KILN_OK) {
            return rc == STEP_NEEDS ? KILN_OK : rc;
        }
    }
    stage->end_node = n_nodes;
    return KILN_OK;
}

int stage_plan(struct plan *p, struct stage *before)
{
    struct stage *stage = stage_new(p, before ? before->end_node : 0);
    if (!stage) {
        return p->why->status;
    }
    *(before ? &before->next : &p->stages) = p->stage = stage;
    int rc = KILN_OK;
    if (before) {
        stage->begin = before->end;
        rc = keep_needed(p, before);
        hide_unknown(p);
    }
    if (rc == KILN_OK) {
        set_needed(p, stage, KNOWN);
        rc = plan_nodes(p, stage);
        set_needed(p, stage, UNKNOWN);
    }
    rc = rc == KILN_OK ? place_stage(p, stage) : rc;
    if (rc != KILN_OK) {
        stage_drop(p, before);
    }
    return rc;
}

static void forget_nodes(struct plan *p, int first)
{
    const struct graph *g = &p->model->graph;
    for (int n = first; n < g->n_nodes; n++) {
        for (int k = 0; k < g->nodes[n].n_out; k++) {
            const int v = g->nodes[n].out[k];
            if (v >= 0) {
                p->tensors[v] = (struct tensor){.dtype = DT_NONE};
                p->known[v] = UNKNOWN;
                p->buffer[v] = -1;
            }
        }
    }
    for (int k = 0; k < g->n_outputs; k++) {
        if (p->outputs[k]->dtype == DT_NONE) {
            p->own[k] = NULL;
        }
    }
}

void stage_drop(struct plan *p, struct stage *last)
{
    struct stage **from = last ? &last->next : &p->stages, *stage = *from;
    *from = NULL;
    if (stage) {
        forget_nodes(p, stage->first_node);
        p->n_buffers = stage->first_buffer;
    }
    while (stage) {
        struct stage *next = stage->next;
        stage_free(stage);
        stage = next;
    }
    p->stage = last;
}

/* ---- folding */

static int make_constant(struct plan *p, int v)
{
    struct value *value = &p->model->graph.values[v];
    struct tensor t = p->tensors[v];
    t.data = pool_alloc(&p->model->pool, tensor_bytes(&t));
    if (!t.data) {
        return refuse_memory(p->why, "constants");
    }
    if (t.count) {
        memcpy(t.data, p->tensors[v].data, tensor_bytes(&t));
    }
    value->constant = t;
    value->maker = -1;
    return KILN_OK;
}

int stage_fold(struct plan *p)
{
    struct graph *g = &p->model->graph;
    struct stage *stage = p->stages = p->stage = stage_new(p, 0);
    if (!stage) {
        return p->why->status;
    }
    int kept = 0;
    for (int n = 0; n < g->n_nodes; n++) {
        struct node *node = &g->nodes[n];
        bool constant = true;
        for (int i = 0; i < node->n_in; i++) {
            constant = constant && (node->in[i] < 0 || p->known[node->in[i]] == CONSTANT);
        }
        if (!constant) {
            g->nodes[kept] = *node;
            for (int k = 0; k < node->n_out; k++) {
                if (node->out[k] >= 0) {
                    g->values[node->out[k]].maker = kept;
                }
            }
            kept++;
            continue;
        }
        int rc = plan_node(p, n);
        for (int k = 0; k < node->n_out && rc == KILN_OK; k++) {
            if (node->out[k] >= 0) {
                rc = make_constant(p, node->out[k]);
            }
        }
        if (rc != KILN_OK) {
            return rc == STEP_NEEDS ? KILN_INTERNAL : rc;
        }
    }
    g->n_nodes = kept;
    return KILN_OK;
}
