/* SPDX-License-Identifier: MPL-2.0 */
/* tenant and quota: whose jobs they are, and what their key may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <kiln/status.h>

#include "broker/tenant.h"
#include "clock.h"
#include "mem.h"

static struct quotas quotas;
static struct tenants ts;

static int load(const char *text, struct quotas *ret, struct err *err)
{
    config_t file;
    config_init(&file);
    if (!config_read_string(&file, text)) {
        fail_msg("%s", config_error_text(&file));
    }
    int status = quotas_load(config_lookup(&file, "quotas"), ret, err);
    config_destroy(&file);
    return status;
}

static void begin(const char *text)
{
    struct err err = {0};
    if (load(text, &quotas, &err)) {
        fail_msg("%s", err.text);
    }
    tenants_init(&ts, &quotas);
}

static int end(void **state)
{
    (void) state;
    if (ts.by_name) {
        tenants_done(&ts);
    }
    quotas_done(&quotas);
    return 0;
}

static struct tenant *named(const char *name)
{
    return tenant_find(&ts, name, strlen(name));
}

static void a_key_has_its_row_or_that_of_others(void **state)
{
    (void) state;
    begin("quotas = ( { jobs = 7; }, { key = \"night\"; rate = 20; weight = 4; }, { key = \"\"; jobs = 3; } "
          ");");
    assert_int_equal(named("night")->quota->rate, 20);
    assert_int_equal(named("night")->quota->burst, 20); /* a second's worth */
    assert_int_equal(named("night")->quota->jobs, 0);
    assert_int_equal(tenant_weight(named("night")), 4);
    assert_int_equal(named("day")->quota->jobs, 7);
    assert_ptr_equal(named("day"), named("day"));
    assert_int_equal(named("")->quota->jobs, 3);
    assert_true(tenant_plain(named("")));
    assert_int_equal(tenant_weight(named("day")), 1);
}

static void without_rows_there_are_no_limits(void **state)
{
    (void) state;
    begin("other = 1;");
    struct err err = {0};
    assert_null(named("x")->quota);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(tenant_check(named("x"), UINT32_MAX, 1, &err), TENANT_FREE);
        tenant_enter(&ts, named("x"), UINT32_MAX, 1);
    }
    assert_int_equal(named("x")->jobs, 1000);
    assert_int_equal(err.status, 0);
}

static void jobs_and_bytes_have_limits(void **state)
{
    (void) state;
    begin("quotas = ( { key = \"a\"; jobs = 2; bytes = 1000; } );");
    struct tenant *a = named("a");
    struct err err = {0};
    assert_int_equal(tenant_check(a, 1001, 1, &err), TENANT_BYTES);
    assert_int_equal(err.status, KILN_INVALID); /* never: waiting does not help */
    assert_non_null(strstr(err.text, "1001 bytes, expected at most 1000 for key \"a\" (quotas.bytes)"));
    assert_int_equal(tenant_check(a, 600, 1, &err), TENANT_FREE);
    tenant_enter(&ts, a, 600, 1);
    assert_int_equal(tenant_check(a, 401, 1, &err), TENANT_BYTES);
    assert_int_equal(err.status, KILN_BUSY);
    assert_string_equal(err.field, "key");
    assert_non_null(strstr(err.text, "key \"a\" hold 600 bytes and may hold 1000 (quotas.bytes)"));
    assert_int_equal(tenant_check(a, 400, 1, &err), TENANT_FREE);
    tenant_enter(&ts, a, 400, 1);
    assert_int_equal(tenant_check(a, 0, 1, &err), TENANT_JOBS);
    assert_non_null(strstr(err.text, "key \"a\" has 2 jobs waiting or running and may have 2 (quotas.jobs)"));
    assert_int_equal(a->refused, 3);
    assert_int_equal(tenant_check(named("b"), 5000, 1, &err), TENANT_FREE); /* nobody's limit but its own */
    tenant_leave(&ts, a, 600);
    assert_int_equal(tenant_check(a, 600, 1, &err), TENANT_FREE);
    assert_int_equal(a->bytes, 400);
    tenant_leave(&ts, a, 400);
    assert_int_equal(ts.active, 0);
}

/* Ten a second, four at once: over any stretch of time no more than that, and no less. */
static void a_rate_is_kept_over_any_time(void **state)
{
    (void) state;
    begin("quotas = ( { key = \"a\"; rate = 10; burst = 4; } );");
    struct tenant *a = named("a");
    struct err err = {0};
    size_t taken = 0;
    for (int ms = 0; ms < 10000; ms++) {
        int64_t now_ns = CLOCK_S + ms * CLOCK_MS;
        if (tenant_check(a, 0, now_ns, &err) == TENANT_FREE) {
            tenant_enter(&ts, a, 0, now_ns);
            tenant_leave(&ts, a, 0);
            taken++;
        }
        size_t most = 4 + (size_t) ms / 100;
        assert_in_range(taken, ms < 4 ? 1 : most - 1, most);
    }
    assert_int_equal(tenant_check(a, 0, CLOCK_S + 9999 * CLOCK_MS, &err), TENANT_RATE);
    assert_non_null(strstr(err.text, "may send 10 a second (quotas.rate); try again in "));
    int64_t later_ns = 100 * CLOCK_S; /* it has rested: all of its burst is there, and no more */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tenant_check(a, 0, later_ns, &err), TENANT_FREE);
        tenant_enter(&ts, a, 0, later_ns);
    }
    assert_int_equal(tenant_check(a, 0, later_ns, &err), TENANT_RATE);
    for (int i = 0; i < 4; i++) {
        tenant_leave(&ts, a, 0);
    }
}

