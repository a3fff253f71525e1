/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "seeded.h"
#include "wire.h"

/* ---- frames ---- */

struct line {
    void *context, *router, *dealer;
};

static struct line line_open(void)
{
    struct line l = {.context = zmq_ctx_new()};
    l.router = zmq_socket(l.context, ZMQ_ROUTER);
    l.dealer = zmq_socket(l.context, ZMQ_DEALER);
    zmq_setsockopt(l.dealer, ZMQ_ROUTING_ID, "peer-7", 6);
    assert_int_equal(zmq_bind(l.router, "inproc://wire"), 0);
    assert_int_equal(zmq_connect(l.dealer, "inproc://wire"), 0);
    return l;
}

static void line_close(struct line *l)
{
    zmq_close(l->router);
    zmq_close(l->dealer);
    zmq_ctx_term(l->context);
}

static void send_parts(void *socket, size_t n, const char *const *parts)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(frame_send(socket, parts[i], strlen(parts[i]), i + 1 < n ? ZMQ_SNDMORE : 0), 0);
    }
}

static void assert_frame(zmq_msg_t *frame, const char *text)
{
    assert_int_equal(zmq_msg_size(frame), strlen(text));
    assert_memory_equal(zmq_msg_data(frame), text, strlen(text));
}

static void frames_are_told_apart(void **state)
{
    (void) state;
    struct line l = line_open();
    struct frames f = {0};
    assert_int_equal(frames_recv(&f, l.router, true), 0); /* nothing there: does not wait */
    assert_false(f.held);
    send_parts(l.dealer, 3, (const char *[]){"header", "one", "two"});
    send_parts(l.dealer, 3, (const char *[]){"", "header2", "three"});
    send_parts(l.dealer, 1, (const char *[]){"alone"});
    send_parts(l.dealer, 1, (const char *[]){""});
    send_parts(l.dealer, 2, (const char *[]){"h", ""}); /* an empty payload is no delimiter */

    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_frame(&f.route, "peer-7");
    assert_false(f.delimited);
    assert_frame(&f.header, "header");
    assert_int_equal(f.n_payloads, 2);
    assert_frame(&f.payloads[0], "one");
    assert_frame(&f.payloads[1], "two");

    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_true(f.delimited);
    assert_frame(&f.header, "header2");
    assert_int_equal(f.n_payloads, 1);
    assert_frame(&f.payloads[0], "three");

    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_false(f.delimited);
    assert_frame(&f.header, "alone");
    assert_int_equal(f.n_payloads, 0);

    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_true(f.delimited);
    assert_frame(&f.header, "");

    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_frame(&f.header, "h");
    assert_int_equal(f.n_payloads, 1);
    assert_frame(&f.payloads[0], "");
    assert_int_equal(frames_recv(&f, l.router, true), 0);
    frames_done(&f);
    assert_null(f.payloads);
    line_close(&l);
}

static void without_a_route(void **state)
{
    (void) state;
    struct line l = line_open();
    struct frames f = {0};
    send_parts(l.dealer, 1, (const char *[]){"x"});
    assert_int_equal(frames_recv(&f, l.router, true), 1);
    send_parts(l.router, 4, (const char *[]){"peer-7", "", "answer", "result"});
    assert_int_equal(frames_recv(&f, l.dealer, false), 1);
    assert_true(f.delimited);
    assert_frame(&f.header, "answer");
    assert_frame(&f.payloads[0], "result");
    frames_done(&f);
    line_close(&l);
}

static void surplus_payloads_are_counted_not_kept(void **state)
{
    (void) state;
    struct line l = line_open();
    struct frames f = {0};
    enum { SENT = WIRE_JOBS + 100 };
    frame_send(l.dealer, "h", 1, ZMQ_SNDMORE);
    for (int i = 0; i < SENT; i++) {
        frame_send(l.dealer, &i, sizeof i, i + 1 < SENT ? ZMQ_SNDMORE : 0);
    }
    send_parts(l.dealer, 2, (const char *[]){"next", "p"});
    assert_int_equal(frames_recv(&f, l.router, true), 1);
    assert_int_equal(f.n_payloads, WIRE_JOBS + 2);
    assert_int_equal(f.surplus, SENT - WIRE_JOBS - 2);
    int last;
    memcpy(&last, zmq_msg_data(&f.payloads[WIRE_JOBS + 1]), sizeof last);
    assert_int_equal(last, WIRE_JOBS + 1);
    assert_int_equal(frames_recv(&f, l.router, true),
                     1); /* the rest of the long one was taken off the socket */
    assert_frame(&f.header, "next");
    assert_int_equal(f.surplus, 0);
    frames_done(&f);
    line_close(&l);
}

