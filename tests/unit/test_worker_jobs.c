/* SPDX-License-Identifier: MPL-2.0 */
/* worker_jobs with a broker's end and an engine that is made here: it does what the payload says, and notes how it
 * was called. */
#include "far_end.h"

#include "clock.h"
#include "daemon/worker_jobs.h"
#include "log.h"

/* ---- the engine ---- */

static struct call {
    size_t fn, n;
    bool solo;
} calls[64];
static size_t n_calls;
static struct slot *watched;
static struct running inside[64]; /* what the scoreboard showed in each call */
static int64_t slow_ns;
static size_t slow_from; /* calls from this on take slow_ns */
static const uint8_t result[6000] = {0xa2, 'o', 'k'};
static size_t result_bytes = 3;
static bool saw_cancelled, damaged;

const char *engine_name(const struct engine *e)
{
    (void) e;
    return "stats";
}

size_t engine_functions(const struct engine *e)
{
    (void) e;
    return 2;
}

uint32_t engine_function_max_batch(const struct engine *e, size_t i)
{
    (void) e;
    return i == 0 ? 1 : 4;
}

bool engine_damaged(const struct engine *e)
{
    (void) e;
    return damaged;
}

int engine_find(const struct engine *e, const char *name, size_t bytes)
{
    (void) e;
    return text_is(name, bytes, "mean") ? 0 : text_is(name, bytes, "many") ? 1 : -1;
}

void engine_run(struct engine *e, size_t fn, struct engine_job *jobs, size_t n, bool solo,
                const struct engine_watch *watch)
{
    (void) e;
    calls[n_calls] = (struct call){fn, n, solo};
    watch->enter(watch->arg, 0, n);
    assert_true(scoreboard_look(watched, false, &inside[n_calls]));
    saw_cancelled = watch->cancelled(watch->arg, 0) != 0;
    for (int64_t end_ns = clock_ns() + (n_calls >= slow_from ? slow_ns : 0); clock_ns() < end_ns;) {
    }
    watch->leave(watch->arg, 0, n);
    n_calls++;
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(jobs[i].payload, "\x81\xa1v\x01", 4);
        jobs[i].status = KILN_OK;
        jobs[i].field[0] = jobs[i].error[0] = '\0';
        jobs[i].decode_ns = 1;
        jobs[i].run_ns = 2;
        jobs[i].encode_ns = 3;
        jobs[i].batch = (uint32_t) n;
        jobs[i].result_bytes = result_bytes;
        jobs[i].result = result;
    }
}

/* ---- the bench ---- */

struct bench {
    struct far_end far;
    struct worker_link link;
    struct worker_jobs jobs;
    struct scoreboard *board;
    struct buf pairs;
};

static void bench_open(struct bench *b)
{
    *b = (struct bench){0};
    log_open("test", LOG_LEVEL_ERROR);
    far_open(&b->far);
    assert_int_equal(worker_link_init(&b->link, b->far.endpoint, NULL, 100, NULL), 0);
    assert_int_equal(scoreboard_new(1, &b->board, NULL), 0);
    watched = &b->board->slots[0];
    worker_jobs_init(&b->jobs, NULL, &b->link, watched, 30 * CLOCK_S);
    buf_put_text(&b->pairs, "role");
    buf_put_text(&b->pairs, "worker");
    worker_link_hello(&b->link, &b->pairs, 1, NULL, 0);
    far_hear(&b->far);
    far_say(&b->far, "{\"op\":\"welcome\",\"status\":\"ok\",\"max_bytes\":5000}", 0);
    while (b->link.state != LINK_WELCOME) {
        worker_link_recv(&b->link);
    }
    far_hear(&b->far);
    n_calls = 0;
    slow_ns = 0;
    slow_from = 0;
    result_bytes = 3;
}

static void bench_close(struct bench *b)
{
    worker_jobs_done(&b->jobs);
    worker_link_finish(&b->link, 0);
    scoreboard_free(&b->board);
    far_close(&b->far);
    buf_done(&b->pairs);
}

static void give(struct bench *b, const char *json, size_t n)
{
    far_say(&b->far, json, n);
    enum link_event e;
    do {
        e = worker_link_recv(&b->link);
    } while (e == LINK_NOTHING);
    assert_int_equal(e, LINK_JOBS);
    worker_jobs_run(&b->jobs);
}

