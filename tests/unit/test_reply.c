/* SPDX-License-Identifier: MPL-2.0 */
/* reply: answers to calls, gathered. */
#include "fake_broker.h"

static struct fake f;
static struct peer p;

static int begin(void **state)
{
    (void) state;
    f = (struct fake){0};
    fake_open(&f);
    f.b.config.ahead_us = 1000000;
    p = fake_producer(&f);
    return 0;
}

static int end(void **state)
{
    (void) state;
    peer_close(&p);
    fake_close(&f);
    return 0;
}

static void outcomes_of_one_message_leave_in_one(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 100);
    say(&p, "[{},{},{}]", "{op:'call', fn:'stats.mean', rid:'first', jobs:[{id:'a'},{},{id:-7}]}");
    say(&p, "[{},{}]", "{op:'call', fn:'stats.mean', rid:'second', jobs:[{},{}]}");
    fake_turn(&f);
    json_t *m = hear(&w);
    assert_int_equal(length(m, "jobs"), 5);
    int64_t t[5];
    for (size_t i = 0; i < 5; i++) {
        t[i] = json_integer_value(json_object_get(json_array_get(at(m, "jobs"), i), "token"));
    }
    say(&w, "[{r:0},{r:1},null,{r:3},{r:4}]",
        "{op:'done', seq:1, jobs:[{token:%lld,status:'ok',batch:5},{token:%lld,status:'ok'},"
        "{token:%lld,status:'invalid',error:'x is "
        "empty',field:'x'},{token:%lld,status:'ok'},{token:%lld,status:'ok'}]}",
        (long long) t[0], (long long) t[1], (long long) t[2], (long long) t[3], (long long) t[4]);
    fake_turn(&f);
    m = hear(&p);
    assert_string_equal(text(m, "op"), "reply");
    assert_string_equal(text(m, "rid"), "first");
    assert_string_equal(text(m, "worker"), "w1");
    assert_string_equal(text(m, "plugin"), "stats/1.2.3+b7");
    assert_int_equal(length(m, "jobs"), 3);
    assert_string_equal(text(m, "jobs.0.id"), "a");
    assert_int_equal(term(m, 0, "batch"), 5);
    assert_int_equal(number(m, "jobs.1.id"), 1); /* its place in the list */
    assert_int_equal(number(m, "jobs.2.id"), -7);
    assert_string_equal(text(m, "jobs.2.status"), "invalid");
    assert_string_equal(text(m, "jobs.2.error"), "x is empty");
    assert_string_equal(text(m, "jobs.2.field"), "x");
    assert_int_equal(number(payload(&p, 1), "r"), 1);
    assert_true(json_is_null(payload(&p, 2)));
    m = hear(&p);
    assert_string_equal(text(m, "rid"), "second");
    assert_int_equal(length(m, "jobs"), 2);
    assert_int_equal(number(payload(&p, 1), "r"), 4);
    hears_nothing(&p);
    assert_int_equal(f.b.counters.answers_sent, 2);
    peer_close(&w);
}

/* Different workers have a hand in one list: each message names one of them. */
static void a_message_names_one_worker(void **state)
{
    (void) state;
    f.b.config.batch_jobs = 1;
    struct peer a = fake_worker(&f, "wa", "stats", "mean"), b = fake_worker(&f, "wb", "stats", "mean");
    give_credit(&a, 1);
    give_credit(&b, 1);
    say(&p, "[{},{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{},{fn:'no.such'}]}");
    fake_turn(&f);
    json_t *m = hear(&p); /* the refusal, by nobody, at once */
    assert_null(at(m, "worker"));
    assert_int_equal(length(m, "jobs"), 1);
    assert_int_equal(number(m, "jobs.0.id"), 2);
    assert_null(at(m, "jobs.0.timing"));
    say_done(&a, number(hear(&a), "jobs.0.token"), "ok", "", "{}");
    say_done(&b, number(hear(&b), "jobs.0.token"), "ok", "", "{}");
    fake_turn(&f);
    assert_string_not_equal(text(hear(&p), "worker"), "");
    char first[32];
    snprintf(first, sizeof first, "%s", text(p.heard, "worker"));
    assert_string_not_equal(text(hear(&p), "worker"), first);
    assert_null(f.b.reply.request);
    peer_close(&a);
    peer_close(&b);
}

/* What was gathered in a worker's name must leave before the worker does. */
static void a_worker_that_goes_is_still_named(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 2);
    say(&p, "[{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{}], timeout_ms:5000}");
    fake_turn(&f);
    struct worker *me = zhashx_lookup(f.b.peers.workers, "w1");
    struct job *job = me->leases->job;
    job_end(&f.b, job, KILN_FAILED, "by hand", NULL, NULL, me);
    assert_ptr_equal(f.b.reply.worker, me); /* gathered */
    backend_lose(&f.b, me, "a test");
    assert_null(f.b.reply.worker);
    assert_string_equal(text(hear(&p), "worker"), "w1");
    assert_string_equal(text(p.heard, "jobs.0.error"), "by hand");
    later(&f, 5100);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "deadline");
    assert_null(at(p.heard, "worker"));
    assert_int_equal(f.b.memory_bytes, 0);
    peer_close(&w);
}