static void sending_never_waits(void **state)
{
    (void) state;
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    int one = 1;
    zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    assert_int_equal(frame_send(router, "nobody", 6, ZMQ_SNDMORE), -1);
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
    zmq_msg_t msg;
    zmq_msg_init_size(&msg, 100000);
    memset(zmq_msg_data(&msg), 'n', 100000);
    assert_int_equal(frame_send_msg(router, &msg, ZMQ_SNDMORE),
                     -1); /* and closed: the sanitizer would find the leak */
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
    zmq_close(router);
    zmq_ctx_term(context);
}

/* ---- headers ---- */

static struct header header;
static struct err err;

static int decode_bytes(const void *data, size_t bytes)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, bytes);
    memcpy(zmq_msg_data(&frame), data, bytes);
    err = (struct err){0};
    int status = header_decode(&header, &frame, &err);
    zmq_msg_close(&frame); /* what is read below is copied by msgpack-c's zone, or read before */
    return status;
}

/* The frame must outlive the reading: kept here. */
static zmq_msg_t kept;
static const msgpack_object_map *decode(const char *json)
{
    static bool first = true;
    if (!first) {
        zmq_msg_close(&kept);
    }
    first = false;
    struct buf b = {0};
    assert_int_equal(json_to_msgpack(json, strlen(json), NULL, &b, NULL), 0);
    zmq_msg_init_size(&kept, b.bytes);
    memcpy(zmq_msg_data(&kept), b.data, b.bytes);
    buf_done(&b);
    assert_int_equal(header_decode(&header, &kept, &err), 0);
    err = (struct err){0};
    return &header.map;
}

static int done(void **state)
{
    (void) state;
    header_done(&header);
    zmq_msg_close(&kept);
    return 0;
}

static void headers_that_are_refused(void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *why;
    } cases[] = {
        {"", 0, "header is empty, expected a msgpack map"},
        {"\xc1", 1, "header"},
        {"\x81\xa2op", 4, "header: "},
        {"\x81\xa2op\xa4ping!", 10, "header: "},
        {"\x93\x01\x02\x03", 4, "header is a list of 3, expected a map"},
        {"\x07", 1, "header is 7, expected a map"},
        {"\xc0", 1, "header is null, expected a map"},
        {"\xcb\x40\x03\x14\x7a\xe1\x47\xae\x14", 9, "header is 2.385, expected a map"},
        {"\xa3"
         "abc",
         4, "header is \"abc\", expected a map"},
        {"\xd6\x05"
         "abcd",
         6, "header is an extension value, expected a map"},
        {"\xdf\xff\xff\xff\xff", 5, "header: "}, /* claims four thousand million pairs */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode_bytes(cases[i].bytes, cases[i].n), KILN_INVALID);
        if (!strstr(err.text, cases[i].why)) {
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, err.text, cases[i].why);
        }
    }
}

static void header_limits(void **state)
{
    (void) state;
    char deep[64];
    for (unsigned depth = 7; depth <= 9; depth++) { /* {x:[[[...]]]}: a map and depth lists */
        size_t n = 0;
        deep[n++] = (char) 0x81;
        deep[n++] = (char) 0xa1;
        deep[n++] = 'x';
        for (unsigned i = 0; i + 1 < depth; i++) {
            deep[n++] = (char) 0x91;
        }
        deep[n++] = (char) 0x90;
        assert_int_equal(decode_bytes(deep, n), depth + 1 <= WIRE_HEADER_DEPTH ? 0 : KILN_INVALID);
    }
    size_t most = WIRE_HEADER_BYTES;
    unsigned char *big = calloc(1, most + 1);
    memcpy(big, "\x81\xa1x\xdb", 4); /* {x: string of 32-bit length} */
    uint32_t length = __builtin_bswap32((uint32_t) most - 8);
    memcpy(big + 4, &length, 4);
    assert_int_equal(decode_bytes(big, most), 0);
    assert_int_equal(decode_bytes(big, most + 1), KILN_INVALID);
    assert_string_equal(err.text, "header has 1048577 bytes, expected at most 1048576");
    free(big);
}

