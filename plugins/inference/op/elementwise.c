/* SPDX-License-Identifier: MPL-2.0 */
/* Arithmetic of two or more inputs, element by element.
 *
 * Whole numbers wrap around. Where ONNX leaves the result open it is NumPy's, and nothing traps: a quotient or remainder by 0
 * is 0, the least number divided by -1 is itself. Max and Min give NaN when an input is NaN. */
#include <math.h>

#include "binary.h"

/* ---- kernels: NAME_tag for every element type an operator has */

#define WRAP(t, OP) ((U_##t) x OP(U_##t) y)

#define DIV_SIGNED(t)   (y == 0 ? 0 : y == -1 ? (C_##t)(0 - (U_##t) x) : x / y)
#define DIV_UNSIGNED(t) (y == 0 ? 0 : x / y)
#define REM_SIGNED(t)   (y == 0 || y == -1 ? 0 : x % y)
#define REM_UNSIGNED(t) (y == 0 ? 0 : x % y)
/* the sign of the divisor */
#define MOD_SIGNED(t) (y == 0 || y == -1 ? 0 : x % y && (x ^ y) < 0 ? x % y + y : x % y)
#define MAX_FLOAT     (x > y || x != x ? x : y)
#define MIN_FLOAT     (x < y || x != x ? x : y)

