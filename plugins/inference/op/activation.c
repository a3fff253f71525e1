/* SPDX-License-Identifier: MPL-2.0 */
/* Activation functions, element by element. Floats go through kernel/act.h, doubles through libm. */
#include <math.h>

#include "../kernel/act.h"
#include "binary.h"
#include "broadcast.h"
#include "unary.h"

static double unit(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * 0.70710678118654752440);
}

static double gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

/* The plan NAME: ACT_KIND for floats, EXPR for doubles, with parameters A and B. */
#define ACTIVATION(NAME, KIND, EXPR, A, B)                                                                   \
    static void NAME##_f32(void *out, const void *in, int64_t n, const struct unary_params *p)               \
    {                                                                                                        \
        act_map(ACT_##KIND, in, out, (size_t) n, (float) p->a, (float) p->b);                                \
    }                                                                                                        \
    UNARY_KERNEL(NAME##_f64, f64, f64, , EXPR)                                                               \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        static unary_fn *const fns[DT_END] = {[DT_F32] = NAME##_f32, [DT_F64] = NAME##_f64};                 \
        return unary_plan(s, fns, DT_NONE, A, B);                                                            \
    }
#define ALPHA(DEFAULT) (double) step_float(s, "alpha", DEFAULT)
#define BETA(DEFAULT)  (double) step_float(s, "beta", DEFAULT)

ACTIVATION(leaky_relu, LEAKY_RELU, x < 0 ? a * x : x, ALPHA(0.01F), 0)
ACTIVATION(thresholded_relu, THRESHOLDED_RELU, x > a || x != x ? x : 0, ALPHA(1), 0)
ACTIVATION(elu, ELU, x < 0 ? a * expm1(x) : x, ALPHA(1), 0)
ACTIVATION(selu, SELU, b *(x < 0 ? a * expm1(x) : x), ALPHA(1.67326319217681884765625F),
           (double) step_float(s, "gamma", 1.05070102214813232421875F))
ACTIVATION(celu, CELU, x < 0 ? a * expm1(x / a) : x, ALPHA(1), 0)
ACTIVATION(sigmoid, SIGMOID, 1 / (1 + exp(-x)), 0, 0)
ACTIVATION(hard_sigmoid, HARD_SIGMOID, unit(a *x + b), ALPHA(0.2F), BETA(0.5F))
ACTIVATION(hard_swish, HARD_SWISH, x *unit(a *x + b), 1.0 / 6, 0.5)
ACTIVATION(tanh, TANH, tanh(x), 0, 0)
ACTIVATION(softplus, SOFTPLUS, softplus(x), 0, 0)
ACTIVATION(softsign, SOFTSIGN, x / (1 + fabs(x)), 0, 0)
ACTIVATION(mish, MISH, x *tanh(softplus(x)), 0, 0)
ACTIVATION(swish, SWISH, x / (1 + exp(-a * x)), ALPHA(1), 0)
ACTIVATION(gelu_erf, GELU, gelu(x), 0, 0)
ACTIVATION(gelu_tanh, GELU_TANH, gelu_tanh(x), 0, 0)

static int plan_gelu(struct step *s)
{
    struct text how = step_text(s, "approximate", "none");
    if (text_is(how, "tanh")) {
        return plan_gelu_tanh(s);
    }
    return text_is(how, "none") ? plan_gelu_erf(s)
                                : step_fail(s, "attribute approximate is \"%.*s\", expected none or tanh",
                                            (int) (how.bytes < 20 ? how.bytes : 20), how.chars);
}

/* ---- those of whole numbers, too */

#define RELU(t, D)     UNARY_KERNEL(relu_##t, t, t, LOOP, x < 0 ? 0 : x)
#define ROW_RELU(t, D) [D] = relu_##t,
FOR_SIGNED(RELU)
RELU(f64, DT_F64)

static void relu_f32(void *out, const void *in, int64_t n, const struct unary_params *p)
{
    (void) p;
    act_map(ACT_RELU, in, out, (size_t) n, 0, 0);
}

static int plan_relu(struct step *s)
{
    static unary_fn *const fns[DT_END] = {FOR_SIGNED(ROW_RELU) FOR_FLOAT(ROW_RELU)};
    return unary_plan(s, fns, DT_NONE, 0, 0);
}

/* a: lambd, b: bias. In the type's own arithmetic, as NumPy's. */
#define SHRINK(t, D)                                                                                         \
    UNARY_KERNEL(shrink_##t, t, t, ,                                                                         \
                 (double) x<params->a * -1 ? (double) x + params->b : (double) x> params->a                  \
                     ? (double) x - params->b                                                                \
                 : x != x ? (double) x                                                                       \
                          : 0)
#define ROW_SHRINK(t, D) [D] = shrink_##t,
FOR_NUMERIC(SHRINK)

static int plan_shrink(struct step *s)
{
    static unary_fn *const fns[DT_END] = {FOR_NUMERIC(ROW_SHRINK)};
    return unary_plan(s, fns, DT_NONE, (double) step_float(s, "lambd", 0.5F),
                      (double) step_float(s, "bias", 0));
}

#define PRELU(t, D)     BINARY_KERNEL(prelu_##t, t, t, t, LOOP, x < 0 ? x * y : x)
#define PRELU_u(t, D)   BINARY_KERNEL(prelu_##t, t, t, t, LOOP, (void) y, x)
#define PRELU_i(t, D)   BINARY_KERNEL(prelu_##t, t, t, t, LOOP, x < 0 ? (U_##t) x * (U_##t) y : (U_##t) x)
#define ROW_PRELU(t, D) [D] = prelu_##t,
FOR_FLOAT(PRELU)
PRELU_i(i32, DT_I32) PRELU_i(i64, DT_I64)

    static int plan_prelu(struct step *s)
{
    static binary_fn *const fns[DT_END] = {FOR_FLOAT(ROW_PRELU)[DT_I32] = prelu_i32, [DT_I64] = prelu_i64};
    int rank = 0;
    int64_t dims[TENSOR_RANK];
    int rc = broadcast_shape(s, 2, &rank, dims);
    if (rc) {
        return rc;
    }
    bool same = rank == s->in[0]->rank;
    for (int d = 0; d < rank && same; d++) {
        same = dims[d] == s->in[0]->dims[d];
    }
    char x[80], slope[80];
    return same ? binary_plan(s, fns, DT_NONE)
                : step_fail(s, "slope %s does not broadcast to %s",
                            tensor_text(s->in[1], slope, sizeof(slope)), tensor_text(s->in[0], x, sizeof(x)));
}

static const struct op ops[] = {
    {"", "Relu", 6, 1, 1, 1, 1, plan_relu},
    {"", "LeakyRelu", 6, 1, 1, 1, 1, plan_leaky_relu},
    {"", "ThresholdedRelu", 10, 1, 1, 1, 1, plan_thresholded_relu},
    {"", "PRelu", 7, 2, 2, 1, 1, plan_prelu},
    {"", "Elu", 6, 1, 1, 1, 1, plan_elu},
    {"", "Selu", 6, 1, 1, 1, 1, plan_selu},
    {"", "Celu", 12, 1, 1, 1, 1, plan_celu},
    {"", "Sigmoid", 6, 1, 1, 1, 1, plan_sigmoid},
    {"", "HardSigmoid", 6, 1, 1, 1, 1, plan_hard_sigmoid},
    {"", "HardSwish", 14, 1, 1, 1, 1, plan_hard_swish},
    {"", "Tanh", 6, 1, 1, 1, 1, plan_tanh},
    {"", "Softplus", 1, 1, 1, 1, 1, plan_softplus},
    {"", "Softsign", 1, 1, 1, 1, 1, plan_softsign},
    {"", "Mish", 18, 1, 1, 1, 1, plan_mish},
    {"", "Gelu", 20, 1, 1, 1, 1, plan_gelu},
    {"", "Swish", 24, 1, 1, 1, 1, plan_swish},
    {"", "Shrink", 9, 1, 1, 1, 1, plan_shrink},
};

const struct op_table op_activation = {ops, sizeof(ops) / sizeof(ops[0])};
