/* SPDX-License-Identifier: MPL-2.0 */
/* pack - for tests: msgpack from JSON text, JSON text from msgpack, a random source, the n-th allocation failing. */
#ifndef PACK_H
#define PACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "json.h"
#include "mem.h"

/* The caller's to buf_done. */
__attribute__((unused)) static struct buf pack(const char *json)
{
    struct buf b;
    struct err err = {0};
    buf_init(&b, 0);
    if (json_to_msgpack(json, strlen(json), NULL, &b, &err)) {
        fail_msg("%s: %s", json, err.text);
    }
    return b;
}

/* The text of some msgpack, in a buffer that the next call uses again. */
__attribute__((unused)) static const char *unpack(const void *data, size_t bytes)
{
    static char text[8192];
    struct buf b;
    struct err err = {0};
    buf_init(&b, sizeof text - 1);
    if (json_from_msgpack(data, bytes, JSON_STYLE_COMPACT, &b, &err)) {
        snprintf(text, sizeof text, "(%s)", err.text);
    } else {
        memcpy(text, b.data, b.bytes);
        text[b.bytes] = '\0';
    }
    buf_done(&b);
    return text;
}

__attribute__((unused)) static uint64_t random64(uint64_t *state) /* xorshift */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* mem_fault: lets `fault_after` allocations through, and no more. */
static long fault_after;
static unsigned long fault_seen;

__attribute__((unused)) static int fault_nth(size_t bytes)
{
    (void) bytes;
    fault_seen++;
    return fault_after-- <= 0;
}

#endif
