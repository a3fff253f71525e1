/* SPDX-License-Identifier: MPL-2.0 */
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>

#include "mem.h"
#include "scan.h"
#include "utf8.h"

/* ---- frames ---- */

static void release(struct frames *f)
{
    if (!f->held) {
        return;
    }
    zmq_msg_close(&f->route);
    zmq_msg_close(&f->header);
    for (size_t i = 0; i < f->n_payloads; i++) {
        zmq_msg_close(&f->payloads[i]);
    }
    f->n_payloads = f->surplus = 0;
    f->delimited = f->held = false;
}

static void take_payload(struct frames *f, zmq_msg_t *frame)
{
    if (f->n_payloads == WIRE_JOBS + 2) {
        f->surplus++;
        zmq_msg_close(frame);
        return;
    }
    if (f->n_payloads == f->room) {
        f->room = f->room ? f->room * 2 : 64;
        f->payloads = mem_grow(f->payloads, f->room * sizeof *f->payloads);
    }
    zmq_msg_init(&f->payloads[f->n_payloads]);
    zmq_msg_move(&f->payloads[f->n_payloads++], frame);
}

int frames_recv(struct frames *f, void *socket, bool routed)
{
    release(f);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&frame);
        return zmq_errno() == EAGAIN || zmq_errno() == EINTR ? 0 : -1;
    }
    zmq_msg_init(&f->route);
    zmq_msg_init(&f->header);
    f->held = true;
    /* The parts of a message arrive together: none of the further receives can wait. */
    enum { ROUTE, DELIMITER, HEADER, PAYLOAD } at = routed ? ROUTE : DELIMITER;
    for (;;) {
        bool more = zmq_msg_more(&frame);
        if (at == ROUTE) {
            zmq_msg_move(&f->route, &frame);
            at = DELIMITER;
        } else if (at == DELIMITER && zmq_msg_size(&frame) == 0) {
            f->delimited = true;
            at = HEADER;
        } else if (at != PAYLOAD) {
            zmq_msg_move(&f->header, &frame);
            at = PAYLOAD;
        } else {
            take_payload(f, &frame);
        }
        if (!more) {
            break;
        }
        zmq_msg_close(&frame);
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, 0) < 0) {
            zmq_msg_close(&frame);
            return -1;
        }
    }
    zmq_msg_close(&frame);
    return 1;
}

void frames_done(struct frames *f)
{
    release(f);
    mem_free(f->payloads);
    mem_free(f->split);
    *f = (struct frames){0};
}

int frame_send(void *socket, const void *data, size_t bytes, int flags)
{
    return zmq_send(socket, data, bytes, flags | ZMQ_DONTWAIT) < 0 ? -1 : 0;
}

int frame_send_msg(void *socket, zmq_msg_t *msg, int flags)
{
    if (zmq_msg_send(msg, socket, flags | ZMQ_DONTWAIT) < 0) {
        int why = zmq_errno();
        zmq_msg_close(msg);
        errno = why;
        return -1;
    }
    return 0;
}

/* ---- payloads ---- */

static int unpack(struct frames *f, const msgpack_object_array *sizes, size_t n, struct err *err)
{
    if (sizes->size != n || f->n_payloads + f->surplus != 1) {
        return err_set(err, KILN_INVALID, "sizes",
                       "%u sizes and %zu payload frames came with %zu jobs, expected %zu sizes and one frame",
                       sizes->size, f->n_payloads + f->surplus, n, n);
    }
    const char *at = zmq_msg_data(&f->payloads[0]);
    size_t left = zmq_msg_size(&f->payloads[0]);
    for (size_t i = 0; i < n; i++) {
        const msgpack_object *o = &sizes->ptr[i];
        if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > left) {
            char shown[64];
            return err_set(err, KILN_INVALID, "sizes",
                           "sizes[%zu] is %s, expected at most the %zu bytes that are left", i,
                           header_show(o, shown, sizeof shown), left);
        }
        f->split[i] = (struct payload){.data = at, .bytes = o->via.u64};
        at += o->via.u64;
        left -= o->via.u64;
    }
    if (left) {
        return err_set(err, KILN_INVALID, "sizes",
                       "sizes leaves %zu bytes of the payload frame over, expected none", left);
    }
    return 0;
}

