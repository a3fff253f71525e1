/* SPDX-License-Identifier: MPL-2.0 */
/* lifecycle: every way a job can go, and what is counted on it. */
#include "fake_broker.h"

static struct fake f;
static struct peer p, w;

static int begin(void **state)
{
    (void) state;
    f = (struct fake){0};
    fake_open(&f);
    f.b.config.ahead_us = 1000000;
    p = fake_producer(&f);
    w = fake_worker(&f, "w1", "stats", "mean");
    return 0;
}

static int end(void **state)
{
    (void) state;
    peer_close(&p);
    peer_close(&w);
    fake_close(&f);
    return 0;
}

static void call(const char *more)
{
    say(&p, "[{x:1}]", "{op:'call', fn:'stats.mean', id:'c'%s}", more);
    fake_turn(&f);
}

static void submit(const char *more)
{
    say(&p, "[{x:1}]", "{op:'submit', fn:'stats.mean', id:'s'%s}", more);
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "accepted");
}

static const char *state_of(const char *id)
{
    static char name[32];
    say(&p, NULL, "{op:'status', ids:['%s']}", id);
    fake_turn(&f);
    snprintf(name, sizeof name, "%s", text(hear(&p), "jobs.0.state"));
    return name;
}

static int64_t take(void)
{
    give_credit(&w, 1);
    fake_turn(&f);
    while (strcmp(text(hear(&w), "op"), "jobs") != 0) { /* `stored` may come before */
    }
    return number(w.heard, "jobs.0.token");
}

static struct function *fn(void)
{
    return fake_function(&f, "stats.mean");
}

/* Nothing is left anywhere. */
static void assert_empty(void)
{
    assert_int_equal(fn()->queue.count, 0);
    assert_int_equal(fn()->delayed, 0);
    assert_int_equal(fn()->running, 0);
    assert_int_equal(f.b.leases.open, 0);
    assert_true(f.b.memory_bytes == 0);
    assert_null(f.b.ready);
}

static void called_and_answered(void **state)
{
    (void) state;
    call(", rid:4711");
    int64_t token = take();
    assert_int_equal(fn()->running, 1);
    say_done(&w, token, "ok", ", decode_ns:1000, run_ns:2385000, encode_ns:3000, batch:1", "{mean:2.5}");
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "op"), "reply");
    assert_string_equal(text(m, "status"), "ok");
    assert_string_equal(text(m, "id"), "c");
    assert_int_equal(number(m, "rid"), 4711);
    assert_string_equal(text(m, "worker"), "w1");
    assert_string_equal(text(m, "plugin"), "stats/1.2.3+b7");
    assert_int_equal(number(m, "timing.run_us"), 2385);
    assert_int_equal(number(m, "attempt"), 1);
    assert_true(number(m, "timing.total_us") >= number(m, "timing.queue_us"));
    assert_true(json_real_value(at(payload(&p, 0), "mean")) == 2.5);
    assert_empty();
    assert_int_equal(f.b.counters.jobs_called, 1);
    assert_int_equal(f.b.counters.jobs_ended, 1);
    assert_int_equal(fn()->stats.statuses[KILN_OK], 1);
    assert_int_equal(fn()->stats.times->run.count, 1);
    assert_int_equal(fn()->stats.times->run.sum_ns, 2385000);
    /* The same again is stale. */
    say_done(&w, token, "ok", "", "{mean:3.5}");
    fake_turn(&f);
    assert_int_equal(f.b.counters.done_stale, 1);
    hears_nothing(&p);
}

