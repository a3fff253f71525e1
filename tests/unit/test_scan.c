/* SPDX-License-Identifier: MPL-2.0 */
#include "pack.h"
#include "scan.h"

static const struct scan_limits limits = {.depth = 4, .items = 1000};

static int check(const void *data, size_t bytes, struct err *err)
{
    return scan_check(data, bytes, &limits, err);
}

#define CHECK_TEXT(literal, expected)                                                                        \
    do {                                                                                                     \
        struct err err_ = {0};                                                                               \
        assert_int_equal(check(literal, sizeof(literal) - 1, &err_), KILN_INVALID);                          \
        assert_string_equal(err_.text, expected);                                                            \
    } while (0)

static void accepts_every_form(void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t n;
        enum scan_type type;
    } forms[] = {
        {"\x7f", 1, SCAN_INT},
        {"\xe0", 1, SCAN_INT},
        {"\xc0", 1, SCAN_NIL},
        {"\xc2", 1, SCAN_BOOL},
        {"\xc3", 1, SCAN_BOOL},
        {"\xa3xyz", 4, SCAN_STR},
        {"\xd9\x03xyz", 5, SCAN_STR},
        {"\xda\x00\x03xyz", 6, SCAN_STR},
        {"\xdb\x00\x00\x00\x03xyz", 8, SCAN_STR},
        {"\xc4\x03xyz", 5, SCAN_BIN},
        {"\xc5\x00\x03xyz", 6, SCAN_BIN},
        {"\xc6\x00\x00\x00\x03xyz", 8, SCAN_BIN},
        {"\xc7\x03\x01xyz", 6, SCAN_EXT},
        {"\xc8\x00\x03\x01xyz", 7, SCAN_EXT},
        {"\xc9\x00\x00\x00\x03\x01xyz", 9, SCAN_EXT},
        {"\xd4\x01x", 3, SCAN_EXT},
        {"\xd5\x01xy", 4, SCAN_EXT},
        {"\xd6\x01wxyz", 6, SCAN_EXT},
        {"\xd7\x01stuvwxyz", 10, SCAN_EXT},
        {"\xd8\x01klmnopqrstuvwxyz", 18, SCAN_EXT},
        {"\xca\x40\x18\xa3\xd7", 5, SCAN_FLOAT},
        {"\xcb\x40\x03\x14\x7a\xe1\x47\xae\x14", 9, SCAN_FLOAT},
        {"\xcc\xff", 2, SCAN_INT},
        {"\xcd\xff\xff", 3, SCAN_INT},
        {"\xce\xff\xff\xff\xff", 5, SCAN_INT},
        {"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, SCAN_INT},
        {"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9, SCAN_UINT},
        {"\xd0\x80", 2, SCAN_INT},
        {"\xd1\x80\x00", 3, SCAN_INT},
        {"\xd2\x80\x00\x00\x00", 5, SCAN_INT},
        {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, SCAN_INT},
        {"\x93\x01\x02\x03", 4, SCAN_LIST},
        {"\xdc\x00\x01\x01", 4, SCAN_LIST},
        {"\xdd\x00\x00\x00\x01\x01", 6, SCAN_LIST},
        {"\x81\xa1k\x05", 4, SCAN_MAP},
        {"\xde\x00\x01\xa1k\x05", 6, SCAN_MAP},
        {"\xdf\x00\x00\x00\x01\xa1k\x05", 8, SCAN_MAP},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct err err = {0};
        struct token t;
        assert_int_equal(check(forms[i].bytes, forms[i].n, &err), 0);
        struct scan s = scan_over(forms[i].bytes, forms[i].n);
        assert_true(scan_next(&s, &t));
        assert_int_equal(t.type, forms[i].type);
        struct scan skip = scan_over(forms[i].bytes, forms[i].n);
        assert_true(scan_skip(&skip));
        assert_ptr_equal(skip.at, skip.end);
        /* Every shorter piece is truncated, for the checker and for the scanner. */
        for (size_t n = 0; n < forms[i].n; n++) {
            char *exact = test_malloc(n ? n : 1); /* so that a sanitizer sees a read too far */
            memcpy(exact, forms[i].bytes, n);
            assert_int_equal(check(exact, n, &err), KILN_INVALID);
            skip = scan_over(exact, n);
            assert_false(scan_skip(&skip));
            test_free(exact);
        }
    }
}

static void reads_values(void **state)
{
    (void) state;
    struct token t;
    struct scan s = scan_over("\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9);
    assert_true(scan_next(&s, &t));
    assert_true(t.i == INT64_MIN);
    s = scan_over("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    assert_true(scan_next(&s, &t));
    assert_true(t.u == UINT64_MAX);
    s = scan_over("\xcb\x40\x03\x14\x7a\xe1\x47\xae\x14", 9);
    assert_true(scan_next(&s, &t));
    assert_true(t.f == 2.385);
    s = scan_over("\xca\x40\x18\xa3\xd7", 5);
    assert_true(scan_next(&s, &t));
    assert_true(t.f == (double) 2.385f);
    s = scan_over("\xd0\x81", 2);
    assert_true(scan_next(&s, &t));
    assert_true(t.i == -127 && t.f == -127.0);
    assert_false(scan_next(&s, &t));
}

static void names_what_is_wrong(void **state)
{
    (void) state;
    CHECK_TEXT("", "msgpack is empty, expected one value");
    CHECK_TEXT("\x01\x02", "msgpack ends at byte 1 of 2: more follows");
    CHECK_TEXT("\xa5xyz", "msgpack is truncated at byte 4 of 4");
    CHECK_TEXT("\xc1", "msgpack has the unused byte 0xc1 at byte 0");
    CHECK_TEXT("\x91\xc1", "msgpack has the unused byte 0xc1 at byte 1");
    CHECK_TEXT("\x91\x91\x91\x91\x91\x01", "msgpack is nested deeper than 4 at byte 4");
    CHECK_TEXT("\x91\x91\x91\x91\x90", "msgpack is nested deeper than 4 at byte 4");
    struct err err;
    assert_int_equal(check("\x91\x91\x91\x90", 4, &err), 0);
}

static void refuses_a_count_bomb_at_once(void **state)
{
    (void) state;
    CHECK_TEXT("\xdd\xff\xff\xff\xff\x01",
               "msgpack announces 4294967295 values at byte 0, but only 1 bytes follow");
    CHECK_TEXT("\xdf\xff\xff\xff\xff\x01",
               "msgpack announces 8589934590 values at byte 0, but only 1 bytes follow");
    CHECK_TEXT("\xc6\xff\xff\xff\xff\x01", "msgpack is truncated at byte 6 of 6");
    uint8_t many[1200] = {0xdc, 0x04, 0x4c}; /* 1,100 zeros: more than the limit of 1,000 */
    struct err err;
    assert_int_equal(check(many, 3 + 1100, &err), KILN_INVALID);
    assert_string_equal(err.text, "msgpack holds more than 1000 values");
    many[1] = 0x03;
    many[2] = 0xe8;
    assert_int_equal(check(many, 3 + 1000, &err), 0);
}

static void refuses_a_depth_bomb(void **state)
{
    (void) state;
    static uint8_t nested[1 << 20];
    memset(nested, 0x91, sizeof nested);
    struct err err;
    assert_int_equal(scan_check(nested, sizeof nested, &(struct scan_limits){64, UINT32_MAX}, &err),
                     KILN_INVALID);
    assert_non_null(strstr(err.text, "nested deeper than 64 at byte 64"));
    struct scan s = scan_over(nested, sizeof nested);
    assert_false(scan_skip(&s)); /* no recursion: ends at the end */
}

static void agrees_with_itself_on_noise(void **state)
{
    (void) state;
    uint64_t seed = 2385;
    unsigned long accepted = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t noise[24];
        size_t n = 1 + random64(&seed) % sizeof noise;
        for (size_t i = 0; i < n; i++) {
            noise[i] = (uint8_t) random64(&seed);
            if (random64(&seed) % 3 == 0) {
                noise[i] = (uint8_t) (0x80 + random64(&seed) % 32); /* more containers than chance gives */
            }
        }
        struct scan s = scan_over(noise, n);
        bool whole = scan_skip(&s) && s.at == s.end;
        bool checked = check(noise, n, NULL) == 0;
        if (checked) {
            assert_true(whole);
            accepted++;
        }
        struct err err;
        if (whole && !checked) { /* then only a limit can have been the reason */
            assert_int_equal(scan_check(noise, n, &(struct scan_limits){64, UINT32_MAX}, &err), 0);
        }
    }
    assert_true(accepted > 1000);
}

static void shows_tokens(void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *shown;
    } rows[] = {
        {"\xc0", 1, "null"},
        {"\xc3", 1, "true"},
        {"\x93\x01\x01\x01", 4, "a list of 3"},
        {"\x81\x01\x01", 3, "a map of 1"},
        {"\xcb\x40\x03\x14\x7a\xe1\x47\xae\x14", 9, "2.385"},
        {"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", 9, "NaN"},
        {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, "18446744073709551615"},
        {"\xa4"
         "a\"\nb",
         5, "\"a??b\""},
        {"\xa3\xff\xc3\xa4", 4, "\"?\xc3\xa4\""},
        {"\xc4\x02xy", 4, "2 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token t;
        char out[100];
        struct scan s = scan_over(rows[i].bytes, rows[i].n);
        assert_true(scan_next(&s, &t));
        assert_string_equal(scan_show(&t, out, sizeof out), rows[i].shown);
    }
    char small[8];
    struct token t;
    struct scan s = scan_over("\xa9long text", 10);
    assert_true(scan_next(&s, &t));
    assert_string_equal(scan_show(&t, small, sizeof small), "\"long t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_form),   cmocka_unit_test(reads_values),
        cmocka_unit_test(names_what_is_wrong),  cmocka_unit_test(refuses_a_count_bomb_at_once),
        cmocka_unit_test(refuses_a_depth_bomb), cmocka_unit_test(agrees_with_itself_on_noise),
        cmocka_unit_test(shows_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
