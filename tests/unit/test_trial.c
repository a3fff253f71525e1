/* SPDX-License-Identifier: MPL-2.0 */
/* trial: what is made of what workers tell. The generations have no members: workers that are gone count as well. */
#include "pack.h"

#include "clock.h"
#include "daemon/channel.h"
#include "daemon/generation.h"
#include "daemon/trial.h"

static struct generation old, new;
static struct slot slot;
static char why[512];
static int64_t until_ns;

static struct trial *shadow(uint64_t jobs, uint64_t allow)
{
    const struct trial_terms terms = {
        .kind = TRIAL_SHADOW, .jobs = jobs, .for_ms = 1000, .allow = allow, .slower_percent = 200};
    return trial_new(&terms, &old, &new, 0);
}

static void compared(struct trial *t, const char *function, const char *difference, int64_t was_us,
                     int64_t run_us)
{
    struct note n = {.kind = CHANNEL_COMPARED,
                     .differs = difference != NULL,
                     .timed = was_us > 0,
                     .was_ns = was_us * CLOCK_US,
                     .run_ns = run_us * CLOCK_US};
    snprintf(n.function, sizeof n.function, "%s", function);
    snprintf(n.text, sizeof n.text, "%s", difference ? difference : "");
    trial_compared(t, &n);
}

static enum trial_verdict judge(struct trial *t, int64_t now_ms)
{
    why[0] = '\0';
    return trial_judge(t, now_ms * CLOCK_MS, why, sizeof why, &until_ns);
}

static void says(const char *words)
{
    if (!strstr(why, words)) {
        fail_msg("\"%s\" is not in \"%s\"", words, why);
    }
}

static void a_shadow_is_judged_when_all_copies_are_in(void **state)
{
    (void) state;
    struct trial *t = shadow(100, 0);
    char text[64];
    for (int i = 0; i < 99; i++) {
        compared(t, "s.mean", NULL, 100, 150);
        assert_int_equal(judge(t, 1), TRIAL_GOES_ON);
    }
    assert_int_equal(until_ns, 1000 * CLOCK_MS);
    trial_progress(t, text, sizeof text);
    assert_string_equal(text, "shadow 99/100");
    compared(t, "s.mean", NULL, 100, 150);
    assert_int_equal(judge(t, 1), TRIAL_PASSED);
    trial_free(&t);
    t = shadow(100, 0);
    compared(t, "s.mean", NULL, 100, 100);
    assert_int_equal(judge(t, 999), TRIAL_GOES_ON);
    assert_int_equal(judge(t, 1000), TRIAL_FAILED);
    says("only 1 of 100 copies came within 1 s");
    trial_free(&t);
    trial_free(&t);
}

static void differences_are_counted_and_some_are_told(void **state)
{
    (void) state;
    struct trial *t = shadow(20, 6);
    for (int i = 0; i < 20; i++) {
        char what[40];
        snprintf(what, sizeof what, "x is %d", i);
        compared(t, i % 2 ? "s.mean" : "s.max", i < 7 ? what : NULL, 0, 0);
        assert_true(i == 19 || judge(t, 1) == TRIAL_GOES_ON);
    }
    assert_int_equal(judge(t, 1), TRIAL_FAILED);
    says("7 of 20 answers differ, allowed are 6; s.max: x is 0");
    struct buf b = {0};
    trial_put(t, &b);
    const char *report = unpack(b.data, b.bytes);
    assert_non_null(strstr(report, "\"differences\":7"));
    assert_non_null(strstr(report, "x is 4"));
    assert_null(strstr(report, "x is 5"));
    assert_non_null(strstr(report, "\"functions\":[{\"name\":\"s.max\",\"jobs\":10,\"differences\":4"));
    buf_done(&b);
    trial_free(&t);
    t = shadow(20, 7);
    for (int i = 0; i < 20; i++) {
        compared(t, "s.mean", i < 7 ? "x" : NULL, 0, 0);
    }
    assert_int_equal(judge(t, 1), TRIAL_PASSED);
    trial_free(&t);
    t = shadow(20, 0); /* too many, and the rest never comes */
    compared(t, "s.mean", "x", 0, 0);
    assert_int_equal(judge(t, 1000), TRIAL_FAILED);
    says("1 of 1 answers differ");
    trial_free(&t);
}

static void one_slow_function_among_quick_ones(void **state)
{
    (void) state;
    struct trial *t = shadow(1100, 0);
    for (int i = 0; i < 1050; i++) {
        compared(t, "s.quick", NULL, 10, 100); /* ten times, but less than a tenth of a millisecond */
    }
    for (int i = 0; i < 50; i++) {
        compared(t, "s.slow", NULL, 1000, 2500);
    }
    assert_int_equal(judge(t, 1), TRIAL_FAILED);
    says("s.slow: p95 of run is 25");
    trial_free(&t);
}

static void a_shadow_that_dies(void **state)
{
    (void) state;
    struct trial *t = shadow(1000, 10);
    trial_lost(t, &old, &slot, &(struct member_ending){.kind = "crash", .cause = "signal 9"});
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON); /* the serving one's worker: no fault of the new one */
    trial_lost(t, &new, &slot, &(struct member_ending){.kind = "stop"});
    trial_lost(t, &new, &slot, &(struct member_ending){0});
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON);
    trial_lost(t, &new, &slot, &(struct member_ending){.kind = "crash", .cause = "signal 11"});
    assert_int_equal(judge(t, 1), TRIAL_FAILED);
    says("died by signal 11");
    trial_free(&t);
}