int frames_split(struct frames *f, const msgpack_object_map *map, size_t n, struct payload **ret_payloads,
                 struct err *err)
{
    const msgpack_object_array *sizes = NULL;
    if (header_list(map, "sizes", WIRE_JOBS, &sizes, err)) {
        return KILN_INVALID;
    }
    if (f->split_room < n) {
        f->split_room = n < 64 ? 64 : n;
        f->split = mem_grow(f->split, f->split_room * sizeof *f->split);
    }
    f->packed = sizes != NULL;
    if (sizes && unpack(f, sizes, n, err)) {
        return KILN_INVALID;
    }
    if (!sizes && f->n_payloads + f->surplus != n) {
        return err_set(err, KILN_INVALID, NULL, "%zu payload frames came with %zu jobs, expected one each",
                       f->n_payloads + f->surplus, n);
    }
    for (size_t i = 0; i < n && !sizes; i++) {
        zmq_msg_t *frame = &f->payloads[i];
        f->split[i] =
            (struct payload){.data = zmq_msg_data(frame), .bytes = zmq_msg_size(frame), .frame = frame};
    }
    *ret_payloads = f->split;
    return 0;
}

int payload_take(struct payload *p, zmq_msg_t *ret_msg)
{
    if (p->frame) {
        zmq_msg_init(ret_msg);
        zmq_msg_move(ret_msg, p->frame);
        return 0;
    }
    if (zmq_msg_init_size(ret_msg, p->bytes)) {
        return KILN_RESOURCE;
    }
    if (p->bytes) {
        memcpy(zmq_msg_data(ret_msg), p->data, p->bytes);
    }
    return 0;
}

/* ---- header ---- */

int header_decode(struct header *h, zmq_msg_t *frame, struct err *err)
{
    static const struct scan_limits limits = {.depth = WIRE_HEADER_DEPTH, .items = WIRE_HEADER_BYTES};
    const char *data = zmq_msg_data(frame);
    size_t bytes = zmq_msg_size(frame);
    if (bytes > WIRE_HEADER_BYTES) {
        return err_set(err, KILN_INVALID, NULL, "header has %zu bytes, expected at most %d", bytes,
                       WIRE_HEADER_BYTES);
    }
    if (bytes == 0) {
        return err_set(err, KILN_INVALID, NULL, "header is empty, expected a msgpack map");
    }
    if (scan_check(data, bytes, &limits, err)) {
        return err_prefix(err, "header");
    }
    if (!h->zone) {
        h->zone = msgpack_zone_new(16384);
        if (!h->zone) {
            return err_set(err, KILN_RESOURCE, NULL, "no memory for a header");
        }
    } else {
        msgpack_zone_clear(h->zone);
    }
    msgpack_object root;
    size_t at = 0;
    msgpack_unpack_return got = msgpack_unpack(data, bytes, &at, h->zone, &root);
    if (got != MSGPACK_UNPACK_SUCCESS) {
        return err_set(err, KILN_INVALID, NULL, "header is not valid msgpack");
    }
    if (root.type != MSGPACK_OBJECT_MAP) {
        char shown[64];
        return err_set(err, KILN_INVALID, NULL, "header is %s, expected a map",
                       header_show(&root, shown, sizeof shown));
    }
    h->map = root.via.map;
    return 0;
}

void header_done(struct header *h)
{
    if (h->zone) {
        msgpack_zone_free(h->zone);
    }
    *h = (struct header){0};
}

