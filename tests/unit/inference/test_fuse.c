/* SPDX-License-Identifier: MPL-2.0 */
/* Rewriting of graphs: what is built here is built twice, once rewritten and once not, and must give the same numbers by fewer
 * steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuse.h"
#include "ops.h"
#include "plan.h"
#include "read.h"

enum { VALUES = 64, NODES = 32 };

static struct budget budget = {.limit = 64 << 20};
static struct workspace workspace;
static uint64_t seed;

static float noise(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (float) (seed >> 40) / (1 << 23) - 1;
}

static struct model *model_new(void)
{
    struct model *m = calloc(1, sizeof *m);
    m->budget = (struct budget){.limit = SIZE_MAX / 2, .parent = &budget};
    assert_true(budget_take(&budget, sizeof *m));
    m->workspace = &workspace;
    pool_init(&m->pool, &m->budget);
    m->graph = (struct graph){.opset = 20,
                              .values = pool_array(&m->pool, VALUES, sizeof(struct value)),
                              .nodes = pool_array(&m->pool, NODES, sizeof(struct node)),
                              .inputs = pool_array(&m->pool, 4, sizeof(int)),
                              .outputs = pool_array(&m->pool, 4, sizeof(int))};
    return m;
}

static int value(struct model *m, struct tensor t)
{
    m->graph.values[m->graph.n_values] = (struct value){.name = "v", .constant = t, .maker = -1};
    return m->graph.n_values++;
}

static int input(struct model *m, int rank, const int64_t *dims)
{
    struct tensor t;
    assert_true(tensor_set(&t, DT_F32, rank, dims));
    const int v = value(m, t);
    m->graph.values[v].is_input = true;
    m->graph.inputs[m->graph.n_inputs++] = v;
    return v;
}

static int constant(struct model *m, enum dtype dtype, int rank, const int64_t *dims)
{
    struct tensor t;
    assert_true(tensor_set(&t, dtype, rank, dims));
    t.data = pool_alloc(&m->pool, tensor_bytes(&t) + 1);
    for (int64_t i = 0; i < t.count; i++) {
        if (dtype == DT_F32) {
            ((float *) t.data)[i] = noise();
        } else {
            ((int8_t *) t.data)[i] = (int8_t) (noise() * 100);
        }
    }
    return value(m, t);
}

static int one(struct model *m, enum dtype dtype, double number)
{
    const int v = constant(m, dtype, 0, NULL);
    struct tensor *t = &m->graph.values[v].constant;
    if (dtype == DT_F32) {
        *(float *) t->data = (float) number;
    } else {
        *(int8_t *) t->data = (int8_t) (int) number;
    }
    return v;
}

/* `n_in` inputs; returns the only output. */
static int node(struct model *m, const char *name, int n_in, ...)
{
    int oldest;
    struct node *n = &m->graph.nodes[m->graph.n_nodes++];
    *n = (struct node){
        .name = name, .op = ops_find("", name, m->graph.opset, &oldest), .n_in = n_in, .n_out = 1};
    assert_non_null(n->op);
    n->in = pool_array(&m->pool, (size_t) n_in, sizeof(int));
    n->out = pool_array(&m->pool, 1, sizeof(int));
    va_list list;
    va_start(list, n_in);
    for (int i = 0; i < n_in; i++) {
        n->in[i] = va_arg(list, int);
    }
    va_end(list);
    n->out[0] = value(m, (struct tensor){.dtype = DT_NONE});
    m->graph.values[n->out[0]].maker = m->graph.n_nodes - 1;
    return n->out[0];
}

static void attribute(struct model *m, const char *name, double number, bool whole)
{
    struct node *n = &m->graph.nodes[m->graph.n_nodes - 1];
    struct attr *attrs = pool_array(&m->pool, n->n_attrs + 1, sizeof *attrs);
    for (size_t i = 0; i < n->n_attrs; i++) {
        attrs[i] = n->attrs[i];
    }
    attrs[n->n_attrs++] = (struct attr){
        .name = name, .type = whole ? ATTR_INT : ATTR_FLOAT, .i = (int64_t) number, .f = (float) number};
    n->attrs = attrs;
}

