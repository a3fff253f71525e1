/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdbool.h>

#include "conf.h"

struct settings {
    int64_t limit;
    bool on;
    char *name;
    struct conf_texts ends;
    struct conf_ints cpus;
};

#define AT(m) offsetof(struct settings, m)
static const struct conf_row rows[] = {
    {"limit", CONF_INT, AT(limit), 1, 5000000000, "2385", "jobs", "a number"},
    {"on", CONF_BOOL, AT(on), 0, 0, "true", NULL, "a switch"},
    {"name", CONF_TEXT, AT(name), 0, 0, "box", NULL, "a text"},
    {"ends", CONF_TEXTS, AT(ends), 0, 0, "ipc://a  ipc://b", NULL, "texts"},
    {"cpus", CONF_INTS, AT(cpus), 0, 1023, "", NULL, "numbers"},
    {"rest", CONF_OTHER, 0, 0, 0, NULL, NULL, "read by the caller"},
};
enum { N = sizeof rows / sizeof rows[0] };

static char path[64];
static struct err err;
static struct settings got;

/* Reads group "part" of a file with that text. */
static int read_text(const char *text)
{
    strcpy(path, "/tmp/kiln-test-conf.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    config_t file;
    err = (struct err){0};
    int status = conf_open(&file, path, &err);
    if (status == 0) {
        status = conf_read(config_lookup(&file, "part"), "part", rows, N, &got, &err);
        config_destroy(&file);
    }
    unlink(path);
    return status;
}

static void assert_defaults(void)
{
    assert_int_equal(got.limit, 2385);
    assert_true(got.on);
    assert_string_equal(got.name, "box");
    assert_int_equal(got.ends.n, 2);
    assert_string_equal(got.ends.items[0], "ipc://a");
    assert_string_equal(got.ends.items[1], "ipc://b");
    assert_int_equal(got.cpus.n, 0);
}

static void defaults(void **state)
{
    (void) state;
    assert_int_equal(conf_read(NULL, "part", rows, N, &got, &err), 0);
    assert_defaults();
    conf_done(rows, N, &got);
    assert_null(got.name);
    assert_int_equal(got.ends.n, 0);
    assert_int_equal(read_text("other = { x = 1; };"), 0);
    assert_defaults();
    conf_done(rows, N, &got);
    assert_int_equal(read_text("part = { };"), 0);
    assert_defaults();
    conf_done(rows, N, &got);
}

static void all_kinds(void **state)
{
    (void) state;
    assert_int_equal(
        read_text(
            "part = { limit = 4999999999L; on = false; name = \"\"; ends = [\"tcp://*:1\", \"x\", \"y z\"];\n"
            "cpus = (7, 0, 1023); rest = { any = \"thing\"; }; };"),
        0);
    assert_int_equal(got.limit, 4999999999);
    assert_false(got.on);
    assert_string_equal(got.name, "");
    assert_int_equal(got.ends.n, 3);
    assert_string_equal(got.ends.items[2], "y z");
    assert_int_equal(got.cpus.n, 3);
    assert_int_equal(got.cpus.items[0], 7);
    assert_int_equal(got.cpus.items[2], 1023);
    conf_done(rows, N, &got);
    assert_int_equal(read_text("part = { ends = \"only\"; cpus = []; };"), 0);
    assert_int_equal(got.ends.n, 1);
    assert_string_equal(got.ends.items[0], "only");
    assert_int_equal(got.cpus.n, 0);
    conf_done(rows, N, &got);
    assert_int_equal(read_text("part = { ends = (); };"), 0);
    assert_int_equal(got.ends.n, 0);
    conf_done(rows, N, &got);
}

static void refusals_name_line_key_value_and_expectation(void **state)
{
    (void) state;
    static const struct {
        const char *text, *field, *why;
    } cases[] = {
        {"part = {\n\n limit = 0; };", "limit",
         ":3: part.limit is 0, expected a whole number 1..5000000000 jobs"},
        {"part = { limit = 5000000001L; };", "limit", "part.limit is 5000000001, expected"},
        {"part = { limit = -3; };", "limit", "part.limit is -3, expected"},
        {"part = { limit = 2.385; };", "limit", "part.limit is 2.385, expected a whole number"},
        {"part = { limit = \"many\"; };", "limit", "part.limit is \"many\", expected a whole number"},
        {"part = { limit = true; };", "limit", "part.limit is true, expected a whole number"},
        {"part = { limit = { a = 1; }; };", "limit", "part.limit is a group, expected a whole number"},
        {"part = { limit = [1, 2]; };", "limit", "part.limit is a list of 2, expected a whole number"},
        {"part = { on = 1; };", "on", "part.on is 1, expected true or false"},
        {"part = { name = 7; };", "name", "part.name is 7, expected a string"},
        {"part = { name = [\"a\"]; };", "name", "part.name is a list of 1, expected a string"},
        {"part = { ends = 3; };", "ends", "part.ends is 3, expected a string or a list of strings"},
        {"part = { ends = (\"a\", 4); };", "ends", "part.ends is 4, expected a string"},
        {"part = { cpus = 3; };", "cpus", "part.cpus is 3, expected a list of whole numbers"},
        {"part = { cpus = [1, 1024]; };", "cpus", "part.cpus is 1024, expected a whole number 0..1023"},
        {"part = { cpus = [\"a\"]; };", "cpus", "part.cpus is \"a\", expected a whole number"},
        {"part = { name = \"a\";\n limt = 3; };", "limt",
         ":2: part has no key \"limt\", expected one of limit, on, name, ends, cpus, rest"},
        {"part = 7;", "part", ":1: part is not a group { ... }"},
        {"part = ( 1, 2 );", "part", ":1: part is not a group { ... }"},
        {"part = {\n limit = ; };", "", ":2: "},
        {"part = { limit = 1; limit = 2; };", "", ":1: "},
        {"part = {", "", ": "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&got, 0, sizeof got);
        if (read_text(cases[i].text) != KILN_INVALID || !strstr(err.text, cases[i].why) ||
            strcmp(err.field, cases[i].field) != 0 || strncmp(err.text, path, strlen(path)) != 0) {
            fail_msg("case %zu: field \"%s\", \"%s\" has no \"%s\"", i, err.field, err.text, cases[i].why);
        }
        assert_null(got.name); /* nothing to release: the sanitizer would find the rest */
    }
}

static void files_that_cannot_be_read(void **state)
{
    (void) state;
    config_t file;
    assert_int_equal(conf_open(&file, "/nonexistent/kiln.conf", &err), KILN_INVALID);
    assert_string_equal(err.text, "/nonexistent/kiln.conf: cannot be read: No such file or directory");
    assert_int_equal(conf_open(&file, "/tmp", &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "/tmp: "));
    assert_int_equal(conf_open(&file, "/nonexistent/kiln.conf", NULL), KILN_INVALID);
}

static void help_shows_every_row(void **state)
{
    (void) state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    conf_help(out, "part", rows, N);
    fclose(out);
    assert_memory_equal(text, "part = {\n", 9);
    assert_non_null(strstr(text, "  limit = 2385 (jobs) "));
    assert_non_null(strstr(text, "  name = \"box\" "));
    for (size_t i = 0; i < N; i++) {
        assert_non_null(strstr(text, rows[i].key));
        assert_non_null(strstr(text, rows[i].help));
    }
    free(text);
}

/* A reload: live rows change hands, a difference in any other refuses all of it. */
static void taking_over(void **state)
{
    (void) state;
    struct conf_row live[N];
    memcpy(live, rows, sizeof live);
    live[0].live = live[2].live = live[3].live = true;
    struct settings now;
    assert_int_equal(read_text("part = { name = \"old\"; cpus = [1, 2]; };"), 0);
    now = got;
    assert_int_equal(
        read_text("part = { limit = 7; name = \"new\"; ends = [\"x\"]; cpus = [1, 2]; rest = 3; };"), 0);
    assert_int_equal(conf_take_over("part", live, N, &now, &got, &err), 0);
    assert_int_equal(now.limit, 7);
    assert_string_equal(now.name, "new");
    assert_string_equal(now.ends.items[0], "x");
    assert_string_equal(got.name, "old");
    assert_int_equal(got.ends.n, 2);
    conf_done(rows, N, &got);
    static const char *const refused[][2] = {{"part = { limit = 8; cpus = [1, 3]; };", "cpus"},
                                             {"part = { limit = 8; cpus = [1]; };", "cpus"},
                                             {"part = { limit = 8; };", "cpus"},
                                             {"part = { limit = 8; on = false; cpus = [1, 2]; };", "on"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(read_text(refused[i][0]), 0);
        assert_int_equal(conf_take_over("part", live, N, &now, &got, &err), KILN_INVALID);
        assert_string_equal(err.field, refused[i][1]);
        assert_non_null(strstr(err.text, "a reload cannot change it"));
        assert_int_equal(now.limit, 7);
        conf_done(rows, N, &got);
    }
    /* Texts and lists of them, when they are not live. */
    live[2].live = live[3].live = false;
    static const char *const texts[][2] = {
        {"part = { name = \"new\"; ends = [\"y\"]; cpus = [1, 2]; };", "ends"},
        {"part = { name = \"new\"; ends = []; cpus = [1, 2]; };", "ends"},
        {"part = { name = \"n\"; ends = [\"x\"]; cpus = [1, 2]; };", "name"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(read_text(texts[i][0]), 0);
        assert_int_equal(conf_take_over("part", live, N, &now, &got, &err), KILN_INVALID);
        assert_string_equal(err.field, texts[i][1]);
        conf_done(rows, N, &got);
    }
    conf_done(rows, N, &now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(all_kinds),
        cmocka_unit_test(refusals_name_line_key_value_and_expectation),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(taking_over),
        cmocka_unit_test(help_shows_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
