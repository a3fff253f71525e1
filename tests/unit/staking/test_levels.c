/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Equal to the last bit. */
static void same(const double *have, const double *want, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&have[i], &want[i], sizeof have[i]) != 0) {
            fail_msg("level %zu is %.17g, expected %.17g", i, have[i], want[i]);
        }
    }
}

static void line_from_the_usual_baseline(void **state)
{
    (void) state;
    static const double want[] = {
        0.7,  0.75, 0.7999999999999999, 0.85, 0.88, 0.89, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96,
        0.97, 0.98};
    double line[LEVELS_LINE_MAX];
    assert_int_equal(levels_line(0.7, false, line), COUNT(want));
    same(line, want, COUNT(want));
}

/* The quotients are rounded before they are cut: 0.85 / 0.05 is 17, (0.85 - 0.55) / 0.05 is below 6. */
static void line_from_other_baselines(void **state)
{
    (void) state;
    static const struct {
        double baseline;
        size_t count;
        double second, last_step; /* last_step: the last before 0.88, or the last */
    } cases[] = {
        {0.0, 29, 0.05, 0.85},  {0.55, 17, 0.6000000000000001, 0.8},
        {0.6, 17, 0.65, 0.85},  {0.83, 12, 0.88, 0.83},
        {0.85, 12, 0.88, 0.85}, {0.851, 13, 0.861, 0.971},
        {0.9, 8, 0.91, 0.97},   {0.97, 2, 0.98, 0.98},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double line[LEVELS_LINE_MAX];
        size_t count = levels_line(cases[i].baseline, false, line);
        size_t steps = cases[i].baseline <= 0.85 ? count - 11 : count;
        assert_int_equal(count, cases[i].count);
        same(line, &cases[i].baseline, 1);
        same(line + 1, &cases[i].second, 1);
        assert_true(fabs(line[steps - 1] - cases[i].last_step) <= 1e-15);
    }
}

static void line_that_is_empty(void **state)
{
    (void) state;
    double line[LEVELS_LINE_MAX];
    assert_int_equal(levels_line(0.985, false, line), 1); /* -0.5 is cut to 0 */
    same(line, (double[]){0.985}, 1);
    assert_int_equal(levels_line(0.995, false, line), 0);
    assert_int_equal(levels_line(1.0, false, line), 0);
}

static void exact_line(void **state)
{
    (void) state;
    static const struct {
        double baseline;
        size_t count;
    } cases[] = {{0, 101}, {0.7, 31}, {0.705, 31}, {0.86, 15}, {0.995, 2}, {1, 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double line[LEVELS_LINE_MAX];
        size_t count = levels_line(cases[i].baseline, true, line);
        assert_int_equal(count, cases[i].count);
        same(line, &cases[i].baseline, 1);
        same(line + count - 1, (double[]){1.0}, 1);
        for (size_t k = 1; k < count; k++) {
            assert_true(line[k] - line[k - 1] > 1e-3 && line[k] - line[k - 1] < 0.01 + 1e-12);
        }
    }
}

static void axes(void **state)
{
    (void) state;
    double axis[LEVELS_AXIS];
    levels_axis(0.7, axis);
    same(axis, (double[]){0.7}, 1);
    same(axis + 11, (double[]){0.8099999999999999}, 1);
    same(axis + 30, (double[]){1.0}, 1);
    for (double b = 0; b <= 1; b += 0.0385) {
        levels_axis(b, axis);
        volatile double step = (1.0 - b) / 30; /* kept apart from the sum on every machine */
        for (int i = 0; i < 30; i++) {
            volatile double product = i * step;
            double want = product + b;
            same(axis + i, &want, 1);
        }
        same(axis + 30, (double[]){1.0}, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_from_the_usual_baseline),
        cmocka_unit_test(line_from_other_baselines),
        cmocka_unit_test(line_that_is_empty),
        cmocka_unit_test(exact_line),
        cmocka_unit_test(axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
