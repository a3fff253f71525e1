/* SPDX-License-Identifier: MPL-2.0 */
#include "far_end.h"

#include "clock.h"
#include "daemon/worker_link.h"
#include "log.h"

#define WELCOME                                                                                              \
    "{\"op\":\"welcome\",\"status\":\"ok\",\"epoch\":5,\"beat_ms\":1000,\"lease_ms\":5000,\"max_bytes\":"    \
    "2385}"

struct both {
    struct far_end far;
    struct worker_link l;
    struct buf pairs, contract;
    const struct buf *payloads[2];
};

static void open_both(struct both *b, int64_t slots)
{
    struct err err = {0};
    *b = (struct both){0};
    log_open("test", LOG_LEVEL_ERROR);
    far_open(&b->far);
    if (worker_link_init(&b->l, b->far.endpoint, NULL, slots, &err)) {
        fail_msg("%s", err.text);
    }
    buf_put_text(&b->pairs, "role");
    buf_put_text(&b->pairs, "worker");
    b->contract = pack("{\"name\":\"mean\"}");
    b->payloads[0] = b->payloads[1] = &b->contract;
}

/* Receives until something came. */
static enum link_event hear(struct worker_link *l)
{
    for (int tries = 0; tries < 100; tries++) {
        enum link_event e = worker_link_recv(l);
        if (e != LINK_NOTHING) {
            return e;
        }
        zmq_pollitem_t item = {.socket = l->dealer.socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
    }
    return LINK_NOTHING;
}

static void join(struct both *b)
{
    worker_link_hello(&b->l, &b->pairs, 1, b->payloads, 2);
    assert_says(far_hear(&b->far), "\"role\":\"worker\"} 2");
    far_say(&b->far, WELCOME, 0);
    assert_int_equal(hear(&b->l), LINK_OTHER);
    assert_int_equal(b->l.state, LINK_WELCOME);
    far_hear(&b->far); /* credit */
}

static void close_both(struct both *b)
{
    worker_link_finish(&b->l, 0);
    far_close(&b->far);
    buf_done(&b->pairs);
    buf_done(&b->contract);
}

static void done(struct both *b, uint64_t token, size_t n)
{
    struct done_job jobs[8];
    zmq_msg_t frames[8];
    for (size_t i = 0; i < n; i++) {
        zmq_msg_init_size(&frames[i], 3);
        memcpy(zmq_msg_data(&frames[i]), "\xa2ok", 3);
        jobs[i] = (struct done_job){
            .token = token + i, .status = KILN_OK, .run_ns = 2385, .batch = 1, .payload = &frames[i]};
    }
    worker_link_done(&b->l, jobs, n, NULL);
}

static void hello_welcome_credit(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 17);
    worker_link_hello(&b.l, &b.pairs, 1, b.payloads, 2);
    const char *said = far_hear(&b.far);
    assert_says(said, "{\"op\":\"hello\",\"session\":\"");
    assert_says(said, ",\"role\":\"worker\"} 2");
    assert_null(strstr(said, "resume"));
    assert_int_equal(b.l.state, LINK_GREETED);
    far_say(&b.far, "{\"op\":\"welcome\",\"status\":\"invalid\",\"error\":\"no\"}", 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    assert_int_equal(b.l.state, LINK_GREETED); /* not yet */
    far_say(&b.far, WELCOME, 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    assert_int_equal(b.l.state, LINK_WELCOME);
    assert_int_equal(b.l.max_bytes, 2385);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"credit\",\"limit\":17} 0");
    close_both(&b);
}

static void jobs_and_done(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 4);
    join(&b);
    far_say(&b.far,
            "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[{\"token\":7},{\"token\":8},{\"token\":9}]}",
            3);
    assert_int_equal(hear(&b.l), LINK_JOBS);
    assert_int_equal(b.l.frames.n_payloads, 3);
    assert_int_equal(b.l.delivered, 3);
    assert_int_equal(b.l.held, 3);
    done(&b, 7, 2);
    /* Three were delivered, one is held, four are the slots: 3 + 4 - 1. */
    assert_string_equal(far_hear(&b.far), "{\"op\":\"done\",\"seq\":1,\"status\":\"ok\",\"decode_ns\":0,"
                                          "\"run_ns\":2385,\"encode_ns\":0,\"batch\":1,"
                                          "\"jobs\":[{\"token\":7},{\"token\":8}],\"credit\":6} 2");
    zmq_msg_t nil;
    zmq_msg_init_size(&nil, 1);
    *(uint8_t *) zmq_msg_data(&nil) = 0xc0;
    const struct done_job bad = {
        .token = 9, .status = KILN_INVALID, .error = "x is 3", .field = "x", .batch = 1, .payload = &nil};
    worker_link_done(&b.l, &bad, 1, NULL);
    assert_string_equal(far_hear(&b.far),
                        "{\"op\":\"done\",\"seq\":2,\"status\":\"invalid\",\"decode_ns\":0,\"run_ns\":0,"
                        "\"encode_ns\":0,\"batch\":1,"
                        "\"jobs\":[{\"token\":9,\"error\":\"x is 3\",\"field\":\"x\"}],\"credit\":7} 1");
    assert_int_equal(zmq_msg_size(&b.far.in.payloads[0]), 1);
    assert_int_equal(b.l.held, 0);
    assert_int_equal(b.l.kept.n, 2);
    far_say(&b.far, "{\"op\":\"stored\",\"seq\":1}", 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    assert_int_equal(b.l.kept.n, 1);
    far_say(&b.far, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"stored\":2,\"jobs\":[{\"token\":10}]}", 1);
    assert_int_equal(hear(&b.l), LINK_JOBS);
    assert_int_equal(b.l.kept.n, 0);
    const uint64_t token = 10;
    worker_link_release(&b.l, &token, 1);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"release\",\"tokens\":[10]} 0");
    worker_link_release(&b.l, &token, 0); /* nothing to say */
    worker_link_bye(&b.l);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"bye\"} 0");
    close_both(&b);
}

