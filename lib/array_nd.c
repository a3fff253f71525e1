/* SPDX-License-Identifier: MPL-2.0 */
/* array_nd - msgpack-numpy maps: {nd:true, type:"<f8", shape:[...], data:bytes}. Nothing in one is believed:
 * the shape must multiply up to the bytes there are, without overflow, before anything is allocated. */
#include <string.h>

#include "array.h"
#include "array_impl.h"
#include "array_number.h"

enum { NONE = 99 };

enum source { S_F8, S_F4, S_I8, S_I4, S_I2, S_I1, S_U8, S_U4, S_U2, S_U1, S_B1, S_C16, N_SOURCES };

static const struct {
    char name[5];
    uint32_t bytes;
    bool real;
    uint32_t same; /* dtype of equal bits, or NONE */
} sources[N_SOURCES] = {
    [S_F8] = {"<f8", 8, true, KILN_F64},  [S_F4] = {"<f4", 4, true, KILN_F32},
    [S_I8] = {"<i8", 8, false, KILN_I64}, [S_I4] = {"<i4", 4, false, KILN_I32},
    [S_I2] = {"<i2", 2, false, NONE},     [S_I1] = {"|i1", 1, false, NONE},
    [S_U8] = {"<u8", 8, false, NONE},     [S_U4] = {"<u4", 4, false, NONE},
    [S_U2] = {"<u2", 2, false, NONE},     [S_U1] = {"|u1", 1, false, KILN_U8},
    [S_B1] = {"|b1", 1, false, NONE},     [S_C16] = {"<c16", 16, true, NONE}, /* read as pairs of S_F8 */
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

/* Unsigned ones beyond 2^63 have a place in no type. */
#define UNSIGNED_LOOP(S, CONVERT)                                                                            \
    case S:                                                                                                  \
        for (; i < n; i++) {                                                                                 \
            uint64_t v;                                                                                      \
            memcpy(&v, from + i * sizeof v, sizeof v);                                                       \
            if (v > INT64_MAX || !CONVERT((int64_t) v, out + i)) {                                           \
                return i;                                                                                    \
            }                                                                                                \
        }                                                                                                    \
        break;

/* One function for each type of the plugin: returns how many elements were placed before one that could not
 * be. */
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
            UNSIGNED_LOOP(S_U8, NAME##_of_int)                                                               \
            SOURCE_LOOP(S_U4, uint32_t, NAME##_of_int)                                                       \
            SOURCE_LOOP(S_U2, uint16_t, NAME##_of_int)                                                       \
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

/* One element, for messages. */
static struct token element(enum source source, const char *from)
{
    struct token t = {.type = sources[source].real ? SCAN_FLOAT : SCAN_INT};
    if (t.type == SCAN_FLOAT) {
        f64_from(source, from, &t.f, 1);
    } else if (i64_from(source, from, &t.i, 1) == 0) {
        t.type = SCAN_UINT;
        memcpy(&t.u, from, sizeof t.u);
    }
    return t;
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

uint32_t array_nd_dtype(const struct scan *at, uint32_t pairs)
{
    struct scan s = *at;
    struct token t;
    for (uint32_t k = 0; k < pairs && scan_next(&s, &t); k++) {
        if (!is_text(&t, "type")) {
            if (t.type == SCAN_LIST || t.type == SCAN_MAP || !scan_skip(&s)) {
                break;
            }
            continue;
        }
        if (!scan_next(&s, &t)) {
            break;
        }
        for (int i = 0; i < N_SOURCES; i++) {
            if (is_text(&t, sources[i].name)) {
                return sources[i].same != NONE ? sources[i].same
                       : i == S_B1             ? KILN_U8
                       : sources[i].real       ? KILN_F64
                                               : KILN_I64;
            }
        }
    }
    return KILN_F64;
}

bool array_is_map(const struct scan *at, uint32_t pairs)
{
    struct scan s = *at;
    struct token t;
    return pairs > 0 && scan_next(&s, &t) &&
           (is_text(&t, "nd") || is_text(&t, "type") || is_text(&t, "data") || is_text(&t, "shape"));
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
    return err_set(err, KILN_INVALID, name,
                   "%s.type is %s, expected <f8 <f4 <i8 <i4 <i2 |i1 <u8 <u4 <u2 |u1 |b1 or <c16", name,
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

int array_decode_nd(struct scan *s, const struct array_want *want, uint32_t pairs, struct arena *arena,
                    struct kiln_array *ret, struct err *err)
{
    const char *name = want->name;
    struct nd nd = {.source = -1, .data = {.type = SCAN_NIL}};
    int status = nd_members(s, name, pairs, &nd, err);
    if (status) {
        return status;
    }
    bool scalar = !nd.nd && !nd.have_shape; /* as msgpack-numpy writes a number of NumPy's */
    nd.have_shape |= scalar;
    nd.nd |= scalar && nd.source >= 0;
    if (!nd.nd || nd.source < 0 || !nd.have_shape || nd.data.type == SCAN_NIL) {
        return err_set(err, KILN_INVALID, name, "%s is a map without %s, expected an nd array", name,
                       !nd.nd           ? "nd:true"
                       : nd.source < 0  ? "type"
                       : !nd.have_shape ? "shape"
                                        : "data");
    }
    if (nd.source == S_C16 && nd.rank < KILN_MAX_RANK) {
        nd.source = S_F8;
        nd.shape[nd.rank++] = 2;
    }
    if (nd.rank == 0 && want->rank <= 1) { /* one number where a list may be */
        nd.shape[nd.rank++] = 1;
    }
    struct kiln_array a = {.dtype = want->dtype, .rank = nd.rank};
    bool row = want->row && want->rank == 2 && nd.rank == 1;
    if ((want->rank && nd.rank != want->rank && !row) || nd.rank == 0) {
        return err_set(err, KILN_INVALID, name, "%s has %u dimensions, expected %u%s%s%s", name, nd.rank,
                       want->rank ? want->rank : 1, ARRAY_HINT(want, nd.rank == 2));
    }
    uint64_t n = 1, item = sources[nd.source].bytes, room = nd.data.count / item;
    bool fits = true, empty = false;
    for (uint32_t d = 0; d < nd.rank; d++) {
        a.shape[d] = nd.shape[d];
        empty |= nd.shape[d] == 0;
        fits &= nd.shape[d] <= INT32_MAX;
    }
    for (uint32_t d = 0; d < nd.rank && fits && !empty;
         d++) { /* bounded by the bytes there are: no overflow */
        fits = n <= room / (uint64_t) nd.shape[d];
        n *= fits ? (uint64_t) nd.shape[d] : 1;
    }
    n = empty ? 0 : n;
    if (!fits || n * item != nd.data.count) {
        return err_set(err, KILN_INVALID, name,
                       "%s.data has %u bytes, which does not agree with its shape and type %s", name,
                       nd.data.count, sources[nd.source].name);
    }
    if (nd.source == S_B1 && a.dtype != KILN_U8) {
        return err_set(err, KILN_INVALID, name, "%s.type is |b1, expected one of numbers, such as |u1 or <f8",
                       name);
    }
    size_t bytes = (size_t) n * array_item_bytes(a.dtype);
    a.data = arena_alloc(arena, bytes, name);
    if (!a.data) {
        return array_not_enough(err, name, arena, bytes);
    }
    a.count = (int64_t) n;
    if (nd.source == S_B1) {
        booleans(nd.data.text, a.data, (size_t) n);
    } else {
        size_t done = convert((enum source) nd.source, nd.data.text, a.dtype, a.data, (size_t) n);
        if (done < n) {
            char path[160], shown[80];
            array_path(name, &a, (int64_t) done, path, sizeof path);
            struct token t = element((enum source) nd.source, nd.data.text + done * item);
            return err_set(err, KILN_INVALID, name, "%s is %s, expected %s", path,
                           scan_show(&t, shown, sizeof shown), array_expected(a.dtype, t.type != SCAN_FLOAT));
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
