/* SPDX-License-Identifier: MPL-2.0 */
/* Functions of one number: signs and roundings, roots and powers, circular and hyperbolic ones, tests and complements. */
#include <math.h>

#include "../kernel/act.h"
#include "unary.h"

/* ---- kernels */

#define SIGNED(t, D)                                                                                         \
    UNARY_KERNEL(abs_##t, t, t, LOOP, x < 0 ? 0 - (U_##t) x : (U_##t) x)                                     \
    UNARY_KERNEL(neg_##t, t, t, LOOP, 0 - (U_##t) x)                                                         \
    UNARY_KERNEL(sign_##t, t, t, LOOP, (x > 0) - (x < 0))
#define UNSIGNED(t, D)                                                                                       \
    UNARY_KERNEL(abs_##t, t, t, LOOP, x)                                                                     \
    UNARY_KERNEL(sign_##t, t, t, LOOP, x > 0)                                                                \
    UNARY_KERNEL(complement_##t, t, t, LOOP, ~(U_##t) x)
#define FLOATING(t, D)                                                                                       \
    UNARY_KERNEL(neg_##t, t, t, LOOP, -x)                                                                    \
    UNARY_KERNEL(sign_##t, t, t, LOOP, x > 0 ? 1 : x < 0 ? -1 : x)                                           \
    UNARY_KERNEL(reciprocal_##t, t, t, LOOP, 1 / x)                                                          \
    UNARY_KERNEL(is_nan_##t, b8, t, LOOP, x != x)
FOR_SIGNED(SIGNED)
FOR_UNSIGNED(UNSIGNED)
FOR_FLOAT(FLOATING)
UNARY_KERNEL(not_b8, b8, b8, LOOP, !x)

/* name, function of doubles, function of floats */
#define FOR_FUNCTION(X)                                                                                      \
    X(sqrt, sqrt, sqrtf)                                                                                     \
    X(log, log, logf)                                                                                        \
    X(floor, floor, floorf)                                                                                  \
    X(ceil, ceil, ceilf)                                                                                     \
    X(round, rint, rintf)                                                                                    \
    X(sin, sin, sinf)                                                                                        \
    X(cos, cos, cosf)                                                                                        \
    X(tan, tan, tanf)                                                                                        \
    X(asin, asin, asinf)                                                                                     \
    X(acos, acos, acosf)                                                                                     \
    X(atan, atan, atanf)                                                                                     \
    X(sinh, sinh, sinhf)                                                                                     \
    X(cosh, cosh, coshf)                                                                                     \
    X(asinh, asinh, asinhf)                                                                                  \
    X(acosh, acosh, acoshf)                                                                                  \
    X(atanh, atanh, atanhf)
#define FUNCTION(NAME, F64, F32)                                                                             \
    UNARY_KERNEL(NAME##_f32, f32, f32, LOOP, F32(x))                                                         \
    UNARY_KERNEL(NAME##_f64, f64, f64, LOOP, F64(x))
FOR_FUNCTION(FUNCTION)
FUNCTION(abs, fabs, fabsf)

static void exp_f32(void *out, const void *in, int64_t n, const struct unary_params *p)
{
    (void) p;
    act_map(ACT_EXP, in, out, (size_t) n, 0, 0);
}

static void erf_f32(void *out, const void *in, int64_t n, const struct unary_params *p)
{
    (void) p;
    act_map(ACT_ERF, in, out, (size_t) n, 0, 0);
}

UNARY_KERNEL(exp_f64, f64, f64, , exp(x))
UNARY_KERNEL(erf_f64, f64, f64, , erf(x))

/* a: whether the negative one counts, b: the positive one */
UNARY_KERNEL(is_inf_f32, b8, f32, , (a != 0 && x == -HUGE_VALF) || (b != 0 && x == HUGE_VALF))
UNARY_KERNEL(is_inf_f64, b8, f64, , (a != 0 && x == -HUGE_VAL) || (b != 0 && x == HUGE_VAL))

/* ---- plans */

#define PLAN(NAME, RESULT, ...)                                                                              \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        static unary_fn *const fns[DT_END] = {__VA_ARGS__};                                                  \
        return unary_plan(s, fns, RESULT, 0, 0);                                                             \
    }
#define PLAN_FLOATS(NAME, RESULT)     PLAN(NAME, RESULT, [DT_F32] = NAME##_f32, [DT_F64] = NAME##_f64)
#define PLAN_FUNCTION(NAME, F64, F32) PLAN_FLOATS(NAME, DT_NONE)
FOR_FUNCTION(PLAN_FUNCTION)
PLAN_FLOATS(exp, DT_NONE)
PLAN_FLOATS(erf, DT_NONE)
PLAN_FLOATS(reciprocal, DT_NONE)
PLAN_FLOATS(is_nan, DT_BOOL)
PLAN(not, DT_NONE, [DT_BOOL] = not_b8)

#define ROW_abs(t, D)        [D] = abs_##t,
#define ROW_neg(t, D)        [D] = neg_##t,
#define ROW_sign(t, D)       [D] = sign_##t,
#define ROW_complement(t, D) [D] = complement_##t,
PLAN(abs, DT_NONE, FOR_NUMERIC(ROW_abs))
PLAN(neg, DT_NONE, FOR_SIGNED(ROW_neg) FOR_FLOAT(ROW_neg))
PLAN(sign, DT_NONE, FOR_NUMERIC(ROW_sign))
/* signs do not matter to bits */
PLAN(complement, DT_NONE, FOR_UNSIGNED(ROW_complement)[DT_I8] = complement_u8, [DT_I16] = complement_u16,
     [DT_I32] = complement_u32, [DT_I64] = complement_u64)

static int plan_is_inf(struct step *s)
{
    static unary_fn *const fns[DT_END] = {[DT_F32] = is_inf_f32, [DT_F64] = is_inf_f64};
    return unary_plan(s, fns, DT_BOOL, step_int(s, "detect_negative", 1) != 0,
                      step_int(s, "detect_positive", 1) != 0);
}

static const struct op ops[] = {
    {"", "Abs", 6, 1, 1, 1, 1, plan_abs},      {"", "Neg", 6, 1, 1, 1, 1, plan_neg},
    {"", "Sign", 9, 1, 1, 1, 1, plan_sign},    {"", "Sqrt", 6, 1, 1, 1, 1, plan_sqrt},
    {"", "Exp", 6, 1, 1, 1, 1, plan_exp},      {"", "Log", 6, 1, 1, 1, 1, plan_log},
    {"", "Erf", 9, 1, 1, 1, 1, plan_erf},      {"", "Reciprocal", 6, 1, 1, 1, 1, plan_reciprocal},
    {"", "Floor", 6, 1, 1, 1, 1, plan_floor},  {"", "Ceil", 6, 1, 1, 1, 1, plan_ceil},
    {"", "Round", 11, 1, 1, 1, 1, plan_round}, {"", "Sin", 7, 1, 1, 1, 1, plan_sin},
    {"", "Cos", 7, 1, 1, 1, 1, plan_cos},      {"", "Tan", 7, 1, 1, 1, 1, plan_tan},
    {"", "Asin", 7, 1, 1, 1, 1, plan_asin},    {"", "Acos", 7, 1, 1, 1, 1, plan_acos},
    {"", "Atan", 7, 1, 1, 1, 1, plan_atan},    {"", "Sinh", 9, 1, 1, 1, 1, plan_sinh},
    {"", "Cosh", 9, 1, 1, 1, 1, plan_cosh},    {"", "Asinh", 9, 1, 1, 1, 1, plan_asinh},
    {"", "Acosh", 9, 1, 1, 1, 1, plan_acosh},  {"", "Atanh", 9, 1, 1, 1, 1, plan_atanh},
    {"", "IsNaN", 9, 1, 1, 1, 1, plan_is_nan}, {"", "IsInf", 10, 1, 1, 1, 1, plan_is_inf},
    {"", "Not", 1, 1, 1, 1, 1, plan_not},      {"", "BitwiseNot", 18, 1, 1, 1, 1, plan_complement},
};

const struct op_table op_maths = {ops, sizeof(ops) / sizeof(ops[0])};
