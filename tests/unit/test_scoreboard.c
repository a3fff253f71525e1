/* SPDX-License-Identifier: MPL-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/scoreboard.h"

static struct scoreboard *board(size_t slots)
{
    struct scoreboard *b = NULL;
    struct err err = {0};
    assert_int_equal(scoreboard_new(slots, &b, &err), 0);
    for (size_t i = 0; i < slots; i++) {
        scoreboard_reset(&b->slots[i]);
    }
    return b;
}

static void shows_what_runs(void **state)
{
    (void) state;
    struct scoreboard *b = board(3);
    struct slot *s = &b->slots[1];
    struct running r;
    const uint64_t tokens[] = {UINT64_MAX, 7, 2385};
    assert_false(scoreboard_busy(s));
    scoreboard_enter(s, tokens, 3, 1234, 5678);
    assert_true(scoreboard_busy(s));
    assert_false(scoreboard_busy(&b->slots[0]));
    assert_false(scoreboard_busy(&b->slots[2]));
    assert_true(scoreboard_look(s, false, &r));
    assert_int_equal(r.n, 3);
    assert_memory_equal(r.tokens, tokens, sizeof tokens);
    assert_int_equal(r.started_ns, 1234);
    assert_int_equal(r.limit_ns, 5678);
    scoreboard_leave(s);
    assert_true(scoreboard_look(s, false, &r));
    assert_int_equal(r.n, 0);
    scoreboard_free(&b);
    assert_null(b);
    scoreboard_free(&b); /* NULL is allowed */
}

static void is_shared_through_its_descriptor(void **state)
{
    (void) state;
    struct scoreboard *b = board(2), *other = NULL;
    struct err err = {0};
    assert_int_equal(scoreboard_map(dup(b->fd), 2, &other, &err), 0);
    assert_ptr_not_equal(b->slots, other->slots);
    const uint64_t token = 99;
    struct running r;
    scoreboard_enter(&other->slots[1], &token, 1, 5, 6);
    assert_true(scoreboard_look(&b->slots[1], false, &r));
    assert_int_equal(r.n, 1);
    assert_int_equal(r.tokens[0], 99);
    scoreboard_free(&other);
    scoreboard_free(&b);
    assert_int_not_equal(scoreboard_map(-1, 2, &b, &err), 0);
    assert_non_null(strstr(err.text, "scoreboard of 2 slots"));
}

/* A worker killed in the middle of a change leaves the turn odd; its slot must still be read then, and only then. */
static void a_dead_owner_may_have_been_in_the_middle(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct slot *s = &b->slots[0];
    const uint64_t token = 41;
    struct running r;
    scoreboard_enter(s, &token, 1, 10, 20);
    atomic_fetch_add(&s->turn, 1);
    assert_false(scoreboard_look(s, false, &r));
    assert_true(scoreboard_look(s, true, &r));
    assert_int_equal(r.n, 1);
    assert_int_equal(r.tokens[0], 41);
    scoreboard_free(&b);
}

/* The memory is the worker's: whatever it holds, no more than there is room for is read. */
static void a_scribbled_count_is_bounded(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct running r;
    atomic_store(&b->slots[0].running, UINT32_MAX);
    assert_true(scoreboard_look(&b->slots[0], false, &r));
    assert_int_equal(r.n, SCOREBOARD_TOKENS);
    scoreboard_free(&b);
}

/* What has left plugin code is suspected until its result is handed over; only of the dead, and only if nothing runs. */
static void what_is_unsent_is_remembered(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct slot *s = &b->slots[0];
    const uint64_t tokens[] = {11, 12, 13};
    struct running r;
    scoreboard_enter(s, tokens, 2, 1, 1);
    scoreboard_leave(s);
    assert_int_equal(scoreboard_room(s), SCOREBOARD_TOKENS - 2);
    assert_true(scoreboard_look(s, false, &r));
    assert_int_equal(r.n, 0);
    assert_true(scoreboard_look(s, true, &r));
    assert_int_equal(r.n, 2);
    assert_false(r.inside);
    assert_memory_equal(r.tokens, tokens, 2 * sizeof *tokens);
    scoreboard_enter(s, tokens + 2, 1, 2, 2);
    for (int dead = 0; dead < 2; dead++) {
        assert_true(scoreboard_look(s, dead, &r));
        assert_int_equal(r.n, 1);
        assert_true(r.inside);
        assert_int_equal(r.tokens[0], 13);
    }
    scoreboard_leave(s);
    assert_true(scoreboard_look(s, true, &r));
    assert_int_equal(r.n, 3);
    scoreboard_settle(s);
    assert_true(scoreboard_look(s, true, &r));
    assert_int_equal(r.n, 0);
    assert_int_equal(scoreboard_room(s), SCOREBOARD_TOKENS);
    atomic_store(&s->unsent, UINT32_MAX - 1); /* scribbled */
    assert_int_equal(scoreboard_room(s), 0);
    scoreboard_enter(s, tokens, 3, 3, 3);
    assert_true(scoreboard_look(s, true, &r));
    assert_memory_equal(r.tokens, tokens, sizeof tokens);
    scoreboard_free(&b);
}