#define J(token) "{\"token\":" #token "}"

/* ---- tests ---- */

static void one_message_one_report(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(1) "," J(2) "," J(3) "]}", 3);
    const char *said = far_hear(&b.far);
    assert_string_equal(said, "{\"op\":\"done\",\"seq\":1,\"status\":\"ok\",\"decode_ns\":1,\"run_ns\":2,"
                              "\"encode_ns\":3,\"batch\":1,"
                              "\"jobs\":[{\"token\":1},{\"token\":2},{\"token\":3}],\"credit\":103} 3");
    assert_int_equal(n_calls, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(calls[i].n, 1);
        assert_int_equal(inside[i].n, 1);
        assert_int_equal(inside[i].tokens[0], i + 1);
        assert_int_equal(inside[i].limit_ns, 30 * CLOCK_S);
    }
    assert_false(scoreboard_busy(watched));
    assert_int_equal(atomic_load(&watched->jobs), 3);
    bench_close(&b);
}

static void jobs_go_together_unless_they_ask_not_to(void **state)
{
    (void) state;
    static const struct call expected[] = {{1, 4, false}, {1, 1, false}, {1, 1, true}, {1, 2, false}};
    struct bench b;
    bench_open(&b);
    give(&b,
         "{\"op\":\"jobs\",\"fn\":\"stats.many\",\"jobs\":[{\"token\":1,\"run_ms\":50},{\"token\":2,\"run_"
         "ms\":20},"
         "{\"token\":3},{\"token\":4}," J(5) ",{\"token\":6,\"solo\":true}," J(7) "," J(8) "]}",
         8);
    assert_says(far_hear(&b.far), " 5"); /* one that runs alone is reported alone */
    assert_says(far_hear(&b.far), " 1");
    assert_says(far_hear(&b.far), " 2");
    assert_int_equal(n_calls, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < n_calls; i++) {
        assert_int_equal(calls[i].n, expected[i].n);
        assert_int_equal(calls[i].solo, expected[i].solo);
    }
    assert_int_equal(inside[0].limit_ns, 20 * CLOCK_MS); /* the most impatient one's */
    assert_int_equal(inside[0].n, 4);
    assert_int_equal(inside[3].tokens[1], 8);
    bench_close(&b);
}

static void quick_results_do_not_wait_for_slow_jobs(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    slow_ns = 3 * CLOCK_MS;
    slow_from = 2;
    give(&b,
         "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(1) "," J(2) "," J(3) "," J(4) "," J(5) "]}",
         5);
    assert_says(
        far_hear(&b.far),
        "\"jobs\":[{\"token\":1},{\"token\":2},{\"token\":3}],\"credit\":103}"); /* 1, 2 and the first slow one */
    assert_says(far_hear(&b.far), "\"jobs\":[{\"token\":4}],\"credit\":104}");
    assert_says(far_hear(&b.far), "\"jobs\":[{\"token\":5}],\"credit\":105}");
    /* Now it is known to be slow: nothing waits even behind the first. */
    slow_from = n_calls + 1;
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(6) "," J(7) "]}", 2);
    assert_says(far_hear(&b.far), "\"jobs\":[{\"token\":6}],\"credit\":106}");
    assert_says(far_hear(&b.far), "\"jobs\":[{\"token\":7}],\"credit\":107}");
    bench_close(&b);
}

static void each_bad_job_fails_alone(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    give(&b,
         "{\"op\":\"jobs\",\"fn\":\"stats.many\",\"jobs\":[" J(1) ",{\"token\":2,\"run_ms\":0}," J(3) ",7]}",
         4);
    const char *said = far_hear(&b.far);
    assert_says(said, "\"status\":\"ok\",\"decode_ns\":1,");
    assert_says(said, "[{\"token\":1},{\"token\":2,\"status\":\"invalid\",\"decode_ns\":0,\"run_ns\":0,"
                      "\"encode_ns\":0,\"error\":\"run_ms is 0");
    assert_says(said, "\"field\":\"run_ms\"},{\"token\":3},");
    assert_says(said, "{\"token\":0,\"status\":\"internal\"");
    assert_int_equal(n_calls, 2);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mode\",\"jobs\":[" J(5) "]}", 1);
    assert_says(far_hear(&b.far), "\"status\":\"unknown_function\"");
    give(&b, "{\"op\":\"jobs\",\"fn\":\"other.mean\",\"jobs\":[" J(6) "]}", 1);
    assert_says(far_hear(&b.far),
                "fn is \\\"other.mean\\\", expected a function of this worker's plugin stats");
    give(&b, "{\"op\":\"jobs\",\"jobs\":[" J(7) "]}", 1);
    assert_says(far_hear(&b.far), "\"status\":\"unknown_function\"");
    assert_int_equal(n_calls, 2);
    bench_close(&b);
}

