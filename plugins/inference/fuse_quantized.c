/* SPDX-License-Identifier: MPL-2.0 */
#include "fuse.h"

#include "fusing.h"
#include "read.h"

/* A product between quantised numbers, as far as it was found. */
struct found {
    const struct node *product;
    const struct node *left, *right; /* DequantizeLinear */
    bool turned;                     /* the right-hand matrix is transposed */
    int bias;                        /* -1: none */
    struct fused_act act;
};

/* The DequantizeLinear that makes v, whoever reads it besides. */
static const struct node *dequantizer(const struct fusing *f, int v)
{
    const int maker = v >= 0 ? f->g->values[v].maker : -1;
    return maker >= 0 && node_is(&f->g->nodes[maker], "", "DequantizeLinear") ? &f->g->nodes[maker] : NULL;
}

static bool is_byte(const struct tensor *t)
{
    return t && (t->dtype == DT_U8 || t->dtype == DT_I8);
}

/* One scale, known to be one. A zero point has the shape of its scale. */
static bool one_scale(const struct fusing *f, const struct node *n)
{
    const struct tensor *scale = fusing_constant(f, node_in(n, 1));
    return scale && scale->dtype == DT_F32 && scale->count == 1;
}

/* What is quantised must be bytes: said by the zero point, or by the QuantizeLinear it comes from, or uint8 where nothing says. */
static bool makes_bytes(const struct fusing *f, const struct node *dequantize)
{
    const struct tensor *zero = fusing_constant(f, node_in(dequantize, 2));
    if (node_in(dequantize, 2) >= 0) {
        return is_byte(zero);
    }
    const int maker = f->g->values[dequantize->in[0]].maker;
    return maker >= 0 && node_is(&f->g->nodes[maker], "", "QuantizeLinear") &&
           node_in(&f->g->nodes[maker], 2) < 0 && node_int(&f->g->nodes[maker], "output_dtype", 0) == 0;
}

static bool weights_fit(const struct fusing *f, const struct node *right, bool turned)
{
    const struct tensor *w = fusing_constant(f, node_in(right, 0)),
                        *scale = fusing_constant(f, node_in(right, 1));
    const int zero_in = node_in(right, 2);
    if (!is_byte(w) || w->rank != 2 || !scale || scale->dtype != DT_F32 ||
        node_int(right, "block_size", 0) != 0 || (zero_in >= 0 && !fusing_constant(f, zero_in))) {
        return false;
    }
    const int columns = turned ? 0 : 1;
    return scale->count == 1 ||
           (axis_of(node_int(right, "axis", 1), 2) == columns && scale->count == w->dims[columns]);
}

static bool find_product(const struct fusing *f, const struct node *n, struct found *ret)
{
    const bool gemm = node_is(n, "", "Gemm");
    if (!gemm && !node_is(n, "", "MatMul")) {
        return false;
    }
    *ret = (struct found){.product = n, .bias = gemm ? node_in(n, 2) : -1};
    ret->left = dequantizer(f, n->in[0]);
    ret->right = dequantizer(f, n->in[1]);
    ret->turned = gemm && node_int(n, "transB", 0) != 0;
    if (gemm &&
        (node_int(n, "transA", 0) != 0 || node_float(n, "alpha", 1) != 1 || node_float(n, "beta", 1) != 1)) {
        return false;
    }
    return ret->left && ret->right && one_scale(f, ret->left) && makes_bytes(f, ret->left) &&
           weights_fit(f, ret->right, ret->turned);
}

/* A bias must be one number for each column: constant already, or dequantised from such ones. */
static bool is_bias(const struct fusing *f, const struct found *p, int v)
{
    const struct node *from = dequantizer(f, v);
    const struct tensor *t = fusing_constant(f, from ? node_in(from, 0) : v),
                        *w = fusing_constant(f, p->right->in[0]);
    return t && t->rank == 1 && t->count == w->dims[p->turned ? 0 : 1] &&
           (from ? fusing_constant(f, node_in(from, 1)) != NULL : t->dtype == DT_F32);
}

/* The node that alone reads what n makes. `readers`: of each value, the last one. */
static struct node *only_reader(const struct fusing *f, const int *readers, const struct node *n)
{
    const int v = n->out[0];
    const bool one =
        v >= 0 && f->g->values[v].n_readers == 1 && !f->g->values[v].is_output && readers[v] >= 0;
    return one ? &f->g->nodes[readers[v]] : NULL;
}

static int *find_readers(const struct graph *g, struct pool *pool)
{
    int *readers = pool_array(pool, (size_t) g->n_values + 1, sizeof *readers);
    for (int v = 0; readers && v < g->n_values; v++) {
        readers[v] = -1;
    }
    for (int i = 0; readers && i < g->n_nodes; i++) {
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            if (g->nodes[i].in[k] >= 0) {
                readers[g->nodes[i].in[k]] = i;
            }
        }
    }
    return readers;
}

static void replace(struct fusing *f, struct found *p, struct node *last, const struct node *quantize)
{
    const int in[] = {p->left->in[0],
                      p->left->in[1],
                      node_in(p->left, 2),
                      p->right->in[0],
                      p->right->in[1],
                      node_in(p->right, 2),
                      p->bias,
                      quantize ? quantize->in[1] : -1,
                      quantize ? node_in(quantize, 2) : -1};
    static const struct attr turned = {.name = "transB", .type = ATTR_INT, .i = 1};
    const struct node with = {.n_attrs = p->turned, .attrs = &turned};
    fusing_replace(f, last, "QDense", 9, in, &with, &p->act);
}

/* Follows what comes after the product as long as it can be taken in. */
static void take(struct fusing *f, const int *readers, struct node *n)
{
    struct found p;
    if (!find_product(f, n, &p) || (p.bias >= 0 && !is_bias(f, &p, p.bias))) {
        return;
    }
    struct node *last = n, *next = only_reader(f, readers, n);
    if (next && node_is(next, "", "Add") && p.bias < 0) {
        const int other = next->in[0] == n->out[0] ? next->in[1] : next->in[0];
        if (is_bias(f, &p, other)) {
            p.bias = other;
            last = next;
            next = only_reader(f, readers, last);
        }
    }
    struct fused_act act;
    if (next && next->in[0] == last->out[0] && fusing_act(f, next, &act)) {
        p.act = act;
        last = next;
        next = only_reader(f, readers, last);
    }
    const bool quantized = next && node_is(next, "", "QuantizeLinear") && next->in[0] == last->out[0] &&
                           one_scale(f, next) && node_int(next, "output_dtype", 0) == 0 &&
                           (node_in(next, 2) < 0 || is_byte(fusing_constant(f, node_in(next, 2))));
    replace(f, &p, quantized ? next : last, quantized ? next : NULL);
}

int fuse_quantized(struct model *m, struct refusal *why)
{
    struct fusing f = {.m = m, .g = &m->graph};
    if (!fusing_wanted()) {
        return KILN_OK;
    }
    struct pool temporary;
    pool_init(&temporary, &m->budget);
    const int *readers = find_readers(f.g, &temporary);
    for (int i = 0; readers && i < f.g->n_nodes && !f.no_memory; i++) {
        take(&f, readers, &f.g->nodes[i]);
    }
    const int rc =
        !readers || f.no_memory ? refuse_memory(why, "the graph") : graph_order(f.g, &temporary, why);
    pool_done(&temporary);
    return rc;
}
