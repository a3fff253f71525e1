/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "cli/show.h"
#include "cli/table.h"
#include "json.h"
#include "mem.h"

static void expect_table(const struct table *t, size_t width, const char *wanted)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    assert_non_null(f);
    table_print(t, f, width);
    fclose(f);
    assert_string_equal(text, wanted);
    free(text);
}

static void aligns(void **state)
{
    (void) state;
    struct table t = {.indent = 1};
    table_column(&t, "name", TABLE_LEFT);
    table_column(&t, "n", TABLE_RIGHT);
    table_column(&t, "value", TABLE_POINT);
    static const char *const cells[] = {"mean",        "10",   "2.385", "sd", "7", "-100.5",
                                        "caf\xc3\xa9", "1234", "12",    "x",  "",  "nan"};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        table_cell(&t, "%s", cells[i]);
    }
    expect_table(&t, 0,
                 " name     n     value\n"
                 " mean    10     2.385\n"
                 " sd       7  -100.5\n"
                 " caf\xc3\xa9  1234    12\n"
                 " x            nan\n");
    table_done(&t);
    assert_int_equal(t.n_cells, 0);
}

static void wraps(void **state)
{
    (void) state;
    struct table t = {0};
    table_column(&t, NULL, TABLE_LEFT);
    table_column(&t, NULL, TABLE_WRAP);
    table_cell(&t, "%s", "x");
    table_cell(&t, "%s", "the sample, of which at least two values are needed");
    table_cell(&t, "%s", "longer");
    table_cell(&t, "%s", "");
    expect_table(&t, 34,
                 "x       the sample, of which at\n"
                 "        least two values are\n"
                 "        needed\n"
                 "longer\n");
    expect_table(&t, 0, "x       the sample, of which at least two values are needed\nlonger\n");
    table_done(&t);
}

static void unbroken(void **state)
{
    (void) state;
    struct table t = {0};
    table_column(&t, NULL, TABLE_WRAP);
    table_cell(&t, "%s", "abcdefghijklmnopqrstuvwxyz0123456789");
    expect_table(&t, 10, "abcdefghijklmnopqrstuvwx\nyz0123456789\n"); /* never narrower than 24 */
    table_done(&t);
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    table_paragraph(f, "one two three four five six seven\n\n  kept as it is", 2, 28);
    fclose(f);
    assert_string_equal(text, "  one two three four five\n  six seven\n\n    kept as it is\n");
    free(text);
}

/* ---- results ---- */

static void expect_shown(const char *json, bool all, const char *wanted)
{
    struct buf packed = {0};
    assert_int_equal(json_to_msgpack(json, strlen(json), NULL, &packed, NULL), 0);
    struct view v = view_open(packed.data, packed.bytes);
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    show_result(f, &v, all, 0);
    fclose(f);
    assert_string_equal(text, wanted);
    free(text);
    buf_done(&packed);
}

static void shows(void **state)
{
    (void) state;
    expect_shown("{\"mean\":2.385,\"n\":10,\"ok\":true,\"none\":null,\"s\":\"text\",\"m\":{\"deep\":{\"x\":1}"
                 "},\"e\":{}}",
                 false,
                 "mean      2.385\nn         10\nok        true\nnone      -\ns         text\nm.deep.x  1\ne "
                 "        {}\n");
    expect_shown("{\"x\":[1,2.5,null]}", false, "x  1  2.5  -\n");
    expect_shown("{\"x\":[1,2,3,4,5,6,7,null]}", false,
                 "x  8 values: 1  2  3  \xe2\x80\xa6  6  7  -  (1 missing)\n");
    expect_shown("{\"x\":[1,2,3,4,5,6,7,null]}", true, "x  1  2  3  4  5  6  7  -\n");
    expect_shown("{\"x\":[],\"mixed\":[1,{\"a\":[2]}]}", false, "x      none\nmixed  [1,{\"a\":[2]}]\n");
    expect_shown("{}", false, "");
}

static void shows_tables(void **state)
{
    (void) state;
    static const char wanted[] = "k  7\n"
                                 "\n"
                                 "t (2 rows)\n"
                                 "     size  name\n"
                                 "  0   1.5  a\n"
                                 "  1  20    b\n";
    expect_shown("{\"t\":{\"size\":[1.5,20],\"name\":[\"a\",\"b\"]},\"k\":7}", false, wanted);
    expect_shown("{\"t\":[{\"size\":1.5,\"name\":\"a\"},{\"size\":20,\"name\":\"b\"}],\"k\":7}", false,
                 wanted);
    expect_shown("{\"m\":[[1,2],[3,4.5]]}", false, "m (2 rows)\n  0  1  2\n  1  3  4.5\n");
    char json[512] = "{\"t\":{\"v\":[0";
    for (int i = 1; i < 13; i++) {
        sprintf(json + strlen(json), ",%d", i);
    }
    strcat(json, "]}}");
    expect_shown(json, false,
                 "t (13 rows)\n       v\n   0   0\n   1   1\n   2   2\n   3   3\n   4   4\n   \xe2\x80\xa6\n"
                 "   8   8\n   9   9\n  10  10\n  11  11\n  12  12\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns), cmocka_unit_test(wraps),        cmocka_unit_test(unbroken),
        cmocka_unit_test(shows),  cmocka_unit_test(shows_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
