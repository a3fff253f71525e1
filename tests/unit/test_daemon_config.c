/* SPDX-License-Identifier: MPL-2.0 */
#include "folder.h"
#include "pack.h"

#include "daemon/config.h"

static struct folder folder;

static int set_up(void **state)
{
    (void) state;
    folder = folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    folder_remove(&folder);
    return 0;
}

static int load(const char *text, struct daemon_config **ret, struct err *err)
{
    return daemon_config_load(folder_put(&folder, "kiln.conf", text, strlen(text)), ret, err);
}

static void defaults(void **state)
{
    (void) state;
    struct daemon_config *c = NULL;
    struct err err = {0};
    if (load("daemon = { plugins = ( { name = \"stats\"; } ); };", &c, &err)) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(c->broker, "ipc:///run/kiln/work.sock");
    assert_string_equal(c->plugin_dir, KILN_PLUGINDIR);
    assert_true(c->name[0]); /* host.pid */
    char pid[16];
    snprintf(pid, sizeof pid, ".%d", (int) getpid());
    assert_non_null(strstr(c->name, pid));
    assert_int_equal(c->drain_ms, 30000);
    assert_int_equal(c->slots, 256);
    assert_int_equal(c->n_plugins, 1);
    const struct plugin_config *p = &c->plugins[0];
    assert_string_equal(p->name, "stats");
    assert_string_equal(p->file, KILN_PLUGINDIR "/stats.so");
    assert_int_equal(p->workers, 1);
    assert_true(p->required);
    assert_int_equal(p->limits.run_ms, 30000);
    assert_int_equal(p->limits.memory_mb, 1024);
    assert_int_equal(p->limits.files, 256);
    assert_int_equal(p->limits.job_mb, 256);
    assert_int_equal(p->limits.warm_ms, 20000);
    assert_int_equal(p->recycle.jobs, 0);
    assert_null(p->options);
    daemon_config_free(&c);
    assert_null(c);
    daemon_config_free(&c);
}

