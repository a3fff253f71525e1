/* SPDX-License-Identifier: MPL-2.0 */
/* The fast grid against the plain one over random models. */
#include "mock_host.h"

#include <math.h>

#include "calculate.h"
#include "grid.h"
#include "levels.h"

static struct mock host;
static unsigned seed = 2385;

static double uniform(double from, double to)
{
    return from + (to - from) * rand_r(&seed) / RAND_MAX;
}

#define BUCKETS     1500
#define GRID_POINTS (LEVELS_AXIS * LEVELS_AXIS)
#define WIDEST      100

struct scene {
    struct model model;
    struct terms terms;
    struct buckets buckets;
    double weight[BUCKETS], size[BUCKETS];
    double level[HELD][WIDEST];
    struct grid_axis axis[HELD];
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
        levels_axis(m->baseline[a], s->level[a]);
        s->axis[a] = (struct grid_axis){LEVELS_AXIS, s->level[a]};
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

#define ROOM (WIDEST * WIDEST + 1)

struct plane {
    double te[ROOM], benefit[ROOM], shortfall[ROOM], net_bps[ROOM];
};

/* What lies behind the last point stays as it is. */
static struct grid_columns columns_of(struct plane *p)
{
    for (size_t i = 0; i < ROOM; i++) {
        p->te[i] = p->benefit[i] = p->shortfall[i] = p->net_bps[i] = 2.385;
    }
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
        int rc = grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best);
        assert_int_equal(rc, KILN_OK);
        grid_reference(&s.model, &s.buckets, s.axis, &want);
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

/* Axes of every kind of length, in any order, against the plain form; nothing is written behind the end. */
static void any_axes(void **state)
{
    (void) state;
    static const size_t lengths[] = {1, 2, 5, 30, 31, 32, 33, 63, 64, 65, 100};
    static struct scene s;
    static struct plane fast, plain;
    for (size_t round = 0; round < KILN_COUNT(lengths) * KILN_COUNT(lengths); round++) {
        scene_make(&s, round % 7 == 0 ? 130 : 4);
        s.axis[ETH].count = lengths[round % KILN_COUNT(lengths)];
        s.axis[SOL].count = lengths[round / KILN_COUNT(lengths)];
        for (size_t a = 0; a < HELD; a++) {
            for (size_t i = 0; i < s.axis[a].count; i++) {
                s.level[a][i] = uniform(0, 1);
            }
        }
        size_t points = s.axis[ETH].count * s.axis[SOL].count, best = points;
        struct grid_columns have = columns_of(&fast), want = columns_of(&plain);
        assert_int_equal(grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best), KILN_OK);
        grid_reference(&s.model, &s.buckets, s.axis, &want);
        double scale = s.terms.variance[ETH] + s.terms.variance[SOL] + fabs(s.terms.cross);
        size_t first = 0;
        for (size_t i = 0; i < points; i++) {
            near("te squared", i, fast.te[i] * fast.te[i], plain.te[i] * plain.te[i], scale);
            near("benefit", i, fast.benefit[i], plain.benefit[i], plain.benefit[i]);
            first = fast.net_bps[i] > fast.net_bps[first] ? i : first;
        }
        assert_int_equal(best, first);
        for (size_t i = points; i < ROOM; i++) {
            assert_true(fast.te[i] == 2.385 && fast.benefit[i] == 2.385);
            assert_true(fast.shortfall[i] == 2.385 && fast.net_bps[i] == 2.385);
        }
    }
}

/* A long job asks whether it is still wanted. */
static void plane_is_cancelled(void **state)
{
    (void) state;
    static struct scene s;
    static struct plane p;
    scene_make(&s, BUCKETS);
    s.axis[ETH].count = s.axis[SOL].count = WIDEST;
    for (size_t a = 0; a < HELD; a++) {
        for (size_t i = 0; i < WIDEST; i++) {
            s.level[a][i] = uniform(0, 1);
        }
    }
    struct grid_columns have = columns_of(&p);
    size_t best = 7;
    host.cancel = 1;
    int rc = grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best);
    assert_int_equal(rc, KILN_OK); /* 384 blocks: too short to ask */
    static double weight[BUCKETS * 8], size[BUCKETS * 8];
    s.buckets = (struct buckets){BUCKETS * 8, weight, size};
    best = 7;
    assert_int_equal(grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best), KILN_CANCELLED);
    assert_int_equal(best, 7);
    host.cancel = 0;
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
        grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best);
        size_t other = grid_reference(&s.model, &s.buckets, s.axis, &want);
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
    grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best);
    assert_int_equal(best, 0);
    best = 7;
    grid_line(&host.call, &s.terms, &s.buckets, LEVELS_AXIS, s.level[ETH], &have, &best);
    assert_int_equal(best, 0);

    /* Yield of SOL alone: equal along a row, the last row best, its first point wins. */
    s.model.yield[SOL] = 0.07;
    s.model.baseline[SOL] = 0.5;
    s.model.weight[SOL] = 0.1;
    levels_axis(0.5, s.level[SOL]);
    assert_true(terms_make(&s.model, &s.terms));
    grid_plane(&host.call, &s.terms, &s.buckets, s.axis, &have, &best);
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
        cmocka_unit_test(beyond_double),          cmocka_unit_test(any_axes),
        cmocka_unit_test(plane_is_cancelled),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
