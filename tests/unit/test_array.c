/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "array.h"
#include "pack.h"
#include "scan.h"

static struct arena arena;

static int setup(void **state)
{
    (void) state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    arena_done(&arena);
    return 0;
}

static int decode(const struct buf *b, uint32_t dtype, uint32_t rank, struct kiln_array *a, struct err *err)
{
    struct scan s = scan_over(b->data, b->bytes);
    bool nd;
    assert_int_equal(scan_check(b->data, b->bytes, &(struct scan_limits){24, UINT32_MAX}, err), 0);
    int status = array_decode(&s, &(struct array_want){.name = "x", .dtype = dtype, .rank = rank}, &arena, a,
                              &nd, err);
    if (status == 0) {
        assert_ptr_equal(s.at, s.end);
        assert_int_equal((uintptr_t) a->data % 64, 0);
        assert_int_equal(a->dtype, dtype);
    }
    return status;
}

static void expect_error(const char *json, uint32_t dtype, uint32_t rank, const char *text)
{
    struct buf b = pack(json);
    struct kiln_array a = {0};
    struct err err = {0};
    assert_int_equal(decode(&b, dtype, rank, &a, &err), KILN_INVALID);
    assert_string_equal(err.text, text);
    assert_string_equal(err.field, "x");
    buf_done(&b);
}

static void expect_round_trip(const char *json, uint32_t dtype, uint32_t rank, const char *expected)
{
    struct buf b = pack(json), out;
    struct kiln_array a = {0};
    struct err err = {0};
    if (decode(&b, dtype, rank, &a, &err)) {
        fail_msg("%s: %s", json, err.text);
    }
    for (int nd = 0; nd < 2; nd++) {
        buf_init(&out, 0);
        array_put(&out, &a, nd);
        if (nd) {
            struct kiln_array again = {0};
            assert_int_equal(decode(&out, dtype, rank, &again, &err), 0);
            assert_int_equal(again.count, a.count);
            assert_memory_equal(again.shape, a.shape, sizeof a.shape);
            assert_memory_equal(again.data, a.data, (size_t) a.count * array_item_bytes(dtype));
        } else {
            assert_string_equal(unpack(out.data, out.bytes), expected);
        }
        buf_done(&out);
    }
    buf_done(&b);
}

static void lists_round_trip(void **state)
{
    (void) state;
    expect_round_trip("[1,2.385,null,-4]", KILN_F64, 1, "[1.0,2.385,null,-4.0]");
    expect_round_trip("[200,70000,5000000000,-200,-70000,-3]", KILN_F64, 1,
                      "[200.0,70000.0,5000000000.0,-200.0,-70000.0,-3.0]");
    expect_round_trip("[1.5,null]", KILN_F32, 1, "[1.5,null]");
    expect_round_trip("[1,2.0,9007199254740993,-9223372036854775808]", KILN_I64, 1,
                      "[1,2,9007199254740993,-9223372036854775808]");
    expect_round_trip("[2147483647,-2147483648]", KILN_I32, 1, "[2147483647,-2147483648]");
    expect_round_trip("[true,false,255,0]", KILN_U8, 1, "[1,0,255,0]");
    expect_round_trip("[]", KILN_F64, 1, "[]");
    expect_round_trip("2.385", KILN_F64, 1, "[2.385]"); /* a number is a list of one */
    expect_round_trip("7", KILN_I32, 1, "[7]");
    expect_round_trip("[[1,2,3],[4,5,6]]", KILN_F64, 2, "[[1.0,2.0,3.0],[4.0,5.0,6.0]]");
    expect_round_trip("[[],[]]", KILN_F64, 2, "[[],[]]");
    expect_round_trip("[]", KILN_F64, 2, "[]");
    expect_round_trip("[[[1],[2]],[[3],[4]],[[5],[6]]]", KILN_I32, 3, "[[[1],[2]],[[3],[4]],[[5],[6]]]");
    expect_round_trip("[[[[2385]]]]", KILN_I64, 4, "[[[[2385]]]]");
}

