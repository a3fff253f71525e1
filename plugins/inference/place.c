/* SPDX-License-Identifier: MPL-2.0 */
#include "place.h"

#include <string.h>

enum { ALIGNMENT = 64, MOST_ACTIVE = 2048 };

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int buffer_new(struct plan *p, enum where where, int which, int born, size_t bytes)
{
    p->buffers[p->n_buffers] =
        (struct buffer){.where = where, .which = which, .born = born, .last = born, .bytes = bytes};
    return p->n_buffers++;
}

int place_input(struct plan *p, int input)
{
    return buffer_new(p, IN_INPUT, input, -1, tensor_bytes(&p->inputs[input]));
}

static void lives_until(struct plan *p, int buffer, int v)
{
    struct buffer *b = &p->buffers[buffer];
    b->last = p->last_reader[v] > b->last ? p->last_reader[v] : b->last;
}

/* The buffer that out[0] may take over: nobody else reads it, now or later. -1: none. */
static int taken_over(const struct plan *p, const struct step *s, int n)
{
    if (s->inplace < 0 || !s->out[0] || !s->in[s->inplace]) {
        return -1;
    }
    const int buffer = p->buffer[s->node->in[s->inplace]];
    const struct buffer *b = &p->buffers[buffer];
    if (buffer < p->stage->first_buffer || b->where == IN_INPUT || b->last != n ||
        b->bytes != tensor_bytes(s->out[0])) {
        return -1;
    }
    for (int i = 0; i < s->n_in; i++) {
        if (i != s->inplace && s->in[i] && p->buffer[s->node->in[i]] == buffer) {
            return -1;
        }
    }
    return buffer;
}

/* An output of the graph is computed where the caller wants it, when that place is still free. */
static void in_callers_array(struct plan *p, int buffer, int v)
{
    const struct graph *g = &p->model->graph;
    if (!g->values[v].is_output || buffer < p->stage->first_buffer ||
        p->buffers[buffer].where != IN_WORKSPACE) {
        return;
    }
    for (int k = 0; k < g->n_outputs; k++) {
        if (g->outputs[k] == v) {
            p->buffers[buffer].where = IN_OUTPUT;
            p->buffers[buffer].which = k;
            return;
        }
    }
}

bool place_step(struct plan *p, struct step *s, int n)
{
    for (int k = 0; k < s->n_out; k++) {
        if (!s->out[k]) {
            continue;
        }
        const int v = s->node->out[k];
        if (s->out[k]->data) { /* known already, unlike its neighbours */
            p->known[v] = KNOWN;
            continue;
        }
        int buffer = k == 0 && s->alias >= 0 ? p->buffer[s->node->in[s->alias]] : -1;
        if (k == 0 && buffer < 0) {
            buffer = taken_over(p, s, n);
        }
        if (buffer < 0) {
            buffer = buffer_new(p, IN_WORKSPACE, -1, n, tensor_bytes(s->out[k]));
        }
        p->buffer[v] = buffer;
        lives_until(p, buffer, v);
        in_callers_array(p, buffer, v);
    }
    return s->alias >= 0;
}

/* ---- the workspace */

/* Buffers that are alive, by offset. */
struct active {
    int n;
    const struct buffer *buffers[MOST_ACTIVE];
};

static void expire(struct active *a, int node)
{
    int kept = 0;
    for (int i = 0; i < a->n; i++) {
        if (a->buffers[i]->last >= node) {
            a->buffers[kept++] = a->buffers[i];
        }
    }
    a->n = kept;
}

/* The tightest gap between those alive, else after the last. Returns where it is in their order. */
static int find_gap(const struct active *a, size_t begin, size_t bytes, size_t *ret_offset)
{
    size_t least = SIZE_MAX, at = begin;
    int found = a->n;
    for (int i = 0; i < a->n; i++) {
        const size_t offset = a->buffers[i]->offset;
        if (offset > at && offset - at >= bytes && offset - at < least) {
            least = offset - at;
            found = i;
            *ret_offset = at;
        }
        at = offset + aligned(a->buffers[i]->bytes);
    }
    if (found == a->n) {
        *ret_offset = at;
    }
    return found;
}

