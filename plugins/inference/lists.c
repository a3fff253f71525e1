/* SPDX-License-Identifier: MPL-2.0 */
#include "lists.h"

#include <string.h>

/* Of the protobuf wire format, and of AttributeProto. */
enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };
enum { FIELD_FLOATS = 7, FIELD_INTS = 8, FIELD_STRINGS = 9 };

struct field {
    uint64_t number, value; /* value: of a varint; else the bytes of the content */
    unsigned wire;
    const uint8_t *content;
};

static bool take_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        const uint8_t byte = *(*at)++;
        value |= (uint64_t) (byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* The field at *at, which moves behind it; false when it is damaged. */
static bool take_field(const uint8_t **at, const uint8_t *end, struct field *f)
{
    uint64_t tag;
    if (!take_varint(at, end, &tag)) {
        return false;
    }
    f->number = tag >> 3;
    f->wire = tag & 7;
    f->content = *at;
    if (f->wire == WIRE_VARINT) {
        return take_varint(at, end, &f->value);
    }
    if (f->wire == WIRE_BYTES) {
        if (!take_varint(at, end, &f->value)) {
            return false;
        }
        f->content = *at;
    } else if (f->wire == WIRE_32 || f->wire == WIRE_64) {
        f->value = f->wire == WIRE_32 ? 4 : 8;
    } else {
        return false; /* groups */
    }
    if (f->value > (uint64_t) (end - f->content)) {
        return false;
    }
    *at = f->content + f->value;
    return true;
}

/* ---- runs of one list's elements, as exporters write them: each with a tag of one byte, and short. Of other elements the rest of
 * this file knows. Where `to` is given they are put there. Each returns what is behind the run. */

enum { TAG_FLOAT = FIELD_FLOATS << 3 | WIRE_32, TAG_INT = FIELD_INTS << 3 | WIRE_VARINT };

static const uint8_t *run_of_floats(const uint8_t *at, const uint8_t *end, float *to, size_t *n_io)
{
    size_t n = 0;
    for (; end - at >= 5 && *at == TAG_FLOAT; at += 5, n++) {
        if (to) {
            memcpy(to + n, at + 1, sizeof *to); /* both are little-endian */
        }
    }
    *n_io += n;
    return at;
}

/* Those of one and two bytes. */
static const uint8_t *run_of_ints(const uint8_t *at, const uint8_t *end, int64_t *to, size_t *n_io)
{
    size_t n = 0;
    for (; end - at >= 3 && *at == TAG_INT && !(at[1] & at[2] & 0x80); n++) {
        const bool two = at[1] & 0x80;
        if (to) {
            to[n] = two ? (at[1] & 0x7f) | at[2] << 7 : at[1];
        }
        at += two ? 3 : 2;
    }
    *n_io += n;
    return at;
}

static bool is_list(const struct field *f)
{
    return f->number >= FIELD_FLOATS && f->number <= FIELD_STRINGS;
}

/* ---- counting */

struct count {
    size_t floats, ints, texts, chars;
};

static bool count_one(const struct field *f, struct count *n)
{
    if (f->number == FIELD_STRINGS) {
        n->texts++;
        n->chars += f->wire == WIRE_BYTES ? f->value + 1 : 0;
        return f->wire == WIRE_BYTES;
    }
    if (f->number == FIELD_FLOATS) {
        n->floats += f->value / sizeof(float);
        return f->wire == WIRE_32 || (f->wire == WIRE_BYTES && f->value % sizeof(float) == 0);
    }
    if (f->wire == WIRE_VARINT) {
        n->ints++;
        return true;
    }
    const uint8_t *at = f->content, *end = at + f->value;
    uint64_t value;
    while (f->wire == WIRE_BYTES && at < end) {
        if (!take_varint(&at, end, &value)) {
            return false;
        }
        n->ints++;
    }
    return f->wire == WIRE_BYTES;
}

static bool count_all(const uint8_t *data, size_t bytes, struct count *n)
{
    const uint8_t *at = data, *end = data + bytes;
    struct field f;
    while (at < end) {
        at = run_of_floats(at, end, NULL, &n->floats);
        at = run_of_ints(at, end, NULL, &n->ints);
        if (at == end) {
            break;
        }
        if (!take_field(&at, end, &f) || (is_list(&f) && !count_one(&f, n))) {
            return false;
        }
    }
    return true;
}

/* ---- taking */

struct ends {
    float *floats;
    int64_t *ints;
    struct text *texts;
    char *chars;
    struct count n; /* there so far */
};

static void take_one(const struct field *f, struct ends *to)
{
    if (f->number == FIELD_STRINGS) {
        char *chars = memcpy(to->chars + to->n.chars, f->content, f->value);
        to->texts[to->n.texts++] = (struct text){chars, f->value};
        chars[f->value] = 0;
        to->n.chars += f->value + 1;
    } else if (f->number == FIELD_FLOATS) {
        memcpy(to->floats + to->n.floats, f->content, f->value);
        to->n.floats += f->value / sizeof(float);
    } else if (f->wire == WIRE_VARINT) {
        to->ints[to->n.ints++] = (int64_t) f->value;
    } else {
        const uint8_t *at = f->content;
        for (uint64_t value; take_varint(&at, f->content + f->value, &value);) {
            to->ints[to->n.ints++] = (int64_t) value;
        }
    }
}

/* All lists to their ends; what is left is moved together, and its bytes are returned. */
static size_t take_all(uint8_t *data, size_t bytes, struct ends *to)
{
    const uint8_t *at = data, *end = data + bytes;
    uint8_t *left = data;
    while (at < end) {
        at = run_of_floats(at, end, to->floats + to->n.floats, &to->n.floats);
        at = run_of_ints(at, end, to->ints + to->n.ints, &to->n.ints);
        const uint8_t *begin = at;
        struct field f;
        if (at == end || !take_field(&at, end, &f)) {
            break;
        }
        if (is_list(&f)) {
            take_one(&f, to);
        } else {
            memmove(left, begin, (size_t) (at - begin));
            left += at - begin;
        }
    }
    return (size_t) (left - data);
}

enum lists_result lists_take(struct pool *pool, uint8_t *data, size_t *bytes_io, struct lists *ret)
{
    struct count n = {0};
    const size_t bytes = *bytes_io;
    *bytes_io = 0;
    *ret = (struct lists){0};
    if (!bytes) { /* at NULL, perhaps */
        return LISTS_OK;
    }
    if (!count_all(data, bytes, &n)) {
        return LISTS_DAMAGED;
    }
    struct ends to = {.floats = pool_raw(pool, n.floats, sizeof(float)),
                      .ints = pool_raw(pool, n.ints, sizeof(int64_t)),
                      .texts = pool_raw(pool, n.texts, sizeof(struct text)),
                      .chars = pool_raw(pool, n.chars, 1)};
    if (!to.floats || !to.ints || !to.texts || !to.chars) {
        return LISTS_NO_MEMORY;
    }
    *ret = (struct lists){n.floats, n.ints, n.texts, to.floats, to.ints, to.texts};
    *bytes_io = take_all(data, bytes, &to);
    return LISTS_OK;
}
