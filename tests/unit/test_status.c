/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status.h"

/* The table as it was released: numbers, names and retryability are promises, so they stand here a second time. */
static const struct {
    const char *name;
    bool retryable;
    int exit;
} released[] = {
    {"ok", false, 0},         {"invalid", false, 3},     {"unknown_function", false, 4},
    {"unknown_op", false, 3}, {"unknown_job", false, 5}, {"busy", true, 6},
    {"deadline", false, 7},   {"expired", false, 7},     {"cancelled", false, 8},
    {"conflict", false, 5},   {"poison", false, 9},      {"failed", false, 9},
    {"temporary", true, 6},   {"resource", false, 9},    {"unavailable", true, 6},
    {"internal", false, 10},  {"denied", false, 11},     {"accepted", false, 0},
    {"duplicate", false, 0},  {"lost", true, 6},
};

static void rows_are_as_released(void **state)
{
    (void) state;
    assert_int_equal(sizeof released / sizeof released[0], KILN_STATUS_COUNT);
    for (int i = 0; i < KILN_STATUS_COUNT; i++) {
        assert_string_equal(status_name(i), released[i].name);
        assert_int_equal(status_retryable(i), released[i].retryable);
        assert_int_equal(status_exit(i), released[i].exit);
        assert_true(strlen(status_sentence(i)) > 3);
        assert_int_equal(status_parse(released[i].name, strlen(released[i].name)), i);
    }
    assert_int_equal(KILN_OK, 0);
    assert_int_equal(KILN_LOST, 19);
}

static void sentences_differ(void **state)
{
    (void) state;
    for (int i = 0; i < KILN_STATUS_COUNT; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(status_sentence(i), status_sentence(k));
        }
    }
}

static void numbers_beyond_the_table_are_internal(void **state)
{
    (void) state;
    static const int beyond[] = {-1, KILN_STATUS_COUNT, 4711, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        assert_string_equal(status_name(beyond[i]), "internal");
        assert_false(status_retryable(beyond[i]));
        assert_int_equal(status_exit(beyond[i]), 10);
    }
}

static void names_match_whole_only(void **state)
{
    (void) state;
    assert_int_equal(status_parse("busy", 3), -1);
    assert_int_equal(status_parse("busyx", 5), -1);
    assert_int_equal(status_parse("busyx", 4), KILN_BUSY);
    assert_int_equal(status_parse("Busy", 4), -1);
    assert_int_equal(status_parse("", 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_released),
        cmocka_unit_test(sentences_differ),
        cmocka_unit_test(numbers_beyond_the_table_are_internal),
        cmocka_unit_test(names_match_whole_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