static void run_dir_of_the_unit(void **state)
{
    (void) state;
    static const char *const rows[][2] = {{NULL, "/var/lib/kiln/kilnd"},
                                          {"/var/lib/kiln-a", "/var/lib/kiln-a/kilnd"},
                                          {"/var/lib/kiln-a:/var/lib/other", "/var/lib/kiln-a/kilnd"},
                                          {"relative", "/var/lib/kiln/kilnd"},
                                          {"", "/var/lib/kiln/kilnd"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct daemon_config *c = NULL;
        rows[i][0] ? setenv("STATE_DIRECTORY", rows[i][0], 1) : unsetenv("STATE_DIRECTORY");
        assert_int_equal(load("daemon = { plugins = ( { name = \"a\"; } ); };", &c, NULL), 0);
        assert_string_equal(c->run_dir, rows[i][1]);
        daemon_config_free(&c);
    }
    unsetenv("STATE_DIRECTORY");
}

static void everything_said(void **state)
{
    (void) state;
    struct daemon_config *c = NULL;
    struct err err = {0};
    if (load("broker = { anything = 1; };\n"
             "daemon = { broker = \"ipc://work.sock\"; name = \"Box-7.a\"; run_dir = \"run\"; plugin_dir = "
             "\"/opt/p\"; cpus = [0, 2];\n"
             " log_level = \"debug\"; drain_ms = 5; slots = 7;\n"
             " plugins = ( { name = \"a\"; file = \"sub/a1.so\"; workers = 3; required = false; nice = 5; "
             "cpus = [1];\n"
             "   limits = { run_ms = 11; memory_mb = 64; files = 33; job_mb = 12; warm_ms = 44; };\n"
             "   recycle = { jobs = 9000000000L; resident_mb = 99; };\n"
             "   options = { rate = 2.385; n = -3; big = 5000000000L; on = true; mode = \"fast\"; list = [1, "
             "2]; g = { x = 1; }; }; },\n"
             "  { name = \"b_2\"; file = \"/abs/b.so\"; options = { }; } ); };",
             &c, &err)) {
        fail_msg("%s", err.text);
    }
    char path[200];
    snprintf(path, sizeof path, "ipc://%s/work.sock", folder.path);
    assert_string_equal(c->broker, path);
    assert_string_equal(c->run_dir, folder_at(&folder, "run"));
    assert_string_equal(c->name, "Box-7.a");
    assert_int_equal(c->cpus.n, 2);
    assert_int_equal(c->cpus.items[1], 2);
    assert_int_equal(c->drain_ms, 5);
    assert_int_equal(c->slots, 7);
    const struct plugin_config *a = &c->plugins[0], *b = &c->plugins[1];
    assert_string_equal(a->file, "/opt/p/sub/a1.so");
    assert_string_equal(b->file, "/abs/b.so");
    assert_int_equal(a->workers, 3);
    assert_false(a->required);
    assert_int_equal(a->nice, 5);
    assert_int_equal(a->cpus.items[0], 1);
    assert_int_equal(a->limits.run_ms, 11);
    assert_int_equal(a->limits.warm_ms, 44);
    assert_int_equal(a->recycle.jobs, INT64_C(9000000000));
    assert_int_equal(a->recycle.resident_mb, 99);
    assert_string_equal(unpack(a->options, a->options_bytes),
                        "{\"rate\":2.385,\"n\":-3,\"big\":5000000000,\"on\":true,\"mode\":\"fast\",\"list\":["
                        "1,2],\"g\":{\"x\":1}}");
    assert_null(b->options);
    daemon_config_free(&c);
}

#define PLUGIN(more) "daemon = {\n plugins = (\n {\n name = \"a\";\n" more "\n } ); };"

static void refusals(void **state)
{
    (void) state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"daemon = {", "kiln.conf:"},
        {"broker = {};", "group \"daemon\" is missing"},
        {"daemon = 7;", "is not a group"},
        {"daemon = { };", "daemon.plugins is missing"},
        {"daemon = { plugins = ( ); };", "daemon.plugins is empty"},
        {"daemon = { plugins = { }; };", "daemon.plugins is not a list"},
        {"daemon = { plugins = ( 7 ); };", "daemon.plugins[0] is not a group"},
        {"daemon = {\n\n colour = 1; plugins = ( { name = \"a\"; } ); };",
         "kiln.conf:3: daemon has no key \"colour\""},
        {"daemon = { drain_ms = -1; };", "daemon.drain_ms is -1, expected a whole number 0..86400000 ms"},
        {"daemon = { drain_ms = 1.5; };", "daemon.drain_ms is 1.5"},
        {"daemon = { slots = 0; };", "daemon.slots is 0"},
        {"daemon = { slots = 4097; };", "daemon.slots is 4097"},
        {"daemon = { cpus = 3; };", "daemon.cpus is 3"},
        {"daemon = { cpus = [ 1024 ]; };", "daemon.cpus is 1024"},
        {"daemon = { log_level = \"loud\"; };", "daemon.log_level is \"loud\", expected debug"},
        {"daemon = { name = \"two words\"; };", "daemon.name is \"two words\""},
        {"daemon = { broker = \"http://x\"; };",
         "daemon.broker is \"http://x\", expected ipc://PATH or tcp://HOST:PORT"},
        {"daemon = { broker = \"tcp://host\"; };", "daemon.broker"},
        {"daemon = { broker = \"ipc://\"; };", "daemon.broker"},
        {PLUGIN("workers = 0;"),
         "kiln.conf:5: daemon.plugins[0].workers is 0, expected a whole number 1..256"},
        {PLUGIN("workers = \"2\";"), "daemon.plugins[0].workers is \"2\""},
        {PLUGIN("required = 1;"), "daemon.plugins[0].required is 1, expected true or false"},
        {PLUGIN("nice = 20;"), "daemon.plugins[0].nice is 20"},
        {PLUGIN("limits = 3;"), "daemon.plugins[0].limits is not a group"},
        {PLUGIN("limits = { memory = 3; };"), "daemon.plugins[0].limits has no key \"memory\""},
        {PLUGIN("limits = { run_ms = 0; };"), "daemon.plugins[0].limits.run_ms is 0"},
        {PLUGIN("limits = { job_mb = 65; memory_mb = 64; };"),
         "daemon.plugins[0].limits.job_mb is \"65\", expected no more"},
        {PLUGIN("recycle = { jobs = -1; };"), "daemon.plugins[0].recycle.jobs is -1"},
        {PLUGIN("options = 3;"), "daemon.plugins[0].options is not a group"},
        {PLUGIN("threads = 3;"), "daemon.plugins[0] has no key \"threads\""},
        {"daemon = { plugins = ( { } ); };", "daemon.plugins[0].name is \"\""},
        {"daemon = { plugins = ( { name = \"A\"; } ); };",
         "daemon.plugins[0].name is \"A\", expected 1 to 63 lower case"},
        {"daemon = { plugins = ( { name = \"a\"; },\n{ name = \"b\"; },\n{ name = \"a\"; } ); };",
         "kiln.conf:3: daemon.plugins[2].name is \"a\", expected a name that no other"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct daemon_config *c = NULL;
        struct err err = {0};
        assert_int_equal(load(rows[i].text, &c, &err), KILN_INVALID);
        assert_null(c);
        if (!strstr(err.text, rows[i].part)) {
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.text, rows[i].part);
        }
    }
}