static void a_deadline_ends_it_wherever_it_is(void **state)
{
    (void) state;
    call(", timeout_ms:500");
    later(&f, 499 - 400);
    hears_nothing(&p);
    later(&f, 501);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "status"), "deadline");
    assert_string_equal(text(m, "error"), "not finished within 500 ms: it was waiting");
    assert_empty();
    /* While it runs: the lease stays until the worker is done, whose answer comes late. */
    call(", timeout_ms:700");
    int64_t token = take();
    later(&f, 701);
    assert_string_equal(text(hear(&p), "error"), "not finished within 700 ms: it was running");
    assert_int_equal(f.b.leases.open, 1);
    assert_true(f.b.memory_bytes == 0);
    say_done(&w, token, "ok", "", "{r:1}");
    fake_turn(&f);
    hears_nothing(&p);
    assert_int_equal(f.b.counters.done_late, 1);
    assert_int_equal(f.b.counters.done_stale, 0);
    assert_int_equal(f.b.counters.jobs_ended, 2);
    assert_empty();
    /* Without a worker it says so. */
    say(&w, NULL, "{op:'bye'}");
    call(", timeout_ms:500");
    later(&f, 501);
    assert_string_equal(text(hear(&p), "error"),
                        "not finished within 500 ms: it was waiting for a worker, and there is none");
}

static void a_retryable_failure_is_tried_again_after_a_pause_that_doubles(void **state)
{
    (void) state;
    submit(", max_attempts:4, backoff_ms:1000");
    static const int64_t pause[] = {1000, 2000, 4000};
    for (int i = 0; i < 3; i++) {
        int64_t token = take();
        assert_int_equal(term(w.heard, 0, "attempt"), i + 1);
        say_done(&w, token, "temporary", ", error:'not now'", "null");
        fake_turn(&f);
        assert_string_equal(state_of("s"), "delayed");
        struct job *j = results_find(&f.b.results, &(struct wire_id){.size = 2, .bytes = "\xa1s"});
        assert_int_equal((j->ready_ns - f.b.now_ns + CLOCK_MS / 2) / CLOCK_S, pause[i] / 1000);
        later(&f, pause[i] - 500);
        assert_int_equal(fn()->delayed, 1);
        later(&f, pause[i] + 500);
        assert_int_equal(fn()->queue.count, 1);
    }
    say_done(&w, take(), "temporary", ", error:'still not'", "null");
    fake_turn(&f);
    say(&p, NULL, "{op:'result', ids:['s']}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "temporary");
    assert_string_equal(text(p.heard, "jobs.0.error"), "still not");
    assert_int_equal(number(p.heard, "jobs.0.attempt"), 4);
    assert_int_equal(f.b.counters.jobs_retried, 3);
    assert_int_equal(fn()->stats.retries, 3);
    assert_empty();
}

static void the_pause_has_a_ceiling(void **state)
{
    (void) state;
    struct job *j = job_new(&f.b.pool);
    j->fn = fn();
    j->max_attempts = 100;
    static const struct {
        uint32_t backoff_ms;
        uint16_t attempt;
        int64_t pause_ms;
    } cases[] = {{100, 1, 100},         {100, 5, 1600},   {100, 10, 51200},  {100, 11, 60000},
                 {100, 99, 60000},      {0, 50, 0},       {60000, 3, 60000}, {90000, 7, 90000},
                 {3600000, 2, 3600000}, {59999, 2, 60000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        j->state = JOB_RUNNING;
        j->backoff_ms = cases[i].backoff_ms;
        j->attempt = cases[i].attempt;
        job_retry(&f.b, j);
        assert_int_equal((j->ready_ns - f.b.now_ns) / CLOCK_MS, cases[i].pause_ms);
        assert_int_equal(j->state, JOB_DELAYED);
        timers_clear(&f.b.timers, &j->timer);
        fn()->delayed--;
    }
    job_free(&f.b.pool, &j);
}

static void a_call_is_tried_once(void **state)
{
    (void) state;
    call("");
    say_done(&w, take(), "temporary", ", error:'not now'", "null");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "status"), "temporary");
    assert_int_equal(f.b.counters.jobs_retried, 0);
}

