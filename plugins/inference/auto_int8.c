/* SPDX-License-Identifier: MPL-2.0 */
#include "auto_int8.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "fusing.h"
#include "plan.h"

enum { FEW_WEIGHTS = 1024, ROUNDS = 7, ROUND_US = 300, MOST_CALLS = 1000 };

/* ---- weights to bytes ---------------------------------------------------------------------------------- */

static bool fits(const struct fusing *f, const struct node *n, bool *ret_turned)
{
    const bool matmul = node_is(n, "", "MatMul"),
               product = matmul || node_is(n, "", "Gemm") || node_is(n, "kiln", "Dense");
    const struct tensor *w = product ? fusing_constant(f, node_in(n, 1)) : NULL;
    const int c = node_in(n, 2);
    const struct tensor *bias = fusing_constant(f, c);
    *ret_turned = node_int(n, "transB", 0) != 0;
    return w && w->dtype == DT_F32 && w->rank == 2 && w->count >= FEW_WEIGHTS &&
           node_int(n, "transA", 0) == 0 && node_float(n, "alpha", 1) == 1 && node_float(n, "beta", 1) == 1 &&
           (c < 0 || (bias && bias->dtype == DT_F32 && bias->count == w->dims[!*ret_turned] &&
                      bias->dims[bias->rank - 1] == bias->count));
}

/* The same columns, the largest magnitude of each at 127. false when there is no memory or a weight is no number. */
static bool to_bytes(struct fusing *f, int weights, bool turned, int *ret_bytes, int *ret_scales)
{
    const struct tensor w = f->g->values[weights].constant;
    const int64_t n = w.dims[!turned], k = w.dims[turned], step_k = turned ? 1 : n, step_n = turned ? k : 1;
    const int bytes = fusing_new_constant(f, DT_I8, 2, w.dims),
              scales = bytes < 0 ? -1 : fusing_new_constant(f, DT_F32, 1, &n);
    if (scales < 0) {
        return false;
    }
    const float *from = w.data;
    int8_t *to = f->g->values[bytes].constant.data;
    float *scale = f->g->values[scales].constant.data;
    for (int64_t j = 0; j < n; j++) {
        float most = 0;
        for (int64_t i = 0; i < k; i++) {
            const float x = fabsf(from[i * step_k + j * step_n]);
            most = x > most ? x : most;
            if (!isfinite(x)) {
                return false;
            }
        }
        scale[j] = most > 0 ? most / 127 : 1;
        for (int64_t i = 0; i < k; i++) {
            to[i * step_k + j * step_n] = (int8_t) lrintf(from[i * step_k + j * step_n] / scale[j]);
        }
    }
    *ret_bytes = bytes;
    *ret_scales = scales;
    return true;
}

static int replace_all(struct fusing *f)
{
    int layers = 0;
    for (int i = 0; i < f->g->n_nodes && !f->no_memory; i++) {
        struct node *n = &f->g->nodes[i];
        bool turned;
        int bytes, scales;
        if (fits(f, n, &turned) && to_bytes(f, n->in[1], turned, &bytes, &scales)) {
            const struct node from = *n;
            const int in[] = {from.in[0], bytes, scales, node_in(&from, 2)};
            fusing_replace(f, n, "DynamicDense", 4, in, &from, NULL);
            layers++;
        }
    }
    return layers;
}

/* ---- both ways --------------------------------------------------------------------------------------------- */

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e6 + (double) t.tv_nsec * 1e-3;
}

/* Random numbers around 0 for floats, zeros for everything else. */
static void **make_inputs(const struct graph *g, const struct tensor *inputs, struct pool *pool)
{
    void **data = pool_array(pool, (size_t) g->n_inputs + 1, sizeof *data);
    uint64_t seed = 2385;
    for (int i = 0; data && i < g->n_inputs; i++) {
        data[i] = pool_alloc(pool, tensor_bytes(&inputs[i]) + 1);
        if (!data[i]) {
            return NULL;
        }
        for (int64_t k = 0; inputs[i].dtype == DT_F32 && k < inputs[i].count; k++) {
            float sum = -2;
            for (int j = 0; j < 4; j++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                sum += (float) (seed >> 40) / (float) (1 << 24);
            }
            ((float *) data[i])[k] = sum * 1.7320508F; /* of variance 1 */
        }
    }
    return data;
}

