/* SPDX-License-Identifier: MPL-2.0 */
/* The fast grid against the plain one over random models. */
#include "mock_host.h"

#include <math.h>

#include "calculate.h"
#include "grid.h"

static struct mock host;
static unsigned seed = 2385;

static double uniform(double from, double to)
{
    return from + (to - from) * rand_r(&seed) / RAND_MAX;
}

#define BUCKETS 1500

struct scene {
    struct model model;
    struct terms terms;
    struct buckets buckets;
    double weight[BUCKETS], size[BUCKETS];
    double axis[HELD][LEVELS_AXIS];
};

static void scene_make(struct scene *s, size_t buckets)
{
    struct model *m = &s->model;
    double rho = uniform(-0.999, 0.999);
    *m = (struct model){
        .redemptions = uniform(0, 60),
        .budget = uniform(-0.001, 0.003),
        .exact = rand_r(&seed) % 2,
    };
    for (size_t a = 0; a < HELD; a++) {
        m->exposure.k[a][a] = uniform(1e-7, 5e-5);
        m->days[a] = rand_r(&seed) % 15;
        m->weight[a] = uniform(0, 0.3);
        m->yield[a] = uniform(0, 0.2);
        m->baseline[a] = uniform(0, 1);
        levels_axis(m->baseline[a], s->axis[a]);
    }
    m->exposure.k[ETH][SOL] = m->exposure.k[SOL][ETH] = rho * sqrt(m->exposure.k[0][0] * m->exposure.k[1][1]);
    double sum = 0;
    for (size_t j = 0; j < buckets; j++) {
        s->weight[j] = rand_r(&seed) % 5 ? uniform(0, 1) : 0;
        s->size[j] = rand_r(&seed) % 5 ? uniform(0, 1) : 0.05 * (rand_r(&seed) % 21); /* some on the levels */
        sum += s->weight[j];
    }
    for (size_t j = 0; j < buckets; j++) {
        s->weight[j] = sum > 0 ? s->weight[j] / sum : 0;
    }
    s->buckets = (struct buckets){buckets, s->weight, s->size};
    assert_true(terms_make(m, &s->terms));
}

struct plane {
    double te[GRID_POINTS + 1], benefit[GRID_POINTS + 1], shortfall[GRID_POINTS + 1],
        net_bps[GRID_POINTS + 1];
};

static struct grid_columns columns_of(struct plane *p)
{
    p->te[GRID_POINTS] = p->benefit[GRID_POINTS] = p->shortfall[GRID_POINTS] = p->net_bps[GRID_POINTS] =
        2.385;
    return (struct grid_columns){p->te, p->benefit, p->shortfall, p->net_bps};
}

static void near(const char *what, size_t i, double have, double want, double scale)
{
    if (!(fabs(have - want) <= 1e-11 * scale)) {
        fail_msg("%s[%zu] is %.17g, expected %.17g", what, i, have, want);
    }
}

static void plane_is_the_reference(void **state)
{
    (void) state;
    static const size_t counts[] = {0, 1, 2, 4, 7, 63, 64, 65, 128, 200, 1500};
    static struct scene s;
    static struct plane fast, plain;
    for (size_t round = 0; round < 40 * KILN_COUNT(counts); round++) {
        scene_make(&s, counts[round % KILN_COUNT(counts)]);
        struct grid_columns have = columns_of(&fast), want = columns_of(&plain);
        size_t best = GRID_POINTS;
        int rc = grid_plane(&host.call, &s.terms, &s.buckets, s.axis[ETH], s.axis[SOL], &have, &best);
        assert_int_equal(rc, KILN_OK);
        grid_reference(&s.model, &s.buckets, s.axis[ETH], s.axis[SOL], &want);
        /* Where the terms nearly cancel the root has few digits: compare against the parts it was made of. */
        double scale = sqrt(s.terms.variance[ETH] + s.terms.variance[SOL] + fabs(s.terms.cross));
        double most = -HUGE_VAL;
        for (size_t i = 0; i < GRID_POINTS; i++) {
            near("te squared", i, fast.te[i] * fast.te[i], plain.te[i] * plain.te[i],
                 plain.te[i] * plain.te[i] + scale * scale * 1e-4);
            near("benefit", i, fast.benefit[i], plain.benefit[i], plain.benefit[i]);
            near("shortfall", i, fast.shortfall[i], -0.5 * sqrt(2 / acos(-1)) * fast.te[i], fast.te[i]);
            double net = (fast.benefit[i] + fmin(0, s.model.budget + fast.shortfall[i])) * 1e4;
            near("net", i, fast.net_bps[i], net, fabs(net) + 1);
            most = fmax(most, fast.net_bps[i]);
        }
        for (size_t i = 0; i < best; i++) {
            assert_true(fast.net_bps[i] < most); /* the first of equals */
        }
        assert_true(best < GRID_POINTS && fast.net_bps[best] == most);
        assert_true(fast.te[GRID_POINTS] == 2.385 && fast.net_bps[GRID_POINTS] == 2.385);
    }
}