static void a_path_too_long_for_a_socket(void **state)
{
    (void) state;
    char text[400];
    struct daemon_config *c = NULL;
    struct err err = {0};
    snprintf(text, sizeof text,
             "daemon = { broker = \"ipc:///%0100d/s\"; plugins = ( { name = \"a\"; } ); };", 7);
    assert_int_equal(load(text, &c, &err), 0);
    daemon_config_free(&c);
    snprintf(text, sizeof text,
             "daemon = { broker = \"ipc:///%0110d/s\"; plugins = ( { name = \"a\"; } ); };", 7);
    assert_int_equal(load(text, &c, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "at most 107 bytes"));
}

static void paths_among_options_start_from_the_file(void **state)
{
    (void) state;
    struct daemon_config *c = NULL;
    struct err err = {0};
    assert_int_equal(
        load(PLUGIN("options = { a = \"./m\"; b = [\"../n/o\", \"p/q\"]; c = \"/r\"; d = \".s\"; };"), &c,
             &err),
        0);
    char expected[400];
    snprintf(expected, sizeof expected,
             "{\"a\":\"%s/./m\",\"b\":[\"%s/../n/o\",\"p/q\"],\"c\":\"/r\",\"d\":\".s\"}", folder.path,
             folder.path);
    assert_string_equal(unpack(c->plugins[0].options, c->plugins[0].options_bytes), expected);
    daemon_config_free(&c);
}

static void options_have_a_limit(void **state)
{
    (void) state;
    static char text[CONFIG_OPTIONS_BYTES + 400];
    struct daemon_config *c = NULL;
    struct err err = {0};
    snprintf(text, sizeof text, PLUGIN("options = { x = \"%0*d\"; };"), CONFIG_OPTIONS_BYTES + 1, 7);
    assert_int_equal(load(text, &c, &err), KILN_INVALID);
    assert_string_equal(err.field, "options");
}

static void a_file_that_is_not_there(void **state)
{
    (void) state;
    struct daemon_config *c = NULL;
    struct err err = {0};
    assert_int_equal(daemon_config_load(folder_at(&folder, "nothing.conf"), &c, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "nothing.conf"));
    assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(run_dir_of_the_unit),
        cmocka_unit_test(everything_said),
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_path_too_long_for_a_socket),
        cmocka_unit_test(paths_among_options_start_from_the_file),
        cmocka_unit_test(options_have_a_limit),
        cmocka_unit_test(a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