static void output(struct model *m, int v)
{
    m->graph.values[v].is_output = true;
    m->graph.outputs[m->graph.n_outputs++] = v;
}

typedef void build_fn(struct model *m, int variant);

/* Builds, rewrites if wanted, runs; returns the number of steps. */
static int run(build_fn *build, int variant, bool fused, float *ret, size_t *ret_n, const char *holds)
{
    struct refusal why = {0};
    seed = (uint64_t) variant * 77 + 5;
    struct model *m = model_new();
    build(m, variant);
    setenv("KILN_INFERENCE_FUSE", fused ? "1" : "0", 1);
    struct pool temporary;
    pool_init(&temporary, &budget);
    assert_int_equal(graph_order(&m->graph, &temporary, &why), 0);
    pool_done(&temporary);
    const int refused = fuse_quantized(m, &why) || plan_fold(m, &why);
    pool_init(&temporary, &budget);
    if (refused || graph_order(&m->graph, &temporary, &why) || fuse(m, &why)) {
        fail_msg("%s", why.text);
    }
    pool_done(&temporary);
    const int n_nodes = m->graph.n_nodes;
    bool found = holds == NULL;
    for (int i = 0; fused && i < n_nodes; i++) {
        found = found || (strcmp(m->graph.nodes[i].op->domain, "kiln") == 0 &&
                          strcmp(m->graph.nodes[i].op->name, holds) == 0);
    }
    assert_true(found || !fused);
    struct tensor shape = m->graph.values[m->graph.inputs[0]].constant;
    float *x = malloc((size_t) shape.count * sizeof *x);
    for (int64_t i = 0; i < shape.count; i++) {
        x[i] = noise();
    }
    struct plan *plan = model_plan(m, &shape, &why);
    struct run r = {0};
    void *inputs[] = {x};
    if (!plan || plan_run(plan, inputs, NULL, &r, &why)) {
        fail_msg("%s", why.text);
    }
    const struct tensor *out = plan_output(plan, 0);
    *ret_n = (size_t) out->count;
    assert_true(*ret_n <= 4096 && out->dtype == DT_F32);
    memcpy(ret, out->data, *ret_n * sizeof *ret);
    free(x);
    model_free(&m);
    return n_nodes;
}

static void compare(build_fn *build, int variants, int steps, const char *holds)
{
    static float plain[4096], fused[4096];
    for (int variant = 0; variant < variants; variant++) {
        size_t n, n_fused;
        seed = 1;
        const int before = run(build, variant, false, plain, &n, NULL),
                  after = run(build, variant, true, fused, &n_fused, holds);
        assert_true(before > after);
        if (steps) {
            assert_int_equal(after, steps);
        }
        assert_int_equal(n, n_fused);
        for (size_t i = 0; i < n; i++) {
            if (!(fabs((double) (plain[i] - fused[i])) <= 2e-5 * (1 + fabs((double) plain[i])))) {
                fail_msg("variant %d, element %zu: %g fused, %g not", variant, i, (double) fused[i],
                         (double) plain[i]);
            }
        }
    }
}

static const char *const acts[] = {
    "Relu",        "LeakyRelu", "Sigmoid",         "Tanh", "Elu",  "Selu", "Softplus", "Softsign",
    "HardSigmoid", "HardSwish", "ThresholdedRelu", "Celu", "Mish", "Erf",  "Gelu"};
enum { N_ACTS = sizeof acts / sizeof *acts };

