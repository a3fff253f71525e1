/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "read.h"

enum mark { UNSEEN, OPEN, DONE };

struct walk {
    struct graph *g;
    uint8_t *mark;
    int *stack, *next_input; /* of nodes that are open: which input is to be looked at */
    int *order;
    int n_ordered;
};

/* The nodes that `from` needs, then itself. Returns a node of a cycle, or -1. Not recursive: the file
 * decides the depth. */
static int visit(struct walk *w, int from)
{
    int depth = 0;
    w->stack[depth++] = from;
    w->next_input[from] = 0;
    w->mark[from] = OPEN;
    while (depth) {
        const int n = w->stack[depth - 1];
        const struct node *node = &w->g->nodes[n];
        if (w->next_input[n] == node->n_in) {
            w->mark[n] = DONE;
            w->order[w->n_ordered++] = n;
            depth--;
            continue;
        }
        const int v = node->in[w->next_input[n]++];
        const int maker = v >= 0 ? w->g->values[v].maker : -1;
        if (maker < 0 || w->mark[maker] == DONE) {
            continue;
        }
        if (w->mark[maker] == OPEN) {
            return n;
        }
        w->mark[maker] = OPEN;
        w->next_input[maker] = 0;
        w->stack[depth++] = maker;
    }
    return -1;
}

static void mark_needed(struct walk *w, uint8_t *needed)
{
    for (int k = 0; k < w->g->n_outputs; k++) {
        const int maker = w->g->values[w->g->outputs[k]].maker;
        if (maker >= 0) {
            needed[maker] = 1;
        }
    }
    for (int i = w->n_ordered - 1; i >= 0; i--) { /* those that need come before what they need */
        const struct node *node = &w->g->nodes[w->order[i]];
        for (int k = 0; needed[w->order[i]] && k < node->n_in; k++) {
            const int maker = node->in[k] >= 0 ? w->g->values[node->in[k]].maker : -1;
            if (maker >= 0) {
                needed[maker] = 1;
            }
        }
    }
}

static void count_readers(struct graph *g)
{
    for (int v = 0; v < g->n_values; v++) {
        g->values[v].n_readers = 0;
        g->values[v].maker = -1;
    }
    for (int n = 0; n < g->n_nodes; n++) {
        for (int i = 0; i < g->nodes[n].n_in; i++) {
            if (g->nodes[n].in[i] >= 0) {
                g->values[g->nodes[n].in[i]].n_readers++;
            }
        }
        for (int k = 0; k < g->nodes[n].n_out; k++) {
            if (g->nodes[n].out[k] >= 0) {
                g->values[g->nodes[n].out[k]].maker = n;
            }
        }
    }
    for (int k = 0; k < g->n_outputs; k++) {
        g->values[g->outputs[k]].n_readers++;
    }
}

int graph_order(struct graph *g, struct pool *temporary, struct refusal *why)
{
    const size_t n = (size_t) g->n_nodes + 1;
    struct walk w = {
        .g = g,
        .mark = pool_array(temporary, n, sizeof *w.mark),
        .stack = pool_array(temporary, n, sizeof *w.stack),
        .next_input = pool_array(temporary, n, sizeof *w.next_input),
        .order = pool_array(temporary, n, sizeof *w.order),
    };
    uint8_t *needed = pool_array(temporary, n, 1);
    struct node *sorted = pool_array(temporary, n, sizeof *sorted);
    if (!w.mark || !w.stack || !w.next_input || !w.order || !needed || !sorted) {
        return refuse_memory(why, "the graph");
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const int bad = w.mark[i] == UNSEEN ? visit(&w, i) : -1;
        if (bad >= 0) {
            return refuse(why, KILN_INVALID, "node \"%.60s\" (%s) depends on itself: the graph has a cycle",
                          g->nodes[bad].name, g->nodes[bad].op->name);
        }
    }
    mark_needed(&w, needed);
    int kept = 0;
    for (int i = 0; i < w.n_ordered; i++) {
        if (needed[w.order[i]]) {
            sorted[kept++] = g->nodes[w.order[i]];
        }
    }
    memcpy(g->nodes, sorted, (size_t) kept * sizeof *sorted);
    g->n_nodes = kept;
    count_readers(g);
    return KILN_OK;
}
