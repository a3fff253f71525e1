/* SPDX-License-Identifier: MPL-2.0 */
/* tensor - an array of an ONNX graph: element type, shape, and where its elements are.
 *
 * Elements lie in C order without gaps, at an address that is a multiple of 64 when this plugin chose it.
 * A tensor with a dimension of 0 has no elements and may have data NULL. Numbers of element types are
 * ONNX's own. */
#ifndef INFERENCE_TENSOR_H
#define INFERENCE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_RANK = 8 };

/* TensorProto.DataType of the ONNX schema. */
enum dtype {
    DT_NONE = 0,
    DT_F32 = 1,
    DT_U8 = 2,
    DT_I8 = 3,
    DT_U16 = 4,
    DT_I16 = 5,
    DT_I32 = 6,
    DT_I64 = 7,
    DT_STRING = 8, /* elements are struct text; their characters live as long as the model */
    DT_BOOL = 9,   /* bytes, 0 or 1 */
    DT_F16 = 10,   /* bits in a uint16_t: converted by Cast, computed with by nothing */
    DT_F64 = 11,
    DT_U32 = 12,
    DT_U64 = 13,
    DT_BF16 = 16, /* as DT_F16 */
    DT_END
};

struct text {
    const char *chars; /* not terminated; those of a model's file are, too */
    size_t bytes;
};

struct tensor {
    enum dtype dtype;
    int rank;
    int64_t dims[TENSOR_RANK];
    int64_t count; /* the product of dims; 1 for rank 0 */
    void *data;    /* while planning: NULL unless the elements are known already */
};

size_t dtype_size(enum dtype dtype);      /* 0 for what is no type */
const char *dtype_name(enum dtype dtype); /* "float32", as NumPy says it */
bool dtype_is_float(enum dtype dtype);    /* F32, F64 */

/* Sets dtype, rank, dims and count; data becomes NULL. false when a dimension is negative, the rank is over
 * TENSOR_RANK, or count * size exceeds INT64_MAX / 4. dims may be NULL when rank is 0. */
bool tensor_set(struct tensor *t, enum dtype dtype, int rank, const int64_t *dims);
size_t tensor_bytes(const struct tensor *t);
bool tensor_same_shape(const struct tensor *a, const struct tensor *b);
int64_t tensor_rows(const struct tensor *t, int axis);  /* product of dims[0 .. axis-1] */
int64_t tensor_inner(const struct tensor *t, int axis); /* product of dims[axis ..] */
/* "float32[2,3]", for messages; cut to the buffer. */
const char *tensor_text(const struct tensor *t, char *buffer, size_t bytes);

/* Element i as a whole number, of any integer type or BOOL. */
int64_t tensor_int(const struct tensor *t, int64_t i);
/* Element i as a double, of any numeric type, F16 and BF16 included. */
double tensor_number(const struct tensor *t, int64_t i);

float f16_to_f32(uint16_t bits);
uint16_t f16_from_f32(float value); /* nearest even; overflow to infinity */

#endif
