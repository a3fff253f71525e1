/* SPDX-License-Identifier: MPL-2.0 */
/* json_text - msgpack as JSON text: the other half of json.h. Streams over the tokens; builds no tree. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "array.h"
#include "json.h"
#include "scan.h"
#include "utf8.h"

struct writer {
    struct scan s;
    struct buf *out;
    bool pretty;
};

static void put(struct writer *w, const char *text)
{
    buf_put_raw(w->out, text, strlen(text));
}

static void line(struct writer *w, int depth)
{
    if (w->pretty) {
        buf_printf(w->out, "\n%*s", depth * 2, "");
    }
}

static void put_number(struct writer *w, double v)
{
    char text[40];
    if (!isfinite(v)) {
        put(w, isnan(v) ? "null"
               : v > 0  ? "1e999"
                        : "-1e999"); /* JSON has no infinity; this is read as one */
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) {
            break;
        }
    }
    if (!strpbrk(text, ".e")) { /* a float stays a float when it is read back */
        strcat(text, ".0");
    }
    put(w, text);
}

static void put_string(struct writer *w, const char *text, size_t bytes)
{
    put(w, "\"");
    size_t from = 0; /* plain characters are copied in runs */
    for (size_t i = 0; i < bytes;) {
        unsigned char c = (unsigned char) text[i];
        size_t n = utf8_character(text + i, bytes - i);
        if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += n;
            continue;
        }
        buf_put_raw(w->out, text + from, i - from);
        if (n == 0) {
            put(w, "\xef\xbf\xbd"); /* no UTF-8: the replacement character */
        } else if (c == '"' || c == '\\') {
            buf_printf(w->out, "\\%c", c);
        } else if (c == '\n') {
            put(w, "\\n");
        } else {
            buf_printf(w->out, "\\u%04x", c);
        }
        i += n ? n : 1;
        from = i;
    }
    buf_put_raw(w->out, text + from, bytes - from);
    put(w, "\"");
}

static void put_bytes(struct writer *w, const char *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (utf8_valid(data, bytes)) {
        put_string(w, data, bytes);
        return;
    }
    const unsigned char *p = (const unsigned char *) data;
    put(w, "\"base64:");
    for (size_t i = 0; i < bytes; i += 3) {
        size_t n = bytes - i < 3 ? bytes - i : 3;
        uint32_t v = (uint32_t) p[i] << 16 | (n > 1 ? (uint32_t) p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=',
                        n > 2 ? digits[v & 63] : '='};
        buf_put_raw(w->out, four, 4);
    }
    put(w, "\"");
}

static void put_elements(struct writer *w, const struct kiln_array *a, uint32_t d, size_t *place)
{
    put(w, "[");
    for (int64_t i = 0; i < a->shape[d] && !w->out->failed; i++) {
        if (i) {
            put(w, w->pretty ? ", " : ",");
        }
        if (d + 1 < a->rank) {
            put_elements(w, a, d + 1, place);
        } else if (a->dtype == KILN_I64) {
            buf_printf(w->out, "%lld", (long long) ((const int64_t *) a->data)[(*place)++]);
        } else {
            put_number(w, ((const double *) a->data)[(*place)++]);
        }
    }
    put(w, "]");
}

/* An nd map becomes nested lists; false when it is none, or none that is whole. */
static bool put_nd(struct writer *w, struct scan before, uint32_t pairs)
{
    if (!array_is_nd(&w->s, pairs)) {
        return false;
    }
    struct arena arena;
    arena_init(&arena, SIZE_MAX / 8);
    bool done = false;
    static const uint32_t tries[] = {KILN_I64, KILN_F64,
                                     KILN_U8}; /* whole numbers without ".0" if there are only such */
    for (size_t k = 0; k < sizeof tries / sizeof tries[0] && !done; k++) {
        struct scan s = before;
        struct kiln_array a;
        struct array_want want = {.name = "array", .dtype = tries[k]};
        if (array_decode(&s, &want, &arena, &a, NULL, NULL) != 0) {
            continue;
        }
        struct kiln_array wide = a;
        if (a.dtype == KILN_U8) { /* booleans */
            int64_t *bits = arena_alloc(&arena, (size_t) a.count * sizeof *bits, NULL);
            for (int64_t i = 0; bits && i < a.count; i++) {
                bits[i] = ((const uint8_t *) a.data)[i];
            }
            if (!bits) {
                break;
            }
            wide.data = bits;
            wide.dtype = KILN_I64;
        }
        size_t place = 0;
        put_elements(w, &wide, 0, &place);
        w->s = s;
        done = true;
    }
    arena_done(&arena);
    return done;
}