/* ---- canary ---- */

static struct trial *canary(uint64_t jobs)
{
    const struct trial_terms terms = {
        .kind = TRIAL_CANARY, .jobs = jobs, .share_permille = 50, .for_ms = 1000, .slower_percent = 200};
    return trial_new(&terms, &old, &new, 0);
}

static void ran(struct trial *t, const struct generation *g, int ok, int bad, int64_t run_us)
{
    scoreboard_reset(&slot);
    for (int i = 0; i < ok + bad; i++) {
        scoreboard_count(&slot, trial_number(t), i < ok, run_us * CLOCK_US);
    }
    trial_lost(t, g, &slot, &(struct member_ending){0}); /* its worker left in order */
}

static void a_canary_is_judged_by_chance_too(void **state)
{
    (void) state;
    static const struct {
        int old_ok, old_bad, new_ok, new_bad;
        enum trial_verdict now, end;
        const char *words;
    } rows[] = {
        {1000, 0, 19, 0, TRIAL_GOES_ON, TRIAL_FAILED, "only 19 jobs"},
        {1000, 0, 20, 0, TRIAL_GOES_ON, TRIAL_PASSED, ""},
        {1000, 0, 14, 6, TRIAL_FAILED, TRIAL_FAILED, "6 of 20 jobs failed (30.0 %), and 0 of 1000 (0.0 %)"},
        {900, 100, 17, 3, TRIAL_GOES_ON, TRIAL_PASSED, ""},         /* 15 % of 20 beside 10 % may be chance */
        {900, 100, 800, 200, TRIAL_FAILED, TRIAL_FAILED, "20.0 %"}, /* of a thousand it is none */
        {1000, 0, 18, 2, TRIAL_GOES_ON, TRIAL_PASSED, ""},          /* two of twenty may be bad luck */
        {0, 0, 50, 0, TRIAL_GOES_ON, TRIAL_PASSED, ""},             /* nothing beside it */
        {100000, 0, 10000, 60, TRIAL_GOES_ON, TRIAL_PASSED,
         ""}, /* no chance, but less than one in a hundred */
        {700, 300, 100, 0, TRIAL_GOES_ON, TRIAL_PASSED, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial *t = canary(0);
        ran(t, &old, rows[i].old_ok, rows[i].old_bad, 100);
        ran(t, &new, rows[i].new_ok, rows[i].new_bad, 100);
        assert_int_equal(judge(t, 999), rows[i].now);
        assert_int_equal(judge(t, 1000), rows[i].end);
        says(rows[i].words);
        trial_free(&t);
    }
}

static void a_canary_ends_by_jobs_or_by_time(void **state)
{
    (void) state;
    struct trial *t = canary(30);
    ran(t, &new, 29, 0, 100);
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON);
    assert_true(until_ns > 1 * CLOCK_MS && until_ns < 1000 * CLOCK_MS);
    ran(t, &new, 1, 0, 100);
    assert_int_equal(judge(t, 1), TRIAL_PASSED);
    char text[64];
    trial_progress(t, text, sizeof text);
    assert_string_equal(text, "canary 5% 30 jobs");
    trial_free(&t);
}

static void a_canary_that_is_slow(void **state)
{
    (void) state;
    struct trial *t = canary(0);
    ran(t, &old, 1000, 0, 200);
    ran(t, &new, 49, 0, 900);
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON); /* too few to be sure, while more may come */
    assert_int_equal(judge(t, 1000), TRIAL_FAILED);
    says("canary: p95 of run is");
    ran(t, &new, 1, 0, 900);
    assert_int_equal(judge(t, 1), TRIAL_FAILED);
    trial_free(&t);
}

static void a_canary_that_dies(void **state)
{
    (void) state;
    struct trial *t = canary(0);
    const struct member_ending death = {.kind = "crash", .cause = "signal 11", .running = 1};
    scoreboard_reset(&slot);
    trial_lost(t, &new, &slot, &death);
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON); /* jobs do kill workers */
    trial_lost(t, &old, &slot, &death);
    trial_lost(t, &old, &slot, &death);
    trial_lost(t, &new, &slot, &death);
    assert_int_equal(judge(t, 1), TRIAL_GOES_ON); /* as they do those of the serving generation */
    trial_lost(t, &new, &slot, &death);
    assert_int_equal(judge(t, 1), TRIAL_FAILED);
    says("3 workers of it died, the last by signal 11");
    trial_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_is_judged_when_all_copies_are_in),
        cmocka_unit_test(differences_are_counted_and_some_are_told),
        cmocka_unit_test(one_slow_function_among_quick_ones),
        cmocka_unit_test(a_shadow_that_dies),
        cmocka_unit_test(a_canary_is_judged_by_chance_too),
        cmocka_unit_test(a_canary_ends_by_jobs_or_by_time),
        cmocka_unit_test(a_canary_that_is_slow),
        cmocka_unit_test(a_canary_that_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
