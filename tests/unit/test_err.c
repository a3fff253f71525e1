/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"
#include "utf8.h"

static void set_fills_all_and_returns_the_status(void **state)
{
    (void) state;
    struct err e = {.status = KILN_BUSY, .field = "old", .text = "old"};
    assert_int_equal(err_set(&e, KILN_INVALID, "ddof", "ddof is %d, expected less than %.3f", 7, 2.385),
                     KILN_INVALID);
    assert_int_equal(e.status, KILN_INVALID);
    assert_string_equal(e.field, "ddof");
    assert_string_equal(e.text, "ddof is 7, expected less than 2.385");
    assert_int_equal(err_set(&e, KILN_FAILED, NULL, "no field"), KILN_FAILED);
    assert_string_equal(e.field, "");
    assert_string_equal(e.text, "no field");
}

static void null_is_accepted(void **state)
{
    (void) state;
    assert_int_equal(err_set(NULL, KILN_RESOURCE, "x", "%s", "y"), KILN_RESOURCE);
    assert_int_equal(err_prefix(NULL, "here"), KILN_INTERNAL);
}

static void its_own_text_may_be_an_argument(void **state)
{
    (void) state;
    struct err e;
    err_set(&e, KILN_INVALID, "series", "is empty");
    err_set(&e, KILN_FAILED, e.field, "%s %s", e.field, e.text);
    assert_string_equal(e.field, "series");
    assert_string_equal(e.text, "series is empty");
}

static void prefix_goes_before(void **state)
{
    (void) state;
    struct err e;
    err_set(&e, KILN_CONFLICT, "a", "is 1");
    assert_int_equal(err_prefix(&e, "row %d", 17), KILN_CONFLICT);
    assert_string_equal(e.text, "row 17: is 1");
    assert_string_equal(e.field, "a");
    err_prefix(&e, "file");
    assert_string_equal(e.text, "file: row 17: is 1");
}

static void too_long_is_cut(void **state)
{
    (void) state;
    char text[2000];
    memset(text, 'k', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct err e;
    err_set(&e, KILN_INVALID, text, "%s", text);
    assert_int_equal(strlen(e.field), sizeof e.field - 1);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    err_prefix(&e, "in");
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "in: kkk", 7);
    err_prefix(&e, "%s", text + 1000);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_int_equal(e.text[0], 'k');
}

static void a_sentence_is_always_utf8(void **state)
{
    (void) state;
    char text[1200];
    for (size_t i = 0; i + 3 < sizeof text; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 4); /* the euro sign: 511 is no multiple of its 3 bytes */
    }
    struct err e;
    err_set(&e, KILN_INVALID, text, "%s", text);
    assert_true(utf8_valid(e.text, strlen(e.text)));
    assert_true(utf8_valid(e.field, strlen(e.field)));
    assert_true(strlen(e.text) >= 509);
    err_set(&e, KILN_INVALID, NULL, "fn is \"a\xff\xfe z\"");
    assert_string_equal(e.text, "fn is \"a?? z\"");
    err_prefix(&e, "h\xc3");
    assert_string_equal(e.text, "h?: fn is \"a?? z\"");
}

static void whole_characters(void **state)
{
    (void) state;
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82z"; /* 1, 2, 3, 4, 1 bytes */
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t n = 0; n < sizeof text; n++) {
        assert_int_equal(utf8_whole(text, n), whole[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_all_and_returns_the_status),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(its_own_text_may_be_an_argument),
        cmocka_unit_test(prefix_goes_before),
        cmocka_unit_test(too_long_is_cut),
        cmocka_unit_test(a_sentence_is_always_utf8),
        cmocka_unit_test(whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