static void refusals_name_the_element(void **state)
{
    (void) state;
    expect_error("[1,\"two\"]", KILN_F64, 1, "x[1] is \"two\", expected a number");
    expect_error("[1,true]", KILN_F64, 1, "x[1] is true, expected a number");
    expect_error("[1,[2]]", KILN_F64, 1, "x[1] is a list of 1, expected a number");
    expect_error("[1,2,3,9007199254740993]", KILN_F64, 1,
                 "x[3] is 9007199254740993, expected a number that a double holds exactly (up to 2^53)");
    expect_error("[-9007199254740993]", KILN_F64, 1,
                 "x[0] is -9007199254740993, expected a number that a double holds exactly (up to 2^53)");
    expect_error("[0,16777217]", KILN_F32, 1,
                 "x[1] is 16777217, expected a number that a float holds exactly (up to 2^24)");
    expect_error("[1e39]", KILN_F32, 1, "x[0] is 1e+39, expected a number within the range of a float");
    expect_error("[1,null]", KILN_I64, 1, "x[1] is null, expected a whole number");
    expect_error("[1,1.5]", KILN_I64, 1, "x[1] is 1.5, expected a whole number");
    expect_error("[1e300]", KILN_I64, 1, "x[0] is 1e+300, expected a whole number");
    expect_error("[true]", KILN_I64, 1, "x[0] is true, expected a whole number");
    expect_error("[2147483648]", KILN_I32, 1, "x[0] is 2147483648, expected a whole number of 32 bits");
    expect_error("[0,256]", KILN_U8, 1, "x[1] is 256, expected a whole number 0..255 or a boolean");
    expect_error("[-1]", KILN_U8, 1, "x[0] is -1, expected a whole number 0..255 or a boolean");
    expect_error("true", KILN_F64, 1, "x is true, expected a list of numbers, or an nd array");
    expect_error("2.5", KILN_I64, 1, "x is 2.5, expected a whole number");
    expect_error("5", KILN_F64, 2, "x is 5, expected a list of lists of numbers, or an nd array");
    expect_error("\"a\"", KILN_F64, 2, "x is \"a\", expected a list of lists of numbers, or an nd array");
    expect_error("[1,2]", KILN_F64, 2, "x[0] is 1, expected a list of numbers");
    expect_error("[[1,2],3]", KILN_F64, 2, "x[1] is 3, expected a list of numbers");
    expect_error("[[1,2],[3]]", KILN_F64, 2, "x[1] has 1 element, expected 2 as the first");
    expect_error("[[1,2],[3,\"y\"]]", KILN_F64, 2, "x[1][1] is \"y\", expected a number");
    expect_error("[[[1,2],[3,4]],[[5,6],[7,[8]]]]", KILN_F64, 3,
                 "x[1][1][1] is a list of 1, expected a number");
    expect_error("[[1,2,3,4,5,6,7,8,9,10],[],[],[],[],[],[],[],[],[]]", KILN_F64, 2,
                 "x has lists of unequal length, expected a full matrix");
    expect_error("{\"a\":1}", KILN_F64, 1,
                 "x has the key \"a\", expected a list of numbers, or nd, type, shape and data");
}

static void edges_of_exactness(void **state)
{
    (void) state;
    struct buf b = pack("[9007199254740992,-9007199254740992]");
    struct kiln_array a;
    struct err err;
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), 0);
    assert_true(((double *) a.data)[0] == 9007199254740992.0 &&
                ((double *) a.data)[1] == -9007199254740992.0);
    buf_done(&b);
    buf_init(&b, 0);
    buf_put_list(&b, 1);
    buf_put_u64(&b, UINT64_MAX);
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), KILN_INVALID);
    assert_non_null(
        strstr(err.text, "x[0] is 18446744073709551615, expected a number that a double holds exactly"));
    assert_int_equal(decode(&b, KILN_I64, 1, &a, &err), KILN_INVALID);
    buf_clear(&b);
    buf_put_list(&b, 3);
    buf_put_f64(&b, (double) INFINITY);
    buf_put_f64(&b, -0.0);
    buf_put_f32(&b, 2.385f);
    assert_int_equal(decode(&b, KILN_F32, 1, &a, &err), 0);
    assert_true(isinf(((float *) a.data)[0]) && signbit(((float *) a.data)[1]) &&
                ((float *) a.data)[2] == 2.385f);
    assert_int_equal(decode(&b, KILN_I64, 1, &a, &err), KILN_INVALID);
    buf_done(&b);
}