static void keys(void **state)
{
    (void) state;
    const msgpack_object_map *m = decode("{\"n\": 2385, \"neg\": -7, \"f\": 2.385, \"s\": \"caf\\u00e9\", "
                                         "\"b\": true, \"l\": [1,2,3], \"nil\": null}");
    uint64_t n = 1;
    bool b = false;
    const char *text = "untouched";
    size_t bytes = 9;
    const msgpack_object_array *list = NULL;
    assert_int_equal(header_uint(m, "n", 0, 2385, &n, &err), 0);
    assert_int_equal(n, 2385);
    assert_int_equal(header_uint(m, "absent", 0, 1, &n, &err), 0);
    assert_int_equal(header_uint(m, "nil", 0, 1, &n, &err), 0);
    assert_int_equal(n, 2385);
    assert_null(header_get(m, "nil"));
    assert_int_equal(header_uint(m, "n", 0, 2384, &n, &err), KILN_INVALID);
    assert_string_equal(err.text, "n is 2385, expected a whole number 0..2384");
    assert_string_equal(err.field, "n");
    assert_int_equal(header_uint(m, "n", 2386, 9999, &n, &err), KILN_INVALID);
    assert_int_equal(header_uint(m, "neg", 0, 9, &n, &err), KILN_INVALID);
    assert_string_equal(err.text, "neg is -7, expected a whole number 0..9");
    assert_int_equal(header_uint(m, "f", 0, 9, &n, &err), KILN_INVALID);
    assert_string_equal(err.text, "f is 2.385, expected a whole number 0..9");
    assert_int_equal(n, 2385);

    assert_int_equal(header_bool(m, "b", &b, &err), 0);
    assert_true(b);
    assert_int_equal(header_bool(m, "n", &b, &err), KILN_INVALID);
    assert_string_equal(err.text, "n is 2385, expected true or false");
    assert_int_equal(header_bool(m, "absent", &b, &err), 0);

    assert_int_equal(header_text(m, "absent", 5, &text, &bytes, &err), 0);
    assert_string_equal(text, "untouched");
    assert_int_equal(header_text(m, "s", 5, &text, &bytes, &err), 0);
    assert_int_equal(bytes, 5);
    assert_memory_equal(text, "caf\xc3\xa9", 5);
    assert_int_equal(header_text(m, "s", 4, &text, &bytes, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "s is \"caf\xc3\xa9\", expected a string of at most 4 bytes"));
    assert_int_equal(header_text(m, "l", 4, &text, &bytes, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "l is a list of 3, expected a string"));

    assert_int_equal(header_list(m, "l", 3, &list, &err), 0);
    assert_int_equal(list->size, 3);
    assert_int_equal(header_list(m, "l", 2, &list, &err), KILN_INVALID);
    assert_string_equal(err.text, "l is a list of 3, expected a list of at most 2");
    assert_int_equal(header_list(m, "b", 2, &list, &err), KILN_INVALID);
    assert_string_equal(err.text, "b is true, expected a list of at most 2");
    assert_int_equal(header_list(m, "absent", 2, &list, &err), 0);
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    (void) state;
    /* {"wid": str "a\xff"}: it would come back in answers, where a reader of strict msgpack fails on it */
    assert_int_equal(decode_bytes("\x81\xa3wid\xa2"
                                  "a\xff",
                                  8),
                     0);
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, 8);
    memcpy(zmq_msg_data(&frame),
           "\x81\xa3wid\xa2"
           "a\xff",
           8);
    assert_int_equal(header_decode(&header, &frame, &err), 0);
    const char *text = NULL;
    size_t bytes = 0;
    assert_int_equal(header_text(&header.map, "wid", 20, &text, &bytes, &err), KILN_INVALID);
    assert_string_equal(err.field, "wid");
    assert_null(text);
    zmq_msg_close(&frame);
}

