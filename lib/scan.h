/* SPDX-License-Identifier: MPL-2.0 */
/* scan - walks msgpack without allocating, and bounds it before anything is decoded.
 *
 * scan_check() comes first: it accepts exactly one complete value that fills the bytes given and stays within the
 * limits, so that whoever decodes afterwards (msgpack-c for headers, array and contract for payloads) can trust every
 * count. scan_next() then gives one token after the other; a map's or list's items follow as tokens of their own
 * (map: key, value, key, value ...). */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct scan_limits {
    uint32_t depth; /* most nested maps and lists; a bare scalar has depth 0 */
    uint32_t items; /* most values in all, map keys included; numbers inside lists count too */
};

/* 0, or KILN_INVALID with a sentence such as "msgpack is truncated at byte 17 of 20". */
int scan_check(const void *data, size_t bytes, const struct scan_limits *limits, struct err *err);

enum scan_type {
    SCAN_NIL,
    SCAN_BOOL,
    SCAN_INT,
    SCAN_UINT,
    SCAN_FLOAT,
    SCAN_STR,
    SCAN_BIN,
    SCAN_LIST,
    SCAN_MAP,
    SCAN_EXT
};

struct token {
    enum scan_type type;
    uint32_t count;   /* STR, BIN, EXT: bytes; LIST: items; MAP: pairs */
    int64_t i;        /* BOOL 0 or 1; INT (negative or not); UINT only when above INT64_MAX: see u */
    uint64_t u;       /* UINT: the value, always > INT64_MAX */
    double f;         /* FLOAT (32 or 64 bit); also INT and UINT, converted */
    const char *text; /* STR, BIN, EXT: the bytes, not NUL-terminated */
};

struct scan {
    const uint8_t *at, *end;
};

static inline struct scan scan_over(const void *data, size_t bytes)
{
    return (struct scan){(const uint8_t *) data, (const uint8_t *) data + bytes};
}

/* The next token; false at the end of the bytes or where they are damaged. */
bool scan_next(struct scan *s, struct token *ret_token);

/* Skips one whole value with all its items; false as above. */
bool scan_skip(struct scan *s);

/* A name for messages: "a string", "a list of 3", "2.5", "\"abc\"", cut to fit `out`. Returns out. */
const char *scan_show(const struct token *token, char *out, size_t bytes);

#endif
