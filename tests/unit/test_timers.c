/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/timers.h"
#include "seeded.h"

struct thing {
    struct timer timer; /* first */
    int fired;
    int64_t fired_for; /* at_ns it was set to */
};

struct world {
    struct timers timers;
    struct thing *things;
    int64_t last_ns; /* at_ns of the one fired last: never falls within one timers_fire */
    int fired;
};

static void note(void *arg, struct timer *t)
{
    struct world *w = arg;
    struct thing *x = (struct thing *) t;
    assert_int_equal(t->place, 0);
    assert_true(t->at_ns >= w->last_ns);
    w->last_ns = t->at_ns;
    x->fired++;
    x->fired_for = t->at_ns;
    w->fired++;
}

static void nothing_set(void **state)
{
    (void) state;
    struct timers ts = {0};
    struct timer t = {0};
    assert_true(timers_next(&ts) == INT64_MAX);
    timers_fire(&ts, INT64_MAX, NULL);
    timers_clear(&ts, &t);
    assert_int_equal(t.place, 0);
    timers_done(&ts);
}

static void at_its_time_and_not_before(void **state)
{
    (void) state;
    struct world w = {0};
    struct thing x = {.timer.fire = note};
    timers_set(&w.timers, &x.timer, 2385);
    assert_int_equal(timers_next(&w.timers), 2385);
    timers_fire(&w.timers, 2384, &w);
    assert_int_equal(x.fired, 0);
    timers_fire(&w.timers, 2385, &w);
    assert_int_equal(x.fired, 1);
    assert_true(timers_next(&w.timers) == INT64_MAX);
    timers_done(&w.timers);
}

static void setting_again_moves_it(void **state)
{
    (void) state;
    struct world w = {0};
    struct thing x = {.timer.fire = note}, y = {.timer.fire = note};
    timers_set(&w.timers, &x.timer, 100);
    timers_set(&w.timers, &y.timer, 200);
    timers_set(&w.timers, &x.timer, 300);
    assert_int_equal(timers_next(&w.timers), 200);
    timers_set(&w.timers, &x.timer, 50);
    assert_int_equal(timers_next(&w.timers), 50);
    timers_set(&w.timers, &x.timer, 50);
    assert_int_equal(w.timers.n, 2);
    timers_done(&w.timers);
    assert_int_equal(x.timer.place, 0);
    assert_int_equal(y.timer.place, 0);
}

/* A sorted model: after every operation the next due time agrees, and firing fires exactly what is due. */
static void against_a_model(void **state)
{
    (void) state;
    enum { N = 700, STEPS = 60000 };
    struct world w = {.things = calloc(N, sizeof(struct thing))};
    int64_t *due = malloc(N * sizeof *due); /* -1: not set */
    int *fired = calloc(N, sizeof *fired);
    uint64_t seed = 4711;
    int64_t now = 1000;
    for (size_t i = 0; i < N; i++) {
        w.things[i].timer.fire = note;
        due[i] = -1;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = seeded_below(&seed, N);
        uint64_t what = seeded_below(&seed, 10);
        if (what < 6) {
            due[i] =
                now + (int64_t) seeded_below(&seed, 5000) - 100; /* some are due already; many are equal */
            timers_set(&w.timers, &w.things[i].timer, due[i]);
        } else if (what < 9) {
            due[i] = -1;
            timers_clear(&w.timers, &w.things[i].timer);
        } else {
            now += (int64_t) seeded_below(&seed, 200);
            w.last_ns = INT64_MIN;
            timers_fire(&w.timers, now, &w);
            for (size_t k = 0; k < N; k++) {
                if (due[k] >= 0 && due[k] <= now) {
                    fired[k]++;
                    assert_int_equal(w.things[k].fired_for, due[k]);
                    due[k] = -1;
                }
                assert_int_equal(w.things[k].fired, fired[k]);
            }
        }
        int64_t next = INT64_MAX;
        size_t set = 0;
        for (size_t k = 0; k < N && step % 16 == 0; k++) {
            next = due[k] >= 0 && due[k] < next ? due[k] : next;
            set += due[k] >= 0;
        }
        if (step % 16 == 0) {
            assert_true(timers_next(&w.timers) == next);
            assert_int_equal(w.timers.n, set);
        }
    }
    assert_true(w.fired > 5000);
    timers_done(&w.timers);
    free(fired);
    free(due);
    free(w.things);
}

/* What fires may set itself again, set others, clear others and free itself. */
static struct thing *victim, *heap_made;

static void meddle(void *arg, struct timer *t)
{
    struct world *w = arg;
    w->fired++;
    timers_clear(&w->timers, &victim->timer);
    timers_set(&w->timers, t, t->at_ns + 1000);
}

static void free_itself(void *arg, struct timer *t)
{
    struct world *w = arg;
    w->fired++;
    free(t);
    heap_made = NULL;
}

static void firing_may_change_anything(void **state)
{
    (void) state;
    struct world w = {0};
    struct thing a = {.timer.fire = meddle}, b = {.timer.fire = note};
    victim = &b;
    heap_made = calloc(1, sizeof *heap_made);
    heap_made->timer.fire = free_itself;
    timers_set(&w.timers, &a.timer, 10);
    timers_set(&w.timers, &b.timer, 11);
    timers_set(&w.timers, &heap_made->timer, 12);
    timers_fire(&w.timers, 20, &w);
    assert_int_equal(w.fired, 2);
    assert_int_equal(b.fired, 0);
    assert_null(heap_made);
    assert_int_equal(timers_next(&w.timers), 1010);
    timers_fire(&w.timers, 3010, &w); /* 1010, 2010, 3010 */
    assert_int_equal(w.fired, 5);
    timers_done(&w.timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set),
        cmocka_unit_test(at_its_time_and_not_before),
        cmocka_unit_test(setting_again_moves_it),
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(firing_may_change_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