static void the_last_of_repeated_keys_wins(void **state)
{
    (void) state;
    uint64_t n = 0;
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, 9);
    memcpy(zmq_msg_data(&frame), "\x83\xa1n\x05\xa1n\x07\x01\x02", 9); /* and a key that is no string */
    assert_int_equal(header_decode(&header, &frame, &err), 0);
    assert_int_equal(header_uint(&header.map, "n", 0, 9, &n, &err), 0);
    assert_int_equal(n, 7);
    zmq_msg_close(&frame);
}

static void long_strings_are_shown_in_part(void **state)
{
    (void) state;
    char out[64];
    const msgpack_object_map *m = decode("{\"a\": \"0123456789012345678901234567890123456789-hidden\", "
                                         "\"b\": \"012345678901234567890123456789012345678\\u20ac\"}");
    assert_string_equal(header_show(header_get(m, "a"), out, sizeof out),
                        "\"0123456789012345678901234567890123456789\"");
    assert_string_equal(header_show(header_get(m, "b"), out, sizeof out),
                        "\"012345678901234567890123456789012345678\"");
}

/* ---- ids ---- */

static void ids(void **state)
{
    (void) state;
    static const struct {
        const char *json;
        size_t bytes;
    } good[] = {{"7", 1},
                {"200", 2},
                {"70000", 5},
                {"5000000000", 9},
                {"-1", 1},
                {"-2385", 3},
                {"\"\"", 1},
                {"\"order-2385\"", 11},
                {"\"0123456789012345678901234567890\"", 32},
                {"\"01234567890123456789012345678901\"", 34},
                {"\"01234567890123456789012345678901234567890123456789012345678901\"", 64}};
    char text[200];
    struct wire_id before = {0}, id;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "{\"id\": %s}", good[i].json);
        assert_int_equal(header_id(decode(text), "id", &id, &err), 0);
        assert_int_equal(id.size, good[i].bytes);
        assert_true(id_equal(&id, &id));
        assert_false(id_equal(&id, &before));
        /* Encoded, it is the same value again. */
        struct buf b = {0};
        buf_id(&b, &id);
        struct buf json = {0};
        assert_int_equal(json_from_msgpack(b.data, b.bytes, JSON_STYLE_COMPACT, &json, NULL), 0);
        assert_int_equal(json.bytes, strlen(good[i].json));
        assert_memory_equal(json.data, good[i].json, json.bytes);
        buf_done(&json);
        buf_done(&b);
        before = id;
    }
    static const char *const bad[] = {"2.5", "true", "[]", "{}",
                                      "\"012345678901234567890123456789012345678901234567890123456789012\""};
    id = before;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{\"id\": %s}", bad[i]);
        assert_int_equal(header_id(decode(text), "id", &id, &err), KILN_INVALID);
        assert_string_equal(err.field, "id");
        assert_true(id_equal(&id, &before));
    }
    assert_int_equal(header_id(decode("{}"), "id", &id, &err), 0);
    assert_true(id_equal(&id, &before));
    struct wire_id number = id_number(70000);
    assert_int_equal(header_id(decode("{\"id\": 70000}"), "id", &id, &err), 0);
    assert_true(id_equal(&id, &number));
}

static void binary_ids_differ_from_strings(void **state)
{
    (void) state;
    msgpack_object bin = {.type = MSGPACK_OBJECT_BIN, .via.bin = {.size = 3, .ptr = "abc"}};
    msgpack_object str = {.type = MSGPACK_OBJECT_STR, .via.str = {.size = 3, .ptr = "abc"}};
    struct wire_id a, b;
    assert_int_equal(id_from(&bin, "id", &a, &err), 0);
    assert_int_equal(id_from(&str, "id", &b, &err), 0);
    assert_int_equal(a.size, 5);
    assert_memory_equal(a.bytes,
                        "\xc4\x03"
                        "abc",
                        5);
    assert_false(id_equal(&a, &b));
}