const char *header_show(const msgpack_object *o, char *out, size_t bytes)
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        snprintf(out, bytes, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        snprintf(out, bytes, "%s", o->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(out, bytes, "%" PRIu64, o->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(out, bytes, "%" PRId64, o->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        snprintf(out, bytes, "%g", o->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        if (utf8_valid(o->via.str.ptr, o->via.str.size)) {
            size_t shown = o->via.str.size <= 40 ? o->via.str.size : utf8_whole(o->via.str.ptr, 40);
            snprintf(out, bytes, "\"%.*s\"", (int) shown, o->via.str.ptr);
        } else {
            snprintf(out, bytes, "a string that is not UTF-8");
        }
        break;
    case MSGPACK_OBJECT_BIN:
        snprintf(out, bytes, "%u bytes", o->via.bin.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        snprintf(out, bytes, "a list of %u", o->via.array.size);
        break;
    case MSGPACK_OBJECT_MAP:
        snprintf(out, bytes, "a map");
        break;
    default:
        snprintf(out, bytes, "an extension value");
    }
    return out;
}

const msgpack_object *header_get(const msgpack_object_map *map, const char *key)
{
    for (uint32_t i = map->size; i-- > 0;) {
        const msgpack_object *k = &map->ptr[i].key;
        if (k->type == MSGPACK_OBJECT_STR && text_is(k->via.str.ptr, k->via.str.size, key)) {
            const msgpack_object *v = &map->ptr[i].val;
            return v->type == MSGPACK_OBJECT_NIL ? NULL : v;
        }
    }
    return NULL;
}

static int wrong(const msgpack_object *o, const char *key, const char *expected, struct err *err)
{
    char shown[64];
    return err_set(err, KILN_INVALID, key, "%s is %s, expected %s", key, header_show(o, shown, sizeof shown),
                   expected);
}

int header_uint(const msgpack_object_map *map, const char *key, uint64_t least, uint64_t most, uint64_t *ret,
                struct err *err)
{
    const msgpack_object *o = header_get(map, key);
    if (!o) {
        return 0;
    }
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 < least || o->via.u64 > most) {
        char expected[80];
        snprintf(expected, sizeof expected, "a whole number %" PRIu64 "..%" PRIu64, least, most);
        return wrong(o, key, expected, err);
    }
    *ret = o->via.u64;
    return 0;
}

int header_bool(const msgpack_object_map *map, const char *key, bool *ret, struct err *err)
{
    const msgpack_object *o = header_get(map, key);
    if (!o) {
        return 0;
    }
    if (o->type != MSGPACK_OBJECT_BOOLEAN) {
        return wrong(o, key, "true or false", err);
    }
    *ret = o->via.boolean;
    return 0;
}

int header_text(const msgpack_object_map *map, const char *key, size_t most_bytes, const char **ret_text,
                size_t *ret_bytes, struct err *err)
{
    const msgpack_object *o = header_get(map, key);
    if (!o) {
        return 0;
    }
    if (o->type != MSGPACK_OBJECT_STR || o->via.str.size > most_bytes ||
        !utf8_valid(o->via.str.ptr, o->via.str.size)) {
        char expected[80];
        snprintf(expected, sizeof expected, "a string of at most %zu bytes of UTF-8", most_bytes);
        return wrong(o, key, expected, err);
    }
    *ret_text = o->via.str.ptr;
    *ret_bytes = o->via.str.size;
    return 0;
}

int header_list(const msgpack_object_map *map, const char *key, size_t most, const msgpack_object_array **ret,
                struct err *err)
{
    const msgpack_object *o = header_get(map, key);
    if (!o) {
        return 0;
    }
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > most) {
        char expected[80];
        snprintf(expected, sizeof expected, "a list of at most %zu", most);
        return wrong(o, key, expected, err);
    }
    *ret = &o->via.array;
    return 0;
}

/* ---- ids ---- */

int id_from(const msgpack_object *o, const char *key, struct wire_id *ret, struct err *err)
{
    uint8_t *to = ret->bytes;
    struct buf b = {.data = to, .room = sizeof ret->bytes, .limit = sizeof ret->bytes};
    switch (o->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        *ret = id_number(o->via.u64);
        return 0;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        buf_put_i64(&b, o->via.i64);
        break;
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_BIN:
        /* Three bytes are the widest head of a value this short. */
        if (o->via.bin.size > WIRE_ID_BYTES - 2) {
            return err_set(err, KILN_INVALID, key, "%s has %u bytes, expected at most %d", key,
                           o->via.bin.size, WIRE_ID_BYTES - 2);
        }
        b.bytes = 0;
        if (o->type == MSGPACK_OBJECT_STR) {
            if (o->via.str.size < 32) {
                to[b.bytes++] = (uint8_t) (0xa0 | o->via.str.size);
            } else {
                to[b.bytes++] = 0xd9;
                to[b.bytes++] = (uint8_t) o->via.str.size;
            }
        } else {
            to[b.bytes++] = 0xc4;
            to[b.bytes++] = (uint8_t) o->via.bin.size;
        }
        memcpy(to + b.bytes, o->via.bin.ptr, o->via.bin.size);
        b.bytes += o->via.bin.size;
        break;
    default:
        return wrong(o, key, "a string, binary or integer", err);
    }
    ret->size = (uint8_t) b.bytes;
    return 0;
}

int header_id(const msgpack_object_map *map, const char *key, struct wire_id *ret, struct err *err)
{
    const msgpack_object *o = header_get(map, key);
    return o ? id_from(o, key, ret, err) : 0;
}

struct wire_id id_number(uint64_t number)
{
    struct wire_id id;
    struct buf b = {.data = id.bytes, .room = sizeof id.bytes, .limit = sizeof id.bytes};
    buf_put_u64(&b, number);
    id.size = (uint8_t) b.bytes;
    return id;
}
