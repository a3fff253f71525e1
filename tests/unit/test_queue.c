/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/job.h"
#include "broker/queue.h"
#include "seeded.h"

static void empty(void **state)
{
    (void) state;
    struct queue q = {0};
    assert_null(queue_first(&q));
    assert_null(queue_pop(&q));
    assert_int_equal(q.count, 0);
    queue_done(&q);
}

static void highest_priority_first_then_in_order(void **state)
{
    (void) state;
    static const uint8_t priorities[] = {4, 9, 0, 4, 9, 5, 0};
    static const size_t expected[] = {1, 4, 5, 0, 3, 2, 6};
    struct job jobs[7] = {0};
    struct queue q = {0};
    for (size_t i = 0; i < 7; i++) {
        jobs[i].priority = priorities[i];
        struct job *j = &jobs[i];
        queue_push(&q, &j);
        assert_null(j); /* taken */
    }
    assert_int_equal(q.count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_ptr_equal(queue_first(&q), &jobs[expected[i]]);
        assert_ptr_equal(queue_pop(&q), &jobs[expected[i]]);
    }
    assert_int_equal(q.held, 0);
    queue_done(&q);
}

static void handed_back_goes_first_of_its_priority(void **state)
{
    (void) state;
    struct job a = {.priority = 3}, b = {.priority = 3}, c = {.priority = 8};
    struct job *p = &a;
    struct queue q = {0};
    queue_push(&q, &p);
    p = &c;
    queue_push(&q, &p);
    p = &b;
    queue_push_front(&q, &p);
    assert_null(p);
    assert_ptr_equal(queue_pop(&q), &c);
    assert_ptr_equal(queue_pop(&q), &b);
    assert_ptr_equal(queue_pop(&q), &a);
    queue_done(&q);
}

/* Beside ten plain arrays, over random operations. */
enum { N = 300, STEPS = 50000 };

struct model {
    size_t of[QUEUE_PRIORITIES][N], n[QUEUE_PRIORITIES];
};

static void model_cut(struct model *m, uint8_t p, size_t at)
{
    memmove(&m->of[p][at], &m->of[p][at + 1], (m->n[p] - at - 1) * sizeof(size_t));
    m->n[p]--;
}

static void against_a_model(void **state)
{
    (void) state;
    struct job *jobs = calloc(N, sizeof *jobs);
    bool *in = calloc(N, sizeof *in);
    struct model *m = calloc(1, sizeof *m);
    struct queue q = {0};
    uint64_t seed = 161803;
    for (int step = 0; step < STEPS; step++) {
        size_t i = seeded_below(&seed, N);
        uint64_t what = seeded_below(&seed, 5);
        if (!in[i] && what < 4) {
            struct job *j = &jobs[i];
            uint8_t p = j->priority = (uint8_t) seeded_below(&seed, QUEUE_PRIORITIES);
            if (what < 3) {
                m->of[p][m->n[p]++] = i;
                queue_push(&q, &j);
            } else {
                memmove(&m->of[p][1], &m->of[p][0], m->n[p]++ * sizeof(size_t));
                m->of[p][0] = i;
                queue_push_front(&q, &j);
            }
            in[i] = true;
        } else if (in[i] && what < 3) {
            uint8_t p = jobs[i].priority;
            size_t at = 0;
            while (m->of[p][at] != i) {
                at++;
            }
            model_cut(m, p, at);
            queue_remove(&q, &jobs[i]);
            assert_null(jobs[i].next);
            assert_null(jobs[i].prev);
            in[i] = false;
        } else if (what == 4) {
            int p = QUEUE_PRIORITIES - 1;
            while (p >= 0 && m->n[p] == 0) {
                p--;
            }
            struct job *got = queue_pop(&q);
            if (p < 0) {
                assert_null(got);
            } else {
                assert_ptr_equal(got, &jobs[m->of[p][0]]);
                in[m->of[p][0]] = false;
                model_cut(m, (uint8_t) p, 0);
            }
        }
        uint32_t count = 0, held = 0;
        for (unsigned p = 0; p < QUEUE_PRIORITIES; p++) {
            count += (uint32_t) m->n[p];
            held |= m->n[p] ? 1u << p : 0;
        }
        assert_int_equal(q.count, count);
        assert_int_equal(q.held, held);
    }
    while (queue_pop(&q)) {
    }
    queue_done(&q);
    free(m);
    free(in);
    free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(highest_priority_first_then_in_order),
        cmocka_unit_test(handed_back_goes_first_of_its_priority),
        cmocka_unit_test(against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
