/* SPDX-License-Identifier: MPL-2.0 */
/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. Scales are one for all elements, or one for each index of an axis or
 * for each block of indices. */
#include <math.h>
#include <string.h>

#include "../kernel/act.h"
#include "../kernel/int8.h"
#include "quantized.h"

struct quantize {
    size_t rows, length, inner; /* elements before, along and after the axis */
    size_t block;               /* indices of the axis that share a scale */
    double low, high;           /* of the output's type */
    struct int8_type type;      /* low and high; all of it where there is one scale and it is known */
};

bool quantized_range(enum dtype dtype, double *ret_low, double *ret_high)
{
    static const struct {
        enum dtype dtype;
        double low, high;
    } ranges[] = {{DT_U8, 0, 255},
                  {DT_I8, -128, 127},
                  {DT_U16, 0, 65535},
                  {DT_I16, -32768, 32767},
                  {DT_I32, INT32_MIN, INT32_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (ranges[i].dtype == dtype) {
            *ret_low = ranges[i].low;
            *ret_high = ranges[i].high;
            return true;
        }
    }
    return false;
}

static size_t scale_index(const struct quantize *p, size_t row, size_t i, size_t j)
{
    if (p->block == 0) {
        return 0;
    }
    const size_t blocks = (p->length + p->block - 1) / p->block;
    return p->block == 1 ? i : (row * blocks + i / p->block) * p->inner + j;
}

static void set_whole(const struct tensor *t, size_t at, int64_t value)
{
    const uint16_t two = (uint16_t) value;
    const uint32_t four = (uint32_t) value;
    if (dtype_size(t->dtype) == 1) {
        ((uint8_t *) t->data)[at] = (uint8_t) value;
    } else if (dtype_size(t->dtype) == 2) {
        memcpy((char *) t->data + at * 2, &two, 2);
    } else {
        memcpy((char *) t->data + at * 4, &four, 4);
    }
}

/* One row of elements that share a scale, in bytes: the case that matters. */
static int run_quantize(const struct step *s, struct run *r)
{
    (void) r;
    const struct quantize *p = s->state;
    const struct tensor *x = s->in[0], *scale = s->in[1], *zero = s->n_in > 2 ? s->in[2] : NULL;
    const bool fast = x->dtype == DT_F32 && dtype_size(s->out[0]->dtype) == 1;
    for (size_t row = 0, at = 0; row < p->rows; row++) {
        for (size_t i = 0; i < p->length; i++) {
            const size_t first = scale_index(p, row, i, 0);
            if (fast && p->block <= 1) {
                struct int8_type type = p->type;
                if (!type.product) {
                    type.scale = ((const float *) scale->data)[first];
                    type.zero = zero ? (float) tensor_int(zero, (int64_t) first) : 0;
                }
                int8_quantize((const float *) x->data + at, p->inner, &type, (char *) s->out[0]->data + at);
                at += p->inner;
                continue;
            }
            for (size_t j = 0; j < p->inner; j++, at++) {
                const int64_t k = (int64_t) scale_index(p, row, i, j);
                /* divided as floats, as its scale is one: what lies half-way depends on that */
                const float divided =
                    (float) tensor_number(x, (int64_t) at) / (float) tensor_number(scale, k);
                double y = nearbyint((double) divided) + (zero ? (double) tensor_int(zero, k) : 0);
                y = y >= p->low ? y : p->low; /* NaN as well */
                set_whole(s->out[0], at, (int64_t) (y <= p->high ? y : p->high));
            }
        }
    }
    return KILN_OK;
}

static void dequantize_row(const struct tensor *x, size_t at, size_t n, float scale, int64_t zero, float *y)
{
    if (x->dtype == DT_U8) {
        const uint8_t *from = (const uint8_t *) x->data + at;
        for (size_t i = 0; i < n; i++) {
            y[i] = (float) (from[i] - (int32_t) zero) * scale;
        }
    } else if (x->dtype == DT_I8) {
        const int8_t *from = (const int8_t *) x->data + at;
        for (size_t i = 0; i < n; i++) {
            y[i] = (float) (from[i] - (int32_t) zero) * scale;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            y[i] = (float) (tensor_int(x, (int64_t) (at + i)) - zero) * scale;
        }
    }
}

static int run_dequantize(const struct step *s, struct run *r)
{
    (void) r;
    const struct quantize *p = s->state;
    const float *scale = s->in[1]->data;
    const struct tensor *zero = s->n_in > 2 ? s->in[2] : NULL;
    const size_t each = p->block <= 1 ? p->inner : 1;
    for (size_t row = 0, at = 0; row < p->rows; row++) {
        for (size_t i = 0; i < p->length; i++) {
            for (size_t j = 0; j < p->inner; j += each, at += each) {
                const size_t k = scale_index(p, row, i, j);
                dequantize_row(s->in[0], at, each, scale[k], zero ? tensor_int(zero, (int64_t) k) : 0,
                               (float *) s->out[0]->data + at);
            }
        }
    }
    return KILN_OK;
}

/* Which scale each element has. */
static int plan_scales(struct step *s, struct quantize *p)
{
    const struct tensor *x = s->in[0], *scale = s->in[1], *zero = s->n_in > 2 ? s->in[2] : NULL;
    char shape[80];
    if (zero && zero->count != scale->count) {
        return step_fail(s, "zero point is %s, expected %lld elements as the scale has",
                         tensor_text(zero, shape, sizeof shape), (long long) scale->count);
    }
    const int axis = axis_of(step_int(s, "axis", 1), x->rank);
    const int64_t block = step_int(s, "block_size", 0);
    if (scale->count == 1 && block == 0) {
        *p = (struct quantize){.rows = 1, .length = 1, .inner = (size_t) x->count};
        return KILN_OK;
    }
    if (axis < 0) {
        return step_fail(s, "axis is %lld, expected one of %d", (long long) step_int(s, "axis", 1), x->rank);
    }
    *p = (struct quantize){.rows = (size_t) tensor_rows(x, axis),
                           .length = (size_t) x->dims[axis],
                           .inner = (size_t) tensor_inner(x, axis + 1)};
    p->block = block > 1 ? (size_t) block : 1;
    int64_t want = x->dims[axis];
    bool fits = scale->rank == 1 && scale->count == want;
    if (block < 0) {
        return step_fail(s, "attribute block_size is %lld, expected 0 or more", (long long) block);
    }
    if (block > 0) {
        want = (want + block - 1) / block;
        fits = scale->rank == x->rank;
        for (int i = 0; fits && i < x->rank; i++) {
            fits = scale->dims[i] == (i == axis ? want : x->dims[i]);
        }
        if (block == 1) { /* then every element has one */
            *p = (struct quantize){.rows = 1, .length = (size_t) x->count, .inner = 1, .block = 1};
        }
    }
    return fits ? KILN_OK
                : step_fail(s, "scale is %s, expected one number or %lld along axis %d",
                            tensor_text(scale, shape, sizeof shape), (long long) want, axis);
}

/* An attribute that names a type, where only one will do. */
static int check_type(struct step *s, const char *name, enum dtype expected)
{
    const int64_t given = step_int(s, name, 0);
    return given == 0 || given == (int64_t) expected
               ? KILN_OK
               : step_fail(s, "attribute %s is type %lld, expected %d, %s", name, (long long) given,
                           (int) expected, dtype_name(expected));
}

static int plan_quantize(struct step *s)
{
    struct quantize *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    const struct tensor *x = s->in[0], *zero = s->n_in > 2 ? s->in[2] : NULL;
    const int64_t wanted = step_int(s, "output_dtype", 0);
    const enum dtype dtype = zero ? zero->dtype : wanted ? (enum dtype) wanted : DT_U8;
    double low, high;
    if ((x->dtype != DT_F32 && x->dtype != DT_I32 && x->dtype != DT_F16 && x->dtype != DT_BF16) ||
        s->in[1]->dtype != (x->dtype == DT_I32 ? DT_F32 : x->dtype)) {
        return step_fail(s, "input is %s with a scale of %s, expected float32 or int32 with float32",
                         dtype_name(x->dtype), dtype_name(s->in[1]->dtype));
    }
    if (!quantized_range(dtype, &low, &high) || dtype == DT_I32) {
        return step_fail(s, "output would be %s, expected uint8, int8, uint16 or int16", dtype_name(dtype));
    }
    int status = zero ? check_type(s, "output_dtype", zero->dtype) : KILN_OK;
    status = status ? status : check_type(s, "precision", DT_F32);
    status = status ? status : plan_scales(s, p);
    if (status != KILN_OK) {
        return status;
    }
    p->low = low;
    p->high = high;
    p->type = (struct int8_type){.low = (float) low, .high = (float) high};
    if (p->block == 0 && dtype_size(dtype) == 1 && x->dtype == DT_F32 && s->in[1]->data &&
        (!zero || zero->data)) {
        p->type.scale = *(const float *) s->in[1]->data;
        p->type.zero = zero ? (float) tensor_int(zero, 0) : 0;
        int8_type_fast(&p->type);
    }
    s->state = p;
    s->run = run_quantize;
    return step_output(s, 0, dtype, x->rank, x->dims);
}

static int plan_dequantize(struct step *s)
{
    struct quantize *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    const struct tensor *x = s->in[0], *zero = s->n_in > 2 ? s->in[2] : NULL;
    double low, high;
    if (!quantized_range(x->dtype, &low, &high) || s->in[1]->dtype != DT_F32 ||
        (zero && zero->dtype != x->dtype)) {
        return step_fail(
            s, "input is %s with a scale of %s, expected a whole number of 8, 16 or 32 bits with float32",
            dtype_name(x->dtype), dtype_name(s->in[1]->dtype));
    }
    int status = check_type(s, "output_dtype", DT_F32);
    status = status ? status : plan_scales(s, p);
    if (status != KILN_OK) {
        return status;
    }
    s->state = p;
    s->run = run_dequantize;
    return step_output(s, 0, DT_F32, x->rank, x->dims);
}

/* y, its scale and its zero point: 0 is always among the numbers that can be said exactly. */
static int run_dynamic(const struct step *s, struct run *r)
{
    (void) r;
    const float *x = s->in[0]->data;
    float least = 0, most = 0;
    for (int64_t i = 0; i < s->in[0]->count; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    const float scale = least == most ? 1 : (most - least) / 255,
                zero = nearbyintf(fminf(fmaxf(-least / scale, 0), 255));
    const struct int8_type type = {.scale = scale, .zero = zero, .high = 255};
    int8_quantize(x, (size_t) s->in[0]->count, &type, s->out[0]->data);
    if (s->out[1]) {
        *(float *) s->out[1]->data = scale;
    }
    if (s->out[2]) {
        *(uint8_t *) s->out[2]->data = (uint8_t) zero;
    }
    return KILN_OK;
}

static int plan_dynamic(struct step *s)
{
    if (s->in[0]->dtype != DT_F32) {
        return step_fail(s, "input is %s, expected float32", dtype_name(s->in[0]->dtype));
    }
    s->run = run_dynamic;
    int status = step_output(s, 0, DT_U8, s->in[0]->rank, s->in[0]->dims);
    if (status == KILN_OK && s->n_out > 1) {
        status = step_output(s, 1, DT_F32, 0, NULL);
    }
    return status == KILN_OK && s->n_out > 2 ? step_output(s, 2, DT_U8, 0, NULL) : status;
}

static const struct op ops[] = {
    {"", "QuantizeLinear", 10, 2, 3, 1, 1, plan_quantize},
    {"", "DequantizeLinear", 10, 2, 3, 1, 1, plan_dequantize},
    {"", "DynamicQuantizeLinear", 11, 1, 1, 3, 3, plan_dynamic},
};

const struct op_table op_quantize = {ops, sizeof ops / sizeof *ops};
