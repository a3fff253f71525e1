/* SPDX-License-Identifier: MPL-2.0 */
#include "json.h"

#include <jansson.h>
#include <string.h>

enum { MOST_DEPTH = 24 };

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
        buf_put_str(out, json_string_value(v), json_string_length(v));
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

int json_to_msgpack(const char *text, size_t bytes, const struct json_hook *hook, struct buf *out,
                    struct err *err)
{
    json_error_t why;
    json_t *v = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
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
