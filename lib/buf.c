/* SPDX-License-Identifier: MPL-2.0 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "mem.h"

enum { LEAST = 512 };

void buf_done(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){.limit = b->limit};
}

void buf_shrink(struct buf *b, size_t most)
{
    if (b->room > most) {
        buf_done(b);
    }
    buf_clear(b);
}

bool buf_more(struct buf *b, size_t bytes)
{
    if (b->failed) {
        return false;
    }
    if (b->room - b->bytes >= bytes) {
        return true;
    }
    size_t most = b->limit ? b->limit : SIZE_MAX / 4;
    if (bytes > most || b->bytes > most - bytes) {
        b->failed = true;
        return false;
    }
    size_t need = b->bytes + bytes;
    size_t room = b->room ? b->room : LEAST;
    while (room < need) {
        room += room; /* cannot overflow: need <= SIZE_MAX / 4 */
    }
    if (room > most) {
        room = most;
    }
    uint8_t *data = mem_try_grow(b->data, room);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->room = room;
    return true;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    uint8_t *at = n > 0 ? buf_reserve(b, (size_t) n + 1) : NULL;
    if (at) {
        vsnprintf((char *) at, (size_t) n + 1, format, again);
        b->bytes += (size_t) n;
    }
    va_end(again);
}
