/* SPDX-License-Identifier: MPL-2.0 */
#include "input.h"

#include <math.h>
#include <string.h>

static const char *kind_name(const struct kiln_value *v)
{
    static const char *const names[] = {
        [KILN_V_NULL] = "null",      [KILN_V_BOOL] = "a boolean",  [KILN_V_INT] = "a number",
        [KILN_V_FLOAT] = "a number", [KILN_V_STRING] = "a string", [KILN_V_BYTES] = "bytes",
        [KILN_V_LIST] = "a list",    [KILN_V_MAP] = "a map",       [KILN_V_ARRAY] = "an array",
    };
    return v->type < sizeof names / sizeof *names ? names[v->type] : "unknown";
}

/* The shape by the first of everything; that all others agree is found when they are read. */
static int raw_shape(const struct kiln_value *v, const char *field, int *ret_rank, int64_t *dims,
                     struct refusal *why)
{
    int rank = 0;
    for (;;) {
        const uint32_t more = v->type == KILN_V_ARRAY ? v->array->rank : v->type == KILN_V_LIST;
        if (rank + (int) more > TENSOR_RANK) {
            return refuse(why, KILN_INVALID, "%s has more than %d dimensions", field, TENSOR_RANK);
        }
        if (v->type == KILN_V_ARRAY) {
            for (uint32_t d = 0; d < more; d++) {
                dims[rank++] = v->array->shape[d];
            }
            break;
        }
        if (v->type == KILN_V_MAP || v->type == KILN_V_BYTES) {
            return refuse(why, KILN_INVALID, "%s holds %s, expected numbers", field, kind_name(v));
        }
        if (v->type != KILN_V_LIST) {
            break;
        }
        dims[rank++] = v->count;
        if (v->count == 0) {
            break;
        }
        v = &v->list[0];
    }
    *ret_rank = rank;
    return KILN_OK;
}

static bool fits(const struct tensor *declared, int rank, const int64_t *dims)
{
    if (declared->rank != rank) {
        return false;
    }
    for (int d = 0; d < rank; d++) {
        if (declared->dims[d] >= 0 && declared->dims[d] != dims[d]) {
            return false;
        }
    }
    return true;
}

int input_shape(const struct kiln_value *v, const struct tensor *declared, const char *field,
                struct tensor *ret, struct refusal *why)
{
    int rank = 0;
    int64_t sent[TENSOR_RANK + 2] = {0}, *dims = sent + 1; /* room for a dimension before and behind */
    const int rc = raw_shape(v, field, &rank, dims, why);
    if (rc) {
        return rc;
    }
    struct tensor t;
    if (declared->rank >= 0 && !fits(declared, rank, dims) && rank + 1 == declared->rank) {
        dims[rank] = 1;
        if (rank == 1 && declared->dims[1] == 1 && fits(declared, 2, dims)) { /* a column */
            rank = 2;
        } else {
            *--dims = 1; /* one row */
            rank++;
        }
    }
    if (!tensor_set(&t, declared->dtype, rank, dims)) {
        return refuse(why, KILN_INVALID, "%s is too large", field);
    }
    if (declared->rank >= 0 && !fits(declared, rank, dims)) {
        char expected[120];
        struct tensor got;
        tensor_set(&got, declared->dtype, rank, dims);
        char shown[120];
        return refuse(why, KILN_INVALID, "%s is %s, expected %s", field,
                      tensor_text(&got, shown, sizeof shown),
                      tensor_text(declared, expected, sizeof expected));
    }
    *ret = t;
    return KILN_OK;
}

/* ---- elements */

static const struct {
    int64_t min, max;
} whole_range[DT_END] = {
    [DT_U8] = {0, UINT8_MAX},          [DT_I8] = {INT8_MIN, INT8_MAX},    [DT_U16] = {0, UINT16_MAX},
    [DT_I16] = {INT16_MIN, INT16_MAX}, [DT_I32] = {INT32_MIN, INT32_MAX}, [DT_I64] = {INT64_MIN, INT64_MAX},
    [DT_U32] = {0, UINT32_MAX},        [DT_U64] = {0, INT64_MAX},         [DT_BOOL] = {0, 1},
};

