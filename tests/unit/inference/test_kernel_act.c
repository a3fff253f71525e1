/* SPDX-License-Identifier: MPL-2.0 */
/* Activation functions of every set of kernels against the mathematical library in double precision: floats of every
 * magnitude, every length of array, and what is not finite. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/kernels.h"

enum { CHUNK = 4096 };

static double at_most(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double reference(enum act_kind kind, double x, double a, double b)
{
    switch (kind) {
    case ACT_RELU:
        return x > 0 ? x : 0;
    case ACT_LEAKY_RELU:
        return x < 0 ? a * x : x;
    case ACT_THRESHOLDED_RELU:
        return x > a ? x : 0;
    case ACT_CLIP:
        return at_most(x, a, b);
    case ACT_AFFINE:
        return a * x + b;
    case ACT_HARD_SIGMOID:
        return at_most(a * x + b, 0, 1);
    case ACT_HARD_SWISH:
        return x * at_most(a * x + b, 0, 1);
    case ACT_SOFTSIGN:
        return x / (1 + fabs(x));
    case ACT_EXP:
        return exp(x);
    case ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case ACT_TANH:
        return tanh(x);
    case ACT_SCALED_TANH:
        return a * tanh(b * x);
    case ACT_ELU:
        return x < 0 ? a * expm1(x) : x;
    case ACT_SELU:
        return b * (x < 0 ? a * expm1(x) : x);
    case ACT_CELU:
        return x < 0 ? a * expm1(x / a) : x;
    case ACT_SOFTPLUS:
        return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case ACT_ERF:
        return erf(x);
    case ACT_GELU:
        return x * 0.5 * erfc(-x * sqrt(0.5));
    case ACT_GELU_TANH:
        return x * 0.5 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case ACT_SWISH:
        return x / (1 + exp(-a * x));
    case ACT_MISH:
        return x * tanh(x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
    case ACT_NONE:
    case ACT_KINDS:
        break;
    }
    return x;
}

/* The distance of two floats around `want`, in units of its last place; subnormal ones count in the smallest normal unit. */
static double ulps(float got, double want)
{
    if (fabs(want) > (double) 3.4028235e38F) {
        return isinf(got) || fabsf(got) > 3.4e38F ? 0 : HUGE_VAL;
    }
    int exponent;
    frexp(want, &exponent);
    return fabs((double) got - want) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static const struct {
    enum act_kind kind;
    float a, b;
    double fused, plain,
        absolute; /* errors allowed; absolute: where a difference of near equals is in the formula */
} cases[] = {
    {ACT_NONE, 0, 0, 0, 0, 0},
    {ACT_RELU, 0, 0, 0, 0, 0},
    {ACT_LEAKY_RELU, 0.1F, 0, 1, 1, 0},
    {ACT_THRESHOLDED_RELU, 1.5F, 0, 0, 0, 0},
    {ACT_CLIP, -2.5F, 3.25F, 0, 0, 0},
    {ACT_AFFINE, 2.385F, 0.7F, 1, 2, 2e-7},
    {ACT_HARD_SIGMOID, 0.2F, 0.5F, 1, 2, 1e-7},
    {ACT_HARD_SWISH, 1.0F / 6, 0.5F, 2, 3, 3e-7},
    {ACT_SOFTSIGN, 0, 0, 2, 2, 0},
    {ACT_EXP, 0, 0, 3, 4, 0},
    {ACT_SIGMOID, 0, 0, 3, 6, 0},
    {ACT_TANH, 0, 0, 3, 6, 0},
    {ACT_SCALED_TANH, 1.7159F, 0.6667F, 4, 7, 0},
    {ACT_ELU, 1.25F, 0, 3, 6, 0},
    {ACT_SELU, 1.6732632F, 1.0507010F, 4, 7, 0},
    {ACT_CELU, 1.25F, 0, 4, 8, 0},
    {ACT_SOFTPLUS, 0, 0, 3, 6, 0},
    {ACT_ERF, 0, 0, 3, 6, 0},
    {ACT_GELU, 0, 0, 5, 8, 1e-36},
    {ACT_GELU_TANH, 0, 0, 4, 8, 1e-6},
    {ACT_SWISH, 1.0F, 0, 4, 7, 1e-36},
    {ACT_MISH, 0, 0, 4, 8, 1e-36},
};

static void check_kind(const struct kernels *k, size_t c)
{
    static float x[CHUNK], y[CHUNK];
    const bool fused = strcmp(k->name, "plain") != 0;
    double worst = 0;
    float worst_at = 0;
    uint32_t bits = 0;
    for (int chunk = 0; chunk < 256; chunk++) {
        for (int i = 0; i < CHUNK; i++, bits += 4093) {
            memcpy(x + i, &bits, sizeof bits);
        }
        k->act[cases[c].kind](x, y, CHUNK, cases[c].a, cases[c].b);
        for (int i = 0; i < CHUNK; i++) {
            if (isnan(x[i])) {
                assert_true(isnan(y[i]));
                continue;
            }
            const double want =
                reference(cases[c].kind, (double) x[i], (double) cases[c].a, (double) cases[c].b);
            const bool ends = isinf(x[i]) && isnan(want);
            const double off = ends || fabs((double) y[i] - want) <= cases[c].absolute ? 0 : ulps(y[i], want);
            if (!(off <= worst)) {
                worst = off;
                worst_at = x[i];
            }
        }
    }
    if (getenv("VERBOSE")) {
        print_message("%s kind %d: %.2f at %a\n", k->name, (int) cases[c].kind, worst, (double) worst_at);
    }
    if (!(worst <= (fused ? cases[c].fused : cases[c].plain))) {
        fail_msg("%s, kind %d: %g units off at %a", k->name, (int) cases[c].kind, worst, (double) worst_at);
    }
}

static void errors(void **state)
{
    (void) state;
    assert_int_equal(sizeof cases / sizeof *cases, ACT_KINDS);
    for (size_t s = 0; kernels_all[s]; s++) {
        for (size_t c = 0; kernels_all[s]->runs_here() && c < ACT_KINDS; c++) {
            assert_int_equal(cases[c].kind, c);
            check_kind(kernels_all[s], c);
        }
    }
}

/* Whatever the length and in place: each element as if alone, and nothing beyond the end. */
static void lengths(void **state)
{
    (void) state;
    for (size_t s = 0; kernels_all[s]; s++) {
        const struct kernels *k = kernels_all[s];
        for (size_t n = 0; k->runs_here() && n < 70; n++) {
            for (size_t c = 0; c < ACT_KINDS; c++) {
                float x[72], one[72];
                for (size_t i = 0; i < 72; i++) {
                    x[i] = one[i] = (float) i * 0.31F - 9.7F;
                }
                k->act[c](x, x, n, cases[c].a, cases[c].b);
                for (size_t i = 0; i < n; i++) {
                    k->act[c](one + i, one + i, 1, cases[c].a, cases[c].b);
                }
                assert_memory_equal(x, one, sizeof x);
            }
        }
    }
}

static void exponentials_and_their_sum(void **state)
{
    (void) state;
    for (size_t s = 0; kernels_all[s]; s++) {
        const struct kernels *k = kernels_all[s];
        for (size_t n = 1; k->runs_here() && n < 70; n++) {
            float x[72] = {0}, y[72] = {0};
            double want = 0;
            for (size_t i = 0; i < n; i++) {
                x[i] = (float) i * 0.31F - 9.7F;
                want += exp((double) x[i] - 2.5);
            }
            assert_true(fabs((double) k->exp_sum(x, y, n, 2.5F) - want) < 1e-6 * want);
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs((double) y[i] - exp((double) x[i] - 2.5)) <= 1e-6 * (double) y[i]);
            }
            assert_true(y[n] == 0);
        }
    }
}

static void choosing(void **state)
{
    (void) state;
    assert_ptr_equal(kernels_find("plain"), &kernels_plain);
    assert_null(kernels_find("magic"));
    assert_false(kernels_use("magic"));
    assert_true(kernels_use("plain"));
    assert_ptr_equal(kernels(), &kernels_plain);
    assert_true(kernels_use(NULL));
    assert_true(kernels()->runs_here());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(lengths),
        cmocka_unit_test(exponentials_and_their_sum),
        cmocka_unit_test(choosing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