/* What is said once for all is left out of each job; what differs is not. */
static void a_packed_report(void **state)
{
    (void) state;
    struct both b;
    struct buf payloads = {0};
    open_both(&b, 4);
    join(&b);
    b.l.delivered = b.l.held = 2;
    buf_put_raw(&payloads,
                "\x01\xa3"
                "abc",
                5);
    const struct done_job jobs[] = {{.token = 1, .run_ns = 7, .batch = 2, .bytes = 1},
                                    {.token = 2, .run_ns = 8, .batch = 2, .bytes = 4}};
    worker_link_done(&b.l, jobs, 2, &payloads);
    assert_string_equal(
        far_hear(&b.far),
        "{\"op\":\"done\",\"seq\":1,\"status\":\"ok\",\"decode_ns\":0,\"run_ns\":7,\"encode_ns\":0,\"batch\":"
        "2,"
        "\"jobs\":[{\"token\":1},{\"token\":2,\"run_ns\":8}],\"sizes\":[1,4],\"credit\":6} 1");
    assert_int_equal(zmq_msg_size(&b.far.in.payloads[0]), 5);
    assert_memory_equal(zmq_msg_data(&b.far.in.payloads[0]), payloads.data, 5);
    buf_done(&payloads);
    close_both(&b);
}

static void what_was_not_stored_is_sent_again(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 9);
    join(&b);
    b.l.delivered = b.l.held = 7; /* as if received */
    for (uint64_t i = 0; i < 3; i++) {
        done(&b, 100 + 10 * i, 2);
        far_hear(&b.far);
    }
    far_say(&b.far, "{\"op\":\"stored\",\"seq\":1}", 0);
    hear(&b.l);
    far_say(&b.far, "{\"op\":\"who\"}", 0);
    far_say(&b.far, "{\"op\":\"who\"}", 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    assert_says(far_hear(&b.far), "\"resume\":[110,111,120,121]");
    assert_true(far_silent(&b.far)); /* one hello for two questions */
    done(&b, 130, 1);                /* while the welcome is awaited: kept */
    assert_true(far_silent(&b.far));
    far_say(&b.far, "{\"op\":\"welcome\",\"status\":\"ok\",\"lost\":[110,121,111]}", 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    /* The second message is of no use to anyone; the third still holds one that is. */
    assert_says(far_hear(&b.far), "{\"op\":\"done\",\"seq\":3,");
    assert_says(far_hear(&b.far), "{\"op\":\"done\",\"seq\":4,");
    assert_string_equal(far_hear(&b.far), "{\"op\":\"credit\",\"limit\":9} 0");
    assert_int_equal(b.l.kept.n, 2);
    far_say(&b.far, "{\"op\":\"stored\",\"seq\":4}", 0);
    hear(&b.l);
    assert_int_equal(b.l.kept.n, 0);
    assert_int_equal(b.l.kept.bytes, 0);
    assert_int_equal(b.l.kept.tokens, 0);
    close_both(&b);
}

static void credit_is_withheld_while_much_is_not_stored(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 1);
    join(&b);
    uint64_t limit = 1;
    for (uint64_t i = 1; i <= KEPT_MESSAGES / 2 + 3; i++) {
        b.l.delivered++;
        b.l.held++;
        done(&b, i, 1);
        char seq[32], credit[32];
        snprintf(seq, sizeof seq, "\"seq\":%d,", (int) i);
        snprintf(credit, sizeof credit, "\"credit\":%d}", (int) (i <= KEPT_MESSAGES / 2 ? i + 1 : limit));
        const char *said = far_hear(&b.far);
        assert_says(said, seq);
        assert_says(said, credit);
        limit = b.l.limit;
    }
    assert_int_equal(limit, KEPT_MESSAGES / 2 + 1);
    far_say(&b.far, "{\"op\":\"stored\",\"seq\":5}", 0);
    assert_int_equal(hear(&b.l), LINK_OTHER);
    char credit[64];
    snprintf(credit, sizeof credit, "{\"op\":\"credit\",\"limit\":%d} 0", KEPT_MESSAGES / 2 + 4);
    assert_string_equal(far_hear(&b.far), credit);
    close_both(&b);
}

