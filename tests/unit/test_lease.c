/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/catalogue.h"
#include "broker/lease.h"
#include "broker/peers.h"
#include "seeded.h"

static struct lease *open_one(struct leases *ls, struct job *job, struct worker *w)
{
    struct lease *l = lease_open(ls, job, w);
    l->delivery = 0;
    w->deliveries[0]++;
    return l;
}

static void opening_and_closing(void **state)
{
    (void) state;
    struct leases ls;
    leases_init(&ls);
    struct function fn = {.cost_ns = 2385};
    struct worker w = {0};
    struct job a = {.fn = &fn}, b = {.fn = &fn};
    struct lease *la = open_one(&ls, &a, &w), *lb = open_one(&ls, &b, &w);
    assert_ptr_equal(a.lease, la);
    assert_ptr_equal(la->job, &a);
    assert_int_equal(w.running, 2);
    assert_int_equal(w.running_ns, 4770);
    assert_int_equal(fn.running, 2);
    assert_int_equal(ls.open, 2);
    fn.cost_ns = 99; /* what was added is what is taken off again */
    uint64_t token = lease_token(la);
    assert_ptr_equal(lease_find(&ls, token), la);
    assert_ptr_equal(lease_close(&ls, la), &a);
    assert_null(a.lease);
    assert_null(lease_find(&ls, token));
    assert_int_equal(w.running_ns, 2385);
    assert_int_equal(w.deliveries[0], 1);
    assert_ptr_equal(w.leases, lb);
    lease_abandon(lb);
    assert_null(b.lease);
    assert_ptr_equal(lease_find(&ls, lease_token(lb)), lb); /* open until the worker is done */
    assert_int_equal(fn.running, 1);
    assert_null(lease_close(&ls, lb));
    assert_null(w.leases);
    assert_int_equal(w.running + fn.running + ls.open, 0);
    assert_int_equal(w.running_ns, 0);
    leases_done(&ls);
}

static void foreign_tokens_find_nothing(void **state)
{
    (void) state;
    struct leases ls, other;
    leases_init(&ls);
    assert_null(lease_find(&ls, 0)); /* no slot at all yet */
    assert_null(lease_find(&ls, UINT64_MAX));
    struct function fn = {.cost_ns = 1};
    struct worker w = {0};
    struct job a = {.fn = &fn};
    uint64_t token = lease_token(open_one(&ls, &a, &w));
    assert_true(token != 0);
    assert_null(lease_find(&ls, token + (UINT64_C(1) << 32))); /* another use */
    assert_null(lease_find(&ls, token - (UINT64_C(1) << 32)));
    assert_null(lease_find(&ls, token + 1));                                     /* a free slot */
    assert_null(lease_find(&ls, (token & ~UINT64_C(0xffffffff)) | LEASE_CHUNK)); /* no such slot */
    leases_init(&other);
    assert_int_not_equal(ls.first_use, other.first_use); /* one in 2^30 fails */
    leases_done(&other);
    lease_close(&ls, a.lease);
    leases_done(&ls);
}

/* Thousands of leases over random workers: no token ever comes twice, none that was closed is found, and the workers'
 * lists and figures agree with what is open. */
static void no_token_matches_twice(void **state)
{
    (void) state;
    enum { JOBS = 1500, WORKERS = 7, STEPS = 40000, MOST = 60000 };
    struct leases ls;
    leases_init(&ls);
    struct function fns[3] = {{.cost_ns = 300}, {.cost_ns = 71234}, {.cost_ns = 5000001}};
    struct worker *ws = calloc(WORKERS, sizeof *ws);
    struct job *jobs = calloc(JOBS, sizeof *jobs);
    uint64_t *closed = malloc(MOST * sizeof *closed);
    size_t n_closed = 0, opened = 0;
    uint64_t seed = 271828, largest[4 * LEASE_CHUNK] = {0};
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i].fn = &fns[i % 3];
    }
    for (int step = 0; step < STEPS; step++) {
        struct job *j = &jobs[seeded_below(&seed, JOBS)];
        if (!j->lease) {
            struct lease *l = open_one(&ls, j, &ws[seeded_below(&seed, WORKERS)]);
            assert_in_range(l->slot, 0, 4 * LEASE_CHUNK - 1);
            assert_true(l->use > largest[l->slot]); /* of a slot each use is new: so is each token */
            largest[l->slot] = l->use;
            opened++;
        } else {
            closed[n_closed++] = lease_token(j->lease);
            assert_ptr_equal(lease_close(&ls, j->lease), j);
        }
        if (n_closed) {
            assert_null(lease_find(&ls, closed[seeded_below(&seed, n_closed)]));
        }
    }
    size_t open = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        int64_t cost = 0;
        uint32_t n = 0;
        for (struct lease *l = ws[i].leases; l; l = l->next) {
            assert_ptr_equal(l->worker, &ws[i]);
            assert_true(!l->next || l->next->prev == l);
            assert_ptr_equal(lease_find(&ls, lease_token(l)), l);
            cost += l->cost_ns;
            n++;
        }
        assert_int_equal(ws[i].running, n);
        assert_int_equal(ws[i].deliveries[0], n);
        assert_true(ws[i].running_ns == cost);
        open += n;
    }
    assert_int_equal(ls.open, open);
    assert_int_equal(open, opened - n_closed);
    assert_int_equal(fns[0].running + fns[1].running + fns[2].running, open);
    for (size_t i = 0; i < JOBS; i++) {
        if (jobs[i].lease) {
            lease_close(&ls, jobs[i].lease);
        }
    }
    assert_int_equal(ls.open, 0);
    leases_done(&ls);
    free(closed);
    free(jobs);
    free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_and_closing),
        cmocka_unit_test(foreign_tokens_find_nothing),
        cmocka_unit_test(no_token_matches_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