static void ttl_counts_until_the_first_start(void **state)
{
    (void) state;
    submit(", ttl_ms:800");
    later(&f, 900);
    say(&p, NULL, "{op:'result', ids:['s']}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "expired");
    assert_string_equal(text(p.heard, "jobs.0.error"), "not started within its ttl of 800 ms");
    assert_empty();
    say(&p, NULL, "{op:'forget', ids:['s']}");
    fake_turn(&f);
    hear(&p);
    /* Started in time: neither running nor tried again does it expire. */
    submit(", ttl_ms:800, backoff_ms:2000");
    int64_t token = take();
    later(&f, 900);
    assert_string_equal(state_of("s"), "running");
    say_done(&w, token, "temporary", "", "null");
    fake_turn(&f);
    later(&f, 1900);
    assert_string_equal(state_of("s"), "delayed");
    later(&f, 2100);
    assert_string_equal(state_of("s"), "queued");
    later(&f, 100000);
    assert_string_equal(state_of("s"), "queued");
    say_done(&w, take(), "ok", "", "{r:1}");
    fake_turn(&f);
    assert_string_equal(state_of("s"), "done");
    assert_int_equal(fn()->stats.statuses[KILN_EXPIRED], 1);
}

static void released_unstarted_it_may_still_expire(void **state)
{
    (void) state;
    submit(", ttl_ms:800");
    int64_t token = take();
    say(&w, NULL, "{op:'release', tokens:[%lld]}", (long long) token);
    fake_turn(&f);
    later(&f, 900);
    assert_string_equal(state_of("s"), "done");
    assert_int_equal(fn()->stats.statuses[KILN_EXPIRED], 1);
    assert_empty();
}

static void not_before(void **state)
{
    (void) state;
    submit(", not_before_ms:3000, ttl_ms:2000");
    give_credit(&w, 1);
    fake_turn(&f);
    hears_nothing(&w);
    later(&f, 2100); /* the ttl is shorter */
    assert_string_equal(state_of("s"), "done");
    say(&p, "[{}]", "{op:'submit', fn:'stats.mean', id:'t', not_before_ms:3000}");
    fake_turn(&f);
    hear(&p);
    later(&f, 2900);
    hears_nothing(&w);
    later(&f, 3100);
    assert_int_equal(length(hear(&w), "jobs"), 1);
}

static void three_crashes_are_poison(void **state)
{
    (void) state;
    struct peer n = peer_open(f.back);
    say(&n, NULL, "{op:'hello', role:'node', wid:'box', session:'n'}");
    fake_turn(&f);
    say(&w, NULL, "{op:'bye'}");
    submit(", max_attempts:1"); /* deaths are no attempts */
    for (int i = 1; i <= CRASHES_MOST; i++) {
        struct peer v = peer_open(f.back);
        char wid[8];
        snprintf(wid, sizeof wid, "v%d", i);
        say_hello(&v, wid, "s", "stats", "mean", ", node:'box'");
        give_credit(&v, 1);
        fake_turn(&f);
        hear(&v);
        json_t *m = hear(&v);
        assert_int_equal(term(m, 0, "attempt"), 1);
        say(&n, NULL, "{op:'gone', wid:'%s', cause:'signal %d', kind:'crash', running:[%lld]}", wid, i,
            (long long) number(m, "jobs.0.token"));
        fake_turn(&f);
        assert_int_equal(f.b.counters.jobs_crashed, i);
        assert_string_equal(state_of("s"), i < CRASHES_MOST ? "queued" : "done");
        peer_close(&v);
    }
    say(&p, NULL, "{op:'result', ids:['s']}");
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "jobs.0.status"), "poison");
    assert_string_equal(text(m, "jobs.0.error"),
                        "the job killed 3 workers, the last by signal 3; it is not tried again");
    assert_int_equal(f.b.counters.jobs_poisoned, 1);
    assert_int_equal(fn()->stats.crashes, 3);
    assert_empty();
    peer_close(&n);
}

