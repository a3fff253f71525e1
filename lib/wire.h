/* SPDX-License-Identifier: MPL-2.0 */
/* wire - KJP messages on a socket: frames in and out, and the header map. docs/PROTOCOL.md is the law.
 *
 * Receiving, again and again with the same two objects:
 *
 *     struct frames f = {0};  struct header h = {0};
 *     while (frames_recv(&f, socket, routed) == 1) {
 *         if (header_decode(&h, &f.header, &err) == 0) { header_text(&h.map, "op", ...) ... }
 *     }
 *     frames_done(&f); header_done(&h);
 *
 * What header_* return borrows from the header frame: valid until the next frames_recv. A payload is taken
 * out with zmq_msg_move. Headers are decoded by msgpack-c, after lib/scan has bounded them. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <msgpack.h>
#include <zmq.h>

#include "buf.h"
#include "err.h"

enum {
    WIRE_HEADER_BYTES = 1 << 20,
    WIRE_HEADER_DEPTH = 8,
    WIRE_JOBS = 4096,   /* jobs, or ids, in one message */
    WIRE_ID_BYTES = 64, /* an id as encoded */
    WIRE_ROUTE_BYTES = 255,
};

/* ---- frames ---- */

struct payload;

struct frames {
    zmq_msg_t route; /* set when received with `routed` */
    bool delimited;  /* an empty frame stood before the header; answers echo it */
    zmq_msg_t header;
    zmq_msg_t *payloads;
    size_t n_payloads; /* those beyond WIRE_JOBS + 2 are counted in `surplus` and dropped */
    size_t room, surplus;
    bool held;             /* the messages above are initialised */
    struct payload *split; /* of frames_split() */
    size_t split_room;
    bool packed; /* frames_split() found `sizes` */
};

/* One whole message, not waiting: 1, or 0 when there is none, or -1 with errno of zmq. Whatever f held before is
 * released first. */
int frames_recv(struct frames *f, void *socket, bool routed);
void frames_done(struct frames *f);

/* Sends a copy of the bytes, or the message itself (moved out; closed when sending fails). 0, or -1 with zmq_errno(). */
int frame_send(void *socket, const void *data, size_t bytes, int flags);
int frame_send_msg(void *socket, zmq_msg_t *msg, int flags);

/* ---- payloads ---- */

/* One payload, borrowed from the frames it came in. */
struct payload {
    const void *data;
    size_t bytes;
    zmq_msg_t *frame; /* its own frame; NULL when it came packed with others */
};

/* Finds n payloads: n frames, or, when the header has `sizes`, one frame that holds them one after the other.
 * KILN_INVALID when there are not n. *ret_payloads is valid until the next call or frames_recv. */
int frames_split(struct frames *f, const msgpack_object_map *map, size_t n, struct payload **ret_payloads,
                 struct err *err);

/* Makes *ret_msg the payload: moved out of its frame, or copied out of the pack. KILN_RESOURCE when there is no memory. */
int payload_take(struct payload *p, zmq_msg_t *ret_msg);

/* ---- header ---- */

struct header {
    msgpack_zone *zone;
    msgpack_object_map map;
};

/* 0 or KILN_INVALID. */
int header_decode(struct header *h, zmq_msg_t *frame, struct err *err);
void header_done(struct header *h);

/* The value of a key, or NULL when absent (a null counts as absent). The last of repeated keys wins. */
const msgpack_object *header_get(const msgpack_object_map *map, const char *key);

/* Each: 0 and *ret set, or untouched when the key is absent; KILN_INVALID when it is there and wrong. */
int header_uint(const msgpack_object_map *map, const char *key, uint64_t least, uint64_t most, uint64_t *ret,
                struct err *err);
int header_bool(const msgpack_object_map *map, const char *key, bool *ret, struct err *err);
int header_text(const msgpack_object_map *map, const char *key, size_t most_bytes, const char **ret_text,
                size_t *ret_bytes, struct err *err);
int header_list(const msgpack_object_map *map, const char *key, size_t most, const msgpack_object_array **ret,
                struct err *err);

static inline bool text_is(const char *text, size_t bytes, const char *literal)
{
    return strlen(literal) == bytes && memcmp(text, literal, bytes) == 0;
}

/* How a value reads in a message: "7", "\"abc\"", "a map". Returns out. */
const char *header_show(const msgpack_object *o, char *out, size_t bytes);

/* ---- writing ---- */

/* A map or list whose count is known only after its items: open writes the widest head and returns where its count
 * is, close puts the count in. */
static inline size_t buf_open(struct buf *b, uint8_t head)
{
    static const uint8_t zero[4];
    buf_put_raw(b, &head, 1);
    size_t at = b->bytes;
    buf_put_raw(b, zero, 4);
    return at;
}

static inline size_t buf_open_map(struct buf *b)
{
    return buf_open(b, 0xdf);
}

static inline size_t buf_open_list(struct buf *b)
{
    return buf_open(b, 0xdd);
}

static inline void buf_close(struct buf *b, size_t at, size_t count)
{
    if (!b->failed) {
        uint32_t big = __builtin_bswap32((uint32_t) count);
        memcpy(b->data + at, &big, 4);
    }
}

/* ---- ids ---- */

/* An id or rid as it is encoded; size 0: absent. */
struct wire_id {
    uint8_t size;
    uint8_t bytes[WIRE_ID_BYTES];
};

int id_from(const msgpack_object *o, const char *key, struct wire_id *ret, struct err *err);
int header_id(const msgpack_object_map *map, const char *key, struct wire_id *ret, struct err *err);
struct wire_id id_number(uint64_t number);
static inline bool id_equal(const struct wire_id *a, const struct wire_id *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
static inline void buf_id(struct buf *b, const struct wire_id *id)
{
    buf_put_raw(b, id->bytes, id->size);
}

#endif