static int assign_offsets(struct plan *p, struct stage *stage)
{
    struct pool temporary;
    pool_init(&temporary, &p->model->budget);
    struct active *a = pool_small(&temporary, sizeof *a);
    if (!a) {
        return refuse_memory(p->why, "a plan");
    }
    size_t end = stage->begin;
    bool crowded = false; /* too many at once to be searched: from there on nothing is used twice */
    for (int i = stage->first_buffer; i < p->n_buffers; i++) {
        struct buffer *b = &p->buffers[i];
        if (b->where != IN_WORKSPACE) {
            continue;
        }
        expire(a, b->born);
        crowded = crowded || a->n == MOST_ACTIVE;
        if (crowded) {
            b->offset = end;
        } else {
            const int at = find_gap(a, stage->begin, b->bytes, &b->offset);
            memmove(&a->buffers[at + 1], &a->buffers[at], (size_t) (a->n - at) * sizeof *a->buffers);
            a->buffers[at] = b;
            a->n++;
        }
        size_t behind;
        if (__builtin_add_overflow(b->offset, aligned(b->bytes), &behind) || behind > SIZE_MAX / 4) {
            pool_done(&temporary);
            return refuse_memory(p->why, "the values of a run");
        }
        end = behind > end ? behind : end;
    }
    pool_done(&temporary);
    stage->end = end;
    return KILN_OK;
}

static bool of_stage(const struct plan *p, const struct stage *stage, int v)
{
    const int maker = p->model->graph.values[v].maker;
    return maker < 0 ? stage == p->stages : maker >= stage->first_node && maker < stage->end_node;
}

static int list_binds(struct plan *p, struct stage *stage)
{
    for (int pass = 0; pass < 2; pass++) {
        stage->n_binds = 0;
        for (int v = 0; v < p->model->graph.n_values; v++) {
            const struct buffer *b = p->buffer[v] >= 0 ? &p->buffers[p->buffer[v]] : NULL;
            if (!b || b->where == IN_WORKSPACE || !of_stage(p, stage, v)) {
                continue;
            }
            if (pass) {
                stage->binds[stage->n_binds] = (struct bind){&p->tensors[v], b->where == IN_OUTPUT, b->which};
            }
            stage->n_binds++;
        }
        if (!pass) {
            stage->binds = pool_array(&stage->pool, (size_t) stage->n_binds, sizeof *stage->binds);
            if (!stage->binds) {
                return refuse_memory(p->why, "a plan");
            }
        }
    }
    return KILN_OK;
}

int place_stage(struct plan *p, struct stage *stage)
{
    int rc = assign_offsets(p, stage);
    rc = rc ? rc : list_binds(p, stage);
    if (rc) {
        return rc;
    }
    stage->scratch_offset = stage->end; /* used by no value; the next stage may lie over it */
    if (!workspace_reserve(p->model->workspace, stage->end + aligned(stage->scratch_bytes) + ALIGNMENT)) {
        return refuse_memory(p->why, "the values of a run");
    }
    p->base = NULL;
    return KILN_OK;
}

static void bind_workspace(struct plan *p)
{
    p->base = p->model->workspace->base;
    for (int v = 0; v < p->model->graph.n_values; v++) {
        const struct buffer *b = p->buffer[v] >= 0 ? &p->buffers[p->buffer[v]] : NULL;
        if (b && b->where == IN_WORKSPACE) {
            p->tensors[v].data = p->base + b->offset;
        }
    }
}

/* Where an output stays when the caller gives no array. */
static void *own_array(struct plan *p, struct stage *stage, int k)
{
    if (!p->own[k]) {
        p->own[k] = pool_alloc(&stage->pool, tensor_bytes(p->outputs[k]));
    }
    return p->own[k];
}

int place_bind(struct plan *p, void *const *inputs, void *const *outputs, struct refusal *why)
{
    if (p->base != p->model->workspace->base) {
        bind_workspace(p);
    }
    for (struct stage *stage = p->stages; stage; stage = stage->next) {
        for (const struct bind *b = stage->binds, *end = b + stage->n_binds; b < end; b++) {
            if (!b->output) {
                b->tensor->data = inputs[b->which];
            } else if (outputs && outputs[b->which]) {
                b->tensor->data = outputs[b->which];
            } else if (!(b->tensor->data = own_array(p, stage, b->which))) {
                return refuse_memory(why, "results");
            }
        }
    }
    return KILN_OK;
}

void place_copy_out(struct plan *p, void *const *outputs)
{
    for (int k = 0; k < p->model->graph.n_outputs; k++) {
        const struct tensor *t = p->outputs[k];
        if (outputs[k] && outputs[k] != t->data && t->count) {
            memcpy(outputs[k], t->data, tensor_bytes(t));
        }
    }
}
