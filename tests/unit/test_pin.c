/* SPDX-License-Identifier: MPL-2.0 */
/* pin, and the terms of a swap as they come over the wire. */
#include "pack.h"

#include "daemon/pin.h"
#include "wire.h"

static struct plugin_config *config(int64_t workers)
{
    struct plugin_config c = {
        .name = (char *) (uintptr_t) "p", .file = (char *) (uintptr_t) "/p.so", .workers = workers};
    return plugin_config_copy(&c);
}

static void what_a_pin_says(void **state)
{
    (void) state;
    static const struct swap_terms plain, forced = {.force = true}, tried = {.trial = {.kind = TRIAL_SHADOW}};
    struct plugin_config *one = config(1), *two = config(2);
    struct pin p = {0};
    assert_int_equal(pin_judge(&p, "bad", one, "good", &plain), PIN_NONE);
    pin_set(&p, "bad", one, "it failed");
    assert_int_equal(pin_judge(&p, "bad", one, "good", &plain), PIN_HOLDS);
    assert_int_equal(pin_judge(&p, "bad", two, "good", &plain), PIN_BUILD);
    assert_int_equal(pin_judge(&p, "bad", one, "good", &plain), PIN_HOLDS); /* still */
    assert_int_equal(pin_judge(&p, "bad", one, "good", &forced), PIN_NONE);
    assert_int_equal(pin_judge(&p, "bad", one, "good", &plain), PIN_NONE); /* and from then on */
    pin_set(&p, "bad", one, "it failed");
    assert_int_equal(pin_judge(&p, "bad", one, "good", &tried), PIN_NONE);
    pin_set(&p, "bad", one, "it failed");
    assert_int_equal(pin_judge(&p, "new", one, "good", &plain), PIN_NONE);
    /* Only the settings were bad: the build serves. */
    pin_set(&p, "good", two, "it failed");
    pin_set(&p, "good", p.plugin, "it failed again");
    assert_int_equal(pin_judge(&p, "good", two, "good", &plain), PIN_HOLDS);
    assert_string_equal(p.why, "it failed again");
    assert_int_equal(pin_judge(&p, "good", one, "good", &plain), PIN_NONE);
    pin_clear(&p);
    plugin_config_free(&one);
    plugin_config_free(&two);
}

static int read_terms(const char *json, struct swap_terms *terms, struct err *err)
{
    struct buf b = pack(json);
    struct header h = {0};
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, b.bytes);
    memcpy(zmq_msg_data(&frame), b.data, b.bytes);
    int status = header_decode(&h, &frame, err);
    status = status ? status : swap_terms_read(&h.map, terms, err);
    zmq_msg_close(&frame);
    header_done(&h);
    buf_done(&b);
    return status;
}

static void terms(void **state)
{
    (void) state;
    struct swap_terms t = {0};
    struct err err = {0};
    assert_int_equal(read_terms("{}", &t, &err), 0);
    assert_int_equal(t.trial.kind, TRIAL_NONE);
    assert_int_equal(read_terms("{\"shadow\":500,\"allow\":3,\"impure\":true}", &t, &err), 0);
    assert_int_equal(t.trial.kind, TRIAL_SHADOW);
    assert_int_equal(t.trial.jobs, 500);
    assert_int_equal(t.trial.allow, 3);
    assert_int_equal(t.trial.for_ms, 60000);
    assert_int_equal(t.trial.slower_percent, 200);
    assert_true(t.trial.impure);
    assert_int_equal(read_terms("{\"canary_permille\":50}", &t, &err), 0);
    assert_int_equal(t.trial.kind, TRIAL_CANARY);
    assert_int_equal(t.trial.for_ms, 30000);
    assert_int_equal(read_terms("{\"canary_permille\":50,\"jobs\":20}", &t, &err), 0);
    assert_int_equal(t.trial.for_ms, 600000);
    static const char *const bad[][2] = {
        {"{\"shadow\":0}", "shadow"},
        {"{\"shadow\":\"all\"}", "shadow"},
        {"{\"canary_permille\":501}", "canary_permille"},
        {"{\"jobs\":20}", "jobs"},
        {"{\"shadow\":5,\"jobs\":20}", "jobs"},
        {"{\"canary_permille\":5,\"allow\":1}", "allow"},
        {"{\"for_ms\":500}", "for_ms"},
        {"{\"shadow\":5,\"for_ms\":99}", "for_ms"},
        {"{\"shadow\":5,\"slower_percent\":99}", "slower_percent"},
        {"{\"force\":1}", "force"},
        {"{\"impure\":\"\"}", "impure"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        t = (struct swap_terms){.force = true};
        assert_int_equal(read_terms(bad[i][0], &t, &err), KILN_INVALID);
        assert_string_equal(err.field, bad[i][1]);
        assert_true(t.force && t.trial.kind == TRIAL_NONE); /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_pin_says), cmocka_unit_test(terms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
