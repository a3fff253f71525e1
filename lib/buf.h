/* SPDX-License-Identifier: MPL-2.0 */
/* buf - a growing byte buffer, and msgpack written into it.
 *
 * Owned by whoever declares it: buf_init, any number of puts, buf_done (or buf_clear to use the memory
 * again). A put that finds no memory, or would pass the limit, sets `failed` and writes nothing; the puts
 * after it do nothing either, so that a writer checks once, at the end. Scalars are encoded by msgpack-c's
 * packer, inlined. */
#ifndef BUF_H
#define BUF_H

#include <msgpack/pack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *data;
    size_t bytes; /* written */
    size_t room;  /* allocated */
    size_t limit; /* most bytes; 0: no limit */
    bool failed;
};

static inline void buf_init(struct buf *b, size_t limit)
{
    *b = (struct buf){.limit = limit};
}

void buf_done(struct buf *b);
void buf_shrink(struct buf *b, size_t most); /* empties it, and keeps at most about `most` bytes of memory */
bool buf_more(struct buf *b, size_t bytes);  /* the slow path of buf_reserve */

static inline void buf_clear(struct buf *b)
{
    b->bytes = 0;
    b->failed = false;
}

/* Room for `bytes` more, to be written by the caller, who then adds them to b->bytes; NULL when there is
 * none. */
static inline uint8_t *buf_reserve(struct buf *b, size_t bytes)
{
    if (__builtin_expect(b->failed || b->room - b->bytes < bytes, 0) && !buf_more(b, bytes)) {
        return NULL;
    }
    return b->data + b->bytes;
}

static inline void buf_put_raw(struct buf *b, const void *data, size_t bytes)
{
    uint8_t *at = buf_reserve(b, bytes);
    if (at && bytes) {
        memcpy(at, data, bytes);
        b->bytes += bytes;
    }
}

static inline int buf_write(void *b, const char *data, size_t bytes)
{
    buf_put_raw((struct buf *) b, data, bytes);
    return 0;
}

static inline msgpack_packer buf_packer(struct buf *b)
{
    return (msgpack_packer){.data = b, .callback = buf_write};
}

static inline void buf_put_nil(struct buf *b)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_nil(&p);
}

static inline void buf_put_bool(struct buf *b, bool v)
{
    msgpack_packer p = buf_packer(b);
    v ? msgpack_pack_true(&p) : msgpack_pack_false(&p);
}

static inline void buf_put_u64(struct buf *b, uint64_t v)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_uint64(&p, v);
}

static inline void buf_put_i64(struct buf *b, int64_t v)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_int64(&p, v);
}

static inline void buf_put_f64(struct buf *b, double v)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_double(&p, v);
}

static inline void buf_put_f32(struct buf *b, float v)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_float(&p, v);
}

static inline void buf_put_map(struct buf *b, size_t pairs)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_map(&p, pairs);
}

static inline void buf_put_list(struct buf *b, size_t items)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_array(&p, items);
}

static inline void buf_put_str(struct buf *b, const char *text, size_t bytes)
{
    if (bytes < 32) { /* nearly all keys: one reservation, one copy */
        uint8_t *at = buf_reserve(b, bytes + 1);
        if (at) {
            at[0] = (uint8_t) (0xa0 | bytes);
            if (bytes) {
                memcpy(at + 1, text, bytes);
            }
            b->bytes += bytes + 1;
        }
        return;
    }
    msgpack_packer p = buf_packer(b);
    msgpack_pack_str(&p, bytes);
    buf_put_raw(b, text, bytes);
}

static inline void buf_put_text(struct buf *b, const char *text)
{
    buf_put_str(b, text, strlen(text));
}

/* A literal: its length is known when this is compiled. */
#define buf_put_str_const(b, literal) buf_put_str(b, "" literal, sizeof(literal) - 1)

static inline void buf_put_bin(struct buf *b, const void *data, size_t bytes)
{
    msgpack_packer p = buf_packer(b);
    msgpack_pack_bin(&p, bytes);
    buf_put_raw(b, data, bytes);
}

/* Text for people, not msgpack. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
