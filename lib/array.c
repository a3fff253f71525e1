/* SPDX-License-Identifier: MPL-2.0 */
#include "array.h"

#include <stdio.h>
#include <string.h>

#include "array_impl.h"
#include "array_number.h"

static const struct {
    const char *name, *expected;
    size_t bytes;
} dtypes[] = {
    [KILN_F64] = {"f64", "a number", 8},
    [KILN_F32] = {"f32", "a number within the range of a float", 4},
    [KILN_I64] = {"i64", "a whole number", 8},
    [KILN_I32] = {"i32", "a whole number of 32 bits", 4},
    [KILN_U8] = {"u8", "a whole number 0..255 or a boolean", 1},
};

enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };

size_t array_item_bytes(uint32_t dtype)
{
    return dtype < N_DTYPES ? dtypes[dtype].bytes : 0;
}

const char *array_dtype_name(uint32_t dtype)
{
    return dtype < N_DTYPES ? dtypes[dtype].name : "?";
}

const char *array_expected(uint32_t dtype, bool integer)
{
    if (dtype == KILN_F64 && integer) {
        return "a number that a double holds exactly (up to 2^53)";
    }
    if (dtype == KILN_F32 && integer) {
        return "a number that a float holds exactly (up to 2^24)";
    }
    return dtypes[dtype].expected;
}

const char *array_set(const struct token *t, uint32_t dtype, void *data, size_t i)
{
    bool ok = false, integer = t->type == SCAN_INT;
    double nan = t->type == SCAN_NIL ? (double) NAN : t->f;
    bool real = t->type == SCAN_FLOAT;
    switch (dtype) {
    case KILN_F64:
        ok = integer ? f64_of_int(t->i, (double *) data + i)
                     : (real || t->type == SCAN_NIL) && f64_of_float(nan, (double *) data + i);
        break;
    case KILN_F32:
        ok = integer ? f32_of_int(t->i, (float *) data + i)
                     : (real || t->type == SCAN_NIL) && f32_of_float(nan, (float *) data + i);
        break;
    case KILN_I64:
        ok = integer ? i64_of_int(t->i, (int64_t *) data + i)
                     : real && i64_of_float(t->f, (int64_t *) data + i);
        break;
    case KILN_I32:
        ok = integer ? i32_of_int(t->i, (int32_t *) data + i)
                     : real && i32_of_float(t->f, (int32_t *) data + i);
        break;
    default:
        ok = integer || t->type == SCAN_BOOL ? u8_of_int(t->i, (uint8_t *) data + i)
                                             : real && u8_of_float(t->f, (uint8_t *) data + i);
        break;
    }
    return ok ? NULL : array_expected(dtype, integer || t->type == SCAN_UINT);
}

double array_get(uint32_t dtype, const void *data, size_t i)
{
    switch (dtype) {
    case KILN_F64:
        return ((const double *) data)[i];
    case KILN_F32:
        return (double) ((const float *) data)[i];
    case KILN_I64:
        return (double) ((const int64_t *) data)[i];
    case KILN_I32:
        return ((const int32_t *) data)[i];
    default:
        return ((const uint8_t *) data)[i];
    }
}

