/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>
#include <string.h>

#include "read.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw data of ONNX files is little-endian: swap it here"
#endif

/* The field in which elements of this type stand. */
struct field {
    enum dtype dtype;
    const char *name;
    size_t n;
    const void *data; /* when elements stand there as they are wanted */
};

static struct field typed_field(const Pb__Tensor *from, enum dtype dtype)
{
    const struct field fields[] = {
        {DT_F32, "float_data", from->n_float_data, from->float_data},
        {DT_F64, "double_data", from->n_double_data, from->double_data},
        {DT_I64, "int64_data", from->n_int64_data, from->int64_data},
        {DT_U64, "uint64_data", from->n_uint64_data, from->uint64_data},
        {DT_U32, "uint64_data", from->n_uint64_data, NULL},
        {DT_STRING, "string_data", from->n_string_data, NULL},
        {dtype, "int32_data", from->n_int32_data, NULL},
    };
    size_t f = 0;
    while (fields[f].dtype != dtype) {
        f++;
    }
    return fields[f];
}

static bool is_raw(const Pb__Tensor *from, const struct tensor *t)
{
    return from->has_raw_data && from->raw_data.len && t->dtype != DT_STRING;
}

/* Before anything is allocated for what a file only claims to have. */
static int check_amount(struct reader *r, const Pb__Tensor *from, const char *what, const struct tensor *t)
{
    const bool raw = is_raw(from, t);
    const struct field f = typed_field(from, t->dtype);
    const size_t has = raw ? from->raw_data.len : f.n, wanted = raw ? tensor_bytes(t) : (size_t) t->count;
    char shape[120];
    return has == wanted ? KILN_OK
                         : refuse(r->why, KILN_INVALID, "%s: %s has %zu %s of %s, expected %zu", what,
                                  tensor_text(t, shape, sizeof shape), has, raw ? "bytes" : "elements",
                                  raw ? "raw_data" : f.name, wanted);
}

/* int32_data carries all types that are not wider. */
static int from_int32(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *t)
{
    static const struct {
        int32_t min, max;
    } range[DT_END] = {
        [DT_U8] = {0, UINT8_MAX},          [DT_I8] = {INT8_MIN, INT8_MAX},    [DT_U16] = {0, UINT16_MAX},
        [DT_I16] = {INT16_MIN, INT16_MAX}, [DT_I32] = {INT32_MIN, INT32_MAX}, [DT_BOOL] = {0, 1},
        [DT_F16] = {0, UINT16_MAX},        [DT_BF16] = {0, UINT16_MAX},
    };
    const size_t size = dtype_size(t->dtype);
    for (size_t i = 0; i < from->n_int32_data; i++) {
        const int32_t x = from->int32_data[i];
        if (x < range[t->dtype].min || x > range[t->dtype].max) {
            return refuse(r->why, KILN_INVALID, "%s: element %zu is %d, which is no %s", what, i, (int) x,
                          dtype_name(t->dtype));
        }
        memcpy((char *) t->data + i * size, &x, size);
    }
    return KILN_OK;
}

static int from_texts(struct reader *r, const Pb__Tensor *from, struct tensor *t)
{
    struct text *texts = t->data;
    for (size_t i = 0; i < from->n_string_data; i++) {
        const ProtobufCBinaryData *s = &from->string_data[i];
        texts[i] = (struct text){pool_string(r->pool, (const char *) s->data, s->len), s->len};
        if (!texts[i].chars) {
            return refuse_memory(r->why, "strings");
        }
    }
    return KILN_OK;
}

static int from_uint64(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *t)
{
    uint32_t *data = t->data;
    for (size_t i = 0; i < from->n_uint64_data; i++) {
        if (from->uint64_data[i] > UINT32_MAX) {
            return refuse(r->why, KILN_INVALID, "%s: element %zu is no uint32", what, i);
        }
        data[i] = (uint32_t) from->uint64_data[i];
    }
    return KILN_OK;
}

static int from_typed(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *t)
{
    const void *data = typed_field(from, t->dtype).data;
    if (t->count == 0) {
        return KILN_OK;
    }
    if (data) {
        memcpy(t->data, data, tensor_bytes(t));
        return KILN_OK;
    }
    return t->dtype == DT_STRING ? from_texts(r, from, t)
           : t->dtype == DT_U32  ? from_uint64(r, from, what, t)
                                 : from_int32(r, from, what, t);
}

static bool whole_number(const char *text, int64_t *ret)
{
    char *end;
    const long long n = strtoll(text, &end, 10);
    *ret = n;
    return *text && !*end && n >= 0;
}

static int from_external(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *t)
{
    const char *location = NULL;
    int64_t offset = 0, length = -1;
    for (size_t i = 0; i < from->n_external_data; i++) {
        const Pb__Entry *e = from->external_data[i];
        if (!e->key || !e->value) {
            continue;
        }
        if (strcmp(e->key, "location") == 0) {
            location = e->value;
        } else if ((strcmp(e->key, "offset") == 0 && !whole_number(e->value, &offset)) ||
                   (strcmp(e->key, "length") == 0 && !whole_number(e->value, &length))) {
            return refuse(r->why, KILN_INVALID,
                          "%s: the %s of its external data is \"%.40s\", expected a whole number", what,
                          e->key, e->value);
        }
    }
    if (!location) {
        return refuse(r->why, KILN_INVALID, "%s: its data is external, but no location is given", what);
    }
    if (t->dtype == DT_STRING) {
        return refuse(r->why, KILN_INVALID, "%s: strings as external data", what);
    }
    return external_read(r->folder, location, offset, length, t->data, tensor_bytes(t), what, r->why);
}

/* However a file writes true. */
static void normalize_bools(struct tensor *t)
{
    uint8_t *data = t->data;
    for (int64_t i = 0; i < t->count; i++) {
        data[i] = data[i] != 0;
    }
}

int read_tensor(struct reader *r, const Pb__Tensor *from, const char *what, struct tensor *ret_tensor)
{
    struct tensor t;
    if (from->data_type < 0 || !dtype_size((enum dtype) from->data_type)) {
        return refuse(r->why, KILN_INVALID,
                      "%s: element type %d, which is none of those that Kiln computes with", what,
                      (int) from->data_type);
    }
    if (from->n_dims > TENSOR_RANK) {
        return refuse(r->why, KILN_INVALID, "%s: %zu dimensions, at most %d", what, from->n_dims,
                      TENSOR_RANK);
    }
    if (!tensor_set(&t, (enum dtype) from->data_type, (int) from->n_dims, from->dims)) {
        return refuse(r->why, KILN_INVALID, "%s: a dimension is negative, or the product of all is too large",
                      what);
    }
    const bool external = from->data_location == 1;
    if (!external && check_amount(r, from, what, &t)) {
        return r->why->status;
    }
    t.data = pool_alloc(r->pool, tensor_bytes(&t));
    if (!t.data) {
        char shape[120];
        return refuse(r->why, KILN_RESOURCE, "%s: no memory left for %s: the budget of models is spent", what,
                      tensor_text(&t, shape, sizeof shape));
    }
    int rc = KILN_OK;
    if (external) {
        rc = from_external(r, from, what, &t);
    } else if (is_raw(from, &t)) {
        memcpy(t.data, from->raw_data.data, from->raw_data.len);
    } else {
        rc = from_typed(r, from, what, &t);
    }
    if (rc == KILN_OK) {
        if (t.dtype == DT_BOOL) {
            normalize_bools(&t);
        }
        *ret_tensor = t;
    }
    return rc;
}
