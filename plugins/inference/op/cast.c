/* SPDX-License-Identifier: MPL-2.0 */
/* Cast and CastLike between numbers and truth values.
 *
 * To whole numbers, fractions are cut off; what does not fit becomes the nearest that does, NaN becomes 0: ONNX leaves that open.
 * Whole numbers to narrower ones keep their low bits. Anything but 0 is true. */
#include <string.h>

#include "loop.h"
#include "../op.h"

typedef void cast_fn(void *out, const void *in, int64_t n);

static float bf16_widen(uint16_t bits)
{
    const uint32_t wide = (uint32_t) bits << 16;
    float v;
    memcpy(&v, &wide, sizeof(v));
    return v;
}

static uint16_t bf16_narrow(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    if (v != v) {
        return (uint16_t) ((bits >> 16) | 0x40); /* stays a NaN */
    }
    return (uint16_t) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16); /* the nearest, to even */
}

typedef uint16_t T_bf16;
typedef float C_bf16;
#define LD_bf16(v) bf16_widen(v)

/* ---- to each type from a float or double v; from a whole number v */

#define FIT(t, v, LOW, OVER)                                                                                 \
    ((v) != (v) ? 0 : (double) (v) <= (LOW) ? LEAST_##t : (double) (v) >= (OVER) ? MOST_##t : (T_##t)(v))
#define REAL_i8(v)   FIT(i8, v, -0x1p7, 0x1p7)
#define REAL_i16(v)  FIT(i16, v, -0x1p15, 0x1p15)
#define REAL_i32(v)  FIT(i32, v, -0x1p31, 0x1p31)
#define REAL_i64(v)  FIT(i64, v, -0x1p63, 0x1p63)
#define REAL_u8(v)   FIT(u8, v, 0, 0x1p8)
#define REAL_u16(v)  FIT(u16, v, 0, 0x1p16)
#define REAL_u32(v)  FIT(u32, v, 0, 0x1p32)
#define REAL_u64(v)  FIT(u64, v, 0, 0x1p64)
#define REAL_f32(v)  (float) (v)
#define REAL_f64(v)  (double) (v)
#define REAL_f16(v)  f16_from_f32((float) (v))
#define REAL_bf16(v) bf16_narrow((float) (v))
#define REAL_b8(v)   ((v) != 0)

#define WHOLE_i8(v)   (int8_t)(v)
#define WHOLE_i16(v)  (int16_t)(v)
#define WHOLE_i32(v)  (int32_t)(v)
#define WHOLE_i64(v)  (int64_t)(v)
#define WHOLE_u8(v)   (uint8_t)(v)
#define WHOLE_u16(v)  (uint16_t)(v)
#define WHOLE_u32(v)  (uint32_t)(v)
#define WHOLE_u64(v)  (uint64_t)(v)
#define WHOLE_f32(v)  REAL_f32(v)
#define WHOLE_f64(v)  REAL_f64(v)
#define WHOLE_f16(v)  REAL_f16(v)
#define WHOLE_bf16(v) REAL_bf16(v)
#define WHOLE_b8(v)   REAL_b8(v)

#define CAST(FROM, TO, HOW)                                                                                  \
    static void cast_##FROM##_##TO(void *out, const void *in, int64_t n)                                     \
    {                                                                                                        \
        const T_##FROM *x = in;                                                                              \
        T_##TO *y = out;                                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const C_##FROM v = LD_##FROM(x[i]);                                                              \
            y[i] = HOW##_##TO(v);                                                                            \
        }                                                                                                    \
    }
#define CAST_ALL(FROM, HOW)                                                                                  \
    CAST(FROM, i8, HOW)                                                                                      \
    CAST(FROM, i16, HOW)                                                                                     \
    CAST(FROM, i32, HOW)                                                                                     \
    CAST(FROM, i64, HOW)                                                                                     \
    CAST(FROM, u8, HOW)                                                                                      \
    CAST(FROM, u16, HOW)                                                                                     \
    CAST(FROM, u32, HOW)                                                                                     \
    CAST(FROM, u64, HOW)                                                                                     \
    CAST(FROM, f32, HOW)                                                                                     \
    CAST(FROM, f64, HOW)                                                                                     \
    CAST(FROM, f16, HOW)                                                                                     \
    CAST(FROM, bf16, HOW)                                                                                    \
    CAST(FROM, b8, HOW)
