/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "pack.h"

static void round_trips(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "null",
        "true",
        "-9223372036854775808",
        "9223372036854775807",
        "0.1",
        "2.385",
        "1e+300",
        "-0.0",
        "4.94065645841247e-324",
        "\"\"",
        "\"a\\\"b\\\\c\\nd\\u0001\"",
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\xa5\"",
        "[]",
        "{}",
        "[1,[2.5,[null]],{\"k\":{\"l\":[true]}}]",
        "0.30000000000000004",
        "100.0",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf b = pack(texts[i]);
        assert_string_equal(unpack(b.data, b.bytes), texts[i]);
        buf_done(&b);
    }
}

static void expect_bad(const char *json, const char *part)
{
    struct buf b;
    struct err err = {0};
    buf_init(&b, 0);
    assert_int_equal(json_to_msgpack(json, strlen(json), NULL, &b, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, part));
    buf_done(&b);
}

static void refuses_what_is_no_json(void **state)
{
    (void) state;
    expect_bad("", "no JSON at line 1");
    expect_bad("{\"a\":1,\n\"a\":2}", "no JSON at line 2");
    expect_bad("[1,2] 3", "no JSON at line 1");
    expect_bad("[Nan]", "no JSON");
    expect_bad("[NaN,", "no JSON");
    expect_bad("{\"a\":Infinity1}", "no JSON");
    expect_bad("{\"a\":18446744073709551616}", "too big integer");
    char deep[200] = "";
    for (int i = 0; i < 30; i++) {
        strcat(deep, "[");
    }
    for (int i = 0; i < 30; i++) {
        strcat(deep, "]");
    }
    expect_bad(deep, "nested deeper than 24");
}

static void what_json_cannot_say(void **state)
{
    (void) state;
    static const struct {
        const char *json, *again;
    } wide[] = {
        {"[NaN,Infinity,-Infinity,1e999,-1E+999,2]", "[null,1e999,-1e999,1e999,-1e999,2]"},
        {"{\"NaN\":NaN,\"b\":\"NaN, \\\" 1e999\"}", "{\"NaN\":null,\"b\":\"NaN, \\\" 1e999\"}"},
        {"[\"base64:/wAQ\",\"base64:/wA=\",\"base64:/w==\"]",
         "[\"base64:/wAQ\",\"base64:/wA=\",\"base64:/w==\"]"},
        {"[\"base64:\",\"base64:a\",\"base64:ab!d\",\"base64:====\"]",
         "[\"base64:\",\"base64:a\",\"base64:ab!d\",\"base64:====\"]"},
    };
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        struct buf w = pack(wide[i].json);
        assert_string_equal(unpack(w.data, w.bytes), wide[i].again);
        buf_done(&w);
    }
    struct buf bytes = pack("\"base64:/wAQ\"");
    assert_int_equal(bytes.bytes, 5);
    assert_memory_equal(bytes.data, "\xc4\x03\xff\x00\x10", 5);
    buf_done(&bytes);
    struct buf b;
    buf_init(&b, 0);
    buf_put_list(&b, 6);
    buf_put_f64(&b, (double) NAN);
    buf_put_f64(&b, (double) -INFINITY);
    buf_put_bin(&b, "text", 4);
    buf_put_bin(&b, "\xff\x00\x10", 3);
    buf_put_bin(&b, "\xff\x00", 2);
    buf_put_str(&b, "\xff!", 2);
    assert_string_equal(unpack(b.data, b.bytes),
                        "[null,-1e999,\"text\",\"base64:/wAQ\",\"base64:/wA=\",\"\xef\xbf\xbd!\"]");
    buf_clear(&b);
    buf_put_map(&b, 2);
    buf_put_i64(&b, 7);
    buf_put_u64(&b, UINT64_MAX);
    buf_put_bin(&b, "k", 1);
    buf_put_nil(&b);
    assert_string_equal(unpack(b.data, b.bytes), "{\"7\":18446744073709551615,\"k\":null}");
    buf_clear(&b);
    buf_put_map(&b, 1);
    buf_put_list(&b, 0);
    buf_put_nil(&b);
    assert_string_equal(unpack(b.data, b.bytes), "(a map has a list or map as key: JSON cannot say that)");
    buf_done(&b);
}