/* An nd map around some bytes. */
static struct buf nd_map(const char *type, bool bin_keys, const char *shape_json, const void *data,
                         size_t bytes)
{
    struct buf b, shape = pack(shape_json);
    static const char *const keys[] = {"nd", "type", "kind", "shape", "data"};
    buf_init(&b, 0);
    buf_put_map(&b, 5);
    for (int i = 0; i < 5; i++) {
        bin_keys ? buf_put_bin(&b, keys[i], strlen(keys[i])) : buf_put_text(&b, keys[i]);
        switch (i) {
        case 0:
            buf_put_bool(&b, true);
            break;
        case 1:
            bin_keys ? buf_put_bin(&b, type, strlen(type)) : buf_put_text(&b, type);
            break;
        case 2:
            buf_put_bin(&b, "", 0);
            break;
        case 3:
            buf_put_raw(&b, shape.data, shape.bytes);
            break;
        default:
            buf_put_bin(&b, data, bytes);
            break;
        }
    }
    buf_done(&shape);
    return b;
}

static void nd_arrays_of_every_type(void **state)
{
    (void) state;
    const double f8[] = {1, -2, 100};
    const float f4[] = {1, -2, 100};
    const int64_t i8[] = {1, -2, 100};
    const int32_t i4[] = {1, -2, 100};
    const int16_t i2[] = {1, -2, 100};
    const int8_t i1[] = {1, -2, 100};
    const struct {
        const char *type;
        const void *data;
        size_t bytes;
    } rows[] = {{"<f8", f8, sizeof f8}, {"<f4", f4, sizeof f4}, {"<i8", i8, sizeof i8},
                {"<i4", i4, sizeof i4}, {"<i2", i2, sizeof i2}, {"|i1", i1, sizeof i1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t dtype = KILN_F64; dtype <= KILN_I32; dtype++) {
            for (int bin = 0; bin < 2; bin++) {
                struct buf b = nd_map(rows[i].type, bin, "[3]", rows[i].data, rows[i].bytes);
                struct kiln_array a;
                struct err err;
                assert_int_equal(decode(&b, dtype, 1, &a, &err), 0);
                for (size_t k = 0; k < 3; k++) {
                    assert_true(array_get(dtype, a.data, k) == f8[k]);
                }
                buf_done(&b);
            }
        }
    }
    const uint8_t u1[] = {0, 200, 255}, b1[] = {0, 1, 7};
    struct kiln_array a;
    struct err err;
    struct buf b = nd_map("|u1", false, "[3]", u1, 3);
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), 0);
    assert_true(((double *) a.data)[2] == 255);
    buf_done(&b);
    const uint16_t u2[] = {0, 70, 65535};
    b = nd_map("<u2", false, "[3]", u2, 6);
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), 0);
    assert_true(((double *) a.data)[2] == 65535);
    buf_done(&b);
    const uint64_t u8[] = {0, INT64_MAX, 3};
    b = nd_map("<u8", false, "[3]", u8, 24);
    assert_int_equal(decode(&b, KILN_I64, 1, &a, &err), 0);
    assert_true(((int64_t *) a.data)[1] == INT64_MAX);
    buf_done(&b);
    const double c16[] = {1, 2, 3, 4}; /* 1 + 2i, 3 + 4i */
    b = nd_map("<c16", false, "[2]", c16, sizeof c16);
    assert_int_equal(decode(&b, KILN_F64, 2, &a, &err), 0);
    assert_true(a.rank == 2 && a.shape[0] == 2 && a.shape[1] == 2 && ((double *) a.data)[3] == 4);
    buf_done(&b);
    const double one = 2.385;
    b = nd_map("<f8", false, "[]", &one, 8);
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), 0);
    assert_true(a.rank == 1 && a.count == 1 && ((double *) a.data)[0] == 2.385);
    buf_done(&b);
    b = nd_map("|b1", false, "[3]", b1, 3);
    assert_int_equal(decode(&b, KILN_U8, 1, &a, &err), 0);
    assert_true(((uint8_t *) a.data)[2] == 1);
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.text, "x.type is |b1, expected one of numbers, such as |u1 or <f8");
    buf_done(&b);
}

