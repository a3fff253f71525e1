/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <kiln/client.h>

#include "cli/args.h"
#include "cli/options.h"
#include "json.h"
#include "mem.h"
#include "scan.h"

static char folder[] = "/tmp/test_args.XXXXXX";

static const char *put(const char *name, const char *text, size_t bytes)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* The packed arguments as JSON. */
static void expect(struct args *a, const char *wanted)
{
    struct buf packed = {0}, text = {0};
    args_pack(a, &packed);
    static const struct scan_limits limits = {.depth = 30, .items = 1000000};
    assert_int_equal(scan_check(packed.data, packed.bytes, &limits, NULL), 0);
    assert_int_equal(json_from_msgpack(packed.data, packed.bytes, JSON_STYLE_COMPACT, &text, NULL), 0);
    buf_put_raw(&text, "", 1);
    assert_string_equal((const char *) text.data, wanted);
    buf_done(&packed);
    buf_done(&text);
}

static void word(struct args *a, const char *text)
{
    struct err err = {0};
    if (args_word(a, text, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
}

static void one(const char *text, const char *wanted)
{
    struct args *a = args_new();
    word(a, text);
    expect(a, wanted);
    args_free(&a);
    assert_null(a);
}

static void refuse(const char *text, const char *wanted)
{
    struct args *a = args_new();
    struct err err = {0};
    assert_int_equal(args_word(a, text, &err), KILN_INVALID);
    if (!strstr(err.text, wanted)) {
        fail_msg("\"%s\" does not hold \"%s\"", err.text, wanted);
    }
    args_free(&a);
}

static void scalars(void **state)
{
    (void) state;
    one("x=2.385", "{\"x\":2.385}");
    one("x=-7", "{\"x\":-7}");
    one("x=+7", "{\"x\":7}");
    one("x=1e3", "{\"x\":1000.0}");
    one("x=-.5", "{\"x\":-0.5}");
    one("x=9223372036854775807", "{\"x\":9223372036854775807}");
    one("x=18446744073709551615", "{\"x\":18446744073709551615}");
    one("x=-9223372036854775808", "{\"x\":-9223372036854775808}");
    one("x=-9223372036854775809", "{\"x\":-9.223372036854776e+18}");
    one("x=true", "{\"x\":true}");
    one("x=false", "{\"x\":false}");
    one("x=null", "{\"x\":null}");
    one("x=", "{\"x\":\"\"}");
    one("x=linear", "{\"x\":\"linear\"}");
    one("x=2021-01-01", "{\"x\":\"2021-01-01\"}");
    one("x=1,5", "{\"x\":\"1,5\"}");
    one("x=e", "{\"x\":\"e\"}");
    one("x=.", "{\"x\":\".\"}");
    one("x=a=b", "{\"x\":\"a=b\"}");
    one("x=@@here", "{\"x\":\"@here\"}");
    refuse("x=\xff\xfe", "no UTF-8");
}

/* NaN and infinities have no JSON: look at the bytes. */
static void special(void **state)
{
    (void) state;
    static const uint8_t minus[] = {0x81, 0xa1, 'x', 0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0};
    struct args *a = args_new();
    struct buf b = {0};
    word(a, "x=-inf");
    args_pack(a, &b);
    assert_int_equal(b.bytes, sizeof minus);
    assert_memory_equal(b.data, minus, sizeof minus);
    buf_clear(&b);
    word(a, "x=NaN");
    args_pack(a, &b);
    struct scan s = scan_over(b.data, b.bytes);
    struct token t;
    assert_true(scan_next(&s, &t) && scan_next(&s, &t) && scan_next(&s, &t));
    assert_int_equal(t.type, SCAN_FLOAT);
    assert_true(t.f != t.f);
    buf_done(&b);
    args_free(&a);
}

static void json(void **state)
{
    (void) state;
    one("x=[1,2.5,null]", "{\"x\":[1,2.5,null]}");
    one("x={\"a\":[true]}", "{\"x\":{\"a\":[true]}}");
    one("x=\"5\"", "{\"x\":\"5\"}");
    refuse("x=[1,2", "x: not JSON");
    refuse("x={a:1}", "x: not JSON");
    refuse("x=\"abc", "x: not JSON");
}

static void names(void **state)
{
    (void) state;
    struct args *a = args_new();
    word(a, "staking.eth.days=365");
    word(a, "staking.eth.rate=0.045");
    word(a, "staking.btc={\"days\":7,\"n\":1}");
    word(a, "staking.btc.days=8"); /* descends into the literal */
    word(a, "x=1");
    word(a, "x=2.25"); /* the later one */
    expect(a,
           "{\"staking\":{\"eth\":{\"days\":365,\"rate\":0.045},\"btc\":{\"days\":8,\"n\":1}},\"x\":2.25}");
    word(a, "staking=none"); /* a map gives way to a scalar, and a scalar to a map */
    word(a, "x.y=3");
    expect(a, "{\"staking\":\"none\",\"x\":{\"y\":3}}");
    args_free(&a);
    refuse("x", "\"x\" is no argument, expected NAME=VALUE");
    refuse("=1", "is no name of an argument");
    refuse("a..b=1", "is no name of an argument");
    refuse(".a=1", "is no name of an argument");
    refuse("a.=1", "is no name of an argument");
    refuse("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y=1", "is no name of an argument");
}

static void files(void **state)
{
    (void) state;
    char text[400];
    struct args *a = args_new();
    snprintf(text, sizeof text, "x=@%s:close?asset=BTC",
             put("p.csv", "asset,close\nBTC,1.5\nETH,9\nBTC,\n", 31));
    one(text, "{\"x\":[1.5,null]}");
    snprintf(text, sizeof text, "x=@%s", put("single.csv", "v\n4.125\n", 8));
    one(text, "{\"x\":[4.125]}");
    snprintf(text, sizeof text, "x=@%s", put("doc.json", "{\"k\":[1,2]}", 11));
    one(text, "{\"x\":{\"k\":[1,2]}}");
    snprintf(text, sizeof text, "x=@%s", put("note.txt", "hi there\n", 9));
    one(text, "{\"x\":\"hi there\\n\"}");
    snprintf(text, sizeof text, "x=@%s", put("a:b.json", "[2.385]", 7)); /* a colon of the name */
    one(text, "{\"x\":[2.385]}");
    snprintf(text, sizeof text, "x=@%s", put("raw.bin", "\0\1\xff", 3));
    word(a, text);
    struct buf b = {0};
    args_pack(a, &b);
    assert_int_equal(b.bytes, 8);
    assert_memory_equal(b.data, "\x81\xa1x\xc4\x03\0\1\xff", 8);
    buf_done(&b);
    args_free(&a);
    snprintf(text, sizeof text, "x=@%s", put("bad.json", "{\"k\":", 5));
    refuse(text, "bad.json");
    snprintf(text, sizeof text, "x=@%s/nothing.csv:close", folder);
    refuse(text, "x: cannot read");
    refuse("x=@", "x: cannot read");
}

static void documents(void **state)
{
    (void) state;
    struct err err = {0};
    struct args *a = args_new();
    static const char doc[] = "{\"a\":1,\"m\":{\"p\":2.5,\"q\":[3]}}";
    assert_int_equal(args_json(a, put("req.json", doc, sizeof doc - 1), &err), 0);
    expect(a, doc);
    word(a, "m.p=7");
    word(a, "b=new");
    assert_int_equal(args_set_text(a, "form", "nd", &err), 0);
    expect(a, "{\"a\":1,\"m\":{\"p\":7,\"q\":[3]},\"b\":\"new\",\"form\":\"nd\"}");
    assert_int_equal(args_json(a, put("list.json", "[1]", 3), &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "list.json holds"));
    assert_int_equal(args_json(a, put("twice.json", "{\"a\":1,\"a\":2}", 13), &err), KILN_INVALID);
    assert_int_equal(args_json(a, "/nonexistent/x.json", &err), KILN_INVALID);
    expect(a,
           "{\"a\":1,\"m\":{\"p\":7,\"q\":[3]},\"b\":\"new\",\"form\":\"nd\"}"); /* failures leave it alone */
    args_free(&a);
}

/* ---- options ---- */

static int parse(unsigned verb, struct settings *s, struct words *w, struct err *err, int argc,
                 const char *const *argv)
{
    int at = 0;
    settings_init(s);
    return options_parse(argc, (char **) (uintptr_t) argv, &at, verb, s, w, err);
}

#define PARSE(verb, ...)                                                                                     \
    parse(verb, &s, &w, &err, (int) (sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),           \
          (const char *const[]){__VA_ARGS__})

static void options(void **state)
{
    (void) state;
    struct settings s;
    struct words w = {0};
    struct err err = {0};
    assert_int_equal(PARSE(VERB_CALL, "stats.mean", "--json", "r.json", "x=-1", "--timeout=250", "-p", "0",
                           "-ojson", "--", "-odd"),
                     0);
    assert_string_equal(s.json_file, "r.json");
    assert_false(s.json);
    assert_int_equal(s.timeout_ms, 250);
    assert_int_equal(s.priority, 0);
    assert_int_equal(said(s.priority), KILN_ZERO);
    assert_int_equal(said(s.run_ms), 0);
    assert_int_equal(said(s.timeout_ms), 250);
    assert_int_equal(s.output, OUTPUT_JSON);
    assert_int_equal(w.n, 3);
    assert_string_equal(w.items[0], "stats.mean");
    assert_string_equal(w.items[1], "x=-1");
    assert_string_equal(w.items[2], "-odd");
    mem_free(w.items);
    assert_int_equal(PARSE(VERB_STATS, "--json"), 0); /* the other meaning */
    assert_true(s.json);
    assert_null(s.json_file);
    mem_free(w.items);
    assert_int_equal(PARSE(VERB_CALL, "f", "--json", "-"), 0);
    assert_string_equal(s.json_file, "-");
    mem_free(w.items);
}

static void wrong_options(void **state)
{
    (void) state;
    struct settings s;
    struct words w = {0};
    struct err err = {0};
    const struct {
        unsigned verb;
        const char *first, *second, *wanted;
    } cases[] = {
        {VERB_CALL, "f", "--frob", "there is no option --frob here"},
        {VERB_STATS, "--run-ms", "3", "there is no option --run-ms here"},
        {VERB_CALL, "--timeout", "5s", "--timeout is \"5s\", expected a whole number, 1..86400000"},
        {VERB_CALL, "--timeout", "0", "expected a whole number, 1..86400000"},
        {VERB_CALL, "--priority", "10", "expected a whole number, 0..9"},
        {VERB_CALL, "-o", "xml", "--output is \"xml\", expected auto|json|table"},
        {VERB_CALL, "f", "--json", "--json needs a value: FILE"},
        {VERB_STATS, "--json=x", "", "--json takes no value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(PARSE(cases[i].verb, cases[i].first, cases[i].second), KILN_INVALID);
        if (!strstr(err.text, cases[i].wanted)) {
            fail_msg("\"%s\" does not hold \"%s\"", err.text, cases[i].wanted);
        }
        mem_free(w.items);
    }
}

int main(void)
{
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars), cmocka_unit_test(special),       cmocka_unit_test(json),
        cmocka_unit_test(names),   cmocka_unit_test(files),         cmocka_unit_test(documents),
        cmocka_unit_test(options), cmocka_unit_test(wrong_options),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char command[300];
    static const char *const names_left[] = {"p.csv",   "single.csv", "doc.json", "note.txt",  "a:b.json",
                                             "raw.bin", "bad.json",   "req.json", "list.json", "twice.json"};
    for (size_t i = 0; i < sizeof names_left / sizeof names_left[0]; i++) {
        snprintf(command, sizeof command, "%s/%s", folder, names_left[i]);
        unlink(command);
    }
    rmdir(folder);
    return rc;
}