static void counts_written_afterwards(void **state)
{
    (void) state;
    struct buf b = {0}, json = {0};
    size_t map = buf_open_map(&b);
    buf_put_str_const(&b, "rows");
    size_t list = buf_open_list(&b);
    for (int i = 0; i < 300; i++) {
        buf_put_u64(&b, (uint64_t) i);
    }
    buf_close(&b, list, 300);
    buf_close(&b, map, 1);
    assert_int_equal(json_from_msgpack(b.data, b.bytes, JSON_STYLE_COMPACT, &json, NULL), 0);
    assert_memory_equal(json.data, "{\"rows\":[0,1,2,", 15);
    assert_memory_equal(json.data + json.bytes - 10, ",298,299]}", 10);
    buf_done(&json);
    buf_done(&b);
    struct buf small = {.limit = 3}; /* full: closing writes nowhere */
    size_t at = buf_open_map(&small);
    buf_close(&small, at, 7);
    assert_true(small.failed);
    buf_done(&small);
}

/* ---- damage ---- */

/* A header with random bytes changed, cut or repeated: decoding says yes or no, and what it accepted can be read to the
 * last value. The sanitizers watch. */
static void random_damage(void **state)
{
    (void) state;
    static const char json[] =
        "{\"op\":\"submit\",\"rid\":4711,\"jobs\":[{\"id\":\"a-1\",\"fn\":\"stats.mean\",\"priority\":9,"
        "\"timeout_ms\":2385},{\"id\":-7,\"fn\":\"x.y\",\"ttl_ms\":70000}],\"ids\":[1,[2,[3]],true,null,2.5]"
        "}";
    struct buf b = {0};
    assert_int_equal(json_to_msgpack(json, sizeof json - 1, NULL, &b, NULL), 0);
    uint64_t seed = 8128;
    size_t accepted = 0, refused = 0;
    for (int round = 0; round < 60000; round++) {
        size_t n = b.bytes;
        unsigned char *copy = malloc(n + 8); /* of its own, so that reading one byte beyond is found */
        memcpy(copy, b.data, n);
        for (uint64_t hits = 1 + seeded_below(&seed, 3); hits > 0; hits--) {
            copy[seeded_below(&seed, n)] = (unsigned char) seeded_u64(&seed);
        }
        if (seeded_below(&seed, 4) == 0) {
            n = 1 + seeded_below(&seed, n);
        }
        zmq_msg_t frame;
        zmq_msg_init_size(&frame, n);
        memcpy(zmq_msg_data(&frame), copy, n);
        free(copy);
        err = (struct err){0};
        if (header_decode(&header, &frame, &err) == 0) {
            accepted++;
            uint64_t number = 0;
            const char *text = "";
            size_t bytes = 0;
            const msgpack_object_array *list = NULL;
            struct wire_id id = {0};
            char out[64];
            header_uint(&header.map, "rid", 0, 9999, &number, &err);
            header_text(&header.map, "op", 40, &text, &bytes, &err);
            header_id(&header.map, "rid", &id, &err);
            if (header_list(&header.map, "jobs", WIRE_JOBS, &list, &err) == 0 && list) {
                for (uint32_t i = 0; i < list->size; i++) {
                    assert_true(strlen(header_show(&list->ptr[i], out, sizeof out)) < sizeof out);
                    if (list->ptr[i].type == MSGPACK_OBJECT_MAP) {
                        header_id(&list->ptr[i].via.map, "id", &id, &err);
                    }
                }
            }
            assert_in_range(id.size, 0, WIRE_ID_BYTES);
        } else {
            refused++;
            assert_memory_equal(err.text, "header", 6);
        }
        zmq_msg_close(&frame);
    }
    assert_true(accepted > 1000 && refused > 1000);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(without_a_route),
        cmocka_unit_test(surplus_payloads_are_counted_not_kept),
        cmocka_unit_test(sending_never_waits),
        cmocka_unit_test(headers_that_are_refused),
        cmocka_unit_test(header_limits),
        cmocka_unit_test(keys),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(the_last_of_repeated_keys_wins),
        cmocka_unit_test(long_strings_are_shown_in_part),
        cmocka_unit_test(ids),
        cmocka_unit_test(binary_ids_differ_from_strings),
        cmocka_unit_test(counts_written_afterwards),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
