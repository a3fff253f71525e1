/* SPDX-License-Identifier: MPL-2.0 */
/* results: submitted jobs from acceptance until they are dropped, and those who wait for them. */
#include "fake_broker.h"
#include "seeded.h"

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

static void submit(const char *id, const char *more)
{
    say(&p, "[{x:[1,2]}]", "{op:'submit', fn:'stats.mean', id:'%s'%s}", id, more);
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "accepted");
    assert_string_equal(text(p.heard, "jobs.0.id"), id);
}

/* The worker takes one job and ends it. */
static void work(const char *status, const char *more, const char *result)
{
    give_credit(&w, 1);
    fake_turn(&f);
    say_done(&w, number(hear(&w), "jobs.0.token"), status, more, result);
    fake_turn(&f);
}

static json_t *ask(const char *op, const char *ids, const char *more)
{
    say(&p, NULL, "{op:'%s', rid:77, ids:[%s]%s}", op, ids, more);
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "op"), op);
    assert_int_equal(number(m, "rid"), 77);
    return m;
}

static void from_queued_to_done(void **state)
{
    (void) state;
    submit("a-2385", "");
    json_t *m = ask("status", "'a-2385','b'", "");
    assert_string_equal(text(m, "jobs.0.state"), "queued");
    assert_int_equal(number(m, "jobs.0.attempt"), 0);
    assert_string_equal(text(m, "jobs.1.state"), "unknown");
    assert_string_equal(text(m, "jobs.1.status"), "unknown_job");
    give_credit(&w, 1);
    fake_turn(&f);
    int64_t token = number(hear(&w), "jobs.0.token");
    m = ask("status", "'a-2385'", "");
    assert_string_equal(text(m, "jobs.0.state"), "running");
    assert_int_equal(number(m, "jobs.0.attempt"), 1);
    assert_null(at(m, "jobs.0.status"));
    say_done(&w, token, "ok", ", decode_ns:7000, run_ns:2385000, encode_ns:900", "{mean:1.5}");
    fake_turn(&f);
    for (int i = 0; i < 2; i++) { /* reading does not remove it */
        m = ask("result", "'a-2385','nobody'", "");
        assert_string_equal(text(m, "jobs.0.state"), "done");
        assert_string_equal(text(m, "jobs.0.status"), "ok");
        assert_string_equal(text(m, "jobs.0.worker"), "w1");
        assert_int_equal(number(m, "jobs.0.timing.run_us"), 2385);
        assert_int_equal(number(m, "jobs.0.timing.decode_us"), 7);
        assert_int_equal(number(m, "jobs.0.timing.encode_us"), 1);
        assert_null(at(m, "jobs.0.error"));
        assert_true(json_real_value(at(payload(&p, 0), "mean")) == 1.5);
        assert_true(json_is_null(payload(&p, 1)));
    }
    assert_int_equal(f.b.counters.jobs_ended, 1);
}

static void failures_are_kept_with_their_words(void **state)
{
    (void) state;
    submit("a", "");
    work("invalid", ", error:'ddof is 7, expected less than 2', field:'ddof'", "null");
    json_t *m = ask("result", "'a'", "");
    assert_string_equal(text(m, "jobs.0.status"), "invalid");
    assert_string_equal(text(m, "jobs.0.error"), "ddof is 7, expected less than 2");
    assert_string_equal(text(m, "jobs.0.field"), "ddof");
    assert_true(json_is_null(payload(&p, 0)));
}

static void the_same_id_is_queued_once(void **state)
{
    (void) state;
    submit("a", "");
    say(&p, "[{},{}]", "{op:'submit', jobs:[{id:'a', fn:'stats.mean'}, {id:'b', fn:'stats.mean'}]}");
    fake_turn(&f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "jobs.0.status"), "duplicate");
    assert_string_equal(text(m, "jobs.1.status"), "accepted");
    assert_int_equal(fake_function(&f, "stats.mean")->queue.count, 2);
    assert_int_equal(f.b.counters.jobs_duplicate, 1);
    assert_int_equal(f.b.counters.jobs_submitted, 2);
    work("ok", "", "{r:1}");
    say(&p, "[{}]", "{op:'submit', id:'a', fn:'stats.mean'}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.status"), "duplicate"); /* done, and still known */
    assert_string_equal(text(ask("forget", "'a'", ""), "jobs.0.status"), "ok");
    submit("a", ""); /* forgotten: new again */
    /* A number and a string are different ids. */
    say(&p, "[{},{}]", "{op:'submit', jobs:[{id:7, fn:'stats.mean'}, {id:'7', fn:'stats.mean'}]}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.1.status"), "accepted");
}

