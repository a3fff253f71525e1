/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/config.h"

static struct err err;

static int load(const char *text, struct config *c)
{
    char path[] = "/tmp/kiln-test-config.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    err = (struct err){0};
    int status = config_load(path, c, &err);
    unlink(path);
    return status;
}

static void without_a_file_the_defaults_hold(void **state)
{
    (void) state;
    struct config c;
    assert_int_equal(config_load(NULL, &c, &err), 0);
    assert_int_equal(c.frontend.n, 1);
    assert_string_equal(c.frontend.items[0], "ipc:///run/kiln/kiln.sock");
    assert_string_equal(c.backend.items[0], "ipc:///run/kiln/work.sock");
    assert_int_equal(c.queue_limit, 10000);
    assert_int_equal(c.max_bytes, 64 << 20);
    assert_true(c.lease_ms >= 2 * c.beat_ms);
    config_done(&c);
    config_done(&c); /* harmless twice */
}

static void a_file_overrides_them(void **state)
{
    (void) state;
    struct config c;
    assert_int_equal(
        load("daemon = { any = 1; };\nbroker = { frontend = [\"ipc:///tmp/a\", \"tcp://127.0.0.1:7711\"];\n"
             "insecure_tcp = true; queue_limit = 2385; settle_ms = 0; cpus = [1, 0]; log_level = \"error\"; "
             "};",
             &c),
        0);
    assert_int_equal(c.frontend.n, 2);
    assert_string_equal(c.frontend.items[1], "tcp://127.0.0.1:7711");
    assert_int_equal(c.queue_limit, 2385);
    assert_int_equal(c.settle_ms, 0);
    assert_int_equal(c.cpus.n, 2);
    assert_string_equal(c.log_level, "error");
    config_done(&c);
}

static void what_is_wrong_is_said(void **state)
{
    (void) state;
    static const struct {
        const char *text, *field, *why;
    } cases[] = {
        {"broker = { log_level = \"loud\"; };", "log_level",
         "broker.log_level is \"loud\", expected debug, info, warning or error"},
        {"broker = { frontend = []; };", "frontend",
         "broker.frontend is empty, expected at least one endpoint"},
        {"broker = { backend = (); };", "backend", "broker.backend is empty, expected at least one endpoint"},
        {"broker = { beat_ms = 1000; lease_ms = 1999; };", "lease_ms",
         "broker.lease_ms is 1999, expected at least twice beat_ms (1000)"},
        {"broker = { queue_limit = 0; };", "queue_limit",
         "broker.queue_limit is 0, expected a whole number 1..10000000 jobs"},
        {"broker = { max_bytes = 1023; };", "max_bytes", "broker.max_bytes is 1023, expected"},
        {"broker = { batch_jobs = 4097; };", "batch_jobs",
         "broker.batch_jobs is 4097, expected a whole number 1..4096"},
        {"broker = { queue_limits = 7; };", "queue_limits",
         "broker has no key \"queue_limits\", expected one of frontend, backend"},
        {"broker = 3;", "broker", "broker is not a group"},
        {"broker = {", "", ": "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config c = {.queue_limit = 4711};
        if (load(cases[i].text, &c) != KILN_INVALID || !strstr(err.text, cases[i].why) ||
            strcmp(err.field, cases[i].field) != 0) {
            fail_msg("case %zu: field \"%s\", \"%s\" has no \"%s\"", i, err.field, err.text, cases[i].why);
        }
        assert_int_equal(c.queue_limit, 4711); /* untouched */
    }
    struct config c;
    assert_int_equal(config_load("/nonexistent/kiln.conf", &c, &err), KILN_INVALID);
}

static void help_lists_the_keys(void **state)
{
    (void) state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    config_help(out);
    fclose(out);
    assert_non_null(strstr(text, "broker = {"));
    assert_non_null(strstr(text, "ahead_us = 2000 (us)"));
    free(text);
}

static void a_reload_changes_what_is_live(void **state)
{
    (void) state;
    struct config c, fresh;
    assert_int_equal(config_load(NULL, &c, &err), 0);
    assert_int_equal(
        load("broker = { queue_limit = 5; log_level = \"debug\"; ahead_us = 9; batch_jobs = 3; memory_mb = 2;"
             "results_mb = 1; };",
             &fresh),
        0);
    assert_int_equal(config_take_over(&c, &fresh, &err), 0);
    assert_int_equal(c.queue_limit + c.ahead_us + c.batch_jobs + c.memory_mb + c.results_mb,
                     5 + 9 + 3 + 2 + 1);
    assert_string_equal(c.log_level, "debug");
    config_done(&fresh);
    static const char *const keys[][2] = {
        {"frontend", "\"ipc:///x\""}, {"backend", "\"ipc:///x\""}, {"max_bytes", "5000"}, {"out_hwm", "5"},
        {"beat_ms", "999"},           {"lease_ms", "3001"},        {"settle_ms", "1"},    {"cpus", "[0]"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char text[80];
        snprintf(text, sizeof text, "broker = { queue_limit = 6; %s = %s; };", keys[i][0], keys[i][1]);
        assert_int_equal(load(text, &fresh), 0);
        assert_int_equal(config_take_over(&c, &fresh, &err), KILN_INVALID);
        assert_string_equal(err.field, keys[i][0]);
        assert_int_equal(c.queue_limit, 5);
        config_done(&fresh);
    }
    config_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_the_defaults_hold),
        cmocka_unit_test(a_file_overrides_them),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_reload_changes_what_is_live),
        cmocka_unit_test(help_lists_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
