/* SPDX-License-Identifier: MPL-2.0 */
#include "far_end.h"

#include "clock.h"
#include "daemon/link.h"
#include "log.h"

static void hear(struct link *l)
{
    for (int tries = 0; tries < 100 && !link_recv(l); tries++) {
        zmq_pollitem_t item = {.socket = l->dealer.socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
    }
}

static void open_both(struct far_end *f, struct link *l)
{
    log_open("test", LOG_LEVEL_ERROR + 1);
    far_open(f);
    assert_int_equal(link_init(l, f->endpoint, NULL, "box.1", NULL), 0);
    const char *said = far_hear(f);
    assert_says(said, "{\"op\":\"hello\",\"role\":\"node\",\"wid\":\"box.1\",\"session\":\"");
    assert_false(l->welcome);
}

static void welcome(struct far_end *f, struct link *l)
{
    far_say(f, "{\"op\":\"welcome\",\"status\":\"ok\",\"beat_ms\":500}", 0);
    hear(l);
    assert_true(l->welcome);
}

static void a_beat_at_once_and_then_on_time(void **state)
{
    (void) state;
    struct far_end f;
    struct link l;
    struct buf pairs = {0};
    open_both(&f, &l);
    int64_t now_ns = clock_ns();
    assert_false(link_beat_due(&l, now_ns + 3600 * CLOCK_S)); /* not before the welcome */
    welcome(&f, &l);
    assert_true(link_beat_due(&l, now_ns));
    buf_put_text(&pairs, "plugins");
    buf_put_list(&pairs, 0);
    link_beat(&l, &pairs, 1, now_ns);
    assert_string_equal(far_hear(&f), "{\"op\":\"beat\",\"plugins\":[]} 0");
    assert_false(link_beat_due(&l, now_ns + 499 * CLOCK_MS));
    assert_true(link_beat_due(&l, now_ns + 500 * CLOCK_MS));
    assert_int_equal(link_tend(&l, now_ns), now_ns + 500 * CLOCK_MS);
    far_say(&f, "{\"op\":\"beat\",\"state\":\"run\"}", 0);
    hear(&l);
    assert_int_equal(l.asked_ns, 0);
    assert_false(l.quiet);
    far_say(&f, "{\"op\":\"beat\",\"state\":\"quiet\"}", 0); /* an operator drains us; it may come unasked */
    hear(&l);
    assert_true(l.quiet);
    far_say(&f, "{\"op\":\"beat\",\"state\":\"run\"}", 0);
    hear(&l);
    assert_false(l.quiet);
    link_bye(&l);
    assert_string_equal(far_hear(&f), "{\"op\":\"bye\"} 0");
    buf_done(&pairs);
    link_done(&l, 0);
    far_close(&f);
}

static void the_dead_are_told_now_and_after_a_reconnection(void **state)
{
    (void) state;
    static const char gone[] = "{\"op\":\"gone\",\"wid\":\"box.1.stats.2\",\"cause\":\"signal "
                               "11\",\"kind\":\"crash\",\"running\":[5,18446744073709551615]} 0";
    const uint64_t tokens[] = {5, UINT64_MAX};
    struct far_end f;
    struct link l;
    open_both(&f, &l);
    link_gone(&l, "box.1.stats.2", "signal 11", "crash", tokens, 2);
    assert_true(far_silent(&f)); /* there is nobody yet who knows the worker */
    welcome(&f, &l);
    assert_string_equal(far_hear(&f), gone);
    link_gone(&l, "box.1.stats.3", "x", "stop", NULL, 0);
    assert_string_equal(
        far_hear(&f),
        "{\"op\":\"gone\",\"wid\":\"box.1.stats.3\",\"cause\":\"x\",\"kind\":\"stop\",\"running\":[]} 0");
    far_say(&f, "{\"op\":\"who\"}", 0);
    hear(&l);
    assert_says(far_hear(&f), "{\"op\":\"hello\"");
    welcome(&f, &l);
    assert_string_equal(far_hear(&f), gone);
    assert_says(far_hear(&f), "box.1.stats.3");
    /* Only so many are kept, the latest. */
    for (int i = 0; i < LINK_KEPT; i++) {
        char wid[16];
        snprintf(wid, sizeof wid, "w%d", i);
        link_gone(&l, wid, "x", "stop", NULL, 0);
        far_hear(&f);
    }
    far_say(&f, "{\"op\":\"who\"}", 0);
    hear(&l);
    far_hear(&f);
    welcome(&f, &l);
    assert_says(far_hear(&f), "\"wid\":\"w0\"");
    link_done(&l, 0);
    far_close(&f);
}

static void three_silent_beats_make_a_new_socket(void **state)
{
    (void) state;
    struct far_end f;
    struct link l;
    struct buf pairs = {0};
    open_both(&f, &l);
    welcome(&f, &l);
    int64_t now_ns = clock_ns();
    buf_put_text(&pairs, "plugins");
    buf_put_nil(&pairs);
    link_beat(&l, &pairs, 1, now_ns);
    far_hear(&f);
    link_beat(&l, &pairs, 1, now_ns + 500 * CLOCK_MS);
    far_hear(&f);
    link_tend(&l, now_ns + 1499 * CLOCK_MS);
    assert_int_equal(l.dealer.opened, 1);
    link_tend(&l, now_ns + 1500 * CLOCK_MS);
    assert_int_equal(l.dealer.opened, 2);
    assert_false(l.welcome);
    assert_says(far_hear(&f), "{\"op\":\"hello\"");
    buf_done(&pairs);
    link_done(&l, 0);
    far_close(&f);
}

static void a_bad_endpoint_is_named(void **state)
{
    (void) state;
    struct link l;
    struct err err = {0};
    assert_int_equal(link_init(&l, "tcp://no such host:x", NULL, "n", &err), KILN_INVALID);
    assert_string_equal(err.field, "broker");
    assert_says(err.text, "tcp://no such host:x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beat_at_once_and_then_on_time),
        cmocka_unit_test(the_dead_are_told_now_and_after_a_reconnection),
        cmocka_unit_test(three_silent_beats_make_a_new_socket),
        cmocka_unit_test(a_bad_endpoint_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