static void waiting_ends_with_the_last_job(void **state)
{
    (void) state;
    submit("a", "");
    submit("b", "");
    say(&p, NULL, "{op:'result', rid:1, ids:['a','b','a','nobody'], wait_ms:60000}");
    fake_turn(&f);
    hears_nothing(&p);
    assert_int_equal(f.b.results.n_watched, 4);
    work("ok", "", "{r:1}");
    hears_nothing(&p);
    work("ok", "", "{r:2385}");
    json_t *m = hear(&p);
    assert_int_equal(number(m, "rid"), 1);
    assert_int_equal(length(m, "jobs"), 4);
    assert_int_equal(number(payload(&p, 1), "r"), 2385);
    assert_int_equal(number(payload(&p, 2), "r"), 1);
    assert_string_equal(text(m, "jobs.3.state"), "unknown");
    assert_int_equal(f.b.results.n_watched, 0);
    assert_null(f.b.results.watches);
    hears_nothing(&p);
    /* All done already: answered at once. */
    say(&p, NULL, "{op:'result', ids:['a','b'], wait_ms:60000}");
    fake_turn(&f);
    hear(&p);
}

static void waiting_ends_with_its_time(void **state)
{
    (void) state;
    submit("a", "");
    submit("b", "");
    say(&p, NULL, "{op:'result', rid:1, ids:['a','b'], wait_ms:5000}");
    say(&p, NULL, "{op:'result', rid:2, ids:['b'], wait_ms:9000}");
    fake_turn(&f);
    work("ok", "", "{r:1}");
    later(&f, 4000);
    hears_nothing(&p);
    later(&f, 5100);
    json_t *m = hear(&p);
    assert_int_equal(number(m, "rid"), 1);
    assert_string_equal(text(m, "jobs.0.state"), "done");
    assert_string_equal(text(m, "jobs.1.state"), "queued");
    hears_nothing(&p);
    work("ok", "", "{r:2}"); /* the other one still waits, in the list the first has left */
    assert_int_equal(number(hear(&p), "rid"), 2);
}

static void cancelling(void **state)
{
    (void) state;
    submit("queued", "");
    submit("delayed", ", not_before_ms:60000");
    say(&p, NULL, "{op:'result', rid:9, ids:['delayed'], wait_ms:60000}");
    fake_turn(&f);
    json_t *m = ask("status", "'delayed'", "");
    assert_string_equal(text(m, "jobs.0.state"), "delayed");
    assert_int_equal(fake_function(&f, "stats.mean")->delayed, 1);
    say(&p, NULL, "{op:'cancel', rid:77, ids:['delayed','queued','nobody','queued']}");
    fake_turn(&f);
    m = hear(&p); /* who waited hears of it */
    assert_int_equal(number(m, "rid"), 9);
    assert_string_equal(text(m, "jobs.0.status"), "cancelled");
    m = hear(&p);
    assert_string_equal(text(m, "jobs.0.status"), "ok");
    assert_string_equal(text(m, "jobs.1.status"), "ok");
    assert_string_equal(text(m, "jobs.2.status"), "unknown_job");
    assert_string_equal(text(m, "jobs.3.status"), "conflict");
    assert_int_equal(fake_function(&f, "stats.mean")->delayed, 0);
    assert_int_equal(fake_function(&f, "stats.mean")->queue.count, 0);
    assert_false(fake_function(&f, "stats.mean")->ready);
    submit("running", "");
    give_credit(&w, 1);
    fake_turn(&f);
    assert_string_equal(text(ask("cancel", "'running'", ""), "jobs.0.status"), "conflict");
    assert_string_equal(text(ask("forget", "'running'", ""), "jobs.0.status"), "conflict");
    struct worker *me = zhashx_first(f.b.peers.workers);
    assert_int_equal(f.b.memory_bytes, zmq_msg_size(&me->leases->job->payload) +
                                           sizeof(struct job)); /* of the one that lives */
}