static void nd_refusals(void **state)
{
    (void) state;
    static const struct {
        const char *type, *shape;
        size_t bytes;
        uint32_t dtype, rank;
        const char *text;
    } rows[] = {
        {">f8", "[3]", 24, KILN_F64, 1,
         "x.type is \">f8\", expected <f8 <f4 <i8 <i4 <i2 |i1 <u8 <u4 <u2 |u1 |b1 or <c16"},
        {"|O", "[3]", 24, KILN_F64, 1,
         "x.type is \"|O\", expected <f8 <f4 <i8 <i4 <i2 |i1 <u8 <u4 <u2 |u1 |b1 or <c16"},
        {"<f8", "[3]", 23, KILN_F64, 1,
         "x.data has 23 bytes, which does not agree with its shape and type <f8"},
        {"<f8", "[2]", 24, KILN_F64, 1,
         "x.data has 24 bytes, which does not agree with its shape and type <f8"},
        {"<f8", "[4611686018427387904,2,2]", 0, KILN_F64, 3,
         "x.data has 0 bytes, which does not agree with its shape and type <f8"},
        {"<f8", "[4294967296,4294967296]", 0, KILN_F64, 2,
         "x.data has 0 bytes, which does not agree with its shape and type <f8"},
        {"<f8", "[0,4611686018427387904]", 0, KILN_F64, 2,
         "x.data has 0 bytes, which does not agree with its shape and type <f8"},
        {"<f8", "[-1]", 24, KILN_F64, 1, "x.shape[0] is -1, expected a size"},
        {"<f8", "[3.0]", 24, KILN_F64, 1, "x.shape[0] is 3, expected a size"},
        {"<f8", "3", 24, KILN_F64, 1, "x.shape is no list of 0 to 4 sizes"},
        {"<f8", "[1,1,1,1,3]", 24, KILN_F64, 1, "x.shape is no list of 0 to 4 sizes"},
        {"<f8", "[3]", 24, KILN_F64, 2, "x has 1 dimensions, expected 2"},
        {"<f8", "[]", 8, KILN_F64, 2, "x has 0 dimensions, expected 2"},
        {"<c16", "[3]", 48, KILN_F64, 1, "x has 2 dimensions, expected 1"},
    };
    char data[64] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = nd_map(rows[i].type, false, rows[i].shape, data, rows[i].bytes);
        struct kiln_array a;
        struct err err = {0};
        assert_int_equal(decode(&b, rows[i].dtype, rows[i].rank, &a, &err), KILN_INVALID);
        assert_string_equal(err.text, rows[i].text);
        buf_done(&b);
    }
    const int64_t big[] = {5, (INT64_C(1) << 53) + 1};
    struct buf b = nd_map("<i8", false, "[2]", big, sizeof big);
    struct kiln_array a;
    struct err err = {0};
    assert_int_equal(decode(&b, KILN_F64, 1, &a, &err), KILN_INVALID);
    assert_string_equal(
        err.text, "x[1] is 9007199254740993, expected a number that a double holds exactly (up to 2^53)");
    buf_done(&b);
    const uint64_t huge[] = {5, UINT64_MAX};
    b = nd_map("<u8", false, "[2]", huge, sizeof huge);
    assert_int_equal(decode(&b, KILN_I64, 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.text, "x[1] is 18446744073709551615, expected a whole number");
    buf_done(&b);
    const double half[] = {1, 0.5};
    b = nd_map("<f8", false, "[1,2]", half, sizeof half);
    assert_int_equal(decode(&b, KILN_I32, 2, &a, &err), KILN_INVALID);
    assert_string_equal(err.text, "x[0][1] is 0.5, expected a whole number of 32 bits");
    buf_done(&b);
    static const struct {
        const char *json, *text;
    } missing[] = {
        {"{\"nd\":false,\"type\":\"<f8\",\"shape\":[0],\"data\":\"\"}",
         "x is a map without nd:true, expected an nd array"},
        {"{\"nd\":true,\"shape\":[0],\"data\":\"\"}", "x is a map without type, expected an nd array"},
        {"{\"nd\":true,\"type\":\"<f8\",\"data\":\"\"}", "x is a map without shape, expected an nd array"},
        {"{\"nd\":true,\"type\":\"<f8\",\"shape\":[0]}", "x is a map without data, expected an nd array"},
        {"{\"nd\":true,\"type\":\"<f8\",\"shape\":[0],\"data\":5}", "x.data is 5, expected bytes"},
    };
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        expect_error(missing[i].json, KILN_F64, 1, missing[i].text);
    }
}

