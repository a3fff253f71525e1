/* SPDX-License-Identifier: MPL-2.0 */
/* json - JSON text <-> msgpack. jansson owns most names in json_: only the two below are ours. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

struct json_t;

/* Sees every object before it is written: 1 when it wrote something in its place, 0 when it is none of its
 * own, a status below 0 (negated kiln status, err filled) to give up. */
struct json_hook {
    int (*object)(const struct json_t *object, struct buf *out, struct err *err);
};

/* Appends one JSON value (anything, not only objects) as msgpack. NaN, Infinity and -Infinity are read as Python
 * writes them, numbers beyond a double's range as infinite, and strings as json_put_text does. KILN_INVALID with line and column, for a
 * key twice, or nesting over 24; KILN_RESOURCE when `out` is full. hook may be NULL. */
int json_to_msgpack(const char *text, size_t bytes, const struct json_hook *hook, struct buf *out,
                    struct err *err);

enum json_style { JSON_STYLE_COMPACT, JSON_STYLE_PRETTY };

/* A string; or bytes, when what follows "base64:" is base64, as json_from_msgpack writes them. */
void json_put_text(struct buf *out, const char *text, size_t bytes);

/* Appends one msgpack value as JSON text, without a newline at the end. NaN becomes null, infinities 1e999, nd
 * maps nested lists, bin a string (when it is no UTF-8: base64 after "base64:"). Numbers have as many digits
 * (15 to 17) as they need to read back equal. KILN_INVALID for damaged msgpack, KILN_RESOURCE when `out` is
 * full. */
int json_from_msgpack(const void *data, size_t bytes, enum json_style style, struct buf *out,
                      struct err *err);

#endif