/* With definite covariance, away from cancellation, both agree to the last digits. */
static void usual_market(void **state)
{
    (void) state;
    static struct scene s;
    static struct plane fast, plain;
    for (int round = 0; round < 200; round++) {
        scene_make(&s, 1 + (size_t) (rand_r(&seed) % 12));
        struct exposure usual;
        assert_int_equal(market_exposure(&host.call, &market_default, &usual), KILN_OK);
        s.model.exposure = usual;
        assert_true(terms_make(&s.model, &s.terms));
        struct grid_columns have = columns_of(&fast), want = columns_of(&plain);
        size_t best;
        grid_plane(&host.call, &s.terms, &s.buckets, s.axis[ETH], s.axis[SOL], &have, &best);
        size_t other = grid_reference(&s.model, &s.buckets, s.axis[ETH], s.axis[SOL], &want);
        for (size_t i = 0; i < GRID_POINTS; i++) {
            near("te", i, fast.te[i], plain.te[i], plain.te[i]);
            near("net", i, fast.net_bps[i], plain.net_bps[i], fabs(plain.net_bps[i]) + 1e4 * plain.te[i]);
        }
        near("best", 0, plain.net_bps[best], plain.net_bps[other], fabs(plain.net_bps[other]));
    }
}

static void line_is_the_diagonal(void **state)
{
    (void) state;
    static struct scene s;
    static struct plane line;
    for (int round = 0; round < 200; round++) {
        scene_make(&s, (size_t) (rand_r(&seed) % 90));
        double level[LEVELS_LINE_MAX];
        size_t count = levels_line(s.model.baseline[ETH], true, level), best = count;
        struct grid_columns have = columns_of(&line);
        assert_int_equal(grid_line(&host.call, &s.terms, &s.buckets, count, level, &have, &best), KILN_OK);
        double most = -HUGE_VAL;
        for (size_t i = 0; i < count; i++) {
            struct outcome o =
                point_reference(&s.model, &s.buckets, (const double[HELD]){level[i], level[i]});
            double parts = s.terms.variance[ETH] + s.terms.variance[SOL] + fabs(s.terms.cross);
            near("te squared", i, line.te[i] * line.te[i], o.tracking_error * o.tracking_error, parts);
            near("benefit", i, line.benefit[i], o.benefit, o.benefit);
            most = fmax(most, line.net_bps[i]);
        }
        for (size_t i = 0; i < best; i++) {
            assert_true(line.net_bps[i] < most);
        }
        assert_true(best < count && line.net_bps[best] == most);
    }
}

/* All points equal: the first one wins in the plane and on the line. */
static void ties(void **state)
{
    (void) state;
    static struct scene s;
    static struct plane p;
    scene_make(&s, 3);
    s.model.redemptions = 0;
    s.model.yield[ETH] = s.model.yield[SOL] = 0;
    assert_true(terms_make(&s.model, &s.terms));
    struct grid_columns have = columns_of(&p);
    size_t best = 7;
    grid_plane(&host.call, &s.terms, &s.buckets, s.axis[ETH], s.axis[SOL], &have, &best);
    assert_int_equal(best, 0);
    best = 7;
    grid_line(&host.call, &s.terms, &s.buckets, LEVELS_AXIS, s.axis[ETH], &have, &best);
    assert_int_equal(best, 0);

    /* Yield of SOL alone: equal along a row, the last row best, its first point wins. */
    s.model.yield[SOL] = 0.07;
    s.model.baseline[SOL] = 0.5;
    s.model.weight[SOL] = 0.1;
    levels_axis(0.5, s.axis[SOL]);
    assert_true(terms_make(&s.model, &s.terms));
    grid_plane(&host.call, &s.terms, &s.buckets, s.axis[ETH], s.axis[SOL], &have, &best);
    assert_int_equal(best, 30 * LEVELS_AXIS);
}

static void beyond_double(void **state)
{
    (void) state;
    static struct scene s;
    scene_make(&s, 3);
    struct terms untouched = s.terms;
    s.model.days[SOL] = 9e18;
    s.model.redemptions = 1e300;
    assert_false(terms_make(&s.model, &s.terms));
    assert_memory_equal(&untouched, &s.terms, sizeof untouched);
}

static int set_up(void **state)
{
    (void) state;
    mock_init(&host, &calculate_function);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plane_is_the_reference), cmocka_unit_test(usual_market),
        cmocka_unit_test(line_is_the_diagonal),   cmocka_unit_test(ties),
        cmocka_unit_test(beyond_double),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