static void any_alignment_gives_the_same(void **state)
{
    (void) state;
    double v[100];
    for (int i = 0; i < 100; i++) {
        v[i] = 2.385 * i;
    }
    struct buf list, nd = nd_map("<f8", false, "[100]", v, sizeof v);
    buf_init(&list, 0);
    buf_put_list(&list, 100);
    for (int i = 0; i < 100; i++) {
        i % 7 == 3 ? buf_put_i64(&list, i * 1000) : buf_put_f64(&list, v[i]);
        v[i] = i % 7 == 3 ? i * 1000 : v[i];
    }
    char room[4096];
    for (size_t shift = 0; shift < 16; shift++) {
        struct kiln_array a;
        memcpy(room + shift, list.data, list.bytes);
        struct buf moved = {.data = (uint8_t *) room + shift, .bytes = list.bytes};
        assert_int_equal(decode(&moved, KILN_F64, 1, &a, NULL), 0);
        assert_memory_equal(a.data, v, sizeof v);
        memcpy(room + shift, nd.data, nd.bytes);
        moved.bytes = nd.bytes;
        assert_int_equal(decode(&moved, KILN_F64, 1, &a, NULL), 0);
        assert_true(((double *) a.data)[99] == 2.385 * 99);
    }
    buf_done(&list);
    buf_done(&nd);
}

static void a_row_for_a_matrix(void **state)
{
    (void) state;
    static const char *const forms[] = {"[1,2,3]", "[[1,2,3]]"};
    for (int i = 0; i < 2; i++) {
        struct buf b = pack(forms[i]);
        struct scan s = scan_over(b.data, b.bytes);
        struct kiln_array a;
        struct array_want want = {.name = "x", .rank = 2, .row = true};
        assert_int_equal(array_decode(&s, &want, &arena, &a, NULL, NULL), 0);
        assert_int_equal(a.rank, 2);
        assert_int_equal(a.shape[0], 1);
        assert_int_equal(a.shape[1], 3);
        buf_done(&b);
    }
}

static void the_cap_is_told(void **state)
{
    (void) state;
    struct arena small;
    arena_init(&small, 1000);
    struct buf b;
    buf_init(&b, 0);
    buf_put_list(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        buf_put_i64(&b, 7);
    }
    struct scan s = scan_over(b.data, b.bytes);
    struct kiln_array a;
    struct err err;
    struct array_want want = {.name = "x", .rank = 1};
    assert_int_equal(array_decode(&s, &want, &small, &a, NULL, &err), KILN_RESOURCE);
    assert_string_equal(err.text, "x needs 8000 bytes; a job may use 1000 in all");
    buf_done(&b);
    arena_done(&small);
}

static void damaged_bytes_end_it(void **state)
{
    (void) state;
    /* Without scan_check before it, as a caller's mistake: still no read beyond the end. */
    struct buf b = pack("[1.5,2,70000,-3.25,null,1e10,[1],\"text\"]");
    for (size_t n = 0; n < b.bytes; n++) {
        uint8_t *exact = test_malloc(n ? n : 1);
        memcpy(exact, b.data, n);
        struct scan s = scan_over(exact, n);
        struct kiln_array a;
        struct array_want want = {.name = "x", .rank = 1};
        assert_int_not_equal(array_decode(&s, &want, &arena, &a, NULL, NULL), 0);
        test_free(exact);
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_name_the_element, setup, teardown),
        cmocka_unit_test_setup_teardown(edges_of_exactness, setup, teardown),
        cmocka_unit_test_setup_teardown(nd_arrays_of_every_type, setup, teardown),
        cmocka_unit_test_setup_teardown(nd_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(any_alignment_gives_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_for_a_matrix, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cap_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_bytes_end_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
