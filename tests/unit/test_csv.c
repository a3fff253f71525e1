/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/csv.h"
#include "mem.h"

static char path[] = "/tmp/test_csv.XXXXXX";

static void put_bytes(const char *text, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *text)
{
    put_bytes(text, strlen(text));
}

static void expect(const char *query, const double *wanted, size_t n)
{
    double *values = NULL;
    size_t got = 0;
    struct err err = {0};
    if (csv_column(path, query, &values, &got, &err)) {
        fail_msg("%s: %s", query, err.text);
    }
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++) {
        if (isnan(wanted[i])) {
            assert_true(isnan(values[i]));
        } else {
            assert_true(values[i] == wanted[i]);
        }
    }
    mem_free(values);
}

#define EXPECT(query, ...)                                                                                   \
    expect(query, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void refuse(const char *query, const char *wanted)
{
    double *values = (double *) 1;
    size_t got = 7;
    struct err err = {0};
    assert_int_equal(csv_column(path, query, &values, &got, &err), KILN_INVALID);
    if (!strstr(err.text, wanted)) {
        fail_msg("\"%s\" does not hold \"%s\"", err.text, wanted);
    }
    assert_ptr_equal(values, (double *) 1);
    assert_int_equal(got, 7);
}

static const char prices[] = "asset,date,close,volume\n"
                             "BTC,2021-01-01,29331.69,2.5\n"
                             "ETH,2021-01-01,730.385,10\n"
                             "BTC,2021-01-02,32178.33,1e3\n"
                             "ETH,2021-01-02,,11.5\n"
                             "BTC,2021-01-03,-33000.05,.25\n";

static void columns(void **state)
{
    (void) state;
    put(prices);
    EXPECT("close", 29331.69, 730.385, 32178.33, (double) NAN, -33000.05);
    EXPECT("volume", 2.5, 10, 1000, 11.5, 0.25);
    refuse("closing", "has no column \"closing\"; it has asset, date, close, volume");
    refuse("", "which column? It has asset, date, close, volume");
    refuse("asset", ":2: column \"asset\" is \"BTC\", expected a number");
}

static void filters(void **state)
{
    (void) state;
    put(prices);
    EXPECT("close?asset=BTC", 29331.69, 32178.33, -33000.05);
    EXPECT("close?asset!=BTC", 730.385, (double) NAN);
    EXPECT("close?asset=BTC&last=2", 32178.33, -33000.05);
    EXPECT("close?asset=BTC&first=1", 29331.69);
    EXPECT("close?last=99", 29331.69, 730.385, 32178.33, (double) NAN, -33000.05);
    EXPECT("volume?date>=2021-01-02", 1000, 11.5, 0.25);
    EXPECT("volume?date>2021-01-02", 0.25);
    EXPECT("volume?date<2021-01-02", 2.5, 10);
    EXPECT("volume?volume<=2.50", 2.5, 0.25); /* by number: "10" is not below "2.50" */
    EXPECT("close?volume=1000", 32178.33);
    refuse("close?asset=SOL", "has no row that passes the filters");
    refuse("close?nothing=1", "has no column \"nothing\"");
    refuse("close?asset", "filter \"asset\" is none");
    refuse("close?last=0", "last is \"0\", expected a whole number from 1");
    refuse("close?=3", "is none");
    refuse("close?asset!BTC", "is none");
}

static void forms(void **state)
{
    (void) state;
    put("\xef\xbb\xbfx\r\n1.5\r\n\r\n2.385\r\n");
    EXPECT("x", 1.5, 2.385);
    EXPECT("", 1.5, 2.385); /* the only column */
    put("a;b\n1;2,5\n3;4\n");
    EXPECT("a", 1, 3);
    refuse("b", ":2: column \"b\" is \"2,5\", expected a number");
    put("a\tb\n1\t2.25\n");
    EXPECT("b", 2.25);
    put("\"na\"\"me\",\"two\nlines\",z\n\"1.5\",\"x,y\",3\n2.5,,\" 4 \"\n"); /* the last line has its newline */
    EXPECT("na\"me", 1.5, 2.5);
    EXPECT("z", 3, 4);
    EXPECT("z?two\nlines=x,y", 3);
    put("x,y\n1,2\n3,4"); /* no newline at the end */
    EXPECT("y", 2, 4);
    put("1.5\n2.385\n3e5\n"); /* no names: all of it is data */
    EXPECT("", 1.5, 2.385, 3e5);
    EXPECT("1?last=1", 3e5);
    put("1,20\n2,30\n");
    EXPECT("2", 20, 30);
    EXPECT("2?1>=2", 30);
    refuse("", "which column? It has 1, 2 (its first row is numbers: no names)");
    refuse("close", "has no column \"close\"; it has 1, 2 (its first row is numbers");
    put("x\nNaN\nNA\nnull\n7.75\n");
    EXPECT("x", (double) NAN, (double) NAN, (double) NAN, 7.75);
}

static void damage(void **state)
{
    (void) state;
    put("");
    refuse("x", "is empty");
    put("\n\n");
    refuse("x", "is empty");
    put("x,y\n");
    refuse("x", "has no row that follows its heading");
    put("x,y\n1,2\n\n3\n");
    refuse("x", ":4: 1 fields, but the heading has 2");
    put("x,y\n1,\"2\n");
    refuse("x", ":2: a quoted field does not end before a separator");
    put("x,y\n1,\"2\"3\n");
    refuse("x", ":2: a quoted field does not end before a separator");
    put("x\n12abc\n");
    refuse("x", ":2: column \"x\" is \"12abc\"");
    put_bytes("x\n1\0\n2\n", 7);
    refuse("x", "is not a text file");
    assert_int_equal(unlink(path), 0);
    refuse("x", "cannot read");
}

/* Many rows, so that growing and the whole-file read are seen at work. */
static void large(void **state)
{
    (void) state;
    enum { ROWS = 200000 };
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "i,x\n");
    for (int i = 0; i < ROWS; i++) {
        fprintf(f, "%d,%.3f\n", i, i * 0.385);
    }
    assert_int_equal(fclose(f), 0);
    double *values = NULL;
    size_t n = 0;
    assert_int_equal(csv_column(path, "x?i>=100000", &values, &n, NULL), 0);
    assert_int_equal(n, ROWS / 2);
    assert_true(fabs(values[n - 1] - (ROWS - 1) * 0.385) < 1e-3);
    mem_free(values);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns), cmocka_unit_test(filters), cmocka_unit_test(forms),
        cmocka_unit_test(damage),  cmocka_unit_test(large),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
