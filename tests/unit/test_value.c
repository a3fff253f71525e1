/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "pack.h"
#include "value.h"

static struct arena arena;

static int setup(void **state)
{
    (void) state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    arena_done(&arena);
    return 0;
}

static int decode(const void *data, size_t bytes, struct kiln_value *v, struct err *err)
{
    assert_int_equal(scan_check(data, bytes, &(struct scan_limits){VALUE_DEPTH, UINT32_MAX}, err), 0);
    struct scan s = scan_over(data, bytes);
    int status = value_decode(&s, "v", &arena, v, err);
    if (status == 0) {
        assert_ptr_equal(s.at, s.end);
    }
    return status;
}

static void trees_round_trip(void **state)
{
    (void) state;
    static const char *const trees[][2] = {
        {"null", "null"},
        {"[true,false,null]", "[true,false,null]"},
        {"-2385", "-2385"},
        {"2.385", "2.385"},
        {"\"text\"", "\"text\""},
        {"[1,2,3]", "[1,2,3]"},
        {"[1,2.5,null]", "[1.0,2.5,null]"},
        {"[1,null]", "[1.0,null]"},
        {"[null,null]", "[null,null]"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[[1,2],[3]]", "[[1,2],[3]]"},
        {"{\"b\":{\"c\":[\"x\",{\"d\":[]}]},\"a\":[0.5]}", "{\"b\":{\"c\":[\"x\",{\"d\":[]}]},\"a\":[0.5]}"},
    };
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        struct buf b = pack(trees[i][0]), out;
        struct kiln_value v;
        struct err err = {0};
        assert_int_equal(decode(b.data, b.bytes, &v, &err), 0);
        buf_init(&out, 0);
        assert_int_equal(value_put(&out, &v, "v", false, &err), 0);
        assert_string_equal(unpack(out.data, out.bytes), trees[i][1]);
        buf_done(&out);
        buf_done(&b);
    }
}

static void lists_of_numbers_are_arrays(void **state)
{
    (void) state;
    struct kiln_value v;
    struct buf b = pack("[1,2,9007199254740993]");
    assert_int_equal(decode(b.data, b.bytes, &v, NULL), 0);
    assert_int_equal(v.type, KILN_V_ARRAY);
    assert_int_equal(v.array->dtype, KILN_I64);
    assert_true(((int64_t *) v.array->data)[2] == 9007199254740993);
    buf_done(&b);
    b = pack("[1,2.5,null]");
    assert_int_equal(decode(b.data, b.bytes, &v, NULL), 0);
    assert_int_equal(v.array->dtype, KILN_F64);
    assert_true(isnan(((double *) v.array->data)[2]));
    buf_done(&b);
    b = pack("{\"nd\":true,\"type\":\"|u1\",\"shape\":[1,2],\"data\":\"ab\"}");
    assert_int_equal(decode(b.data, b.bytes, &v, NULL), 0);
    assert_int_equal(v.type, KILN_V_ARRAY);
    assert_int_equal(v.array->rank, 2);
    assert_int_equal(v.array->dtype, KILN_U8);
    assert_true(((uint8_t *) v.array->data)[1] == 'b');
    buf_done(&b);
}

/* Eight bytes of each type; the map as msgpack-numpy writes it, and with its keys in another order. */
static void nd_arrays_keep_their_type(void **state)
{
    (void) state;
    static const struct {
        const char *type;
        uint32_t dtype;
        int size; /* of an element as it is sent */
    } rows[] = {{"<f8", KILN_F64, 8}, {"<f4", KILN_F32, 4}, {"<i8", KILN_I64, 8}, {"<i4", KILN_I32, 4},
                {"|u1", KILN_U8, 1},  {"|b1", KILN_U8, 1},  {"<i2", KILN_I64, 2}, {"<u4", KILN_I64, 4},
                {"|i1", KILN_I64, 1}, {"<u8", KILN_I64, 8}};
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof *rows); i++) {
        char text[120];
        snprintf(text, sizeof text,
                 i % 2 ? "{\"nd\":true,\"shape\":[%d],\"data\":\"abcdefg\\u0001\",\"type\":\"%s\"}"
                       : "{\"type\":\"%2$s\",\"nd\":true,\"shape\":[%1$d],\"data\":\"abcdefg\\u0001\"}",
                 8 / rows[i / 2].size, rows[i / 2].type);
        struct buf b = pack(text);
        struct kiln_value v;
        struct err e = {0};
        const int rc = decode(b.data, b.bytes, &v, &e);
        assert_int_equal(rc, 0);
        assert_int_equal(v.type, KILN_V_ARRAY);
        assert_int_equal(v.array->dtype, rows[i / 2].dtype);
        assert_int_equal(v.array->count, 8 / rows[i / 2].size);
        if (rows[i / 2].dtype == KILN_U8) {
            assert_int_equal(((uint8_t *) v.array->data)[6], rows[i / 2].type[1] == 'b' ? 1 : 'g');
        } else if (rows[i / 2].dtype == KILN_F32) {
            assert_memory_equal(v.array->data, "abcdefg\1", 8);
        }
        buf_done(&b);
    }
}