static void beats_and_quiet(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 3);
    join(&b);
    int64_t now_ns = clock_ns();
    int64_t due_ns = worker_link_tend(&b.l, now_ns);
    assert_true(due_ns > now_ns && due_ns <= now_ns + CLOCK_S);
    assert_true(far_silent(&b.far));
    int64_t next_ns = worker_link_tend(&b.l, due_ns);
    assert_int_equal(next_ns, due_ns + CLOCK_S);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"beat\"} 0");
    far_say(&b.far, "{\"op\":\"beat\",\"state\":\"quiet\"}", 0);
    hear(&b.l);
    assert_true(b.l.quiet);
    b.l.delivered = 3;
    done(&b, 5, 1);
    assert_says(far_hear(&b.far), "\"credit\":3}"); /* no more than before */
    far_say(&b.far, "{\"op\":\"beat\",\"state\":\"run\"}", 0);
    hear(&b.l);
    assert_false(b.l.quiet);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"credit\",\"limit\":7} 0");
    far_say(&b.far, "{\"op\":\"beat\",\"state\":\"stop\"}", 0);
    hear(&b.l);
    assert_true(b.l.stop);
    close_both(&b);
}

static void three_silent_beats_make_a_new_socket(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 3);
    join(&b);
    done(&b, 77, 1);
    far_hear(&b.far);
    int64_t now_ns = b.l.next_beat_ns;
    for (int i = 0; i < 3; i++) {
        worker_link_tend(&b.l, now_ns + i * CLOCK_S);
        assert_string_equal(far_hear(&b.far), "{\"op\":\"beat\"} 0");
        assert_int_equal(b.l.dealer.opened, 1);
    }
    worker_link_tend(&b.l, now_ns + 3 * CLOCK_S);
    assert_int_equal(b.l.dealer.opened, 2);
    assert_int_equal(b.l.state, LINK_GREETED);
    assert_says(far_hear(&b.far), "\"resume\":[77]");
    /* Still nobody: again, after as long. */
    int64_t next_ns = worker_link_tend(&b.l, now_ns + 3 * CLOCK_S);
    assert_int_equal(next_ns, now_ns + 6 * CLOCK_S);
    worker_link_tend(&b.l, next_ns);
    assert_int_equal(b.l.dealer.opened, 3);
    close_both(&b);
}