#define INTEGER(t, D)                                                                                        \
    BINARY_KERNEL(add_##t, t, t, t, LOOP, WRAP(t, +))                                                        \
    BINARY_KERNEL(sub_##t, t, t, t, LOOP, WRAP(t, -))                                                        \
    BINARY_KERNEL(mul_##t, t, t, t, LOOP, WRAP(t, *))                                                        \
    BINARY_KERNEL(max_##t, t, t, t, LOOP, x > y ? x : y)                                                     \
    BINARY_KERNEL(min_##t, t, t, t, LOOP, x < y ? x : y)
#define SIGNED(t, D)                                                                                         \
    BINARY_KERNEL(div_##t, t, t, t, , DIV_SIGNED(t))                                                         \
    BINARY_KERNEL(mod_##t, t, t, t, , MOD_SIGNED(t))                                                         \
    BINARY_KERNEL(rem_##t, t, t, t, , REM_SIGNED(t))
#define UNSIGNED(t, D)                                                                                       \
    BINARY_KERNEL(div_##t, t, t, t, , DIV_UNSIGNED(t))                                                       \
    BINARY_KERNEL(mod_##t, t, t, t, , REM_UNSIGNED(t))                                                       \
    BINARY_KERNEL(left_##t, t, t, t, , y < sizeof(x) * 8 ? (U_##t) x << y : 0)                               \
    BINARY_KERNEL(right_##t, t, t, t, , y < sizeof(x) * 8 ? (U_##t) x >> y : 0)
#define FLOATING(t, D)                                                                                       \
    BINARY_KERNEL(add_##t, t, t, t, LOOP, x + y)                                                             \
    BINARY_KERNEL(sub_##t, t, t, t, LOOP, x - y)                                                             \
    BINARY_KERNEL(mul_##t, t, t, t, LOOP, x *y)                                                              \
    BINARY_KERNEL(div_##t, t, t, t, LOOP, x / y)                                                             \
    BINARY_KERNEL(max_##t, t, t, t, LOOP, MAX_FLOAT)                                                         \
    BINARY_KERNEL(min_##t, t, t, t, LOOP, MIN_FLOAT)
FOR_INTEGER(INTEGER)
FOR_SIGNED(SIGNED)
FOR_UNSIGNED(UNSIGNED)
FOR_FLOAT(FLOATING)
FOR_HALF(FLOATING)
BINARY_KERNEL(rem_f16, f16, f16, f16, , fmodf(x, y))
BINARY_KERNEL(rem_f32, f32, f32, f32, , fmodf(x, y))
BINARY_KERNEL(rem_f64, f64, f64, f64, , fmod(x, y))

/* ---- rows by element type */

#define ROW_add(t, D)   [D] = add_##t,
#define ROW_sub(t, D)   [D] = sub_##t,
#define ROW_mul(t, D)   [D] = mul_##t,
#define ROW_div(t, D)   [D] = div_##t,
#define ROW_max(t, D)   [D] = max_##t,
#define ROW_min(t, D)   [D] = min_##t,
#define ROW_mod(t, D)   [D] = mod_##t,
#define ROW_rem(t, D)   [D] = rem_##t,
#define ROW_left(t, D)  [D] = left_##t,
#define ROW_right(t, D) [D] = right_##t,
#define ALL(NAME)                                                                                            \
    static binary_fn *const NAME[DT_END] = {FOR_NUMERIC(ROW_##NAME) FOR_HALF(ROW_##NAME)};                   \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        return binary_plan(s, NAME, DT_NONE);                                                                \
    }
ALL(add)
ALL(sub)
ALL(mul)
ALL(div)

static binary_fn *const max[DT_END] = {FOR_NUMERIC(ROW_max) FOR_HALF(ROW_max)};
static binary_fn *const min[DT_END] = {FOR_NUMERIC(ROW_min) FOR_HALF(ROW_min)};
static binary_fn *const sum[DT_END] = {FOR_FLOAT(ROW_add) FOR_HALF(ROW_add)};
static binary_fn *const mod[DT_END] = {FOR_INTEGER(ROW_mod)};
static binary_fn *const rem[DT_END] = {FOR_SIGNED(ROW_rem) FOR_UNSIGNED(ROW_mod) FOR_FLOAT(ROW_rem)
                                           FOR_HALF(ROW_rem)};
static binary_fn *const left[DT_END] = {FOR_UNSIGNED(ROW_left)};
static binary_fn *const right[DT_END] = {FOR_UNSIGNED(ROW_right)};

/* ---- of any number of inputs */

static int plan_many(struct step *s, binary_fn *const *fns)
{
    if (s->n_in > 1) {
        return binary_plan(s, fns, DT_NONE);
    }
    const struct tensor *in = s->in[0];
    if (in->dtype >= DT_END || !fns[in->dtype]) {
        return step_fail(s, "inputs of type %s are not supported", dtype_name(in->dtype));
    }
    s->alias = 0;
    return step_output(s, 0, in->dtype, in->rank, in->dims);
}

static int plan_max(struct step *s)
{
    return plan_many(s, max);
}

static int plan_min(struct step *s)
{
    return plan_many(s, min);
}

static int plan_sum(struct step *s)
{
    return plan_many(s, sum);
}

struct mean {
    run_fn *sum;
    void *state; /* of sum */
};

static int run_mean(const struct step *s, struct run *r)
{
    const struct mean *m = s->state;
    struct step inner = *s;
    inner.state = m->state;
    int rc = m->sum(&inner, r);
    const struct tensor *out = s->out[0];
    const double n64 = s->n_in;
    const float n32 = (float) s->n_in;
    if (rc == KILN_OK && out->count > 0) {
        div[out->dtype](out->data, out->data, out->dtype == DT_F64 ? (const void *) &n64 : &n32, out->count,
                        1, 0);
    }
    return rc;
}

static int plan_mean(struct step *s)
{
    if (s->in[0]->dtype == DT_F16) {
        return step_fail(s, "inputs of type float16 are not supported");
    }
    int rc = plan_many(s, sum);
    if (rc || s->n_in == 1 || !s->out[0]) {
        return rc;
    }
    struct mean *m = plan_alloc(s->plan, sizeof(*m));
    if (!m) {
        return KILN_RESOURCE;
    }
    *m = (struct mean){s->run, s->state};
    s->run = run_mean;
    s->state = m;
    return KILN_OK;
}

static int plan_mod(struct step *s)
{
    bool c = step_int(s, "fmod", 0) != 0;
    if (!c && (dtype_is_float(s->in[0]->dtype) || s->in[0]->dtype == DT_F16)) {
        return step_fail(s, "attribute fmod is 0, expected 1 for inputs of type %s",
                         dtype_name(s->in[0]->dtype));
    }
    return binary_plan(s, c ? rem : mod, DT_NONE);
}

static int plan_shift(struct step *s)
{
    struct text to = step_text(s, "direction", "");
    if (!text_is(to, "LEFT") && !text_is(to, "RIGHT")) {
        return step_fail(s, "attribute direction is \"%.*s\", expected LEFT or RIGHT",
                         (int) (to.bytes < 20 ? to.bytes : 20), to.chars);
    }
    return binary_plan(s, text_is(to, "LEFT") ? left : right, DT_NONE);
}

/* ---- bits */

#define BITS(t, D)                                                                                           \
    BINARY_KERNEL(and_##t, t, t, t, LOOP, (x & y))                                                           \
    BINARY_KERNEL(or_##t, t, t, t, LOOP, (x | y))                                                            \
    BINARY_KERNEL(xor_##t, t, t, t, LOOP, (x ^ y))
FOR_UNSIGNED(BITS)
/* signs do not matter to bits */
#define ROW_BITS(NAME)                                                                                       \
    static binary_fn *const bits_##NAME[DT_END] = {                                                          \
        [DT_I8] = NAME##_u8,   [DT_U8] = NAME##_u8,   [DT_I16] = NAME##_u16, [DT_U16] = NAME##_u16,          \
        [DT_I32] = NAME##_u32, [DT_U32] = NAME##_u32, [DT_I64] = NAME##_u64, [DT_U64] = NAME##_u64};         \
    static int plan_bits_##NAME(struct step *s)                                                              \
    {                                                                                                        \
        return binary_plan(s, bits_##NAME, DT_NONE);                                                         \
    }
ROW_BITS(and)
ROW_BITS(or)
ROW_BITS(xor)

static const struct op ops[] = {
    {"", "Add", 7, 2, 2, 1, 1, plan_add},
    {"", "Sub", 7, 2, 2, 1, 1, plan_sub},
    {"", "Mul", 7, 2, 2, 1, 1, plan_mul},
    {"", "Div", 7, 2, 2, 1, 1, plan_div},
    {"", "Mod", 10, 2, 2, 1, 1, plan_mod},
    {"", "Max", 1, 1, -1, 1, 1, plan_max},
    {"", "Min", 1, 1, -1, 1, 1, plan_min},
    {"", "Sum", 1, 1, -1, 1, 1, plan_sum},
    {"", "Mean", 1, 1, -1, 1, 1, plan_mean},
    {"", "BitShift", 11, 2, 2, 1, 1, plan_shift},
    {"", "BitwiseAnd", 18, 2, 2, 1, 1, plan_bits_and},
    {"", "BitwiseOr", 18, 2, 2, 1, 1, plan_bits_or},
    {"", "BitwiseXor", 18, 2, 2, 1, 1, plan_bits_xor},
};

const struct op_table op_elementwise = {ops, sizeof(ops) / sizeof(ops[0])};