/* Three layers of MatMul + Add + activation; biases as vectors, rows and numbers, on either side; batches of rank 2 and 3. */
static void build_dense(struct model *m, int variant)
{
    const int64_t dims[2][3] = {{5, 12}, {2, 3, 12}}, sizes[] = {12, 37, 3, 1};
    int at = input(m, variant & 1 ? 3 : 2, dims[variant & 1]);
    for (int i = 0; i < 3; i++) {
        const int64_t bias[2] = {1, sizes[i + 1]}, number = 1;
        const int w = constant(m, DT_F32, 2, sizes + i);
        const int b = variant % 3 == 0   ? constant(m, DT_F32, 1, bias + 1)
                      : variant % 3 == 1 ? constant(m, DT_F32, 2, bias)
                                         : constant(m, DT_F32, 1, &number);
        at = node(m, "MatMul", 2, at, w);
        at = variant & 2 ? node(m, "Add", 2, b, at) : node(m, "Add", 2, at, b);
        at = node(m, "Identity", 1, at);
        at = node(m, acts[(variant + i) % N_ACTS], 1, at);
    }
    output(m, at);
}

static void dense(void **state)
{
    (void) state;
    compare(build_dense, 30, 3, "Dense");
}

/* Gemm of every kind, then Clip with bounds as constants. */
static void build_gemm(struct model *m, int variant)
{
    const int64_t dims[] = {6, 9}, straight[] = {9, 20}, turned[] = {20, 9}, bias[] = {20};
    const int x = input(m, 2, dims), w = constant(m, DT_F32, 2, variant & 1 ? turned : straight);
    int at = variant & 2 ? node(m, "Gemm", 3, x, w, constant(m, DT_F32, 1, bias)) : node(m, "Gemm", 2, x, w);
    attribute(m, "transB", variant & 1, true);
    attribute(m, "alpha", variant & 4 ? 0.5 : 1, false);
    attribute(m, "beta", variant & 8 ? 2 : 1, false);
    at = node(m, "Clip", 3, at, variant & 16 ? -1 : one(m, DT_F32, -0.25), one(m, DT_F32, 0.75));
    output(m, at);
}

static void gemm(void **state)
{
    (void) state;
    compare(build_gemm, 32, 1, "Dense");
}

/* Conv or Gemm, BatchNormalization, Relu: one step. */
static void build_norm(struct model *m, int variant)
{
    const int64_t image[] = {2, 4, 6, 5}, kernel[] = {6, 4, 3, 3}, rows[] = {3, 7}, turned[] = {6, 7},
                  straight[] = {7, 6}, six = 6;
    int at;
    if (variant & 1) {
        at = input(m, 4, image);
        const int w = constant(m, DT_F32, 4, kernel);
        at =
            variant & 2 ? node(m, "Conv", 3, at, w, constant(m, DT_F32, 1, &six)) : node(m, "Conv", 2, at, w);
    } else {
        at = input(m, 2, rows);
        const int w = constant(m, DT_F32, 2, variant & 4 ? turned : straight);
        at =
            variant & 2 ? node(m, "Gemm", 3, at, w, constant(m, DT_F32, 1, &six)) : node(m, "Gemm", 2, at, w);
        attribute(m, "transB", (variant & 4) != 0, true);
    }
    const int scale = constant(m, DT_F32, 1, &six), shift = constant(m, DT_F32, 1, &six),
              mean = constant(m, DT_F32, 1, &six);
    const int variance = constant(m, DT_F32, 1, &six);
    for (int i = 0; i < 6; i++) {
        float *v = (float *) m->graph.values[variance].constant.data + i;
        *v = fabsf(*v) + 0.1F;
    }
    at = node(m, "BatchNormalization", 5, at, scale, shift, mean, variance);
    output(m, node(m, "Relu", 1, at));
}

static void norm(void **state)
{
    (void) state;
    compare(build_norm, 8, 1, NULL);
}

static int dequantized(struct model *m, int q, double scale, int zero)
{
    return node(m, "DequantizeLinear", 3, q, one(m, DT_F32, scale), zero);
}