static void packed_jobs_are_answered_packed(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    far_pack(&b.far,
             "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"run_ms\":70,\"sizes\":[4,4],\"jobs\":[" J(
                 1) ",{\"token\":2,\"run_ms\":90}]}",
             2);
    enum link_event e;
    do {
        e = worker_link_recv(&b.link);
    } while (e == LINK_NOTHING);
    assert_int_equal(e, LINK_JOBS);
    worker_jobs_run(&b.jobs);
    assert_says(far_hear(&b.far), "\"jobs\":[{\"token\":1},{\"token\":2}],\"sizes\":[3,3],\"credit\":102} 1");
    assert_memory_equal(zmq_msg_data(&b.far.in.payloads[0]), "\xa2ok\xa2ok", 6);
    assert_int_equal(inside[0].limit_ns, 70 * CLOCK_MS); /* of the message; and of the job itself */
    assert_int_equal(inside[1].limit_ns, 90 * CLOCK_MS);
    bench_close(&b);
}

static void a_result_too_large_for_the_broker(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    result_bytes = 5000; /* exactly as much as it takes; and more than is copied */
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(1) "]}", 1);
    assert_says(far_hear(&b.far), "\"status\":\"ok\"");
    assert_int_equal(zmq_msg_size(&b.far.in.payloads[0]), 5000);
    result_bytes = 5001;
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(2) "]}", 1);
    assert_says(far_hear(&b.far), "the result has 5001 bytes, more than broker.max_bytes = 5000");
    assert_int_equal(zmq_msg_size(&b.far.in.payloads[0]), 1);
    bench_close(&b);
}

static void draining_hands_back_what_was_not_begun(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    atomic_store(&watched->draining, 1);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(1) "," J(2) "]}", 2);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"release\",\"tokens\":[1,2]} 0");
    assert_int_equal(n_calls, 0);
    assert_int_equal(b.link.held, 0);
    bench_close(&b);
}

/* After a plugin wrote out of bounds nothing more is run in this process. */
static void a_damaged_engine_runs_no_more(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    damaged = true;
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[" J(1) "," J(2) "]}", 2);
    assert_string_equal(far_hear(&b.far), "{\"op\":\"release\",\"tokens\":[1,2]} 0");
    assert_int_equal(n_calls, 0);
    damaged = false;
    bench_close(&b);
}

static void a_job_learns_that_nobody_waits(void **state)
{
    (void) state;
    struct bench b;
    bench_open(&b);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[{\"token\":1,\"left_ms\":60000}]}", 1);
    assert_false(saw_cancelled);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[{\"token\":2,\"left_ms\":0}]}", 1);
    assert_true(saw_cancelled);
    atomic_store(&watched->cancelled, 1);
    give(&b, "{\"op\":\"jobs\",\"fn\":\"stats.mean\",\"jobs\":[{\"token\":3}]}", 1);
    assert_true(saw_cancelled);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_one_report),
        cmocka_unit_test(jobs_go_together_unless_they_ask_not_to),
        cmocka_unit_test(quick_results_do_not_wait_for_slow_jobs),
        cmocka_unit_test(each_bad_job_fails_alone),
        cmocka_unit_test(packed_jobs_are_answered_packed),
        cmocka_unit_test(a_result_too_large_for_the_broker),
        cmocka_unit_test(draining_hands_back_what_was_not_begun),
        cmocka_unit_test(a_damaged_engine_runs_no_more),
        cmocka_unit_test(a_job_learns_that_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