static void names_cost_bounded_memory(void **state)
{
    (void) state;
    begin("other = 1;");
    tenant_enter(&ts, named("busy"), 1, 1);
    for (int i = 0; i < 3 * TENANTS_IDLE; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        tenant_enter(&ts, named(name), 1, 1);
        tenant_leave(&ts, named(name), 1);
        assert_in_range(zhashx_size(ts.by_name), 1, TENANTS_IDLE + 1);
    }
    assert_int_equal(ts.idle, TENANTS_IDLE);
    assert_int_equal(named("busy")->jobs, 1); /* who has jobs stays */
    assert_int_equal(named("n1")->taken, 0);  /* the longest idle was forgotten */
    size_t n;
    struct tenant **all = tenants_sorted(&ts, &n);
    assert_int_equal(n, TENANTS_IDLE + 2);
    assert_string_equal(all[0]->name, "busy");
    mem_free(all);
    tenant_leave(&ts, named("busy"), 1);
}

static void a_reload_applies_to_everybody(void **state)
{
    (void) state;
    begin("quotas = ( { jobs = 7; } );");
    tenant_enter(&ts, named("a"), 1, 1);
    struct quotas other;
    struct err err = {0};
    assert_int_equal(load("quotas = ( { key = \"a\"; jobs = 1; } );", &other, &err), 0);
    tenants_apply(&ts, &other);
    quotas_done(&quotas);
    quotas = other;
    tenants_apply(&ts, &quotas);
    assert_int_equal(tenant_check(named("a"), 1, 1, &err), TENANT_JOBS);
    assert_int_equal(tenant_check(named("b"), 1, 1, &err), TENANT_FREE);
    assert_null(named("")->quota);
    tenant_leave(&ts, named("a"), 1);
}

static void what_a_name_may_be(void **state)
{
    (void) state;
    char text[TENANT_NAME_BYTES + 1];
    memset(text, 'k', sizeof text);
    assert_true(tenant_named_well(text, TENANT_NAME_BYTES));
    assert_false(tenant_named_well(text, TENANT_NAME_BYTES + 1));
    assert_true(tenant_named_well("", 0));
    assert_true(tenant_named_well("tenant 7/\xc3\xa9", 11));
    assert_false(tenant_named_well("a\nb", 3));
    assert_false(tenant_named_well("a\0b", 3));
    assert_false(tenant_named_well("\xff", 1));
}

static void wrong_rows_are_refused(void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        {"quotas = 5;", "is no list"},
        {"quotas = { jobs = 1; };", "is no list"},
        {"quotas = [ 1, 2 ];", "is no list"},
        {"quotas = ( 5 );", "is not a group"},
        {"quotas = ( { jobs = -1; } );", "broker.quotas.jobs is -1, expected a whole number 0..10000000"},
        {"quotas = ( { weight = 0; } );", "weight is 0, expected a whole number 1..100"},
        {"quotas = ( { jbos = 1; } );", "has no key \"jbos\""},
        {"quotas = ( { key = 7; } );", "key is 7, expected a string"},
        {"quotas = ( { key = \"a\"; }, { key = \"a\"; } );", "the row of key \"a\" is there twice"},
        {"quotas = ( { }, { } );", "the row of key \"*\" is there twice"},
        {"quotas = ( { key = \"a\"; burst = 5; } );", "has a burst and no rate"},
        {"quotas = ( { key = \"a\\n\"; } );", "has no good key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quotas none;
        struct err err = {0};
        assert_int_equal(load(cases[i][0], &none, &err), KILN_INVALID);
        if (!strstr(err.text, cases[i][1])) {
            fail_msg("%s: %s", cases[i][0], err.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_key_has_its_row_or_that_of_others, end),
        cmocka_unit_test_teardown(without_rows_there_are_no_limits, end),
        cmocka_unit_test_teardown(jobs_and_bytes_have_limits, end),
        cmocka_unit_test_teardown(a_rate_is_kept_over_any_time, end),
        cmocka_unit_test_teardown(names_cost_bounded_memory, end),
        cmocka_unit_test_teardown(a_reload_applies_to_everybody, end),
        cmocka_unit_test(what_a_name_may_be),
        cmocka_unit_test_teardown(wrong_rows_are_refused, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
