/* SPDX-License-Identifier: MPL-2.0 */
#include "tensor.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[DT_END] = {
    [DT_F32] = {"float32", 4}, [DT_U8] = {"uint8", 1},
    [DT_I8] = {"int8", 1},     [DT_U16] = {"uint16", 2},
    [DT_I16] = {"int16", 2},   [DT_I32] = {"int32", 4},
    [DT_I64] = {"int64", 8},   [DT_STRING] = {"string", sizeof(struct text)},
    [DT_BOOL] = {"bool", 1},   [DT_F16] = {"float16", 2},
    [DT_F64] = {"float64", 8}, [DT_U32] = {"uint32", 4},
    [DT_U64] = {"uint64", 8},  [DT_BF16] = {"bfloat16", 2},
};

static bool is_type(enum dtype dtype)
{
    return (unsigned) dtype < DT_END && types[dtype].size;
}

size_t dtype_size(enum dtype dtype)
{
    return is_type(dtype) ? types[dtype].size : 0;
}

const char *dtype_name(enum dtype dtype)
{
    return is_type(dtype) ? types[dtype].name : "no type";
}

bool dtype_is_float(enum dtype dtype)
{
    return dtype == DT_F32 || dtype == DT_F64;
}

bool tensor_set(struct tensor *t, enum dtype dtype, int rank, const int64_t *dims)
{
    if (!is_type(dtype) || rank < 0 || rank > TENSOR_RANK) {
        return false;
    }
    /* A dimension of 0 does not excuse others that are too large: whoever multiplies only some of them
     * must be safe. */
    int64_t product = (int64_t) types[dtype].size, count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || (dims[i] > 1 && product > INT64_MAX / 4 / dims[i])) {
            return false;
        }
        product *= dims[i] > 1 ? dims[i] : 1;
        count *= dims[i];
    }
    struct tensor made = {.dtype = dtype, .rank = rank, .count = count};
    if (rank) {
        memcpy(made.dims, dims, (size_t) rank * sizeof *dims);
    }
    *t = made;
    return true;
}

size_t tensor_bytes(const struct tensor *t)
{
    return (size_t) t->count * dtype_size(t->dtype);
}

bool tensor_same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && (!a->rank || !memcmp(a->dims, b->dims, (size_t) a->rank * sizeof *a->dims));
}

int64_t tensor_rows(const struct tensor *t, int axis)
{
    int64_t product = 1;
    for (int i = 0; i < axis; i++) {
        product *= t->dims[i];
    }
    return product;
}

int64_t tensor_inner(const struct tensor *t, int axis)
{
    int64_t product = 1;
    for (int i = axis; i < t->rank; i++) {
        product *= t->dims[i];
    }
    return product;
}

const char *tensor_text(const struct tensor *t, char *buffer, size_t bytes)
{
    int at = snprintf(buffer, bytes, "%s[", dtype_name(t->dtype));
    for (int i = 0; i < t->rank && at >= 0 && (size_t) at < bytes; i++) {
        at += snprintf(buffer + at, bytes - (size_t) at, t->dims[i] < 0 ? "%s?" : "%s%lld", i ? "," : "",
                       (long long) t->dims[i]);
    }
    if (at >= 0 && (size_t) at < bytes) {
        snprintf(buffer + at, bytes - (size_t) at, "]");
    }
    return buffer;
}

int64_t tensor_int(const struct tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_U8:
    case DT_BOOL:
        return ((const uint8_t *) t->data)[i];
    case DT_I8:
        return ((const int8_t *) t->data)[i];
    case DT_U16:
        return ((const uint16_t *) t->data)[i];
    case DT_I16:
        return ((const int16_t *) t->data)[i];
    case DT_U32:
        return ((const uint32_t *) t->data)[i];
    case DT_I32:
        return ((const int32_t *) t->data)[i];
    case DT_U64:
        return (int64_t) ((const uint64_t *) t->data)[i];
    case DT_I64:
        return ((const int64_t *) t->data)[i];
    default:
        return 0;
    }
}

double tensor_number(const struct tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_F32:
        return (double) ((const float *) t->data)[i];
    case DT_F64:
        return ((const double *) t->data)[i];
    case DT_F16:
        return (double) f16_to_f32(((const uint16_t *) t->data)[i]);
    case DT_BF16: {
        const uint32_t bits = (uint32_t) ((const uint16_t *) t->data)[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double) value;
    }
    case DT_U64:
        return (double) ((const uint64_t *) t->data)[i];
    default:
        return (double) tensor_int(t, i);
    }
}

float f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t) (half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff, bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000u | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else if (fraction) { /* subnormal there, normal here */
        exponent = 113;
        while (!(fraction & 0x400)) {
            fraction <<= 1;
            exponent--;
        }
        bits = sign | exponent << 23 | (fraction & 0x3ff) << 13;
    } else {
        bits = sign;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t f16_from_f32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) { /* a NaN stays one, quiet, with the bits that fit */
        return (uint16_t) (sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    }
    if (magnitude >= 0x477ff000) { /* 65520, halfway to what would be the next: infinity */
        return (uint16_t) (sign | 0x7c00);
    }
    uint32_t shift = 13, whole = magnitude - (112u << 23);
    if (magnitude < 113u << 23) { /* below 2^-14: subnormal */
        const uint32_t exponent = magnitude >> 23;
        if (exponent < 102) {
            return (uint16_t) sign;
        }
        shift = 126 - exponent;
        whole = (magnitude & 0x7fffff) | 0x800000;
    }
    const uint32_t half = 1u << (shift - 1), rest = whole & ((half << 1) - 1);
    uint32_t result = whole >> shift;
    result += rest > half || (rest == half && (result & 1));
    return (uint16_t) (sign | result);
}
