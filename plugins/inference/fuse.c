/* SPDX-License-Identifier: MPL-2.0 */
#include "fuse.h"

#include <math.h>

#include "fusing.h"
#include "read.h"

/* ---- Identity and Dropout ---------------------------------------------------------------------- */

static bool passes_through(const struct fusing *f, const struct node *n)
{
    if (node_is(n, "", "Identity")) {
        return true;
    }
    if (!node_is(n, "", "Dropout") || (n->n_out > 1 && n->out[1] >= 0)) {
        return false;
    }
    const int v = node_in(n, 2);
    const struct tensor *training = fusing_constant(f, v);
    return v < 0 || (training && training->count == 1 && tensor_int(training, 0) == 0);
}

/* Whoever reads what such a node makes reads what it takes. Nodes are in order, so one pass follows whole chains. */
static void pass_all_through(struct fusing *f)
{
    struct pool temporary;
    pool_init(&temporary, &f->m->budget);
    int *instead = pool_array(&temporary, (size_t) f->g->n_values + 1, sizeof *instead);
    f->no_memory = f->no_memory || !instead;
    for (int v = 0; instead && v < f->g->n_values; v++) {
        instead[v] = v;
    }
    for (int i = 0; instead && i < f->g->n_nodes; i++) {
        struct node *n = &f->g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            n->in[k] = n->in[k] >= 0 ? instead[n->in[k]] : -1;
        }
        const int out = n->out[0];
        if (passes_through(f, n) && out >= 0 && n->in[0] >= 0 && !f->g->values[out].is_output) {
            instead[out] = n->in[0];
        }
    }
    pool_done(&temporary);
}

/* ---- products ------------------------------------------------------------------------------------- */

static bool is_vector(const struct tensor *t)
{
    for (int d = 0; d < t->rank - 1; d++) {
        if (t->dims[d] != 1) {
            return false;
        }
    }
    return true;
}

/* MatMul by a constant matrix. */
static bool is_dense(const struct fusing *f, const struct node *n, int64_t *ret_columns)
{
    const struct tensor *w = n ? fusing_constant(f, node_in(n, 1)) : NULL;
    if (!w || w->dtype != DT_F32 || w->rank != 2) {
        return false;
    }
    *ret_columns = w->dims[1];
    return true;
}

/* MatMul + Add of a constant for each column: the Add becomes kiln.Dense. */
static void add_bias(struct fusing *f, struct node *n)
{
    for (int i = 0; i < 2; i++) {
        const struct node *product = fusing_maker(f, n->in[i], "", "MatMul");
        const struct tensor *bias = fusing_constant(f, n->in[1 - i]);
        int64_t columns;
        if (is_dense(f, product, &columns) && bias && bias->dtype == DT_F32 && is_vector(bias) &&
            (bias->count == 1 || bias->count == columns)) {
            const int in[] = {product->in[0], product->in[1], n->in[1 - i]};
            fusing_replace(f, n, "Dense", 3, in, NULL, NULL);
            return;
        }
    }
}

/* Whether a constant weight says that everything is float32. */
static bool floats(const struct fusing *f, const struct node *n)
{
    const struct tensor *w = fusing_constant(f, node_in(n, 1));
    return w && w->dtype == DT_F32;
}

/* A product or a convolution, then an activation: that becomes the fused node. */
static void add_act(struct fusing *f, struct node *n)
{
    static const struct {
        const char *domain, *name, *becomes;
    } heads[] = {{"kiln", "Dense", "Dense"},
                 {"", "Gemm", "Dense"},
                 {"", "MatMul", "Dense"},
                 {"", "Conv", "Conv"},
                 {"kiln", "Conv", "Conv"}};
    struct fused_act act;
    if (n->n_in < 1 || !fusing_act(f, n, &act)) {
        return;
    }
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        const struct node *head = fusing_maker(f, n->in[0], heads[i].domain, heads[i].name);
        int64_t columns;
        const bool matmul = i == 2;
        if (head && floats(f, head) && (!matmul || is_dense(f, head, &columns)) &&
            node_int(head, "act", ACT_NONE) == ACT_NONE) {
            fusing_replace(f, n, heads[i].becomes, head->n_in, head->in, head, &act);
            return;
        }
    }
}

/* ---- BatchNormalization ----------------------------------------------------------------------------- */

struct channel_scale {
    const struct tensor *scale, *shift, *mean, *variance;
    double epsilon;
};

static bool norm_constants(const struct fusing *f, const struct node *n, int64_t channels,
                           struct channel_scale *ret)
{
    const struct tensor *t[4];
    for (int i = 0; i < 4; i++) {
        t[i] = fusing_constant(f, node_in(n, i + 1));
        if (!t[i] || t[i]->dtype != DT_F32 || t[i]->count != channels) {
            return false;
        }
    }
    *ret = (struct channel_scale){t[0], t[1], t[2], t[3], (double) node_float(n, "epsilon", 1e-5F)};
    return true;
}