/* Two layers between QuantizeLinear and DequantizeLinear. */
static void build_qdq(struct model *m, int variant)
{
    const int64_t dims[] = {5, 12}, sizes[] = {12, 33, 8}, turned[2][2] = {{33, 12}, {8, 33}};
    const bool turn = variant & 1, as_add = !turn && (variant & 2);
    int at = input(m, 2, dims), zero = one(m, DT_I8, 3);
    at = node(m, "QuantizeLinear", 3, at, one(m, DT_F32, 0.01), zero);
    double scale = 0.01;
    for (int i = 0; i < 2; i++) {
        const int x = dequantized(m, at, scale, zero),
                  q = constant(m, DT_I8, 2, turn ? turned[i] : sizes + i);
        int w;
        if (variant & 4) { /* a scale and a zero point for each column */
            const int s = constant(m, DT_F32, 1, sizes + i + 1), z = constant(m, DT_I8, 1, sizes + i + 1);
            for (int64_t k = 0; k < sizes[i + 1]; k++) {
                ((float *) m->graph.values[s].constant.data)[k] = 0.01F + 0.001F * (float) (k % 7);
            }
            w = node(m, "DequantizeLinear", 3, q, s, z);
            attribute(m, "axis", turn ? 0 : 1, true);
        } else {
            w = dequantized(m, q, 0.01, one(m, DT_I8, 0));
        }
        const int bias = constant(m, DT_F32, 1, sizes + i + 1);
        if (as_add) {
            at = node(m, "Add", 2, node(m, "MatMul", 2, x, w), bias);
        } else {
            at = node(m, "Gemm", 3, x, w, bias);
            attribute(m, "transB", turn, true);
        }
        at = node(m, variant & 8 ? "Tanh" : "Relu", 1, at);
        scale = 0.1;
        zero = one(m, DT_I8, i ? -5 : 4);
        at = node(m, "QuantizeLinear", 3, at, one(m, DT_F32, scale), zero);
    }
    output(m, dequantized(m, at, scale, zero));
}

/* Rounding may fall to the other side of a tie: a step of the last scale, in few elements. */
static void quantized(void **state)
{
    (void) state;
    static float plain[4096], fused[4096];
    for (int variant = 0; variant < 16; variant++) {
        size_t n, n_fused;
        const int before = run(build_qdq, variant, false, plain, &n, NULL);
        assert_int_equal(run(build_qdq, variant, true, fused, &n_fused, "QDense"), 4);
        assert_true(before > 4 && n == n_fused);
        size_t different = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs((double) (plain[i] - fused[i])) < 0.11);
            different += plain[i] != fused[i];
        }
        assert_true(different <= n / 10);
    }
}

/* What somebody else reads, or is an output itself, stays. */
static void build_shared(struct model *m, int variant)
{
    const int64_t dims[] = {5, 12}, w[] = {12, 12}, b[] = {12};
    const int x = input(m, 2, dims);
    const int product = node(m, "MatMul", 2, x, constant(m, DT_F32, 2, w));
    const int sum = node(m, "Add", 2, product, constant(m, DT_F32, 1, b));
    const int act = node(m, "Relu", 1, sum);
    output(m, node(m, "Add", 2, act, variant & 1 ? product : sum));
    if (variant & 2) {
        output(m, product);
    }
}

static void shared_values(void **state)
{
    (void) state;
    static float plain[4096], fused[4096];
    for (int variant = 0; variant < 4; variant++) {
        size_t n, n_fused;
        const int before = run(build_shared, variant, false, plain, &n, NULL),
                  after = run(build_shared, variant, true, fused, &n_fused, NULL);
        assert_int_equal(before, 4);
        assert_int_equal(after, variant == 0 ? 3 : 4); /* MatMul + Add at most */
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs((double) (plain[i] - fused[i])) < 1e-5);
        }
    }
}

int main(void)
{
    workspace_init(&workspace, &budget);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense),     cmocka_unit_test(gemm),          cmocka_unit_test(norm),
        cmocka_unit_test(quantized), cmocka_unit_test(shared_values),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    workspace_done(&workspace);
    return failed;
}