/* Numbers, and short lists of them, share a line even when pretty. */
static bool flat(const struct scan *at, uint32_t count)
{
    struct scan s = *at;
    struct token t;
    for (uint32_t i = 0; i < count; i++) {
        if (!scan_next(&s, &t) || t.type == SCAN_LIST || t.type == SCAN_MAP || t.type == SCAN_STR ||
            t.type == SCAN_BIN) {
            return false;
        }
    }
    return true;
}

static bool put_value(struct writer *w, int depth);

static bool put_list(struct writer *w, uint32_t count, int depth)
{
    bool one_line = !w->pretty || flat(&w->s, count);
    put(w, "[");
    for (uint32_t i = 0; i < count; i++) {
        if (i) {
            put(w, one_line && w->pretty ? ", " : ",");
        }
        if (!one_line) {
            line(w, depth + 1);
        }
        if (!put_value(w, depth + 1)) {
            return false;
        }
    }
    if (!one_line && count) {
        line(w, depth);
    }
    put(w, "]");
    return true;
}

static bool put_map(struct writer *w, struct scan before, uint32_t count, int depth)
{
    if (put_nd(w, before, count)) {
        return true;
    }
    put(w, "{");
    for (uint32_t i = 0; i < count; i++) {
        struct token key;
        if (i) {
            put(w, ",");
        }
        line(w, depth + 1);
        if (!scan_next(&w->s, &key)) {
            return false;
        }
        if (key.type == SCAN_STR || key.type == SCAN_BIN) {
            put_string(w, key.text, key.count);
        } else if (key.type == SCAN_LIST || key.type == SCAN_MAP) {
            return false;
        } else { /* JSON has string keys only */
            char shown[80];
            scan_show(&key, shown, sizeof shown);
            put_string(w, shown, strlen(shown));
        }
        put(w, w->pretty ? ": " : ":");
        if (!put_value(w, depth + 1)) {
            return false;
        }
    }
    if (count) {
        line(w, depth);
    }
    put(w, "}");
    return true;
}

static bool put_value(struct writer *w, int depth)
{
    struct scan before = w->s;
    struct token t;
    if (!scan_next(&w->s, &t)) {
        return false;
    }
    switch (t.type) {
    case SCAN_NIL:
        put(w, "null");
        return true;
    case SCAN_BOOL:
        put(w, t.i ? "true" : "false");
        return true;
    case SCAN_INT:
        buf_printf(w->out, "%lld", (long long) t.i);
        return true;
    case SCAN_UINT:
        buf_printf(w->out, "%llu", (unsigned long long) t.u);
        return true;
    case SCAN_FLOAT:
        put_number(w, t.f);
        return true;
    case SCAN_STR:
        put_string(w, t.text, t.count);
        return true;
    case SCAN_LIST:
        return put_list(w, t.count, depth);
    case SCAN_MAP:
        return put_map(w, before, t.count, depth);
    default: /* bin, ext */
        put_bytes(w, t.text, t.count);
        return true;
    }
}

int json_from_msgpack(const void *data, size_t bytes, enum json_style style, struct buf *out, struct err *err)
{
    int status = scan_check(data, bytes, &(struct scan_limits){.depth = 64, .items = UINT32_MAX}, err);
    if (status) {
        return status;
    }
    struct writer w = {scan_over(data, bytes), out, style == JSON_STYLE_PRETTY};
    if (!put_value(&w, 0)) {
        return err_set(err, KILN_INVALID, NULL, "a map has a list or map as key: JSON cannot say that");
    }
    return out->failed ? err_set(err, KILN_RESOURCE, NULL, "the JSON text needs more memory than there is")
                       : 0;
}