/* A worker that answers nonsense about a job has ended it all the same. */
static void an_answer_that_cannot_be_read_fails_the_job(void **state)
{
    (void) state;
    static const char *const wrong[] = {", run_ns:-5", ", run_ns:99999999999999999", ", batch:'x'",
                                        ", error:7", ", decode_ns:2.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        call("");
        uint64_t bad = f.b.counters.worker_messages_bad;
        say_done(&w, take(), "ok", wrong[i], "{r:1}");
        fake_turn(&f);
        json_t *m = hear(&p);
        assert_string_equal(text(m, "status"), "internal");
        assert_string_equal(text(m, "error"), "the worker's answer to this job could not be understood");
        assert_int_equal(f.b.counters.worker_messages_bad, bad + 1);
        assert_empty();
    }
    call("");
    int64_t token = take();
    say_done(&w, token, "excellent", "", "{r:1}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "status"), "internal");
    /* Nothing that names a lease: nothing happens. */
    call("");
    token = take();
    say(&w, "[{}]", "{op:'done', seq:50, jobs:[{status:'ok'}]}");
    say(&w, "[{}]", "{op:'done', seq:51, jobs:[7]}");
    say(&w, NULL, "{op:'done', seq:52, jobs:[{token:%lld, status:'ok'}]}",
        (long long) token); /* no payload */
    fake_turn(&f);
    hears_nothing(&p);
    assert_int_equal(f.b.leases.open, 1);
    assert_true(fn()->cost_ns > 0 && fn()->cost_ns < CLOCK_S);
}

static void a_result_that_is_too_large_is_not_passed_on(void **state)
{
    (void) state;
    f.b.config.max_bytes = 1024;
    call("");
    char big[1500] = "{t:'";
    memset(big + 4, 'x', 1200);
    strcpy(big + 1204, "'}");
    say_done(&w, take(), "ok", "", big);
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "status"), "resource");
    assert_non_null(strstr(text(m, "error"), "expected at most 1024 (broker.max_bytes)"));
    assert_true(json_is_null(payload(&p, 0)));
}

