/* SPDX-License-Identifier: MPL-2.0 */
#include "npy.h"

#include <stdio.h>
#include <string.h>

/* ---- types --------------------------------------------------------------------------------------------- */

#define CONVERT(name, type)                                                                                  \
    static void name(const unsigned char *from, size_t n, double *to)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            type v;                                                                                          \
            memcpy(&v, from + i * sizeof v, sizeof v);                                                       \
            to[i] = (double) v;                                                                              \
        }                                                                                                    \
    }
/* The other byte order: through an integer of the same width. */
#define CONVERT_SWAPPED(name, type, bits)                                                                    \
    static void name(const unsigned char *from, size_t n, double *to)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            uint##bits##_t u;                                                                                \
            type v;                                                                                          \
            memcpy(&u, from + i * sizeof u, sizeof u);                                                       \
            u = __builtin_bswap##bits(u);                                                                    \
            memcpy(&v, &u, sizeof v);                                                                        \
            to[i] = (double) v;                                                                              \
        }                                                                                                    \
    }
CONVERT(f8, double)
CONVERT(f4, float)
CONVERT(i8, int64_t)
CONVERT(i4, int32_t)
CONVERT(i2, int16_t)
CONVERT(i1, int8_t)
CONVERT(u8, uint64_t)
CONVERT(u4, uint32_t)
CONVERT(u2, uint16_t)
CONVERT(u1, uint8_t)
CONVERT_SWAPPED(f8_swapped, double, 64)
CONVERT_SWAPPED(f4_swapped, float, 32)
CONVERT_SWAPPED(i8_swapped, int64_t, 64)
CONVERT_SWAPPED(i4_swapped, int32_t, 32)
CONVERT_SWAPPED(i2_swapped, int16_t, 16)
CONVERT_SWAPPED(u8_swapped, uint64_t, 64)
CONVERT_SWAPPED(u4_swapped, uint32_t, 32)
CONVERT_SWAPPED(u2_swapped, uint16_t, 16)

/* Booleans are bytes; any but 0 is true. */
static void b1(const unsigned char *from, size_t n, double *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] != 0;
    }
}

static const struct npy_type types[] = {
    {"f8", 8, f8, f8_swapped}, {"f4", 4, f4, f4_swapped}, {"i8", 8, i8, i8_swapped},
    {"i4", 4, i4, i4_swapped}, {"i2", 2, i2, i2_swapped}, {"i1", 1, i1, i1},
    {"u8", 8, u8, u8_swapped}, {"u4", 4, u4, u4_swapped}, {"u2", 2, u2, u2_swapped},
    {"u1", 1, u1, u1},         {"b1", 1, b1, b1},
};

const struct npy_type *npy_type_of(const char *name, size_t length, bool *ret_swapped)
{
    static const uint16_t one = 1;
    const char native = *(const unsigned char *) &one ? '<' : '>';
    bool swapped = false;
    if (length == 3 && memchr("<>=|", name[0], 4)) {
        swapped = (name[0] == '<' || name[0] == '>') && name[0] != native;
        name++;
        length--;
    }
    for (size_t i = 0; length == 2 && i < sizeof types / sizeof *types; i++) {
        if (memcmp(types[i].name, name, 2) == 0) {
            *ret_swapped = swapped;
            return &types[i];
        }
    }
    return NULL;
}

/* ---- the header ---------------------------------------------------------------------------------------- */

size_t npy_header_bytes(const unsigned char *start, size_t bytes, char reason[NPY_REASON])
{
    if (bytes < 12 || memcmp(start, "\x93NUMPY", 6) != 0) {
        snprintf(reason, NPY_REASON, "it does not begin as a .npy file does");
        return 0;
    }
    if (start[6] < 1 || start[6] > 3) {
        snprintf(reason, NPY_REASON, "its version is %d.%d, expected 1.0, 2.0 or 3.0", start[6], start[7]);
        return 0;
    }
    const size_t head = start[6] == 1 ? 10 : 12;
    size_t text = (size_t) (start[8] | start[9] << 8);
    if (start[6] > 1) {
        text |= (size_t) start[10] << 16 | (size_t) start[11] << 24;
    }
    if (text > NPY_MAX_HEADER - head) {
        snprintf(reason, NPY_REASON, "its header has %zu bytes, expected at most %d", head + text,
                 NPY_MAX_HEADER);
        return 0;
    }
    return head + text;
}

/* The text of the header: a Python dictionary of three literals. */
struct text {
    const char *at, *end;
};

static void skip_blanks(struct text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r')) {
        t->at++;
    }
}

static bool take(struct text *t, char c)
{
    skip_blanks(t);
    if (t->at == t->end || *t->at != c) {
        return false;
    }
    t->at++;
    return true;
}

