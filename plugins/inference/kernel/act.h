/* SPDX-License-Identifier: MPL-2.0 */
/* act - activation functions of floats, vectorised.
 *
 * Errors in units of the last place (with fused multiply-add; about twice that without), over all floats:
 * exp, sigmoid, tanh, erf, softplus 3; the others 4; gelu 5, also in its tails. Subnormal results may be off by one step.
 * NaN goes through. test_kernel_act.c holds these bounds. */
#ifndef INFERENCE_ACT_H
#define INFERENCE_ACT_H

#include <stddef.h>

/* name, what it computes of x with parameters a and b */
#define ACT_TABLE(X)                                                                                         \
    X(RELU, "max(x, 0)")                                                                                     \
    X(LEAKY_RELU, "x < 0 ? a x : x")                                                                         \
    X(THRESHOLDED_RELU, "x > a ? x : 0")                                                                     \
    X(CLIP, "min(max(x, a), b)")                                                                             \
    X(AFFINE, "a x + b")                                                                                     \
    X(HARD_SIGMOID, "min(max(a x + b, 0), 1)")                                                               \
    X(HARD_SWISH, "x min(max(a x + b, 0), 1)")                                                               \
    X(SOFTSIGN, "x / (1 + |x|)")                                                                             \
    X(EXP, "exp(x)")                                                                                         \
    X(SIGMOID, "1 / (1 + exp(-x))")                                                                          \
    X(TANH, "tanh(x)")                                                                                       \
    X(SCALED_TANH, "a tanh(b x)")                                                                            \
    X(ELU, "x < 0 ? a (exp(x) - 1) : x")                                                                     \
    X(SELU, "b (x < 0 ? a (exp(x) - 1) : x)")                                                                \
    X(CELU, "max(0, x) + min(0, a (exp(x / a) - 1))")                                                        \
    X(SOFTPLUS, "log(1 + exp(x))")                                                                           \
    X(ERF, "erf(x)")                                                                                         \
    X(GELU, "x / 2 (1 + erf(x / sqrt(2)))")                                                                  \
    X(GELU_TANH, "x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))")                                        \
    X(SWISH, "x / (1 + exp(-a x))")                                                                          \
    X(MISH, "x tanh(log(1 + exp(x)))")

#define ACT_KIND(name, text) ACT_##name,
enum act_kind { ACT_NONE, ACT_TABLE(ACT_KIND) ACT_KINDS };
#undef ACT_KIND

/* y[i] = act(x[i]); y may be x. ACT_NONE copies. */
void act_map(enum act_kind kind, const float *x, float *y, size_t n, float a, float b);
/* y[i] = exp(x[i] - shift), y may be x; returns their sum. For softmax, with the largest x as shift. */
float act_exp_sum(const float *x, float *y, size_t n, float shift);

static inline void act_apply(enum act_kind kind, float *x, size_t n, float a, float b)
{
    if (kind != ACT_NONE) {
        act_map(kind, x, x, n, a, b);
    }
}

#endif