static void texts_end_in_nul_and_know_their_length(void **state)
{
    (void) state;
    struct kiln_value v;
    struct buf b;
    buf_init(&b, 0);
    buf_put_bin(&b, "a\0b", 3);
    assert_int_equal(decode(b.data, b.bytes, &v, NULL), 0);
    assert_int_equal(v.type, KILN_V_BYTES);
    assert_int_equal(v.count, 3);
    assert_memory_equal(v.text, "a\0b", 4);
    buf_done(&b);
}

static void expect_error(const void *data, size_t bytes, const char *text)
{
    struct kiln_value v;
    struct err err = {0};
    assert_int_equal(decode(data, bytes, &v, &err), KILN_INVALID);
    assert_string_equal(err.text, text);
}

static void refusals(void **state)
{
    (void) state;
    expect_error("\x81\x01\x02", 3, "v has the key 1, expected a string");
    expect_error("\x82\xa1k\x01\xa1k\x02", 7, "v has the key \"k\" twice");
    expect_error("\x81\xa2"
                 "a\0\x01",
                 5, "v has the key \"a?\", expected a string");
    expect_error("\xa1\xff", 2, "v holds a string that is not UTF-8");
    expect_error("\xd4\x01x", 3, "v holds a msgpack extension, expected plain data");
    expect_error("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9,
                 "v holds 18446744073709551615, expected plain data");
    struct buf b;
    buf_init(&b, 0);
    buf_put_map(&b, 40); /* enough to be sorted */
    for (int i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i == 37 ? 5 : i);
        buf_put_text(&b, key);
        buf_put_nil(&b);
    }
    expect_error(b.data, b.bytes, "v has the key \"k5\" twice");
    buf_done(&b);
}

static void a_tree_over_the_budget_is_refused(void **state)
{
    (void) state;
    struct buf b;
    struct kiln_value v;
    struct err err;
    buf_init(&b, 0);
    buf_put_list(&b, 20000);
    for (int i = 0; i < 20000; i++) {
        buf_put_bool(&b, true);
    }
    assert_int_equal(decode(b.data, b.bytes, &v, &err), KILN_RESOURCE);
    assert_string_equal(err.text, "v needs more memory than a job may use (1048576 bytes)");
    buf_done(&b);
}

static void unsound_trees_of_plugins_are_refused(void **state)
{
    (void) state;
    struct kiln_value loop = {.type = KILN_V_LIST, .count = 1};
    loop.list = &loop;
    double data[2] = {1, 2};
    struct kiln_array longer = {.data = data, .rank = 1, .shape = {3}, .count = 2};
    struct kiln_array huge = {
        .data = data, .rank = 4, .shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30}, .count = 0};
    struct kiln_array none = {.dtype = 17, .rank = 1};
    struct kiln_pair pair = {.key = NULL};
    const struct kiln_value bad[] = {
        loop,
        {.type = 99},
        {.type = KILN_V_LIST, .count = 1},
        {.type = KILN_V_MAP, .count = 1},
        {.type = KILN_V_MAP, .count = 1, .map = &pair},
        {.type = KILN_V_STRING, .count = 1},
        {.type = KILN_V_STRING, .count = 1, .text = "\xff"},
        {.type = KILN_V_ARRAY},
        {.type = KILN_V_ARRAY, .array = &longer},
        {.type = KILN_V_ARRAY, .array = &huge},
        {.type = KILN_V_ARRAY, .array = &none},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out;
        struct err err = {0};
        buf_init(&out, 0);
        assert_int_equal(value_put(&out, &bad[i], "v", false, &err), KILN_INTERNAL);
        assert_non_null(strstr(err.text, "the plugin's result v "));
        buf_done(&out);
    }
}

static void no_memory_is_no_crash(void **state)
{
    (void) state;
    struct buf b = pack("{\"a\":[1,2,{\"b\":\"text\"}],\"c\":[0.5,1],\"d\":[[[]]]}");
    struct kiln_value v;
    mem_fault = fault_nth;
    for (long n = 0; n < 3; n++) {
        arena_done(&arena);
        fault_after = n;
        struct err err = {0};
        int status = decode(b.data, b.bytes, &v, &err);
        assert_int_equal(status, n == 0 ? KILN_RESOURCE : 0);
    }
    mem_fault = NULL;
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trees_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_of_numbers_are_arrays, setup, teardown),
        cmocka_unit_test_setup_teardown(nd_arrays_keep_their_type, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_end_in_nul_and_know_their_length, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tree_over_the_budget_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unsound_trees_of_plugins_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_no_crash, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
