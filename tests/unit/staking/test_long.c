/* SPDX-License-Identifier: MPL-2.0 */
/* Simulation and search: that they stop when nobody wants them any more, and when memory is spent at any place. */
#include "mock_host.h"

#include <math.h>

#include "calculate.h"
#include "portfolio.h"
#include "search.h"
#include "simulate.h"

static struct mock host;

/* Two staked assets of three, made by hand. */
struct scene {
    struct portfolio p;
    size_t index[2];
    double weight[2], level[2], days[2], yield[2], baseline[2], income[2], episodes[2], cost[4], variance[4];
    double volatility[3], correlation[9], work[EXPOSURE_WORK(3, 2)], probability[3], size[3];
};

static void scene_make(struct scene *s)
{
    *s = (struct scene){
        .index = {1, 2},
        .weight = {0.2, 0.1},
        .level = {0.9, 0.95},
        .days = {7, 3},
        .yield = {0.03, 0.07},
        .baseline = {0.7, 0.7},
        .volatility = {0.04, 0.05, 0.06},
        .correlation = {1, 0.6, 0.5, 0.6, 1, 0.4, 0.5, 0.4, 1},
        .probability = {0.5, 0.3, 0.2},
        .size = {0.08, 0.17, 0.31},
    };
    s->p = (struct portfolio){
        .assets = 3,
        .held = 2,
        .index = s->index,
        .weight = s->weight,
        .level = s->level,
        .days = s->days,
        .yield = s->yield,
        .baseline = s->baseline,
        .income = s->income,
        .episodes = s->episodes,
        .cost = s->cost,
        .variance = s->variance,
        .risk = {3, s->volatility, s->correlation},
        .work = s->work,
        .buckets = {3, s->probability, s->size},
        .redemptions = 20,
        .budget = 0.0007,
    };
    struct exposure_fault fault;
    assert_int_equal(exposure_make(&host.call, &s->p.risk, 2, s->index, s->weight, s->work, s->cost, &fault),
                     KILN_OK);
    for (size_t a = 0; a < 2; a++) {
        s->income[a] = s->weight[a] * s->yield[a];
        s->episodes[a] = 20 * s->days[a] / 365;
        for (size_t b = 0; b < 2; b++) {
            s->variance[2 * a + b] = 20 * fmin(s->days[a], s->days[b]) * s->cost[2 * a + b];
        }
    }
}

static const double low[2] = {0, 0}, high[2] = {1, 1};

static int search(struct scene *s, struct found *found)
{
    const struct search_request r = {.goal = {.cap = 0.004}, .low = low, .high = high, .boxes_max = 1000};
    return search_run(&host.call, &s->p, &r, found);
}

static int simulate(struct scene *s, int64_t years, struct tally *t)
{
    const struct simulation simulation = {.years = years, .seed = 3};
    return simulate_run(&host.call, &s->p, &simulation, t);
}

static void answers(void **state)
{
    (void) state;
    static struct scene s;
    scene_make(&s);
    struct found found;
    assert_int_equal(search(&s, &found), KILN_OK);
    assert_true(found.feasible && found.proven && found.value > 0 && found.bound >= found.value);
    struct measure m;
    assert_int_equal(portfolio_measure_init(&host.call, &s.p, &m), KILN_OK);
    double best = -HUGE_VAL;
    for (int i = 0; i <= 400; i++) {
        for (int j = 0; j <= 400; j++) {
            assert_int_equal(portfolio_measure(&host.call, &s.p, (double[]){i / 400.0, j / 400.0}, &m),
                             KILN_OK);
            best = m.tracking_error <= 0.004 ? fmax(best, m.net) : best;
        }
    }
    assert_true(found.value >= best && found.value < best * 1.01);

    struct tally t;
    assert_int_equal(simulate(&s, 20000, &t), KILN_OK);
    assert_int_equal(portfolio_measure(&host.call, &s.p, s.level, &m), KILN_OK);
    mock_near(sqrt(t.second / t.years), m.tracking_error, 0.05);
    mock_near(t.redemptions / t.years, 20, 0.01);
}

static void cancelled(void **state)
{
    (void) state;
    static struct scene s;
    scene_make(&s);
    struct found found;
    struct tally t;
    host.cancel = 1;
    assert_int_equal(search(&s, &found), KILN_CANCELLED);
    assert_int_equal(simulate(&s, INT64_C(1000000000), &t), KILN_CANCELLED);
    s.p.redemptions = 0; /* years alone take time too */
    assert_int_equal(simulate(&s, INT64_C(1000000000), &t), KILN_CANCELLED);
    host.cancel = 0;
}

static void memory_spent(void **state)
{
    (void) state;
    static struct scene s;
    scene_make(&s);
    struct found found;
    struct tally t;
    for (int both = 0; both < 2; both++) {
        long refused = 0;
        for (host.fail_at = 1;; host.fail_at++) {
            host.allocations = 0;
            int rc = both ? simulate(&s, 50, &t) : search(&s, &found);
            mock_drop(&host.arena);
            if (rc == KILN_OK) {
                assert_true(host.allocations < host.fail_at);
                break;
            }
            assert_int_equal(rc, KILN_RESOURCE);
            refused++;
        }
        assert_true(refused >= 5);
        host.fail_at = 0;
    }
}

static int set_up(void **state)
{
    (void) state;
    mock_init(&host, &calculate_function);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    mock_done(&host);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(memory_spent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
