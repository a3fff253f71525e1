/* SPDX-License-Identifier: MPL-2.0 */
/* queue: shares of tenants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/job.h"
#include "broker/queue.h"
#include "broker/tenant.h"
#include "seeded.h"

enum { N = 300 };

static struct tenants ts;
static struct quotas quotas;

static int begin(void **state)
{
    (void) state;
    quotas = (struct quotas){0};
    tenants_init(&ts, &quotas);
    return 0;
}

static int end(void **state)
{
    (void) state;
    tenants_done(&ts);
    return 0;
}

static struct tenant *tenant(const char *name)
{
    return tenant_find(&ts, name, strlen(name));
}

static void push(struct queue *q, struct job *jobs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        struct job *j = &jobs[i];
        j->tenant = tenant(name);
        queue_push(q, &j);
    }
}

/* Serves n jobs; how many of them are the tenant's. */
static size_t count_of(struct queue *q, size_t n, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        struct job *j = queue_pop(q);
        assert_non_null(j);
        found += j->tenant == tenant(name);
    }
    return found;
}

static void finish(struct queue *q)
{
    while (queue_pop(q)) {
    }
    assert_true(!q->keyed || zhashx_size(q->keyed) == 0);
    assert_int_equal(q->held, 0);
    queue_done(q);
}

static void a_flood_waits_behind_itself(void **state)
{
    (void) state;
    enum { FLOOD = 2000 };
    struct queue q = {0};
    struct job *flood = calloc(FLOOD, sizeof *flood), late[2] = {0};
    push(&q, flood, FLOOD, "a");
    assert_int_equal(count_of(&q, 500, "a"), 500);
    push(&q, late, 2, "b");
    /* The first is the next or the one after, the second at most two later. */
    size_t first = count_of(&q, 2, "b");
    assert_in_range(first, 1, 2);
    assert_int_equal(first + count_of(&q, 2, "b"), 2);
    assert_int_equal(count_of(&q, FLOOD - 502, "a"), FLOOD - 502);
    finish(&q);
    free(flood);
}

/* At every moment each of the tenants that wait has had its share, give or take one job; jobs without a key are one of them. */
static void within_one_job_of_the_ideal(void **state)
{
    (void) state;
    static const char *const names[] = {"", "a", "b", "c", "d"};
    enum { TENANTS = 5, EACH = 200 };
    struct queue q = {0};
    struct job *jobs = calloc((size_t) TENANTS * EACH, sizeof *jobs);
    size_t served[TENANTS] = {0};
    for (size_t t = 0; t < TENANTS; t++) {
        push(&q, jobs + t * EACH, EACH, names[t]);
    }
    for (size_t n = 1; n <= (size_t) TENANTS * EACH; n++) {
        const struct job *j = queue_pop(&q);
        size_t t = (size_t) (j - jobs) / EACH;
        assert_ptr_equal(j, &jobs[t * EACH + served[t]]); /* in order within a tenant */
        served[t]++;
        for (size_t i = 0; i < TENANTS; i++) {
            assert_in_range(served[i] * TENANTS + TENANTS, n, n + 2 * TENANTS);
        }
    }
    finish(&q);
    free(jobs);
}

static void priorities_come_before_shares(void **state)
{
    (void) state;
    struct queue q = {0};
    struct job jobs[20] = {0};
    for (int i = 10; i < 20; i++) {
        jobs[i].priority = 7;
    }
    push(&q, jobs, 10, "a");
    push(&q, jobs + 10, 10, "b");
    assert_int_equal(count_of(&q, 10, "b"), 10);
    assert_int_equal(count_of(&q, 10, "a"), 10);
    finish(&q);
}

static void weights_divide_the_time(void **state)
{
    (void) state;
    struct quota rows[] = {{.key = (char[]){"big"}, .weight = 3}};
    quotas = (struct quotas){.items = rows, .n = 1};
    enum { EACH = 400 };
    struct queue q = {0};
    struct job *jobs = calloc(2 * (size_t) EACH, sizeof *jobs);
    push(&q, jobs, EACH, "big");
    push(&q, jobs + EACH, EACH, "small");
    size_t big = 0;
    for (size_t round = 1; round <= 100; round++) {
        big += count_of(&q, 4, "big");
        assert_in_range(big, 3 * round - 1, 3 * round + 1);
    }
    finish(&q);
    free(jobs);
}