static void the_delimiter_of_a_req_socket_comes_back(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    struct peer q = peer_open(f.front);
    frame_send(q.socket, "", 0, ZMQ_SNDMORE);
    say(&q, "[{}]", "{op:'call', fn:'stats.mean'}");
    give_credit(&w, 1);
    fake_turn(&f);
    say_done(&w, number(hear(&w), "jobs.0.token"), "ok", "", "{}");
    fake_turn(&f);
    hear(&q);
    assert_true(q.in.delimited);
    frame_send(q.socket, "", 0, ZMQ_SNDMORE);
    say(&q, NULL, "{op:'ping'}");
    fake_turn(&f);
    assert_string_equal(text(hear(&q), "op"), "pong");
    assert_true(q.in.delimited);
    say(&q, NULL, "{op:'ping'}");
    fake_turn(&f);
    hear(&q);
    assert_false(q.in.delimited);
    peer_close(&q);
    peer_close(&w);
}

static void answers_to_the_departed_are_counted(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    struct peer q = peer_open(f.front);
    say(&q, "[{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{}]}");
    fake_turn(&f);
    peer_close(&q);
    struct route *route = &queue_first(&fake_function(&f, "stats.mean")->queue)->request->route;
    wait_until_gone(f.b.front, route->bytes, route->size);
    give_credit(&w, 2);
    fake_turn(&f);
    json_t *m = hear(&w);
    int64_t a = number(m, "jobs.0.token"), b = number(m, "jobs.1.token");
    say_done(&w, a, "ok", "", "{}");
    say_done(&w, b, "ok", "", "{}");
    fake_turn(&f);
    assert_int_equal(f.b.counters.answers_dropped, 2);
    assert_int_equal(f.b.counters.jobs_ended, 2);
    assert_null(f.b.reply.request);
    peer_close(&w);
}

/* Thousands of refusals with long sentences: each message's header stays below what a peer accepts. */
static void no_header_grows_beyond_its_limit(void **state)
{
    (void) state;
    struct buf header = {0};
    buf_put_map(&header, 3);
    buf_put_str_const(&header, "op");
    buf_put_str_const(&header, "call");
    buf_put_str_const(&header, "fn");
    buf_put_text(&header, "no.such_function_with_a_name_of_some_length_that_makes_the_sentence_longer");
    buf_put_str_const(&header, "jobs");
    buf_put_list(&header, WIRE_JOBS);
    for (int i = 0; i < WIRE_JOBS; i++) {
        buf_put_map(&header, 1);
        buf_put_str_const(&header, "id");
        buf_put_str_const(&header, "an-id-of-sixty-two-bytes-which-is-the-longest-that-is-accepted");
    }
    frame_send(p.socket, header.data, header.bytes, ZMQ_SNDMORE);
    for (int i = 0; i < WIRE_JOBS; i++) {
        frame_send(p.socket, "\x80", 1, i + 1 < WIRE_JOBS ? ZMQ_SNDMORE : 0);
    }
    buf_done(&header);
    fake_turn(&f);
    size_t jobs = 0, messages = 0;
    while (hear_any(&p)) {
        assert_true(zmq_msg_size(&p.in.header) < WIRE_HEADER_BYTES);
        jobs += length(p.heard, "jobs");
        messages++;
    }
    assert_int_equal(jobs, WIRE_JOBS);
    assert_true(messages > 1);
}

/* Sends a message whose payloads come in one frame. */
static void say_packed(struct peer *from, const char *header, const void *pack, size_t bytes)
{
    struct buf b = {0};
    loose(header, &b);
    frame_send(from->socket, b.data, b.bytes, ZMQ_SNDMORE);
    frame_send(from->socket, pack, bytes, 0);
    buf_done(&b);
}