static void nd_maps_become_lists(void **state)
{
    (void) state;
    struct buf b;
    const double v[] = {1, 2.5, (double) NAN, -4, 1e10, 0.1};
    const int64_t w[] = {1, INT64_MAX};
    buf_init(&b, 0);
    buf_put_list(&b, 3);
    for (int i = 0; i < 3; i++) {
        buf_put_map(&b, 4);
        buf_put_bin(&b, "nd", 2);
        buf_put_bool(&b, true);
        buf_put_str_const(&b, "type");
        buf_put_text(&b, i == 0 ? "<f8" : i == 1 ? "<i8" : "|b1");
        buf_put_str_const(&b, "shape");
        buf_put_list(&b, i == 0 ? 2 : 1);
        buf_put_i64(&b, i == 0 ? 3 : 2);
        if (i == 0) {
            buf_put_i64(&b, 2);
        }
        buf_put_str_const(&b, "data");
        i == 0   ? buf_put_bin(&b, v, sizeof v)
        : i == 1 ? buf_put_bin(&b, w, sizeof w)
                 : buf_put_bin(&b, "\1\0", 2);
    }
    assert_string_equal(unpack(b.data, b.bytes),
                        "[[[1.0,2.5],[null,-4.0],[10000000000.0,0.1]],[1,9223372036854775807],[1,0]]");
    buf_done(&b);
    b = pack("{\"nd\":true,\"type\":\"<f8\",\"shape\":[2],\"data\":\"short\"}"); /* only looks like one */
    assert_string_equal(unpack(b.data, b.bytes),
                        "{\"nd\":true,\"type\":\"<f8\",\"shape\":[2],\"data\":\"short\"}");
    buf_done(&b);
}

static void pretty(void **state)
{
    (void) state;
    struct buf b = pack("{\"a\":[1,2],\"b\":{\"c\":[\"x\",[1.5,null]]},\"d\":{},\"e\":[]}"), out;
    buf_init(&out, 0);
    assert_int_equal(json_from_msgpack(b.data, b.bytes, JSON_STYLE_PRETTY, &out, NULL), 0);
    buf_put_raw(&out, "", 1);
    assert_string_equal((char *) out.data, "{\n"
                                           "  \"a\": [1, 2],\n"
                                           "  \"b\": {\n"
                                           "    \"c\": [\n"
                                           "      \"x\",\n"
                                           "      [1.5, null]\n"
                                           "    ]\n"
                                           "  },\n"
                                           "  \"d\": {},\n"
                                           "  \"e\": []\n"
                                           "}");
    buf_done(&out);
    buf_done(&b);
}

static void damaged_msgpack_is_refused(void **state)
{
    (void) state;
    struct buf b = pack("{\"a\":[1,2.5,\"text\"],\"b\":null}");
    for (size_t n = 0; n < b.bytes; n++) {
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(json_from_msgpack(b.data, n, JSON_STYLE_COMPACT, &out, NULL), KILN_INVALID);
        buf_done(&out);
    }
    buf_done(&b);
}

static void limits_and_faults(void **state)
{
    (void) state;
    struct buf b = pack("[\"0123456789\",\"0123456789\"]");
    struct err err;
    for (size_t limit = 1; limit < 27; limit++) {
        struct buf out;
        buf_init(&out, limit);
        assert_int_equal(json_from_msgpack(b.data, b.bytes, JSON_STYLE_COMPACT, &out, &err), KILN_RESOURCE);
        assert_true(out.bytes <= limit);
        buf_done(&out);
    }
    mem_fault = fault_nth;
    fault_after = 0;
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(json_to_msgpack("[1]", 3, NULL, &out, &err), KILN_RESOURCE);
    assert_int_equal(json_from_msgpack(b.data, b.bytes, JSON_STYLE_COMPACT, &out, &err), KILN_RESOURCE);
    mem_fault = NULL;
    buf_done(&out);
    buf_done(&b);
}

static void a_full_buffer_stays_failed(void **state)
{
    (void) state;
    struct buf b;
    buf_init(&b, 10);
    buf_put_raw(&b, "123456789", 9);
    assert_false(b.failed);
    buf_put_f64(&b, 2.385);
    assert_true(b.failed);
    buf_put_raw(&b, "1", 1);
    assert_int_equal(b.bytes, 9); /* nothing half-written, nothing after it */
    buf_clear(&b);
    buf_put_raw(&b, "1234567890", 10);
    assert_false(b.failed);
    assert_int_equal(b.bytes, 10);
    assert_true(b.room <= 10);
    buf_shrink(&b, 5);
    assert_int_equal(b.room, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(refuses_what_is_no_json),
        cmocka_unit_test(what_json_cannot_say),
        cmocka_unit_test(nd_maps_become_lists),
        cmocka_unit_test(pretty),
        cmocka_unit_test(damaged_msgpack_is_refused),
        cmocka_unit_test(limits_and_faults),
        cmocka_unit_test(a_full_buffer_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
