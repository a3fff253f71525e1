/* SPDX-License-Identifier: MPL-2.0 */
#include "json.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { MOST_DEPTH = 24 };

/* What jansson cannot read, as strings that nobody else writes. */
static const struct {
    char word[10], mark[6];
    double value;
} wide[] = {{"NaN", "\0nan", (double) NAN},
            {"Infinity", "\0+inf", (double) INFINITY},
            {"-Infinity", "\0-inf", (double) -INFINITY}};

enum { N_WIDE = sizeof wide / sizeof wide[0] };

/* ---- strings that are bytes ---- */

static int base64_digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* How many bytes `n` digits stand for, written to out; SIZE_MAX when they are none. */
static size_t base64_read(const char *digits, size_t n, char *out)
{
    size_t at = 0, pads = n && digits[n - 1] == '=' ? 1 + (n > 1 && digits[n - 2] == '=') : 0;
    if (n % 4) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < n; i += 4) {
        uint32_t v = 0;
        size_t here = i + 4 == n ? 4 - pads : 4;
        for (size_t k = 0; k < 4; k++) {
            int digit = k < here ? base64_digit(digits[i + k]) : 0;
            if (digit < 0) {
                return SIZE_MAX;
            }
            v = v << 6 | (uint32_t) digit;
        }
        for (size_t k = 0; k + 1 < here; k++) {
            out[at++] = (char) (v >> (16 - 8 * k));
        }
    }
    return at;
}

void json_put_text(struct buf *out, const char *text, size_t bytes)
{
    if (bytes > 7 && memcmp(text, "base64:", 7) == 0) {
        char *data = mem_try(bytes);
        size_t n = data ? base64_read(text + 7, bytes - 7, data) : SIZE_MAX;
        if (n != SIZE_MAX) {
            buf_put_bin(out, data, n);
        }
        mem_free(data);
        if (n != SIZE_MAX) {
            return;
        }
    }
    buf_put_str(out, text, bytes);
}

static void put_string(struct buf *out, const char *text, size_t bytes)
{
    for (size_t i = 0; i < N_WIDE && bytes && !text[0]; i++) {
        if (bytes == strlen(wide[i].mark + 1) + 1 && memcmp(text, wide[i].mark, bytes) == 0) {
            buf_put_f64(out, wide[i].value);
            return;
        }
    }
    json_put_text(out, text, bytes);
}

/* ---- values ---- */

static int encode(json_t *v, int depth, const struct json_hook *hook, struct buf *out, struct err *err)
{
    if (depth > MOST_DEPTH) {
        return err_set(err, KILN_INVALID, NULL, "the JSON is nested deeper than %d", MOST_DEPTH);
    }
    switch (json_typeof(v)) {
    case JSON_NULL:
        buf_put_nil(out);
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_put_bool(out, json_is_true(v));
        return 0;
    case JSON_INTEGER:
        buf_put_i64(out, json_integer_value(v));
        return 0;
    case JSON_REAL:
        buf_put_f64(out, json_real_value(v));
        return 0;
    case JSON_STRING:
        put_string(out, json_string_value(v), json_string_length(v));
        return 0;
    case JSON_ARRAY: {
        size_t n = json_array_size(v);
        buf_put_list(out, n);
        for (size_t i = 0; i < n; i++) {
            int status = encode(json_array_get(v, i), depth + 1, hook, out, err);
            if (status) {
                return status;
            }
        }
        return 0;
    }
    default:
        break;
    }
    int done = hook ? hook->object(v, out, err) : 0;
    if (done) {
        return done < 0 ? -done : 0;
    }
    buf_put_map(out, json_object_size(v));
    const char *key;
    json_t *member;
    json_object_foreach(v, key, member)
    {
        buf_put_text(out, key);
        int status = encode(member, depth + 1, hook, out, err);
        if (status) {
            return status;
        }
    }
    return 0;
}

/* The text with marks for what jansson cannot read; false when there is nothing of the kind. */
static bool mark_wide(const char *text, size_t bytes, struct buf *out)
{
    bool quoted = false, any = false;
    for (size_t i = 0; i < bytes;) {
        size_t which = N_WIDE, n = 1;
        if (quoted) {
            n = text[i] == '\\' && i + 1 < bytes ? 2 : 1;
        } else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9')) {
            char number[64];
            n = strspn(text + i, "+-0123456789.eE"); /* the text is terminated */
            snprintf(number, sizeof number, "%.*s", (int) (n < sizeof number ? n : 0), text + i);
            double v = strtod(number, NULL);
            which = isinf(v) ? (v > 0 ? 1 : 2) : N_WIDE;
        }
        for (size_t k = 0; k < N_WIDE && !quoted && which == N_WIDE; k++) {
            size_t word = strlen(wide[k].word);
            if (bytes - i >= word && memcmp(text + i, wide[k].word, word) == 0) {
                which = k;
                n = word;
            }
        }
        quoted ^= n == 1 && text[i] == '"';
        if (which < N_WIDE) {
            buf_printf(out, "\"\\u0000%s\"", wide[which].mark + 1);
            any = true;
        } else {
            buf_put_raw(out, text + i, n);
        }
        i += n;
    }
    return any;
}

int json_to_msgpack(const char *text, size_t bytes, const struct json_hook *hook, struct buf *out,
                    struct err *err)
{
    json_error_t why;
    json_t *v = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!v) {
        struct buf marked = {0};
        char *copy = mem_try(bytes + 1);
        if (copy) {
            memcpy(copy, text, bytes);
            if (mark_wide(copy, bytes, &marked) && !marked.failed) {
                v = json_loadb((const char *) marked.data, marked.bytes,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            }
        }
        mem_free(copy);
        buf_done(&marked);
    }
    if (!v) {
        return err_set(err, KILN_INVALID, NULL, "no JSON at line %d, column %d: %s", why.line, why.column,
                       why.text);
    }
    int status = encode(v, 0, hook, out, err);
    json_decref(v);
    if (status == 0 && out->failed) {
        status = err_set(err, KILN_RESOURCE, NULL, "the JSON needs more memory than there is");
    }
    return status;
}
