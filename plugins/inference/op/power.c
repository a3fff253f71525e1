/* SPDX-License-Identifier: MPL-2.0 */
/* Pow. Base and exponent may be of different types; the result has the base's.
 *
 * A whole base to a whole exponent is exact and wraps around; to a negative exponent it is what 1 / x ^ -y rounds towards, 0 to a
 * negative exponent is 0. Exponents that models have as one number (2, 0.5 ...) are taken out of the loop. */
#include <math.h>

#include "binary.h"

static float pow_f32(float x, double y)
{
    return powf(x, (float) y);
}

static double pow_f64(double x, double y)
{
    return pow(x, y);
}

static int64_t pow_whole(int64_t base, int64_t exponent)
{
    if (exponent < 0) {
        return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
    }
    uint64_t result = 1, square = (uint64_t) base;
    for (uint64_t e = (uint64_t) exponent; e; e >>= 1) {
        result = e & 1 ? result * square : result;
        square *= square;
    }
    return (int64_t) result;
}

/* A whole base to a fraction: in doubles, and towards 0; what does not fit is the nearest that does. */
static int64_t pow_fraction(int64_t base, double exponent, double least, double over)
{
    double v = pow((double) base, exponent);
    if (v != v) {
        return 0;
    }
    return v < least ? (int64_t) least : v >= over ? (int64_t) ((uint64_t) over - 1) : (int64_t) v;
}

#define POW_WHOLE_i32    (int32_t) pow_whole(x, (int64_t) y)
#define POW_WHOLE_i64    pow_whole(x, (int64_t) y)
#define POW_FRACTION_i32 (int32_t) pow_fraction(x, (double) y, -0x1p31, 0x1p31)
#define POW_FRACTION_i64 pow_fraction(x, (double) y, -0x1p63, 0x1p63)

#define OF_FLOATS(e, D)                                                                                      \
    BINARY_KERNEL(pow_f32_##e, f32, f32, e, , pow_f32(x, (double) y))                                        \
    BINARY_KERNEL(pow_f64_##e, f64, f64, e, , pow_f64(x, (double) y))
#define TO_WHOLE(e, D)                                                                                       \
    BINARY_KERNEL(pow_i32_##e, i32, i32, e, , POW_WHOLE_i32)                                                 \
    BINARY_KERNEL(pow_i64_##e, i64, i64, e, , POW_WHOLE_i64)
#define TO_FRACTION(e, D)                                                                                    \
    BINARY_KERNEL(pow_i32_##e, i32, i32, e, , POW_FRACTION_i32)                                              \
    BINARY_KERNEL(pow_i64_##e, i64, i64, e, , POW_FRACTION_i64)
FOR_NUMERIC(OF_FLOATS)
FOR_INTEGER(TO_WHOLE)
FOR_FLOAT(TO_FRACTION)

#define ROW_F32(e, D) [D] = pow_f32_##e,
#define ROW_F64(e, D) [D] = pow_f64_##e,
#define ROW_I32(e, D) [D] = pow_i32_##e,
#define ROW_I64(e, D) [D] = pow_i64_##e,
static binary_fn *const table[DT_END][DT_END] = {
    [DT_F32] = {FOR_NUMERIC(ROW_F32)},
    [DT_F64] = {FOR_NUMERIC(ROW_F64)},
    [DT_I32] = {FOR_NUMERIC(ROW_I32)},
    [DT_I64] = {FOR_NUMERIC(ROW_I64)},
};

/* ---- exponents known while planning */

#define FIXED(NAME, EXPR32, EXPR64)                                                                          \
    BINARY_KERNEL(NAME##_f32, f32, f32, f32, LOOP, ((void) y, EXPR32))                                       \
    BINARY_KERNEL(NAME##_f64, f64, f64, f64, LOOP, ((void) y, EXPR64))
FIXED(one, x, x)
FIXED(square, x *x, x *x)
FIXED(cube, x *x *x, x *x *x)
FIXED(reciprocal, 1 / x, 1 / x)

static const struct {
    double exponent;
    binary_fn *f32, *f64;
} fixed[] = {
    {1, one_f32, one_f64},
    {2, square_f32, square_f64},
    {3, cube_f32, cube_f64},
    {-1, reciprocal_f32, reciprocal_f64},
};

static binary_fn *find_fixed(const struct step *s)
{
    const struct tensor *x = s->in[0], *y = s->in[1];
    if (!dtype_is_float(x->dtype) || y->dtype != x->dtype || !y->data || y->count != 1) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (tensor_number(y, 0) == fixed[i].exponent) {
            return x->dtype == DT_F32 ? fixed[i].f32 : fixed[i].f64;
        }
    }
    return NULL;
}

static int plan_pow(struct step *s)
{
    const enum dtype x = s->in[0]->dtype, y = s->in[1]->dtype;
    binary_fn *fn = find_fixed(s);
    fn = fn || x >= DT_END || y >= DT_END ? fn : table[x][y];
    if (!fn) {
        return step_fail(s, "inputs of types %s and %s are not supported", dtype_name(x), dtype_name(y));
    }
    return binary_plan_fn(s, fn, x);
}

static const struct op ops[] = {
    {"", "Pow", 7, 2, 2, 1, 1, plan_pow},
};

const struct op_table op_power = {ops, sizeof(ops) / sizeof(ops[0])};
