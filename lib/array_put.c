/* SPDX-License-Identifier: MPL-2.0 */
/* array_put - arrays onto the wire: the other half of array.h. */
#include "array.h"

#include <math.h>

static const char *const types[] = {
    [KILN_F64] = "<f8", [KILN_F32] = "<f4", [KILN_I64] = "<i8", [KILN_I32] = "<i4", [KILN_U8] = "|u1"};

void array_put_item(struct buf *b, uint32_t dtype, const void *data, size_t i)
{
    switch (dtype) {
    case KILN_F64: {
        double v = ((const double *) data)[i];
        isnan(v) ? buf_put_nil(b) : buf_put_f64(b, v);
        break;
    }
    case KILN_F32: {
        float v = ((const float *) data)[i];
        isnan(v) ? buf_put_nil(b) : buf_put_f32(b, v);
        break;
    }
    case KILN_I64:
        buf_put_i64(b, ((const int64_t *) data)[i]);
        break;
    case KILN_I32:
        buf_put_i64(b, ((const int32_t *) data)[i]);
        break;
    default:
        buf_put_u64(b, ((const uint8_t *) data)[i]);
        break;
    }
}

/* The hot loop: one reservation, then a lead byte and eight swapped bytes each. */
static void put_f64(struct buf *b, const double *v, size_t n)
{
    uint8_t *at = buf_reserve(b, n * 9);
    if (!at) {
        return;
    }
    uint8_t *start = at;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], 8);
        bits = __builtin_bswap64(bits);
        if (__builtin_expect(v[i] != v[i], 0)) {
            *at++ = 0xc0;
        } else {
            *at = 0xcb;
            memcpy(at + 1, &bits, 8);
            at += 9;
        }
    }
    b->bytes += (size_t) (at - start);
}

static void put_level(struct buf *b, const struct kiln_array *a, uint32_t d, size_t *place)
{
    size_t n = (size_t) a->shape[d];
    buf_put_list(b, n);
    if (d + 1 < a->rank) {
        for (size_t i = 0; i < n && !b->failed; i++) {
            put_level(b, a, d + 1, place);
        }
        return;
    }
    if (a->dtype == KILN_F64) {
        put_f64(b, (const double *) a->data + *place, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            array_put_item(b, a->dtype, a->data, *place + i);
        }
    }
    *place += n;
}

void array_put(struct buf *b, const struct kiln_array *a, bool nd)
{
    if (!nd) {
        size_t place = 0;
        put_level(b, a, 0, &place);
        return;
    }
    buf_put_map(b, 4);
    buf_put_str_const(b, "nd");
    buf_put_bool(b, true);
    buf_put_str_const(b, "type");
    buf_put_text(b, types[a->dtype]);
    buf_put_str_const(b, "shape");
    buf_put_list(b, a->rank);
    for (uint32_t d = 0; d < a->rank; d++) {
        buf_put_i64(b, a->shape[d]);
    }
    buf_put_str_const(b, "data");
    buf_put_bin(b, a->data, (size_t) a->count * array_item_bytes(a->dtype));
}