static void packed_requests_get_packed_answers(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 4);
    say_packed(&p, "{op:'call', fn:'stats.mean', rid:7, jobs:[{},{id:'b'},{},{}], sizes:[1,4,4,1]}",
               "\x80\x81\xa1x\x07\x81\xa1y\x08\x80", 10);
    fake_turn(&f);
    json_t *m = hear(&w);
    assert_int_equal(json_array_size(w.payloads), 4); /* this worker did not say packed: frames, as ever */
    assert_int_equal(number(payload(&w, 1), "x"), 7);
    assert_int_equal(number(payload(&w, 2), "y"), 8);
    assert_int_equal(json_object_size(payload(&w, 3)), 0);
    int64_t t[4];
    for (size_t i = 0; i < 4; i++) {
        t[i] = json_integer_value(json_object_get(json_array_get(at(m, "jobs"), i), "token"));
    }
    char header[500]; /* the worker's answer is packed too, and says what is common once */
    snprintf(header, sizeof header,
             "{op:'done', seq:1, status:'ok', run_ns:2385000, batch:4, "
             "jobs:[{token:%lld},{token:%lld},{token:%lld,status:'failed',"
             "error:'no',run_ns:1000},{token:%lld}], sizes:[4,4,1,1]}",
             (long long) t[0], (long long) t[1], (long long) t[2], (long long) t[3]);
    say_packed(&w, header, "\x81\xa1r\x01\x81\xa1r\x02\xc0\x80", 10);
    fake_turn(&f);
    m = hear(&p);
    assert_int_equal(p.in.n_payloads, 1);
    assert_int_equal(number(m, "rid"), 7);
    assert_int_equal(length(m, "jobs"), 4);
    assert_string_equal(text(m, "status"), "ok");
    assert_string_equal(text(m, "jobs.2.status"), "failed");
    assert_string_equal(text(m, "jobs.2.error"), "no");
    assert_string_equal(text(m, "jobs.1.id"), "b");
    assert_int_equal(term(m, 0, "batch"), 4);
    json_t *t1 = at(m, "jobs.1.timing") ? at(m, "jobs.1.timing") : at(m, "timing"),
           *t2 = at(m, "jobs.2.timing");
    assert_int_equal(number(t1, "run_us"), 2385);
    assert_int_equal(number(t2, "run_us"), 1);
    assert_int_equal(length(m, "sizes"), 4);
    assert_int_equal(number(payload(&p, 0), "r"), 1);
    assert_int_equal(number(payload(&p, 1), "r"), 2);
    assert_true(json_is_null(payload(&p, 2)));
    assert_int_equal(json_object_size(payload(&p, 3)), 0);
    peer_close(&w);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void) state;
    static const char *const wrong[] = {"[1,1]", "[2,3]",   "[4,-1]", "[4,'1']",
                                        "[5]",   "[4,0,0]", "7",      "[4,1,1]"};
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char header[200];
        snprintf(header, sizeof header, "{op:'call', fn:'stats.mean', jobs:[{},{}], sizes:%s}", wrong[i]);
        say_packed(&p, header, "\x81\xa1x\x07", 4);
        fake_turn(&f);
        json_t *m = hear(&p);
        assert_string_equal(text(m, "op"), "error");
        assert_string_equal(text(m, "status"), "invalid");
        assert_string_equal(text(m, "field"), "sizes");
        hears_nothing(&p);
    }
    say(&p, "[{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{}], sizes:[1,1]}"); /* two frames */
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "field"), "sizes");
    assert_int_equal(f.b.counters.jobs_called, 0);
    say_packed(&p, "{op:'call', fn:'stats.mean', jobs:[{},{}], sizes:[4,0]}", "\x81\xa1x\x07",
               4); /* an empty payload is the worker's to refuse */
    fake_turn(&f);
    hears_nothing(&p);
    assert_int_equal(f.b.counters.jobs_called, 2);
    peer_close(&w);
}

static void timing(void **state)
{
    (void) state;
    struct job j = {.ready_ns = 1000,
                    .started_ns = 1000 + 2385499,
                    .decode_ns = 1500,
                    .run_ns = 77777777,
                    .encode_ns = -3,
                    .total_ns = 99000000};
    struct buf out = {0}, shown = {0};
    reply_timing(&out, &j);
    json_from_msgpack(out.data, out.bytes, JSON_STYLE_COMPACT, &shown, NULL);
    static const char expected[] =
        "{\"queue_us\":2385,\"decode_us\":2,\"run_us\":77778,\"encode_us\":0,\"total_us\":99000}";
    assert_int_equal(shown.bytes, sizeof expected - 1);
    assert_memory_equal(shown.data, expected, shown.bytes);
    buf_clear(&out);
    buf_clear(&shown);
    j.started_ns = 0; /* never started: it waited all its life */
    reply_timing(&out, &j);
    json_from_msgpack(out.data, out.bytes, JSON_STYLE_COMPACT, &shown, NULL);
    assert_memory_equal(shown.data, "{\"queue_us\":99000,", 18);
    buf_done(&out);
    buf_done(&shown);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(outcomes_of_one_message_leave_in_one),
        CASE(a_message_names_one_worker),
        CASE(a_worker_that_goes_is_still_named),
        CASE(the_delimiter_of_a_req_socket_comes_back),
        CASE(answers_to_the_departed_are_counted),
        CASE(no_header_grows_beyond_its_limit),
        CASE(packed_requests_get_packed_answers),
        CASE(sizes_that_do_not_fit_are_refused),
        CASE(timing),
    };
    return fake_end(cmocka_run_group_tests(tests, NULL, NULL));
}