enum { ROUNDS = 20000 };

static void *owner(void *arg)
{
    struct slot *s = arg;
    uint64_t tokens[16];
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        size_t n = 1 + round % 16;
        for (size_t i = 0; i < n; i++) {
            tokens[i] = round;
        }
        scoreboard_enter(s, tokens, n, (int64_t) round, (int64_t) (round * 3));
        if (round % 3 == 0) {
            scoreboard_leave(s);
            scoreboard_settle(s);
        }
    }
    return NULL;
}

static void copies_are_of_one_moment(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct slot *s = &b->slots[0];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, owner, s), 0);
    uint64_t seen = 0, last = 0;
    while (last < ROUNDS) {
        struct running r;
        if (!scoreboard_look(s, false, &r)) {
            continue;
        }
        last = (uint64_t) r.started_ns;
        assert_int_equal(r.limit_ns, 3 * r.started_ns);
        if (r.n > 0) {
            assert_int_equal(r.n, 1 + last % 16);
        }
        for (size_t i = 0; i < r.n; i++) {
            assert_int_equal(r.tokens[i], last);
            seen++;
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seen > 0); /* the last round at least: it is not left */
    scoreboard_free(&b);
}

static void a_reset_slot_is_as_new(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct slot *s = &b->slots[0];
    const uint64_t token = 3;
    scoreboard_enter(s, &token, 1, 1, 1);
    atomic_store(&s->draining, 1);
    atomic_store(&s->cancelled, 1);
    atomic_store(&s->jobs, 12);
    atomic_store(&s->phase, PHASE_SERVING);
    scoreboard_reset(s);
    assert_false(scoreboard_busy(s));
    assert_int_equal(atomic_load(&s->draining), 0);
    assert_int_equal(atomic_load(&s->cancelled), 0);
    assert_int_equal(atomic_load(&s->jobs), 0);
    assert_int_equal(atomic_load(&s->phase), PHASE_STARTING);
    scoreboard_free(&b);
}

static void counts_from_zero_for_each_number(void **state)
{
    (void) state;
    struct scoreboard *b = board(1);
    struct slot *s = &b->slots[0];
    struct histogram run = {0};
    uint64_t ok = 0, bad = 0;
    scoreboard_sum(s, 7, &ok, &bad, &run);
    assert_int_equal(ok + bad + run.count, 0);
    scoreboard_count(s, 7, true, 23850);
    scoreboard_count(s, 7, true, 23850);
    scoreboard_count(s, 7, false, 2385000);
    scoreboard_sum(s, 7, &ok, &bad, &run);
    assert_int_equal(ok, 2);
    assert_int_equal(bad, 1);
    assert_int_equal(run.count, 3);
    assert_true(histogram_quantile(&run, 0.5) > 23000 && histogram_quantile(&run, 0.5) < 25000);
    assert_true(histogram_quantile(&run, 1) > 2300000);
    scoreboard_sum(s, 8, &ok, &bad, &run); /* another counting: nothing yet */
    assert_int_equal(ok, 2);
    scoreboard_count(s, 8, true, 1);
    ok = bad = 0;
    scoreboard_sum(s, 8, &ok, &bad, &run);
    assert_int_equal(ok, 1);
    assert_int_equal(bad, 0);
    assert_int_equal(run.count, 4);
    scoreboard_reset(s);
    scoreboard_sum(s, 8, &ok, &bad, &run);
    assert_int_equal(ok, 1);
    scoreboard_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_runs),
        cmocka_unit_test(is_shared_through_its_descriptor),
        cmocka_unit_test(a_dead_owner_may_have_been_in_the_middle),
        cmocka_unit_test(a_scribbled_count_is_bounded),
        cmocka_unit_test(what_is_unsent_is_remembered),
        cmocka_unit_test(copies_are_of_one_moment),
        cmocka_unit_test(a_reset_slot_is_as_new),
        cmocka_unit_test(counts_from_zero_for_each_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
