/* SPDX-License-Identifier: MPL-2.0 */
#include "output.h"

#include <string.h>

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

static int widen(struct kiln_call *call, const struct tensor *t, int64_t first, struct kiln_array *a)
{
    a->data = call->host->alloc(call, (size_t) a->count * 8);
    if (!a->data) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < a->count; i++) {
        if (a->dtype == KILN_F64) {
            ((double *) a->data)[i] = tensor_number(t, first + i);
        } else {
            ((int64_t *) a->data)[i] = tensor_int(t, first + i);
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
static int as_lists(struct kiln_call *call, const struct tensor *t, int axis, int64_t *at, struct kiln_value *ret)
{
    if (axis == t->rank) {
        if (t->dtype == DT_STRING) {
            const struct text *text = (const struct text *) t->data + (*at)++;
            *ret = (struct kiln_value){.type = KILN_V_STRING, .text = text->chars, .count = (uint32_t) text->bytes};
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

int output_rows(struct kiln_call *call, const struct tensor *t, int64_t first, int64_t n, struct kiln_value *ret)
{
    struct tensor part = *t;
    if (part.rank) {
        part.dims[0] = n;
        part.count = tensor_rows(&part, part.rank);
    }
    int64_t at = part.rank ? first * tensor_inner(t, 1) : 0;
    if (part.dtype == DT_STRING || part.rank > KILN_MAX_RANK || part.rank == 0) {
        return as_lists(call, &part, 0, &at, ret);
    }
    struct kiln_array *a = call->host->alloc(call, sizeof *a);
    if (!a) {
        return KILN_RESOURCE;
    }
    *a = (struct kiln_array){.dtype = wire_type(t->dtype), .rank = (uint32_t) part.rank, .count = part.count};
    memcpy(a->shape, part.dims, (size_t) part.rank * sizeof *part.dims);
    *ret = (struct kiln_value){.type = KILN_V_ARRAY, .array = a};
    if (!same_bits(t->dtype)) {
        return widen(call, t, at, a);
    }
    a->data = (char *) t->data + (size_t) at * dtype_size(t->dtype);
    return KILN_OK;
}

int output_value(struct kiln_call *call, const struct tensor *t, struct kiln_value *ret)
{
    return output_rows(call, t, 0, t->rank ? t->dims[0] : 1, ret);
}