static bool set_whole(enum dtype dtype, void *data, int64_t i, int64_t x)
{
    if (x < whole_range[dtype].min || x > whole_range[dtype].max) {
        return false;
    }
    const size_t size = dtype_size(dtype);
    memcpy((char *) data + (size_t) i * size, &x, size); /* little-endian: read_tensor.c demands it */
    return true;
}

static bool set_double(enum dtype dtype, void *data, int64_t i, double x)
{
    switch (dtype) {
    case DT_F64:
        ((double *) data)[i] = x;
        return true;
    case DT_F32:
        ((float *) data)[i] = (float) x;
        return !isinf((float) x) || isinf(x);
    case DT_F16:
        ((uint16_t *) data)[i] = f16_from_f32((float) x);
        return !isinf(f16_to_f32(((uint16_t *) data)[i])) || isinf(x);
    case DT_STRING:
    case DT_BF16:
        return false;
    default: /* 2^63 is no int64, and NaN compares false */
        return x >= -0x1p63 && x < 0x1p63 && x == trunc(x) && set_whole(dtype, data, i, (int64_t) x);
    }
}

static bool set_int(enum dtype dtype, void *data, int64_t i, int64_t x)
{
    switch (dtype) {
    case DT_F64:
        ((double *) data)[i] = (double) x;
        return x <= INT64_C(1) << 53 && x >= -(INT64_C(1) << 53);
    case DT_F32:
        ((float *) data)[i] = (float) x;
        return x <= 1 << 24 && x >= -(1 << 24);
    case DT_F16:
        return x <= 1 << 11 && x >= -(1 << 11) && set_double(dtype, data, i, (double) x);
    case DT_STRING:
    case DT_BF16:
        return false;
    default:
        return set_whole(dtype, data, i, x);
    }
}

struct filler {
    const struct tensor *t;
    const char *field;
    char *data;
    int64_t at;
    struct refusal *why;
};

static int not_this(struct filler *f, const char *shown)
{
    return refuse(f->why, KILN_INVALID, "%s: element %lld is %s, expected %s", f->field, (long long) f->at,
                  shown, dtype_name(f->t->dtype));
}

/* The KILN_ type of the same bits; UINT32_MAX for none. Bytes that are booleans are looked at one by one. */
static uint32_t same_bits(enum dtype dtype)
{
    static const uint32_t same[DT_END] = {[DT_F64] = KILN_F64 + 1,
                                          [DT_F32] = KILN_F32 + 1,
                                          [DT_I64] = KILN_I64 + 1,
                                          [DT_I32] = KILN_I32 + 1,
                                          [DT_U8] = KILN_U8 + 1};
    return same[dtype] - 1;
}

/* A whole number of an array of such. */
static int64_t whole_at(const struct kiln_array *a, int64_t i)
{
    return a->dtype == KILN_I64   ? ((const int64_t *) a->data)[i]
           : a->dtype == KILN_I32 ? ((const int32_t *) a->data)[i]
                                  : ((const uint8_t *) a->data)[i];
}