static void a_broker_that_died_is_greeted_when_it_is_back(void **state)
{
    (void) state;
    struct both b;
    open_both(&b, 3);
    join(&b);
    far_die(&b.far);
    zmq_pollitem_t item = {.fd = dealer_monitor_fd(&b.l.dealer), .events = ZMQ_POLLIN};
    bool ended = false;
    for (int tries = 0; tries < 100 && !ended; tries++) {
        zmq_poll(&item, 1, 100);
        ended = dealer_ended(&b.l.dealer);
    }
    assert_true(ended);
    worker_link_ended(&b.l, b.l.dealer.opened_ns + CLOCK_MS); /* opened a moment ago: not at once */
    assert_int_equal(b.l.dealer.opened, 1);
    worker_link_tend(&b.l, b.l.dealer.opened_ns + 300 * CLOCK_MS);
    assert_int_equal(b.l.dealer.opened, 2);
    worker_link_ended(&b.l, b.l.dealer.opened_ns + 300 * CLOCK_MS);
    assert_int_equal(b.l.dealer.opened, 3);
    far_listen(&b.far);
    assert_says(far_hear(&b.far), "{\"op\":\"hello\"");
    close_both(&b);
}

static void nonsense_is_survived(void **state)
{
    (void) state;
    static const struct {
        const char *json;
        size_t payloads;
    } rows[] = {
        {"{}", 0},
        {"7", 0},
        {"{\"op\":7}", 0},
        {"{\"op\":\"dance\"}", 0},
        {"{\"op\":\"jobs\"}", 0},
        {"{\"op\":\"jobs\",\"jobs\":7}", 1},
        {"{\"op\":\"jobs\",\"jobs\":[{},{}]}", 1},
        {"{\"op\":\"jobs\",\"stored\":-1,\"jobs\":[{}]}", 1},
        {"{\"op\":\"stored\",\"seq\":\"x\"}", 0},
        {"{\"op\":\"welcome\",\"status\":\"ok\",\"beat_ms\":0}", 0},
        {"{\"op\":\"beat\",\"state\":[1]}", 0},
    };
    struct both b;
    open_both(&b, 3);
    join(&b);
    log_open("test", LOG_LEVEL_ERROR + 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        far_say(&b.far, rows[i].json, rows[i].payloads);
        assert_int_equal(hear(&b.l), LINK_OTHER);
    }
    assert_int_equal(b.l.delivered, 0);
    assert_int_equal(b.l.held, 0);
    far_say(&b.far, "{\"op\":\"jobs\",\"fn\":\"a.b\",\"jobs\":[{\"token\":1}]}", 1);
    assert_int_equal(hear(&b.l), LINK_JOBS);
    close_both(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_welcome_credit),
        cmocka_unit_test(jobs_and_done),
        cmocka_unit_test(a_packed_report),
        cmocka_unit_test(what_was_not_stored_is_sent_again),
        cmocka_unit_test(credit_is_withheld_while_much_is_not_stored),
        cmocka_unit_test(beats_and_quiet),
        cmocka_unit_test(three_silent_beats_make_a_new_socket),
        cmocka_unit_test(a_broker_that_died_is_greeted_when_it_is_back),
        cmocka_unit_test(nonsense_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