CAST_ALL(i8, WHOLE)
CAST_ALL(i16, WHOLE)
CAST_ALL(i32, WHOLE)
CAST_ALL(i64, WHOLE)
CAST_ALL(u8, WHOLE)
CAST_ALL(u16, WHOLE)
CAST_ALL(u32, WHOLE)
CAST_ALL(u64, WHOLE)
CAST_ALL(b8, WHOLE)
CAST_ALL(f32, REAL)
CAST_ALL(f64, REAL)
CAST_ALL(f16, REAL)
CAST_ALL(bf16, REAL)

#define FROM(t)                                                                                              \
    {                                                                                                        \
        [DT_I8] = cast_##t##_i8, [DT_I16] = cast_##t##_i16, [DT_I32] = cast_##t##_i32,                       \
        [DT_I64] = cast_##t##_i64, [DT_U8] = cast_##t##_u8, [DT_U16] = cast_##t##_u16,                       \
        [DT_U32] = cast_##t##_u32, [DT_U64] = cast_##t##_u64, [DT_F32] = cast_##t##_f32,                     \
        [DT_F64] = cast_##t##_f64, [DT_F16] = cast_##t##_f16, [DT_BF16] = cast_##t##_bf16,                   \
        [DT_BOOL] = cast_##t##_b8,                                                                           \
    }
static cast_fn *const casts[DT_END][DT_END] = {
    [DT_I8] = FROM(i8),   [DT_I16] = FROM(i16), [DT_I32] = FROM(i32), [DT_I64] = FROM(i64),
    [DT_U8] = FROM(u8),   [DT_U16] = FROM(u16), [DT_U32] = FROM(u32), [DT_U64] = FROM(u64),
    [DT_F32] = FROM(f32), [DT_F64] = FROM(f64), [DT_F16] = FROM(f16), [DT_BF16] = FROM(bf16),
    [DT_BOOL] = FROM(b8),
};

struct cast {
    cast_fn *fn;
};

static int run_cast(const struct step *s, struct run *r)
{
    const struct cast *c = s->state;
    (void) r;
    c->fn(s->out[0]->data, s->in[0]->data, s->out[0]->count);
    return KILN_OK;
}

static int plan_to(struct step *s, int64_t to)
{
    const struct tensor *x = s->in[0];
    if (to == (int64_t) x->dtype) {
        s->alias = 0;
        return step_output(s, 0, x->dtype, x->rank, x->dims);
    }
    cast_fn *fn = x->dtype < DT_END && to >= 0 && to < DT_END ? casts[x->dtype][to] : NULL;
    if (!fn) {
        return step_fail(s, "a cast of %s to type %lld is not supported", dtype_name(x->dtype),
                         (long long) to);
    }
    struct cast *c = plan_alloc(s->plan, sizeof(*c));
    if (!c) {
        return KILN_RESOURCE;
    }
    c->fn = fn;
    s->state = c;
    s->run = run_cast;
    s->inplace = dtype_size(x->dtype) == dtype_size((enum dtype) to) ? 0 : -1;
    return step_output(s, 0, (enum dtype) to, x->rank, x->dims);
}

static int plan_cast(struct step *s)
{
    return plan_to(s, step_int(s, "to", DT_NONE));
}

static int plan_cast_like(struct step *s)
{
    return plan_to(s, (int64_t) s->in[1]->dtype);
}

/* The same bits under another type. */
static int plan_bit_cast(struct step *s)
{
    const struct tensor *x = s->in[0];
    const int64_t to = step_int(s, "to", DT_NONE);
    const enum dtype dtype = to >= 0 && to < DT_END ? (enum dtype) to : DT_NONE;
    if (!dtype_size(dtype) || dtype == DT_STRING || x->dtype == DT_STRING || dtype == DT_BOOL ||
        dtype_size(dtype) != dtype_size(x->dtype)) {
        return step_fail(s, "the bits of %s cannot be of type %lld: expected a number with as many bits",
                         dtype_name(x->dtype), (long long) to);
    }
    s->alias = 0;
    return step_output(s, 0, dtype, x->rank, x->dims);
}

static const struct op ops[] = {
    {"", "Cast", 6, 1, 1, 1, 1, plan_cast},
    {"", "CastLike", 15, 2, 2, 1, 1, plan_cast_like},
    {"", "BitCast", 26, 1, 1, 1, 1, plan_bit_cast},
};

const struct op_table op_cast = {ops, sizeof(ops) / sizeof(ops[0])};