const char *array_path(const char *name, const struct kiln_array *a, int64_t i, char *out, size_t bytes)
{
    int n = snprintf(out, bytes, "%s", name);
    for (uint32_t d = 0; d < a->rank && n >= 0 && (size_t) n < bytes; d++) {
        int64_t inner = 1;
        for (uint32_t k = d + 1; k < a->rank; k++) {
            inner *= a->shape[k] ? a->shape[k] : 1;
        }
        int64_t size = a->shape[d] ? a->shape[d] : 1;
        n += snprintf(out + n, bytes - (size_t) n, "[%lld]", (long long) (i / inner % size));
    }
    return out;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Fills out[0..n-1] from the next n values; returns how many it could place before one that it could not. The
 * loop for doubles is the hot one of the whole worker: one test, one byte swap, one store. */
static size_t fill_f64(struct scan *s, double *out, size_t n)
{
    const uint8_t *at = s->at;
    size_t i = 0;
    while (i < n) {
        while (i < n && s->end - at >= 9 && *at == 0xcb) {
            uint64_t bits;
            memcpy(&bits, at + 1, 8);
            bits = __builtin_bswap64(bits);
            memcpy(&out[i++], &bits, 8);
            at += 9;
        }
        while (i < n && at < s->end && (*at < 0x80 || *at >= 0xe0)) {
            out[i++] = (int8_t) *at++;
        }
        while (i < n && s->end - at >= 9 && *at >= 0xcc && *at <= 0xd2 &&
               *at != 0xcf) { /* integers of 8 to 32 bits */
            uint64_t bits;
            memcpy(&bits, at + 1, 8);
            bits = __builtin_bswap64(bits);
            switch (*at) {
            case 0xcc:
                out[i] = (double) (bits >> 56);
                at += 2;
                break;
            case 0xcd:
                out[i] = (double) (bits >> 48);
                at += 3;
                break;
            case 0xce:
                out[i] = (double) (bits >> 32);
                at += 5;
                break;
            case 0xd0:
                out[i] = (double) ((int64_t) bits >> 56);
                at += 2;
                break;
            case 0xd1:
                out[i] = (double) ((int64_t) bits >> 48);
                at += 3;
                break;
            default:
                out[i] = (double) ((int64_t) bits >> 32);
                at += 5;
                break;
            }
            i++;
        }
        if (i == n) {
            break;
        }
        if (at < s->end && (*at < 0x80 || *at >= 0xe0 || (*at == 0xcb && s->end - at >= 9))) {
            continue;
        }
        s->at = at;
        struct token t;
        if (!scan_next(s, &t) || array_set(&t, KILN_F64, out, i)) {
            s->at = at;
            return i;
        }
        i++;
        at = s->at;
    }
    s->at = at;
    return n;
}

static size_t fill(struct scan *s, uint32_t dtype, void *data, size_t first, size_t n)
{
    if (dtype == KILN_F64) {
        return fill_f64(s, (double *) data + first, n);
    }
    for (size_t i = 0; i < n; i++) {
        struct scan before = *s;
        struct token t;
        if (!scan_next(s, &t) || array_set(&t, dtype, data, first + i)) {
            *s = before;
            return i;
        }
    }
    return n;
}

int array_not_enough(struct err *err, const char *name, const struct arena *arena, size_t bytes)
{
    return err_set(err, KILN_RESOURCE, name, "%s needs %zu bytes; a job may use %zu in all", name, bytes,
                   arena->cap);
}

static int wrong_item(struct scan *s, const struct array_want *want, const struct kiln_array *a, size_t i,
                      struct err *err)
{
    struct token t;
    char path[160], shown[80];
    if (!scan_next(s, &t)) {
        return err_set(err, KILN_INVALID, want->name, "%s is truncated", want->name);
    }
    array_path(want->name, a, (int64_t) i, path, sizeof path);
    bool integer = t.type == SCAN_INT || t.type == SCAN_UINT;
    return err_set(err, KILN_INVALID, want->name, "%s is %s, expected %s%s%s%s", path,
                   scan_show(&t, shown, sizeof shown), array_expected(want->dtype, integer),
                   ARRAY_HINT(want, t.type == SCAN_LIST));
}

/* The items of the list at dimension d, whose head was read already. `place` counts elements filled. */
static int fill_level(struct scan *s, const struct array_want *want, struct kiln_array *a, uint32_t d,
                      size_t *place, struct err *err)
{
    size_t n = (size_t) a->shape[d];
    if (d + 1 == a->rank) {
        size_t done = fill(s, a->dtype, a->data, *place, n);
        if (done < n) {
            return wrong_item(s, want, a, *place + done, err);
        }
        *place += n;
        return 0;
    }
    struct kiln_array outer = *a; /* names the list in messages: the dimensions up to d */
    outer.rank = d + 1;
    size_t inner = 1;
    for (uint32_t k = d + 1; k < a->rank; k++) {
        inner *= (size_t) a->shape[k];
    }
    for (size_t i = 0; i < n; i++) {
        struct token t;
        char path[160], shown[80];
        if (!scan_next(s, &t)) {
            return err_set(err, KILN_INVALID, want->name, "%s is truncated", want->name);
        }
        size_t index = inner ? *place / inner : i;
        if (t.type != SCAN_LIST) {
            array_path(want->name, &outer, (int64_t) index, path, sizeof path);
            return err_set(err, KILN_INVALID, want->name, "%s is %s, expected a list of numbers", path,
                           scan_show(&t, shown, sizeof shown));
        }
        if (t.count != (uint64_t) a->shape[d + 1]) {
            array_path(want->name, &outer, (int64_t) index, path, sizeof path);
            return err_set(err, KILN_INVALID, want->name, "%s has %u element%s, expected %lld as the first",
                           path, t.count, t.count == 1 ? "" : "s", (long long) a->shape[d + 1]);
        }
        int status = fill_level(s, want, a, d + 1, place, err);
        if (status) {
            return status;
        }
    }
    return 0;
}

static int decode_list(struct scan *s, const struct array_want *want, uint32_t count, struct arena *arena,
                       struct kiln_array *ret, struct err *err)
{
    struct kiln_array a = {.dtype = want->dtype, .rank = want->rank ? want->rank : 1};
    struct scan peek = *s;
    struct token t;
    a.shape[0] = count;
    if (want->row && a.rank == 2 && (count == 0 || !scan_next(&peek, &t) || t.type != SCAN_LIST)) {
        a.rank = 1; /* one row of numbers; told in two dimensions below */
    }
    peek = *s;
    for (uint32_t d = 1; d < a.rank && a.shape[d - 1] > 0; d++) {
        if (!scan_next(&peek, &t) || t.type != SCAN_LIST) {
            struct kiln_array outer = a;
            outer.rank = d;
            char path[160], shown[80];
            array_path(want->name, &outer, 0, path, sizeof path);
            return err_set(err, KILN_INVALID, want->name, "%s is %s, expected a list of numbers", path,
                           scan_show(&t, shown, sizeof shown));
        }
        a.shape[d] = t.count;
    }
    uint64_t n = 1, room = (uint64_t) (s->end - s->at);
    for (uint32_t d = 0; d < a.rank; d++) { /* each element takes a byte: more than room cannot be there */
        if (a.shape[d] && n > room / (uint64_t) a.shape[d]) {
            return err_set(err, KILN_INVALID, want->name,
                           "%s has lists of unequal length, expected a full matrix", want->name);
        }
        n *= (uint64_t) a.shape[d];
    }
    size_t bytes = (size_t) n * array_item_bytes(a.dtype);
    a.data = arena_alloc(arena, bytes, want->name);
    if (!a.data) {
        return array_not_enough(err, want->name, arena, bytes);
    }
    a.count = (int64_t) n;
    size_t place = 0;
    int status = fill_level(s, want, &a, 0, &place, err);
    if (status) {
        return status;
    }
    if (a.rank < want->rank) {
        a.rank = 2;
        a.shape[1] = a.shape[0];
        a.shape[0] = 1;
    }
    *ret = a;
    return 0;
}

static int decode_number(const struct token *t, const struct array_want *want, struct arena *arena,
                         struct kiln_array *ret, struct err *err)
{
    const size_t bytes = array_item_bytes(want->dtype);
    struct kiln_array a = {.dtype = want->dtype, .rank = 1, .shape = {1}, .count = 1};
    a.data = arena_alloc(arena, bytes, want->name);
    if (!a.data) {
        return array_not_enough(err, want->name, arena, bytes);
    }
    char shown[80];
    const char *expected = array_set(t, want->dtype, a.data, 0);
    if (expected) {
        return err_set(err, KILN_INVALID, want->name, "%s is %s, expected %s", want->name,
                       scan_show(t, shown, sizeof shown), expected);
    }
    *ret = a;
    return 0;
}

int array_decode_scalar(struct scan *s, const char *name, uint32_t dtype, struct arena *arena,
                        double *ret_f64, int64_t *ret_i64, struct err *err)
{
    struct kiln_array a;
    int status =
        array_decode(s, &(struct array_want){.name = name, .dtype = dtype, .rank = 1}, arena, &a, NULL, err);
    if (status == 0 && a.count != 1) {
        status = err_set(err, KILN_INVALID, name, "%s has %lld elements, expected one number", name,
                         (long long) a.count);
    }
    if (status == 0) {
        *ret_f64 = dtype == KILN_F64 ? *(double *) a.data : 0;
        *ret_i64 = dtype == KILN_I64 ? *(int64_t *) a.data : 0;
    }
    return status;
}

int array_decode(struct scan *s, const struct array_want *want, struct arena *arena,
                 struct kiln_array *ret_array, bool *ret_nd, struct err *err)
{
    struct token t;
    char shown[80];
    if (!scan_next(s, &t)) {
        return err_set(err, KILN_INVALID, want->name, "%s is truncated", want->name);
    }
    bool nd = t.type == SCAN_MAP;
    if (ret_nd) {
        *ret_nd = nd;
    }
    if (nd) {
        return array_decode_nd(s, want, t.count, arena, ret_array, err);
    }
    if (t.type == SCAN_LIST) {
        return decode_list(s, want, t.count, arena, ret_array, err);
    }
    if (want->rank == 1 && (t.type == SCAN_INT || t.type == SCAN_UINT || t.type == SCAN_FLOAT)) {
        return decode_number(&t, want, arena, ret_array, err);
    }
    return err_set(err, KILN_INVALID, want->name, "%s is %s, expected %s", want->name,
                   scan_show(&t, shown, sizeof shown),
                   want->rank == 2 ? "a list of lists of numbers, or an nd array"
                                   : "a list of numbers, or an nd array");
}