/* w and b of the layer before, as constants that have the normalisation in them. `inner`: elements of w from channel to channel; `outer`: how
 * often all channels come. */
static bool scale_weights(struct fusing *f, const struct channel_scale *c, const struct tensor *w,
                          const struct tensor *b, double b_times, int64_t channels, int64_t inner, int ret[2])
{
    const struct tensor weights = *w, bias = b ? *b : (struct tensor){0};
    const int64_t dims[1] = {channels};
    ret[0] = fusing_new_constant(f, DT_F32, weights.rank, weights.dims);
    ret[1] = ret[0] < 0 ? -1 : fusing_new_constant(f, DT_F32, 1, dims);
    if (ret[1] < 0) {
        return false;
    }
    float *new_weights = f->g->values[ret[0]].constant.data, *new_bias = f->g->values[ret[1]].constant.data;
    for (int64_t i = 0; i < weights.count; i++) {
        const int64_t channel = i / inner % channels;
        const double by =
            tensor_number(c->scale, channel) / sqrt(tensor_number(c->variance, channel) + c->epsilon);
        new_weights[i] = (float) (tensor_number(&weights, i) * by);
    }
    for (int64_t j = 0; j < channels; j++) {
        const double by = tensor_number(c->scale, j) / sqrt(tensor_number(c->variance, j) + c->epsilon);
        const double old = b ? b_times * tensor_number(&bias, bias.count == 1 ? 0 : j) : 0;
        new_bias[j] = (float) ((old - tensor_number(c->mean, j)) * by + tensor_number(c->shift, j));
    }
    return true;
}

/* The constants stay where they are, but the values that hold them move when new ones are made. */
static struct channel_scale copied(struct channel_scale c, struct tensor room[4])
{
    room[0] = *c.scale;
    room[1] = *c.shift;
    room[2] = *c.mean;
    room[3] = *c.variance;
    return (struct channel_scale){&room[0], &room[1], &room[2], &room[3], c.epsilon};
}

static void take_norm(struct fusing *f, struct node *n)
{
    const bool training = node_int(n, "training_mode", 0) != 0 || n->n_out > 1;
    struct node *head = fusing_maker(f, n->in[0], "", "Conv");
    const bool conv = head != NULL;
    head = head ? head : fusing_maker(f, n->in[0], "", "Gemm");
    if (training || !head || !floats(f, head)) {
        return;
    }
    const struct tensor *w = fusing_constant(f, head->in[1]), *b = fusing_constant(f, node_in(head, 2));
    const bool rows = conv || node_int(head, "transB", 0) != 0;
    const int64_t channels = w->dims[rows ? 0 : 1];
    struct channel_scale c;
    if ((node_in(head, 2) >= 0 &&
         (!b || b->dtype != DT_F32 || !is_vector(b) || (b->count != 1 && b->count != channels))) ||
        w->rank < 2 || w->count == 0 || !norm_constants(f, n, channels, &c) ||
        (!conv && node_float(head, "alpha", 1) != 1)) {
        return;
    }
    struct tensor room[4];
    const struct channel_scale kept = copied(c, room);
    int made[2];
    const double beta = conv ? 1 : (double) node_float(head, "beta", 1);
    if (!conv && beta != 1) {
        return; /* the new bias would be multiplied by it */
    }
    if (scale_weights(f, &kept, w, b, beta, channels, rows ? w->count / channels : 1, made)) {
        const int in[] = {head->in[0], made[0], made[1]};
        fusing_replace(f, n, conv ? "Conv" : "Dense", 3, in, head, NULL);
    }
}

/* ---- all ------------------------------------------------------------------------------------------------ */

static int settle(struct fusing *f, struct refusal *why)
{
    struct pool temporary;
    if (f->no_memory) {
        return refuse_memory(why, "the graph");
    }
    pool_init(&temporary, &f->m->budget);
    const int rc = graph_order(f->g, &temporary, why);
    pool_done(&temporary);
    return rc;
}

int fuse(struct model *m, struct refusal *why)
{
    struct fusing f = {.m = m, .g = &m->graph};
    if (!fusing_wanted()) {
        return KILN_OK;
    }
    pass_all_through(&f);
    int rc = settle(&f, why);
    for (int i = 0; i < f.g->n_nodes && rc == KILN_OK && !f.no_memory; i++) {
        struct node *n = &f.g->nodes[i];
        if (node_is(n, "", "Add")) {
            add_bias(&f, n);
        } else if (node_is(n, "", "BatchNormalization")) {
            take_norm(&f, n);
        } else {
            add_act(&f, n);
        }
    }
    return rc == KILN_OK ? settle(&f, why) : rc;
}