static void results_live_for_keep_ms(void **state)
{
    (void) state;
    submit("short", ", keep_ms:1000");
    submit("long", ", keep_ms:100000");
    submit("none", ", keep_ms:0");
    work("ok", "", "{r:1}");
    work("ok", "", "{r:2}");
    say(&p, NULL, "{op:'result', rid:3, ids:['none'], wait_ms:60000}");
    fake_turn(&f);
    work("ok", "", "{r:3}");
    assert_int_equal(number(hear(&p), "rid"), 3); /* who waits gets even what is not kept */
    assert_int_equal(number(payload(&p, 0), "r"), 3);
    later(&f, 1100);
    json_t *m = ask("status", "'short','long','none'", "");
    assert_string_equal(text(m, "jobs.0.state"), "unknown");
    assert_string_equal(text(m, "jobs.1.state"), "done");
    assert_string_equal(text(m, "jobs.2.state"), "unknown");
    assert_int_equal(f.b.counters.results_evicted, 0); /* that was their time */
}

static void the_oldest_go_first_when_memory_is_spent(void **state)
{
    (void) state;
    f.b.config.results_mb = 1;
    char big[1900]; /* 600 of these are more than a MiB */
    memset(big, 'x', sizeof big);
    strcpy(big, "{t:'");
    memset(big + 4, 'x', 1700);
    strcpy(big + 1704, "'}");
    for (int i = 0; i < 700; i++) {
        char id[32];
        snprintf(id, sizeof id, "job-%d", i);
        submit(id, "");
        work("ok", "", big);
        assert_in_range(f.b.results.bytes, 1, 1 << 20);
    }
    assert_true(f.b.counters.results_evicted > 100);
    size_t kept = zhashx_size(f.b.results.by_id);
    assert_int_equal(kept, 700 - f.b.counters.results_evicted);
    json_t *m = ask("status", "'job-0','job-699'", "");
    assert_string_equal(text(m, "jobs.0.state"), "unknown");
    assert_string_equal(text(m, "jobs.1.state"), "done");
    for (int i = 0; i < 700; i++) {
        struct wire_id id = {0};
        struct buf b = {.data = id.bytes, .room = sizeof id.bytes, .limit = sizeof id.bytes};
        char name[32];
        snprintf(name, sizeof name, "job-%d", i);
        buf_put_text(&b, name);
        id.size = (uint8_t) b.bytes;
        assert_int_equal(results_find(&f.b.results, &id) != NULL, (size_t) i >= 700 - kept);
    }
}

/* Empty results and failures hold memory as well. */
static void small_results_count_too(void **state)
{
    (void) state;
    f.b.config.results_mb = 1;
    for (int i = 0; i < 60; i++) {
        char list[100 * 40] = "", payloads[100 * 4] = "[";
        for (int k = 0; k < 100; k++) {
            sprintf(list + strlen(list), "%s{id:'%d.%d', fn:'stats.mean'}", k ? "," : "", i, k);
            strcat(payloads, k ? ",{}" : "{}");
        }
        strcat(payloads, "]");
        say(&p, payloads, "{op:'submit', jobs:[%s], ttl_ms:1000}", list);
        fake_turn(&f);
        hear(&p);
        later(&f, 1100); /* they expire */
        assert_true(f.b.results.bytes <= 1 << 20);
    }
    assert_int_equal(f.b.counters.jobs_ended, 6000);
    assert_true(zhashx_size(f.b.results.by_id) * sizeof(struct job) <= 1 << 20);
    assert_true(f.b.counters.results_evicted > 1000);
}

