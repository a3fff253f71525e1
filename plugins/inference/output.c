/* SPDX-License-Identifier: MPL-2.0 */
#include "output.h"

#include <string.h>

#include "text.h"

/* How callers see element types; those without a line of their own become whole numbers of 64 bits. */
static uint32_t wire_type(enum dtype dtype)
{
    switch (dtype) {
    case DT_F32:
        return KILN_F32;
    case DT_F64:
    case DT_F16:
    case DT_BF16:
        return KILN_F64;
    case DT_I32:
        return KILN_I32;
    case DT_U8:
    case DT_BOOL:
        return KILN_U8;
    default:
        return KILN_I64;
    }
}

static bool same_bits(enum dtype dtype)
{
    return dtype == DT_F32 || dtype == DT_F64 || dtype == DT_I32 || dtype == DT_I64 || dtype == DT_U8 ||
           dtype == DT_BOOL;
}

static int widen(struct kiln_call *call, const struct tensor *t, struct kiln_array *a)
{
    a->data = call->host->alloc(call, (size_t) a->count * 8);
    if (!a->data) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < a->count; i++) {
        if (a->dtype == KILN_F64) {
            ((double *) a->data)[i] = tensor_number(t, i);
        } else {
            ((int64_t *) a->data)[i] = tensor_int(t, i);
        }
    }
    return KILN_OK;
}

static void one_number(const struct tensor *t, int64_t i, struct kiln_value *ret)
{
    const uint32_t type = wire_type(t->dtype);
    *ret = type == KILN_F64 || type == KILN_F32
               ? (struct kiln_value){.type = KILN_V_FLOAT, .f = tensor_number(t, i)}
           : t->dtype == DT_BOOL ? (struct kiln_value){.type = KILN_V_BOOL, .i = tensor_int(t, i)}
                                 : (struct kiln_value){.type = KILN_V_INT, .i = tensor_int(t, i)};
}

/* Lists of lists: for strings, and for more dimensions than arrays have on the wire. */
static int as_lists(struct kiln_call *call, const struct tensor *t, int axis, int64_t *at,
                    struct kiln_value *ret)
{
    if (axis == t->rank) {
        if (t->dtype == DT_STRING) {
            const struct text *text = (const struct text *) t->data + (*at)++;
            char *copy =
                call->host->alloc(call, text->bytes + 1); /* the model may go before the answer does */
            if (!copy) {
                return KILN_RESOURCE;
            }
            memcpy(copy, text->chars, text->bytes);
            copy[text->bytes] = 0;
            text_clean(copy, text->bytes);
            *ret = (struct kiln_value){.type = KILN_V_STRING, .text = copy, .count = (uint32_t) text->bytes};
        } else {
            one_number(t, (*at)++, ret);
        }
        return KILN_OK;
    }
    struct kiln_value *items = call->host->alloc(call, (size_t) t->dims[axis] * sizeof *items);
    if (!items) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < t->dims[axis]; i++) {
        const int rc = as_lists(call, t, axis + 1, at, &items[i]);
        if (rc) {
            return rc;
        }
    }
    *ret = (struct kiln_value){.type = KILN_V_LIST, .count = (uint32_t) t->dims[axis], .list = items};
    return KILN_OK;
}

int output_value(struct kiln_call *call, const struct tensor *t, struct kiln_value *ret)
{
    int64_t at = 0;
    if (t->dtype == DT_STRING || t->rank > KILN_MAX_RANK || t->rank == 0) {
        return as_lists(call, t, 0, &at, ret);
    }
    struct kiln_array *a = call->host->alloc(call, sizeof *a);
    if (!a) {
        return KILN_RESOURCE;
    }
    *a = (struct kiln_array){
        .data = t->data, .dtype = wire_type(t->dtype), .rank = (uint32_t) t->rank, .count = t->count};
    memcpy(a->shape, t->dims, (size_t) t->rank * sizeof *t->dims);
    *ret = (struct kiln_value){.type = KILN_V_ARRAY, .array = a};
    return same_bits(t->dtype) ? KILN_OK : widen(call, t, a);
}

int output_copy(struct kiln_call *call, const struct tensor *t, int64_t first, int64_t n, struct tensor *ret)
{
    struct tensor part = *t;
    if (t->rank) {
        part.dims[0] = n;
        part.count = n * tensor_inner(t, 1);
    }
    const size_t size = dtype_size(t->dtype);
    part.data = call->host->alloc(call, (size_t) part.count * size);
    if (!part.data) {
        return KILN_RESOURCE;
    }
    if (part.count) {
        memcpy(part.data, (const char *) t->data + (size_t) (t->rank ? first * tensor_inner(t, 1) : 0) * size,
               (size_t) part.count * size);
    }
    *ret = part;
    return KILN_OK;
}
