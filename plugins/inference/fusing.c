/* SPDX-License-Identifier: MPL-2.0 */
#include "fusing.h"

#include <stdlib.h>
#include <string.h>

#include "ops.h"

bool fusing_wanted(void)
{
    const char *set = getenv("KILN_INFERENCE_FUSE");
    return !set || strcmp(set, "0") != 0;
}

bool node_is(const struct node *n, const char *domain, const char *name)
{
    return strcmp(n->op->name, name) == 0 && strcmp(n->op->domain, domain) == 0;
}

int node_in(const struct node *n, int i)
{
    return i < n->n_in ? n->in[i] : -1;
}

struct node *fusing_maker(const struct fusing *f, int v, const char *domain, const char *name)
{
    if (v < 0 || f->g->values[v].maker < 0 || f->g->values[v].n_readers != 1 || f->g->values[v].is_output) {
        return NULL;
    }
    struct node *n = &f->g->nodes[f->g->values[v].maker];
    return node_is(n, domain, name) && n->out[0] == v ? n : NULL;
}

const struct tensor *fusing_constant(const struct fusing *f, int v)
{
    const struct value *value = v >= 0 ? &f->g->values[v] : NULL;
    return value && value->constant.data && !value->is_input && value->maker < 0 ? &value->constant : NULL;
}

const struct attr *node_attr(const struct node *n, const char *name)
{
    for (size_t i = 0; i < n->n_attrs; i++) {
        if (strcmp(n->attrs[i].name, name) == 0) {
            return &n->attrs[i];
        }
    }
    return NULL;
}

int64_t node_int(const struct node *n, const char *name, int64_t fallback)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_INT ? a->i : fallback;
}

float node_float(const struct node *n, const char *name, float fallback)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_FLOAT ? a->f : fallback;
}

/* Activations, the attributes that are their parameters, and what these are when absent. */
static const struct {
    const char *name;
    enum act_kind kind;
    const char *a_name, *b_name;
    float a, b;
} acts[] = {
    {"Relu", ACT_RELU, "", "", 0, 0},
    {"LeakyRelu", ACT_LEAKY_RELU, "alpha", "", 0.01F, 0},
    {"ThresholdedRelu", ACT_THRESHOLDED_RELU, "alpha", "", 1, 0},
    {"HardSigmoid", ACT_HARD_SIGMOID, "alpha", "beta", 0.2F, 0.5F},
    {"HardSwish", ACT_HARD_SWISH, "", "", 1.0F / 6, 0.5F},
    {"Sigmoid", ACT_SIGMOID, "", "", 0, 0},
    {"Tanh", ACT_TANH, "", "", 0, 0},
    {"Elu", ACT_ELU, "alpha", "", 1, 0},
    {"Selu", ACT_SELU, "alpha", "gamma", 1.67326319F, 1.05070102F},
    {"Celu", ACT_CELU, "alpha", "", 1, 0},
    {"Softplus", ACT_SOFTPLUS, "", "", 0, 0},
    {"Softsign", ACT_SOFTSIGN, "", "", 0, 0},
    {"Erf", ACT_ERF, "", "", 0, 0},
    {"Mish", ACT_MISH, "", "", 0, 0},
    {"Swish", ACT_SWISH, "alpha", "", 1, 0},
};

/* Clip has its bounds as inputs from opset 11 on, as attributes before. */
static bool clip_bounds(const struct fusing *f, const struct node *n, struct fused_act *ret)
{
    *ret = (struct fused_act){ACT_CLIP, node_float(n, "min", -__builtin_inff()),
                              node_float(n, "max", __builtin_inff())};
    for (int i = 1; i < 3; i++) {
        const int v = node_in(n, i);
        const struct tensor *t = fusing_constant(f, v);
        if (v >= 0 && (!t || t->dtype != DT_F32 || t->count != 1)) {
            return false;
        }
        if (v >= 0) {
            *(i == 1 ? &ret->a : &ret->b) = *(const float *) t->data;
        }
    }
    return ret->a <= ret->b; /* other bounds, and NaN, are left to the operator */
}

bool fusing_act(const struct fusing *f, const struct node *n, struct fused_act *ret)
{
    if (strcmp(n->op->domain, "") != 0) {
        return false;
    }
    if (strcmp(n->op->name, "Clip") == 0) {
        return clip_bounds(f, n, ret);
    }
    if (strcmp(n->op->name, "Gelu") == 0) {
        const struct attr *how = node_attr(n, "approximate");
        *ret = (struct fused_act){.kind = how && text_is(how->text, "tanh") ? ACT_GELU_TANH : ACT_GELU};
        return true;
    }
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(n->op->name, acts[i].name) == 0) {
            *ret = (struct fused_act){acts[i].kind, node_float(n, acts[i].a_name, acts[i].a),
                                      node_float(n, acts[i].b_name, acts[i].b)};
            return true;
        }
    }
    return false;
}

void fusing_replace(struct fusing *f, struct node *n, const char *name, int n_in, const int *in,
                    const struct node *from, const struct fused_act *act)
{
    int oldest;
    const struct op *op = ops_find("kiln", name, 1, &oldest);
    const size_t n_from = from ? from->n_attrs : 0, n_attrs = n_from + (act ? 3 : 0);
    int *inputs = pool_array(&f->m->pool, (size_t) n_in, sizeof *inputs);
    struct attr *attrs = pool_array(&f->m->pool, n_attrs + 1, sizeof *attrs);
    if (!op || !inputs || !attrs) {
        f->no_memory = true;
        return;
    }
    memcpy(inputs, in, (size_t) n_in * sizeof *inputs);
    for (size_t i = 0; i < n_from; i++) {
        attrs[i] = from->attrs[i];
    }
    if (act) {
        attrs[n_from] = (struct attr){.name = "act", .type = ATTR_INT, .i = (int64_t) act->kind};
        attrs[n_from + 1] = (struct attr){.name = "act_a", .type = ATTR_FLOAT, .f = act->a};
        attrs[n_from + 2] = (struct attr){.name = "act_b", .type = ATTR_FLOAT, .f = act->b};
    }
    n->op = op;
    n->n_in = n_in;
    n->in = inputs;
    n->n_attrs = n_attrs;
    n->attrs = attrs;
    memset(n->shared, 0, sizeof n->shared);
}

/* Room for twice as many when it is used up: models may have many thousand layers. */
static bool make_room(struct fusing *f)
{
    struct graph *g = f->g;
    if (g->n_values < f->room) {
        return true;
    }
    const int room = g->n_values < (1 << 29) ? 2 * g->n_values + 8 : 0;
    struct value *values = room ? pool_array(&f->m->pool, (size_t) room, sizeof *values) : NULL;
    if (values) {
        memcpy(values, g->values, (size_t) g->n_values * sizeof *values);
        g->values = values;
        f->room = room;
    }
    return values;
}

int fusing_new_constant(struct fusing *f, enum dtype dtype, int rank, const int64_t *dims)
{
    struct tensor t;
    if (!make_room(f) || !tensor_set(&t, dtype, rank, dims) ||
        !(t.data = pool_alloc(&f->m->pool, tensor_bytes(&t) + 1))) {
        f->no_memory = true;
        return -1;
    }
    f->g->values[f->g->n_values] = (struct value){.name = "", .constant = t, .maker = -1, .n_readers = 1};
    return f->g->n_values++;
}