static double time_of(struct plan *p, void **inputs, int calls, struct refusal *why)
{
    struct run r = {0};
    const double start = now_us();
    for (int i = 0; i < calls; i++) {
        if (plan_run(p, inputs, NULL, &r, why) != KILN_OK) {
            return HUGE_VAL;
        }
    }
    return (now_us() - start) / calls;
}

/* The difference of what both have just made, over the largest. */
static double difference(const struct graph *g, const struct plan *a, const struct plan *b)
{
    double off = 0, most = 0;
    for (int k = 0; k < g->n_outputs; k++) {
        const struct tensor *x = plan_output(a, k), *y = plan_output(b, k);
        if (!tensor_same_shape(x, y) || x->dtype != y->dtype) {
            return HUGE_VAL;
        }
        for (int64_t i = 0; dtype_is_float(x->dtype) && i < x->count; i++) {
            const double d = fabs(tensor_number(x, i) - tensor_number(y, i));
            off = d <= off ? off : isnan(d) ? HUGE_VAL : d;
            most = fmax(most, fabs(tensor_number(x, i)));
        }
    }
    return off == 0 ? 0 : off / most;
}

static void measure(struct plan *plans[2], void **inputs, struct auto_int8 *ret, struct refusal *why)
{
    time_of(plans[0], inputs, 1, why); /* caches and pages */
    const double first = time_of(plans[0], inputs, 1, why), second = time_of(plans[1], inputs, 1, why);
    const double longer = fmax(first, second), wanted = ROUND_US / fmax(longer, 0.1);
    const int calls = wanted < 1 ? 1 : wanted > MOST_CALLS ? MOST_CALLS : (int) wanted;
    ret->float_us = ret->int8_us = HUGE_VAL;
    for (int i = 0; i < ROUNDS && why->status == KILN_OK; i++) {
        ret->float_us = fmin(ret->float_us, time_of(plans[0], inputs, calls, why));
        ret->int8_us = fmin(ret->int8_us, time_of(plans[1], inputs, calls, why));
    }
}

static int judge(struct model *m, struct node *floats, struct node *bytes, const struct tensor *inputs,
                 double bound, struct auto_int8 *ret, struct refusal *why)
{
    struct pool temporary;
    struct plan *plans[2] = {NULL, NULL};
    pool_init(&temporary, &m->budget);
    void **data = make_inputs(&m->graph, inputs, &temporary);
    m->graph.nodes = floats;
    plans[0] = data ? plan_new(m, inputs, why) : NULL;
    m->graph.nodes = bytes;
    plans[1] = plans[0] ? plan_new(m, inputs, why) : NULL;
    if (plans[1] && plans[0]->static_shapes &&
        plans[1]->static_shapes) { /* a later stage would be planned with other nodes */
        measure(plans, data, ret, why);
        ret->off = difference(&m->graph, plans[0], plans[1]);
        ret->used =
            why->status == KILN_OK && ret->off <= bound && ret->int8_us <= AUTO_INT8_FASTER * ret->float_us;
    }
    plan_free(&plans[0]);
    plan_free(&plans[1]);
    pool_done(&temporary);
    return data ? why->status : refuse_memory(why, "trying weights as bytes");
}

int auto_int8(struct model *m, const struct tensor *inputs, double bound, struct auto_int8 *ret,
              struct refusal *why)
{
    struct graph *g = &m->graph;
    struct fusing f = {.m = m, .g = g};
    *ret = (struct auto_int8){0};
    model_forget_plans(m);
    struct node *floats = g->nodes, *bytes = pool_array(&m->pool, (size_t) g->n_nodes + 1, sizeof *bytes);
    if (!bytes) {
        return refuse_memory(why, "the graph");
    }
    memcpy(bytes, floats, (size_t) g->n_nodes * sizeof *bytes);
    g->nodes = bytes;
    ret->layers = replace_all(&f);
    if (f.no_memory || ret->layers == 0) {
        g->nodes = floats;
        return f.no_memory ? refuse_memory(why, "weights as bytes") : KILN_OK;
    }
    const int rc = judge(m, floats, bytes, inputs, bound, ret, why);
    g->nodes = ret->used && rc == KILN_OK ? bytes : floats;
    return rc;
}