static void too_many_watchers_are_answered_at_once(void **state)
{
    (void) state;
    submit("a", "");
    f.b.results.n_watched = RESULTS_WATCHED_MOST;
    say(&p, NULL, "{op:'result', ids:['a'], wait_ms:60000}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "jobs.0.state"), "queued");
    f.b.results.n_watched = 0;
}

/* Random submissions, work, waits, cancellations, forgetting and time: whatever happens, what the table, the list of the done,
 * the watches and the figures say agrees, and every wait is answered. */
static void random_life(void **state)
{
    (void) state;
    uint64_t seed = 1729;
    size_t waits = 0, answers = 0;
    for (int step = 0; step < 4000; step++) {
        f.b.config.results_mb = step < 2500 ? 256 : 0; /* in the end every result goes at once */
        unsigned a = (unsigned) seeded_below(&seed, 12), b = (unsigned) seeded_below(&seed, 12);
        switch (seeded_below(&seed, 8)) {
        case 0:
        case 1:
            say(&p, "[{}]",
                "{op:'submit', rid:1, fn:'stats.mean', id:%u, keep_ms:%llu, not_before_ms:%llu, ttl_ms:%llu}",
                a, (unsigned long long) seeded_below(&seed, 50),
                (unsigned long long) seeded_below(&seed, 2) * 20,
                (unsigned long long) seeded_below(&seed, 90) + 1);
            break;
        case 2:
        case 3:
            say(&p, NULL, "{op:'result', rid:2, ids:[%u,%u,%u], wait_ms:%llu}", a, b, a,
                (unsigned long long) seeded_below(&seed, 60));
            waits++;
            break;
        case 4:
            say(&p, NULL, "{op:'cancel', rid:3, ids:[%u,%u]}", a, b);
            break;
        case 5:
            say(&p, NULL, "{op:'forget', rid:4, ids:[%u]}", a);
            break;
        case 6:
            give_credit(&w, 1 + seeded_below(&seed, 3));
            break;
        default:
            later(&f, (int64_t) seeded_below(&seed, 40));
        }
        fake_turn(&f);
        for (json_t *m; (m = hear_any(&w));) {
            for (size_t i = 0; strcmp(text(m, "op"), "jobs") == 0 && i < length(m, "jobs"); i++) {
                static const char *const statuses[] = {"ok", "failed", "temporary"};
                int64_t token =
                    json_integer_value(json_object_get(json_array_get(at(m, "jobs"), i), "token"));
                say_done(&w, token, statuses[seeded_below(&seed, 3)], "", "{r:1}");
            }
        }
        fake_turn(&f);
        for (json_t *m; (m = hear_any(&p));) {
            answers += number(m, "rid") == 2;
        }
        size_t done = 0;
        for (struct job *j = f.b.results.oldest; j; j = j->next) {
            assert_int_equal(j->state, JOB_DONE);
            assert_null(j->watchers);
            assert_ptr_equal(results_find(&f.b.results, &j->id), j);
            done++;
        }
        size_t alive = fake_function(&f, "stats.mean")->queue.count +
                       fake_function(&f, "stats.mean")->delayed + f.b.leases.open;
        assert_int_equal(zhashx_size(f.b.results.by_id), done + alive);
        assert_int_equal(f.b.memory_bytes == 0, alive == 0);
    }
    later(&f, 1000);
    while (hear_any(&p)) {
        answers += number(p.heard, "rid") == 2;
    }
    assert_int_equal(answers, waits);
    assert_int_equal(f.b.results.n_watched, 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(from_queued_to_done),
        CASE(failures_are_kept_with_their_words),
        CASE(the_same_id_is_queued_once),
        CASE(waiting_ends_with_the_last_job),
        CASE(waiting_ends_with_its_time),
        CASE(cancelling),
        CASE(results_live_for_keep_ms),
        CASE(the_oldest_go_first_when_memory_is_spent),
        CASE(small_results_count_too),
        CASE(too_many_watchers_are_answered_at_once),
        CASE(random_life),
    };
    return fake_end(cmocka_run_group_tests(tests, NULL, NULL));
}
