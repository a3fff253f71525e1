/* SPDX-License-Identifier: MPL-2.0 */
/* Weights as bytes: tried, timed and judged. Whether they are faster is this machine's affair: what is decided must follow
 * from what is reported, and what is served must be near what the floats say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auto_int8.h"
#include "ops.h"
#include "plan.h"
#include "read.h"

enum { K = 96, N = 48 };

static struct budget budget = {.limit = 64 << 20};
static struct workspace workspace;
static float weights[K * N], bias[N];

/* One Gemm. */
static struct model *model_new(void)
{
    struct model *m = calloc(1, sizeof *m);
    struct refusal why = {0};
    int oldest;
    m->budget = (struct budget){.limit = SIZE_MAX / 2, .parent = &budget};
    assert_true(budget_take(&budget, sizeof *m));
    m->workspace = &workspace;
    pool_init(&m->pool, &m->budget);
    struct graph *g = &m->graph;
    *g = (struct graph){.opset = 20, .n_values = 4, .n_nodes = 1, .n_inputs = 1, .n_outputs = 1};
    g->values = pool_array(&m->pool, 4, sizeof *g->values);
    g->nodes = pool_array(&m->pool, 1, sizeof *g->nodes);
    g->inputs = pool_array(&m->pool, 2, sizeof(int));
    g->outputs = g->inputs + 1;
    g->nodes[0] =
        (struct node){.name = "layer", .op = ops_find("", "Gemm", 20, &oldest), .n_in = 3, .n_out = 1};
    g->nodes[0].in = pool_array(&m->pool, 3, sizeof(int));
    g->nodes[0].out = pool_array(&m->pool, 1, sizeof(int));
    const int64_t shapes[3][2] = {{-1, K}, {K, N}, {N}};
    for (int v = 0; v < 4; v++) {
        g->values[v] = (struct value){.name = "v", .maker = -1};
        if (v < 3) {
            g->nodes[0].in[v] = v;
        }
        if (v == 1 || v == 2) {
            assert_true(tensor_set(&g->values[v].constant, DT_F32, 3 - v, shapes[v]));
            g->values[v].constant.data = v == 1 ? weights : bias;
        }
    }
    g->values[0].constant = (struct tensor){.dtype = DT_F32, .rank = 2, .dims = {-1, K}};
    g->values[0].is_input = g->values[3].is_output = true;
    g->nodes[0].out[0] = g->outputs[0] = 3;
    g->values[3].maker = 0;
    struct pool temporary;
    pool_init(&temporary, &budget);
    assert_int_equal(graph_order(g, &temporary, &why), 0);
    assert_int_equal(g->n_nodes, 1);
    pool_done(&temporary);
    return m;
}

static struct tensor shape(void)
{
    const int64_t dims[] = {64, K};
    struct tensor t;
    assert_true(tensor_set(&t, DT_F32, 2, dims));
    return t;
}

static void fill(float outlier)
{
    for (int i = 0; i < K * N; i++) {
        weights[i] = sinf((float) i * 2.385F);
    }
    for (int j = 0; j < N; j++) {
        bias[j] = 0.1F * (float) j;
    }
    weights[5] = outlier;
}

static void tried(double bound, struct auto_int8 *ret, const char *wanted)
{
    struct model *m = model_new();
    struct refusal why = {0};
    const struct tensor in = shape();
    assert_int_equal(auto_int8(m, &in, bound, ret, &why), KILN_OK);
    assert_string_equal(m->graph.nodes[0].op->name, ret->used ? "DynamicDense" : "Gemm");
    if (wanted) {
        assert_string_equal(m->graph.nodes[0].op->name, wanted);
    }
    struct plan *p = model_plan(m, &in, &why);
    assert_non_null(p);
    static float x[64 * K];
    for (int i = 0; i < 64 * K; i++) {
        x[i] = cosf((float) i * 0.7F);
    }
    void *inputs[] = {x};
    struct run r = {0};
    assert_int_equal(plan_run(p, inputs, NULL, &r, &why), KILN_OK);
    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < N; j++) {
            double sum = (double) bias[j];
            for (int k = 0; k < K; k++) {
                sum += (double) x[i * K + k] * (double) weights[k * N + j];
            }
            assert_true(fabs((double) ((float *) plan_output(p, 0)->data)[i * N + j] - sum) < 0.5);
        }
    }
    model_free(&m);
}

static void judged(void **state)
{
    (void) state;
    struct auto_int8 got;
    fill(0.5F);
    tried(0.05, &got, NULL);
    assert_int_equal(got.layers, 1);
    assert_true(got.float_us > 0 && got.int8_us > 0 && got.off > 0 && got.off < 0.05);
    assert_int_equal(got.used, got.int8_us <= AUTO_INT8_FASTER * got.float_us);
}

static void not_close_enough(void **state)
{
    (void) state;
    struct auto_int8 got;
    fill(0.5F);
    tried(1e-9, &got, "Gemm");
    assert_false(got.used);
    assert_true(got.off > 1e-9);
}

static void nothing_to_try(void **state)
{
    (void) state;
    struct auto_int8 got;
    fill(0.5F);
    weights[7] = INFINITY; /* no scale fits */
    struct model *m = model_new();
    struct refusal why = {0};
    const struct tensor in = shape();
    assert_int_equal(auto_int8(m, &in, 0.05, &got, &why), KILN_OK);
    assert_int_equal(got.layers, 0);
    assert_false(got.used);
    assert_string_equal(m->graph.nodes[0].op->name, "Gemm");
    model_free(&m);
}

int main(void)
{
    workspace_init(&workspace, &budget);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged),
        cmocka_unit_test(not_close_enough),
        cmocka_unit_test(nothing_to_try),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    workspace_done(&workspace);
    return failed;
}