static int fill_array(struct filler *f, const struct kiln_array *a)
{
    if (a->count > f->t->count - f->at) {
        return refuse(f->why, KILN_INVALID, "%s has lists of different lengths", f->field);
    }
    if (a->dtype == KILN_F64 && f->t->dtype == DT_F32) {
        const double *from = a->data;
        float *to = (float *) (void *) f->data + f->at;
        bool fits32 = true;
        for (int64_t i = 0; i < a->count; i++) {
            to[i] = (float) from[i];
            fits32 = fits32 && (fabs(from[i]) < 0x1.ffffffp127 || !(fabs(from[i]) < (double) INFINITY));
        }
        if (fits32) {
            f->at += a->count;
            return KILN_OK;
        }
    }
    const size_t size = dtype_size(f->t->dtype);
    if (a->dtype == same_bits(f->t->dtype)) {
        if (a->count) {
            memcpy(f->data + (size_t) f->at * size, a->data, (size_t) a->count * size);
        }
        f->at += a->count;
        return KILN_OK;
    }
    for (int64_t i = 0; i < a->count; i++, f->at++) {
        char shown[40];
        if (a->dtype == KILN_I64 || a->dtype == KILN_I32 || a->dtype == KILN_U8) {
            const int64_t x = whole_at(a, i);
            if (!set_int(f->t->dtype, f->data, f->at, x)) {
                snprintf(shown, sizeof shown, "%lld", (long long) x);
                return not_this(f, shown);
            }
            continue;
        }
        if (a->dtype != KILN_F64 && a->dtype != KILN_F32) {
            return refuse(f->why, KILN_INTERNAL, "%s came as an array of an unexpected type", f->field);
        }
        const double x =
            a->dtype == KILN_F32 ? (double) ((const float *) a->data)[i] : ((const double *) a->data)[i];
        if (!set_double(f->t->dtype, f->data, f->at, x)) {
            snprintf(shown, sizeof shown, "%.17g", x);
            return not_this(f, shown);
        }
    }
    return KILN_OK;
}

static int fill_one(struct filler *f, const struct kiln_value *v)
{
    bool ok = false;
    char shown[60];
    snprintf(shown, sizeof shown, "%s", kind_name(v));
    if (f->at >= f->t->count) {
        return refuse(f->why, KILN_INVALID, "%s has lists of different lengths", f->field);
    }
    if (v->type == KILN_V_STRING) {
        snprintf(shown, sizeof shown, "\"%.40s\"", v->text);
        if ((ok = f->t->dtype == DT_STRING)) {
            ((struct text *) (void *) f->data)[f->at] = (struct text){v->text, v->count};
        }
    } else if (v->type == KILN_V_INT) {
        snprintf(shown, sizeof shown, "%lld", (long long) v->i);
        ok = set_int(f->t->dtype, f->data, f->at, v->i);
    } else if (v->type == KILN_V_BOOL) {
        ok = f->t->dtype == DT_BOOL && set_whole(DT_BOOL, f->data, f->at, v->i);
    } else if (v->type == KILN_V_FLOAT) {
        snprintf(shown, sizeof shown, "%.17g", v->f);
        ok = set_double(f->t->dtype, f->data, f->at, v->f);
    } else if (v->type == KILN_V_NULL) {
        ok = dtype_is_float(f->t->dtype) && set_double(f->t->dtype, f->data, f->at, (double) NAN);
    }
    if (!ok) {
        return not_this(f, shown);
    }
    f->at++;
    return KILN_OK;
}

/* Depth is bounded by whoever made the value (and by the shape, which was found first). */
static int fill(struct filler *f, const struct kiln_value *v, int64_t left)
{
    const int64_t before = f->at;
    if (v->type == KILN_V_ARRAY) {
        const int rc = fill_array(f, v->array);
        if (rc) {
            return rc;
        }
    } else if (v->type == KILN_V_LIST) {
        for (uint32_t i = 0; i < v->count; i++) {
            if (left % v->count) {
                break;
            }
            const int rc = fill(f, &v->list[i], left / v->count);
            if (rc) {
                return rc;
            }
        }
    } else {
        const int rc = fill_one(f, v);
        if (rc) {
            return rc;
        }
    }
    return f->at - before == left
               ? KILN_OK
               : refuse(f->why, KILN_INVALID, "%s has lists of different lengths", f->field);
}

int input_fill(const struct kiln_value *v, const struct tensor *t, const char *field, void *data,
               struct refusal *why)
{
    struct filler f = {.t = t, .field = field, .data = data, .why = why};
    return t->count == 0 && v->type != KILN_V_LIST ? KILN_OK : fill(&f, v, t->count);
}

void *input_in_place(const struct kiln_value *v, const struct tensor *t)
{
    return v->type == KILN_V_ARRAY && v->array->dtype == same_bits(t->dtype) ? v->array->data : NULL;
}
