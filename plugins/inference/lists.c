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
 * this file knows. Counted, the number is added to *n_io; taken, they are put behind *n_io others. Each returns what is behind the run. */

enum {
    TAG_FLOAT = FIELD_FLOATS << 3 | WIRE_32,
    TAG_INT = FIELD_INTS << 3 | WIRE_VARINT,
    TAG_TEXT = FIELD_STRINGS << 3 | WIRE_BYTES
};

static const uint8_t *count_floats(const uint8_t *at, const uint8_t *end, size_t *n_io)
{
    const uint8_t *const begin = at;
    while (end - at >= 5 && *at == TAG_FLOAT) {
        at += 5;
    }
    *n_io += (size_t) (at - begin) / 5;
    return at;
}

static const uint8_t *take_floats(const uint8_t *at, const uint8_t *end, float *to, size_t *n_io)
{
    for (; end - at >= 5 && *at == TAG_FLOAT; at += 5) {
        memcpy(to + (*n_io)++, at + 1, sizeof *to); /* both are little-endian */
    }
    return at;
}

/* Four of one byte each, with their tags. */
static bool are_four_ints(const uint8_t *at, const uint8_t *end, uint64_t *ret_word)
{
    const uint64_t one = 0x0001000100010001;
    if (end - at < 8) {
        return false;
    }
    memcpy(ret_word, at, sizeof *ret_word); /* its least byte is the first one */
    return (*ret_word & one * 0x80ff) == one * TAG_INT;
}

/* One of one or two bytes. */
static bool is_short_int(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 3 && *at == TAG_INT && !(at[1] & at[2] & 0x80);
}

static const uint8_t *count_ints(const uint8_t *at, const uint8_t *end, size_t *n_io)
{
    uint64_t word;
    size_t n = 0;
    for (;;) {
        if (are_four_ints(at, end, &word)) {
            at += 8;
            n += 4;
        } else if (is_short_int(at, end)) {
            at += 2 + (at[1] >> 7);
            n++;
        } else {
            *n_io += n;
            return at;
        }
    }
}

/* Without a branch on how long one is: that cannot be foretold. */
static const uint8_t *take_ints(const uint8_t *at, const uint8_t *end, int64_t *to, size_t *n_io)
{
    uint64_t word;
    size_t n = *n_io;
    for (;;) {
        if (are_four_ints(at, end, &word)) {
            for (unsigned i = 0; i < 4; i++) {
                to[n++] = word >> (16 * i + 8) & 0x7f;
            }
            at += 8;
        } else if (is_short_int(at, end)) {
            const unsigned two = at[1] >> 7;
            to[n++] = (at[1] & 0x7f) | (at[2] & -two) << 7;
            at += 2 + two;
        } else {
            *n_io = n;
            return at;
        }
    }
}

/* Those of less than 128 bytes. */
static bool is_short_text(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 2 && *at == TAG_TEXT && at[1] < end - at - 1 && at[1] < 0x80;
}

static bool is_list(const struct field *f)
{
    return f->number >= FIELD_FLOATS && f->number <= FIELD_STRINGS;
}

/* ---- counting */

struct count {
    size_t floats, ints, texts, chars;
    const void *last; /* the text before: one that is the same needs no copy */
    size_t last_bytes;
};

static bool is_new(const struct count *n, const void *text, size_t bytes)
{
    return n->texts == 0 || n->last_bytes != bytes || memcmp(n->last, text, bytes) != 0;
}

static void add_text(struct count *n, const void *text, size_t bytes, bool new)
{
    n->chars += new ? bytes + 1 : 0;
    n->texts++;
    n->last = text;
    n->last_bytes = bytes;
}

static void count_text(struct count *n, const void *text, size_t bytes)
{
    add_text(n, text, bytes, is_new(n, text, bytes));
}

static const uint8_t *count_texts(const uint8_t *at, const uint8_t *end, struct count *n)
{
    for (; is_short_text(at, end); at += 2 + at[1]) {
        count_text(n, at + 2, at[1]);
    }
    return at;
}

static bool count_one(const struct field *f, struct count *n)
{
    if (f->number == FIELD_STRINGS) {
        if (f->wire == WIRE_BYTES) {
            count_text(n, f->content, f->value);
        }
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
        at = count_floats(at, end, &n->floats);
        at = count_ints(at, end, &n->ints);
        at = count_texts(at, end, n);
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

/* What is compared with is the copy: the bytes that were read may have been written over since. */
static void take_text(const uint8_t *content, size_t bytes, struct ends *to)
{
    const bool new = is_new(&to->n, content, bytes);
    const char *chars = to->n.last;
    if (new) {
        char *copy = to->chars + to->n.chars;
        memcpy(copy, content, bytes);
        copy[bytes] = 0;
        chars = copy;
    }
    to->texts[to->n.texts] = (struct text){chars, bytes};
    add_text(&to->n, chars, bytes, new);
}

static const uint8_t *take_texts(const uint8_t *at, const uint8_t *end, struct ends *to)
{
    for (; is_short_text(at, end); at += 2 + at[1]) {
        take_text(at + 2, at[1], to);
    }
    return at;
}

static void take_one(const struct field *f, struct ends *to)
{
    if (f->number == FIELD_STRINGS) {
        take_text(f->content, f->value, to);
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
        at = take_floats(at, end, to->floats, &to->n.floats);
        at = take_ints(at, end, to->ints, &to->n.ints);
        at = take_texts(at, end, to);
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