static void large_payloads_cost_more_turns(void **state)
{
    (void) state;
    enum { EACH = 100 };
    struct queue q = {0};
    struct job *jobs = calloc(2 * (size_t) EACH, sizeof *jobs);
    for (size_t i = 0; i < EACH; i++) {
        jobs[i].load = 9; /* ten turns each */
    }
    push(&q, jobs, EACH, "large");
    push(&q, jobs + EACH, EACH, "small");
    assert_in_range(count_of(&q, 55, "large"), 4, 6);
    finish(&q);
    free(jobs);
}

/* What was handed back is not charged: a worker's death must not cost a tenant its share. */
static void handed_back_gets_its_turn_back(void **state)
{
    (void) state;
    enum { EACH = 300 };
    struct queue q = {0};
    struct job *jobs = calloc(2 * (size_t) EACH, sizeof *jobs), *back[100];
    push(&q, jobs, EACH, "a");
    push(&q, jobs + EACH, EACH, "b");
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++) {
            back[i] = queue_pop(&q);
        }
        for (int i = 99; i >= 0; i--) {
            queue_push_front(&q, &back[i]);
        }
    }
    assert_int_equal(q.count, 2 * EACH);
    assert_ptr_equal(queue_first(&q), &jobs[queue_first(&q)->tenant == tenant("a") ? 0 : EACH]);
    assert_in_range(count_of(&q, 100, "a"), 49, 51);
    finish(&q);
    free(jobs);
}

/* Cancelled or expired jobs leave without a charge, and an empty flow leaves nothing behind. */
static void removal_costs_no_turn_and_leaves_no_memory(void **state)
{
    (void) state;
    enum { EACH = 50 };
    struct queue q = {0};
    struct job *jobs = calloc(2 * (size_t) EACH, sizeof *jobs);
    push(&q, jobs, EACH, "a");
    push(&q, jobs + EACH, EACH, "b");
    for (size_t i = 0; i < EACH; i += 2) {
        queue_remove(&q, &jobs[i]);
    }
    assert_int_equal(count_of(&q, 40, "a"), 20);
    assert_int_equal(zhashx_size(q.keyed), 2);
    assert_int_equal(count_of(&q, 10, "a"), 5); /* the last of them */
    assert_int_equal(zhashx_size(q.keyed), 1);
    for (size_t i = EACH; i < 2 * (size_t) EACH; i++) {
        if (jobs[i].flow) {
            queue_remove(&q, &jobs[i]);
        }
    }
    assert_int_equal(zhashx_size(q.keyed), 0);
    assert_int_equal(q.count, 0);
    finish(&q);
    free(jobs);
}

/* As many flows as there are tenants waiting, and no more, over random operations. */
static void flows_are_bounded_by_waiting_jobs(void **state)
{
    (void) state;
    struct queue q = {0};
    struct job *jobs = calloc(N, sizeof *jobs);
    uint64_t seed = 271828;
    for (int step = 0; step < 20000; step++) {
        struct job *j = &jobs[seeded_below(&seed, N)];
        if (j->flow) {
            queue_remove(&q, j);
        } else if (seeded_below(&seed, 3)) {
            char name[8];
            snprintf(name, sizeof name, "%d", (int) seeded_below(&seed, 40));
            j->tenant = tenant(seeded_below(&seed, 10) ? name : "");
            j->priority = (uint8_t) seeded_below(&seed, QUEUE_PRIORITIES);
            if (seeded_below(&seed, 4)) {
                queue_push(&q, &j);
            } else {
                queue_push_front(&q, &j);
            }
        } else {
            queue_pop(&q);
        }
        uint32_t waiting = 0;
        for (size_t i = 0; i < N; i++) {
            waiting += jobs[i].flow != NULL;
        }
        assert_int_equal(q.count, waiting);
        assert_true(!q.keyed || zhashx_size(q.keyed) <= waiting);
        assert_int_equal(q.held == 0, waiting == 0);
    }
    finish(&q);
    free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flood_waits_behind_itself, begin, end),
        cmocka_unit_test_setup_teardown(within_one_job_of_the_ideal, begin, end),
        cmocka_unit_test_setup_teardown(priorities_come_before_shares, begin, end),
        cmocka_unit_test_setup_teardown(weights_divide_the_time, begin, end),
        cmocka_unit_test_setup_teardown(large_payloads_cost_more_turns, begin, end),
        cmocka_unit_test_setup_teardown(handed_back_gets_its_turn_back, begin, end),
        cmocka_unit_test_setup_teardown(removal_costs_no_turn_and_leaves_no_memory, begin, end),
        cmocka_unit_test_setup_teardown(flows_are_bounded_by_waiting_jobs, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