static bool take_word(struct text *t, const char *word)
{
    const size_t length = strlen(word);
    skip_blanks(t);
    if ((size_t) (t->end - t->at) < length || memcmp(t->at, word, length) != 0) {
        return false;
    }
    t->at += length;
    return true;
}

static bool take_string(struct text *t, struct text *ret)
{
    const char quote = take(t, '\'') ? '\'' : '"';
    if (quote == '"' && !take(t, '"')) {
        return false;
    }
    ret->at = t->at;
    while (t->at < t->end && *t->at != quote && *t->at != '\\') {
        t->at++;
    }
    ret->end = t->at;
    return take(t, quote);
}

static bool take_size(struct text *t, int64_t *ret)
{
    skip_blanks(t);
    const char *from = t->at;
    int64_t size = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
        if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, *t->at - '0', &size)) {
            return false;
        }
        t->at++;
    }
    const bool any = t->at > from;
    (void) (any && t->at < t->end && *t->at == 'L' && t->at++); /* written by Python 2 */
    *ret = size;
    return any;
}

static bool take_shape(struct text *t, struct npy *n)
{
    n->rank = 0;
    if (!take(t, '(')) {
        return false;
    }
    while (!take(t, ')')) {
        if (n->rank == NPY_MAX_RANK || !take_size(t, &n->shape[n->rank])) {
            return false;
        }
        n->rank++;
        if (!take(t, ',')) {
            return n->rank > 1 && take(t, ')'); /* (3) is a number, (3,) a shape */
        }
    }
    return true;
}

static bool refuse(char reason[NPY_REASON], const char *what)
{
    snprintf(reason, NPY_REASON, "%s", what);
    return false;
}

static bool take_type(struct text *t, struct npy *n, char reason[NPY_REASON])
{
    struct text descr;
    if (!take_string(t, &descr)) {
        return refuse(reason, "its descr is not a string: records and the like are not read");
    }
    n->type = npy_type_of(descr.at, (size_t) (descr.end - descr.at), &n->swapped);
    if (n->type) {
        return true;
    }
    char shown[16];
    size_t i = 0;
    for (; i < sizeof shown - 1 && descr.at + i < descr.end; i++) {
        const char c = descr.at[i];
        shown[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    shown[i] = 0;
    snprintf(reason, NPY_REASON, "its type is '%s', expected f8, f4, i8, i4, i2, i1, u8, u4, u2, u1 or b1",
             shown);
    return false;
}

static bool take_member(struct text *t, struct npy *n, unsigned *seen, char reason[NPY_REASON])
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    struct text key;
    unsigned which = 0;
    if (!take_string(t, &key) || !take(t, ':')) {
        return refuse(reason, "its header is not a dictionary");
    }
    const size_t length = (size_t) (key.end - key.at);
    while (which < 3 && (strlen(names[which]) != length || memcmp(names[which], key.at, length) != 0)) {
        which++;
    }
    if (which == 3 || *seen & 1u << which) {
        return refuse(reason, "its header has a key that is unknown or there twice");
    }
    *seen |= 1u << which;
    if (which == 0) {
        return take_type(t, n, reason);
    }
    if (which == 1) {
        n->fortran = take_word(t, "True");
        return n->fortran || take_word(t, "False") ||
               refuse(reason, "its fortran_order is neither True nor False");
    }
    return take_shape(t, n) || refuse(reason, "its shape is not a tuple of at most 32 sizes");
}

static bool take_members(struct text *t, struct npy *n, char reason[NPY_REASON])
{
    unsigned seen = 0;
    bool more = take(t, '{');
    if (!more) {
        return refuse(reason, "its header is not a dictionary");
    }
    while (!take(t, '}')) {
        if (!more || !take_member(t, n, &seen, reason)) {
            return more ? false : refuse(reason, "its header is not a dictionary");
        }
        more = take(t, ',');
    }
    skip_blanks(t);
    return (seen == 7 && t->at == t->end) ||
           refuse(reason, "its header lacks descr, fortran_order or shape, or goes on after them");
}

bool npy_read(const unsigned char *header, size_t bytes, uint64_t file_bytes, struct npy *ret,
              char reason[NPY_REASON])
{
    struct npy n = {.data = bytes, .count = 1};
    const size_t head = header[6] == 1 ? 10 : 12;
    struct text t = {(const char *) header + head, (const char *) header + bytes};
    if (!take_members(&t, &n, reason)) {
        return false;
    }
    for (uint32_t i = 0; i < n.rank; i++) {
        if (__builtin_mul_overflow(n.count, n.shape[i], &n.count)) {
            return refuse(reason, "its shape has more values than can be counted");
        }
    }
    if (bytes > file_bytes || (uint64_t) n.count > (file_bytes - bytes) / n.type->bytes) {
        snprintf(reason, NPY_REASON,
                 "its shape says %lld values of %zu bytes, which the file is too short for",
                 (long long) n.count, n.type->bytes);
        return false;
    }
    *ret = n;
    return true;
}