static void refusals_at_the_door(void **state)
{
    (void) state;
    f.b.config.queue_limit = 3;
    for (int i = 0; i < 3; i++) {
        call("");
        hears_nothing(&p);
    }
    call("");
    assert_string_equal(text(hear(&p), "status"), "busy");
    assert_string_equal(text(p.heard, "id"), "c");
    assert_string_equal(text(p.heard, "error"),
                        "3 jobs of stats.mean wait already (broker.queue_limit); try again later");
    say(&p, "[{}]", "{op:'call', fn:'stats.mode', rid:1}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "status"), "unknown_function");
    assert_string_equal(text(p.heard, "field"), "fn");
    f.b.config.queue_limit = 100;
    f.b.config.max_bytes = 1024;
    char big[1500] = "[{t:'";
    memset(big + 5, 'x', 1200);
    strcpy(big + 1205, "'}]");
    say(&p, big, "{op:'call', fn:'stats.mean'}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "status"), "invalid");
    assert_non_null(strstr(text(p.heard, "error"), "payload has 12"));
    f.b.config.max_bytes = 1 << 20;
    uint64_t real = f.b.memory_bytes;
    f.b.memory_bytes = ((uint64_t) f.b.config.memory_mb << 20) - 100;
    say(&p, big, "{op:'call', fn:'stats.mean'}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "status"), "busy");
    assert_non_null(strstr(text(p.heard, "error"), "broker.memory_mb"));
    f.b.memory_bytes = real;
    assert_int_equal(f.b.counters.jobs_refused, 4);
    /* A refusal carries the job's id even when the wrong key stands before it. */
    say(&p, "[{},{}]",
        "{op:'submit', jobs:[{priority:10, ttl_ms:0, id:'mine', fn:'stats.mean'},{id:'fine', "
        "fn:'stats.mean'}]}");
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "jobs.0.id"), "mine");
    assert_string_equal(text(m, "jobs.0.field"), "priority");
    assert_string_equal(text(m, "jobs.0.error"), "priority is 10, expected a whole number 0..9");
    assert_string_equal(text(m, "jobs.1.status"), "accepted");
}

/* Before any worker came: functions nobody knows are waited for, for a while. */
static void settling(void **state)
{
    (void) state;
    struct fake g = {0};
    fake_open(&g);
    g.b.settling = true;
    struct peer q = fake_producer(&g);
    say(&q, "[{},{},{}]", "{op:'call', jobs:[{fn:'a.one'},{fn:'b.two'},{fn:'NoName'}]}");
    say(&q, "[{}]", "{op:'submit', id:'d', fn:'c.three', not_before_ms:9000}");
    fake_turn(&g);
    assert_string_equal(text(hear(&q), "jobs.0.status"), "unknown_function"); /* that can never be one */
    assert_int_equal(number(q.heard, "jobs.0.id"), 2);
    hear(&q);
    struct peer v = fake_worker(&g, "v", "a", "one");
    timers_set(&g.b.timers, &g.b.settle, clock_ns());
    fake_turn(&g);
    assert_false(g.b.settling);
    json_t *m = hear(&q);
    assert_int_equal(number(m, "jobs.0.id"), 1);
    assert_string_equal(text(m, "jobs.0.status"), "unknown_function");
    assert_string_equal(text(m, "jobs.0.error"), "fn is \"b.two\", which no plugin offers");
    assert_int_equal(fake_function(&g, "a.one")->queue.count, 1);
    assert_null(catalogue_find(&g.b.catalogue, "b.two", 5));
    later(&g, 9100); /* the delayed one finds nobody either */
    say(&q, NULL, "{op:'result', ids:['d']}");
    fake_turn(&g);
    assert_string_equal(text(hear(&q), "jobs.0.status"), "unknown_function");
    peer_close(&v);
    peer_close(&q);
    fake_close(&g);
}

static void closing_answers_everybody(void **state)
{
    (void) state;
    struct fake g = {0};
    fake_open(&g);
    struct peer q = fake_producer(&g), v = fake_worker(&g, "v", "a", "f");
    say(&q, "[{}]", "{op:'call', fn:'a.f', rid:1}");
    fake_turn(&g);
    give_credit(&v, 1);
    fake_turn(&g); /* running */
    say(&q, "[{}]", "{op:'call', fn:'a.f', rid:2}");
    say(&q, "[{},{}]",
        "{op:'submit', rid:3, jobs:[{id:'x', fn:'a.f'},{id:'y', fn:'a.f', not_before_ms:9000}]}");
    say(&q, NULL, "{op:'result', rid:4, ids:['x','y'], wait_ms:9000}");
    fake_turn(&g);
    assert_int_equal(number(hear(&q), "rid"), 3);
    hears_nothing(&q);
    fake_close(&g); /* the sanitizer finds what is left */
    int seen = 0;
    while (hear_any(&q)) {
        int64_t rid = number(q.heard, "rid");
        seen |= 1 << rid;
        const char *status = rid == 4 ? text(q.heard, "jobs.1.status") : text(q.heard, "status");
        assert_string_equal(status, "unavailable");
    }
    assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 4);
    peer_close(&v);
    peer_close(&q);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(called_and_answered),
        CASE(a_deadline_ends_it_wherever_it_is),
        CASE(a_retryable_failure_is_tried_again_after_a_pause_that_doubles),
        CASE(the_pause_has_a_ceiling),
        CASE(a_call_is_tried_once),
        CASE(ttl_counts_until_the_first_start),
        CASE(released_unstarted_it_may_still_expire),
        CASE(not_before),
        CASE(three_crashes_are_poison),
        CASE(an_answer_that_cannot_be_read_fails_the_job),
        CASE(a_result_that_is_too_large_is_not_passed_on),
        CASE(refusals_at_the_door),
        CASE(settling),
        CASE(closing_answers_everybody),
    };
    return fake_end(cmocka_run_group_tests(tests, NULL, NULL));
}
