/* SPDX-License-Identifier: MPL-2.0 */
#include "array.h"

#include <stdio.h>
#include <string.h>

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

static const char *expected(uint32_t dtype, bool integer)
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
        ok = integer ? i64_of_int(t->i, (int64_t *) data + i) : real && i64_of_float(t->f, (int64_t *) data + i);
        break;
    case KILN_I32:
        ok = integer ? i32_of_int(t->i, (int32_t *) data + i) : real && i32_of_float(t->f, (int32_t *) data + i);
        break;
    default:
        ok = integer || t->type == SCAN_BOOL ? u8_of_int(t->i, (uint8_t *) data + i)
                                             : real && u8_of_float(t->f, (uint8_t *) data + i);
        break;
    }
    return ok ? NULL : expected(dtype, integer || t->type == SCAN_UINT);
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

/* Fills out[0..n-1] from the next n values; returns how many it could place before one that it could not. The loop for
 * doubles is the hot one of the whole worker: one test, one byte swap, one store. */
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
        while (i < n && s->end - at >= 9 && *at >= 0xcc && *at <= 0xd2 && *at != 0xcf) { /* integers of 8 to 32 bits */
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

static int not_enough(struct err *err, const char *name, const struct arena *arena, size_t bytes)
{
    return err_set(err, KILN_RESOURCE, name, "%s needs %zu bytes; a job may use %zu in all", name, bytes, arena->cap);
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
    return err_set(err, KILN_INVALID, want->name, "%s is %s, expected %s", path, scan_show(&t, shown, sizeof shown),
                   expected(want->dtype, integer));
}

/* The items of the list at dimension d, whose head was read already. `place` counts elements filled. */
static int fill_level(struct scan *s, const struct array_want *want, struct kiln_array *a, uint32_t d, size_t *place,
                      struct err *err)
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
            return err_set(err, KILN_INVALID, want->name, "%s has lists of unequal length, expected a full matrix",
                           want->name);
        }
        n *= (uint64_t) a.shape[d];
    }
    size_t bytes = (size_t) n * array_item_bytes(a.dtype);
    a.data = arena_alloc(arena, bytes, want->name);
    if (!a.data) {
        return not_enough(err, want->name, arena, bytes);
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

/* ---- nd maps --------------------------------------------------------------------------------- */

enum source { S_F8, S_F4, S_I8, S_I4, S_I2, S_I1, S_U1, S_B1, N_SOURCES };

static const struct {
    char name[4];
    uint32_t bytes;
    bool real;
    uint32_t same; /* dtype of equal bits, or N_DTYPES */
} sources[N_SOURCES] = {
    [S_F8] = {"<f8", 8, true, KILN_F64},   [S_F4] = {"<f4", 4, true, KILN_F32},
    [S_I8] = {"<i8", 8, false, KILN_I64},  [S_I4] = {"<i4", 4, false, KILN_I32},
    [S_I2] = {"<i2", 2, false, N_DTYPES},  [S_I1] = {"|i1", 1, false, N_DTYPES},
    [S_U1] = {"|u1", 1, false, KILN_U8},   [S_B1] = {"|b1", 1, false, N_DTYPES},
};

#define SOURCE_LOOP(S, SOURCE_TYPE, CONVERT)                                                                 \
    case S:                                                                                                  \
        for (; i < n; i++) {                                                                                 \
            SOURCE_TYPE v;                                                                                   \
            memcpy(&v, from + i * sizeof v, sizeof v);                                                       \
            if (!CONVERT(v, out + i)) {                                                                      \
                return i;                                                                                    \
            }                                                                                                \
        }                                                                                                    \
        break;

/* One function for each type of the plugin: returns how many elements were placed before one that could not be. */
#define CONVERTER(NAME, TYPE)                                                                                \
    static size_t NAME##_from(enum source source, const char *from, TYPE *out, size_t n)                     \
    {                                                                                                        \
        size_t i = 0;                                                                                        \
        switch (source) {                                                                                    \
            SOURCE_LOOP(S_F8, double, NAME##_of_float)                                                       \
            SOURCE_LOOP(S_F4, float, NAME##_of_float)                                                        \
            SOURCE_LOOP(S_I8, int64_t, NAME##_of_int)                                                        \
            SOURCE_LOOP(S_I4, int32_t, NAME##_of_int)                                                        \
            SOURCE_LOOP(S_I2, int16_t, NAME##_of_int)                                                        \
            SOURCE_LOOP(S_I1, int8_t, NAME##_of_int)                                                         \
            SOURCE_LOOP(S_U1, uint8_t, NAME##_of_int)                                                        \
        default:                                                                                             \
            break;                                                                                           \
        }                                                                                                    \
        return n;                                                                                            \
    }

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdouble-promotion" /* a float widened to double is the point */
CONVERTER(f64, double)
CONVERTER(f32, float)
CONVERTER(i64, int64_t)
CONVERTER(i32, int32_t)
CONVERTER(u8, uint8_t)
#pragma GCC diagnostic pop
/* clang-format on */

static size_t convert(enum source source, const char *from, uint32_t dtype, void *out, size_t n)
{
    if (n == 0) {
        return 0;
    }
    if (sources[source].same == dtype) {
        memcpy(out, from, n * sources[source].bytes);
        return n;
    }
    switch (dtype) {
    case KILN_F64:
        return f64_from(source, from, out, n);
    case KILN_F32:
        return f32_from(source, from, out, n);
    case KILN_I64:
        return i64_from(source, from, out, n);
    case KILN_I32:
        return i32_from(source, from, out, n);
    default:
        return u8_from(source, from, out, n);
    }
}

/* Booleans: any byte that is not 0 is true. */
static void booleans(const char *from, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = from[i] != 0;
    }
}

static bool is_text(const struct token *t, const char *text)
{
    return (t->type == SCAN_STR || t->type == SCAN_BIN) && t->count == strlen(text) &&
           memcmp(t->text, text, t->count) == 0;
}

bool array_is_nd(const struct scan *at, uint32_t pairs)
{
    struct scan s = *at;
    struct token t;
    for (uint32_t k = 0; k < pairs && k < 8; k++) {
        if (!scan_next(&s, &t)) {
            return false;
        }
        if (is_text(&t, "nd")) {
            return scan_next(&s, &t) && t.type == SCAN_BOOL && t.i == 1;
        }
        if (t.type == SCAN_LIST || t.type == SCAN_MAP || !scan_skip(&s)) {
            return false;
        }
    }
    return false;
}

struct nd {
    bool nd;
    bool have_shape;
    int source; /* -1: not given */
    struct token data;
    uint32_t rank;
    int64_t shape[KILN_MAX_RANK];
};

static int nd_shape(struct scan *s, const char *name, struct nd *nd, struct err *err)
{
    struct token t;
    if (!scan_next(s, &t) || t.type != SCAN_LIST || t.count > KILN_MAX_RANK) {
        return err_set(err, KILN_INVALID, name, "%s.shape is no list of 0 to %d sizes", name, KILN_MAX_RANK);
    }
    nd->rank = t.count;
    nd->have_shape = true;
    for (uint32_t d = 0; d < nd->rank; d++) {
        char shown[80];
        if (!scan_next(s, &t) || t.type != SCAN_INT || t.i < 0) {
            return err_set(err, KILN_INVALID, name, "%s.shape[%u] is %s, expected a size", name, d,
                           scan_show(&t, shown, sizeof shown));
        }
        nd->shape[d] = t.i;
    }
    return 0;
}

static int nd_type(struct scan *s, const char *name, struct nd *nd, struct err *err)
{
    struct token t;
    char shown[80];
    if (!scan_next(s, &t)) {
        return err_set(err, KILN_INVALID, name, "%s is truncated", name);
    }
    for (int k = 0; k < N_SOURCES; k++) {
        if (is_text(&t, sources[k].name)) {
            nd->source = k;
            return 0;
        }
    }
    if (t.type == SCAN_BIN) {
        t.type = SCAN_STR; /* as some writers send it; shown as text */
    }
    return err_set(err, KILN_INVALID, name, "%s.type is %s, expected <f8 <f4 <i8 <i4 <i2 |i1 |u1 or |b1", name,
                   scan_show(&t, shown, sizeof shown));
}

static int nd_members(struct scan *s, const char *name, uint32_t pairs, struct nd *nd, struct err *err)
{
    for (uint32_t k = 0; k < pairs; k++) {
        struct token key, t;
        char shown[80];
        int status = 0;
        if (!scan_next(s, &key)) {
            return err_set(err, KILN_INVALID, name, "%s is truncated", name);
        }
        if (is_text(&key, "shape")) {
            status = nd_shape(s, name, nd, err);
        } else if (is_text(&key, "type")) {
            status = nd_type(s, name, nd, err);
        } else if (is_text(&key, "nd")) {
            if (!scan_next(s, &t)) {
                return err_set(err, KILN_INVALID, name, "%s is truncated", name);
            }
            nd->nd = t.type == SCAN_BOOL && t.i == 1;
        } else if (is_text(&key, "kind")) { /* msgpack-numpy: empty for plain numbers */
            if (!scan_skip(s)) {
                return err_set(err, KILN_INVALID, name, "%s is truncated", name);
            }
        } else if (is_text(&key, "data")) {
            if (!scan_next(s, &nd->data) || (nd->data.type != SCAN_BIN && nd->data.type != SCAN_STR)) {
                return err_set(err, KILN_INVALID, name, "%s.data is %s, expected bytes", name,
                               scan_show(&nd->data, shown, sizeof shown));
            }
        } else {
            return err_set(err, KILN_INVALID, name,
                           "%s has the key %s, expected a list of numbers, or nd, type, shape and data", name,
                           scan_show(&key, shown, sizeof shown));
        }
        if (status) {
            return status;
        }
    }
    return 0;
}

static int decode_nd(struct scan *s, const struct array_want *want, uint32_t pairs, struct arena *arena,
                     struct kiln_array *ret, struct err *err)
{
    const char *name = want->name;
    struct nd nd = {.source = -1, .data = {.type = SCAN_NIL}};
    int status = nd_members(s, name, pairs, &nd, err);
    if (status) {
        return status;
    }
    if (!nd.nd || nd.source < 0 || !nd.have_shape || nd.data.type == SCAN_NIL) {
        return err_set(err, KILN_INVALID, name, "%s is a map without %s, expected an nd array", name,
                       !nd.nd              ? "nd:true"
                       : nd.source < 0     ? "type"
                       : !nd.have_shape    ? "shape"
                                           : "data");
    }
    struct kiln_array a = {.dtype = want->dtype, .rank = nd.rank};
    bool row = want->row && want->rank == 2 && nd.rank == 1;
    if ((want->rank && nd.rank != want->rank && !row) || nd.rank == 0) {
        return err_set(err, KILN_INVALID, name, "%s has %u dimensions, expected %u", name, nd.rank,
                       want->rank ? want->rank : 1);
    }
    uint64_t n = 1, item = sources[nd.source].bytes, room = nd.data.count / item;
    bool fits = true, empty = false;
    for (uint32_t d = 0; d < nd.rank; d++) {
        a.shape[d] = nd.shape[d];
        empty |= nd.shape[d] == 0;
        fits &= nd.shape[d] <= INT32_MAX;
    }
    for (uint32_t d = 0; d < nd.rank && fits && !empty; d++) { /* bounded by the bytes there are: no overflow */
        fits = n <= room / (uint64_t) nd.shape[d];
        n *= fits ? (uint64_t) nd.shape[d] : 1;
    }
    n = empty ? 0 : n;
    if (!fits || n * item != nd.data.count) {
        return err_set(err, KILN_INVALID, name, "%s.data has %u bytes, which does not agree with its shape and type %s",
                       name, nd.data.count, sources[nd.source].name);
    }
    if (nd.source == S_B1 && a.dtype != KILN_U8) {
        return err_set(err, KILN_INVALID, name, "%s.type is |b1, expected numbers", name);
    }
    size_t bytes = (size_t) n * array_item_bytes(a.dtype);
    a.data = arena_alloc(arena, bytes, name);
    if (!a.data) {
        return not_enough(err, name, arena, bytes);
    }
    a.count = (int64_t) n;
    if (nd.source == S_B1) {
        booleans(nd.data.text, a.data, (size_t) n);
    } else {
        size_t done = convert((enum source) nd.source, nd.data.text, a.dtype, a.data, (size_t) n);
        if (done < n) {
            char path[160], shown[80];
            array_path(name, &a, (int64_t) done, path, sizeof path);
            const char *from = nd.data.text + done * item;
            struct token t = {.type = sources[nd.source].real ? SCAN_FLOAT : SCAN_INT};
            int64_t i8;
            double f8;
            if (t.type == SCAN_INT) { /* only <i8 and narrower integers get here, sign-extended by the loop's type */
                f64_from((enum source) nd.source, from, &f8, 1);
                t.i = i64_from((enum source) nd.source, from, &i8, 1) == 1 ? i8 : (int64_t) f8;
            } else {
                f64_from((enum source) nd.source, from, &t.f, 1);
            }
            return err_set(err, KILN_INVALID, name, "%s is %s, expected %s", path, scan_show(&t, shown, sizeof shown),
                           expected(a.dtype, t.type == SCAN_INT));
        }
    }
    if (row) {
        a.rank = 2;
        a.shape[1] = a.shape[0];
        a.shape[0] = 1;
    }
    *ret = a;
    return 0;
}

int array_decode(struct scan *s, const struct array_want *want, struct arena *arena, struct kiln_array *ret_array,
                 bool *ret_nd, struct err *err)
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
        return decode_nd(s, want, t.count, arena, ret_array, err);
    }
    if (t.type == SCAN_LIST) {
        return decode_list(s, want, t.count, arena, ret_array, err);
    }
    return err_set(err, KILN_INVALID, want->name, "%s is %s, expected %s", want->name, scan_show(&t, shown, sizeof shown),
                   want->rank == 2 ? "a list of lists of numbers, or an nd array" : "a list of numbers, or an nd array");
}
