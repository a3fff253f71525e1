/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels of rolling windows, histograms and filters: every set that runs here against the plain one, over
 * lengths and windows, with nothing written beyond the end. */
#include "mock_host.h"

#include "kernels.h"

enum { LONGEST = 700, GUARDS = 16, MOST_BINS = 300 };

#define GUARD (-7.25e77)

static double x[LONGEST + GUARDS], got[LONGEST + GUARDS], want[LONGEST + GUARDS];

static const size_t lengths[] = {1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,
                                 13,  15,  16,  17,  18,  23,  24,  31,  32,  33,  40,  47,
                                 48,  49,  63,  64,  65,  66,  79,  80,  81,  97,  127, 128,
                                 129, 160, 255, 256, 257, 300, 399, 400, 511, 512, 513, LONGEST};

static void each(void (*check)(const struct kernels *k, size_t n))
{
    int sets = 0;
    for (size_t s = 1; kernels_all[s]; s++) {
        for (size_t i = 0; kernels_all[s]->runs_here() && i < sizeof lengths / sizeof *lengths; i++) {
            mock_noise(x, LONGEST + GUARDS, i + 1);
            for (size_t j = lengths[i]; j < LONGEST + GUARDS; j++) {
                x[j] = (double) NAN;
            }
            check(kernels_all[s], lengths[i]);
        }
        sets += kernels_all[s]->runs_here();
    }
    assert_true(sets >= 1);
}

static void clear(size_t n)
{
    for (size_t i = 0; i < n + GUARDS; i++) {
        got[i] = GUARD;
    }
}

static void equal(const char *name, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(got[i] - want[i]) <= tolerance * (1 + fabs(want[i])) ||
              (isnan(got[i]) && isnan(want[i])))) {
            fail_msg("%s: value %zu of %zu is %.17g, expected %.17g", name, i, n, got[i], want[i]);
        }
    }
    for (size_t i = n; i < n + GUARDS; i++) {
        assert_true(got[i] == GUARD);
    }
}

static void check_rolling(const struct kernels *k, size_t n)
{
    static double scratch[ROLLING_SCRATCH(LONGEST)];
    for (size_t window = 1; window <= n; window += window < 20 ? 1 : 13) {
        for (int what = 0; what < ROLLING_KINDS; what++) {
            if (what == ROLLING_ZSCORE && window < 3) {
                continue; /* 0 / 0, or the sign of a rounding error */
            }
            clear(n);
            rolling_plain[what](x, n, window, (double) window, scratch, want);
            k->rolling[what](x, n, window, (double) window, scratch, got);
            static const char *const names[] = {"sum", "mean", "var", "std", "z-score", "min", "max"};
            const double tolerance = what == ROLLING_MIN || what == ROLLING_MAX ? 0
                                     : what == ROLLING_ZSCORE                   ? 1e-10
                                                              : 1e-14 * (double) (9 + window);
            equal(names[what], n - window + 1, tolerance);
        }
    }
}

static void check_slide(const struct kernels *k, size_t n)
{
    for (size_t m = 1; m <= n; m += m < 20 ? 1 : 31) {
        clear(n);
        kernels_plain.slide(x, n - m + 1, x + n - m, m, want);
        k->slide(x, n - m + 1, x + n - m, m, got);
        equal("slide", n - m + 1, 1e-13);
    }
}

static void check_count(const struct kernels *k, size_t n)
{
    static double edges[MOST_BINS + 1];
    static uint32_t tables[2][BINS_TABLES * (MOST_BINS + 1)];
    static const size_t counts[] = {1, 2, 7, 100, MOST_BINS};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t bins = counts[c];
        for (size_t i = 0; i <= bins; i++) {
            edges[i] = -2 + (4 * (double) i + (i % 2 ? 0.01 : -0.01)) / (double) bins; /* not quite equal */
        }
        struct bins b = {edges, bins, edges[0], edges[bins], (double) bins / (edges[bins] - edges[0]), 0.02};
        for (size_t i = 0; i < n; i += 3) { /* values at the edges, beyond them, and none */
            static const double odd[] = {(double) NAN, HUGE_VAL, -HUGE_VAL, 1e300, -1e300, 5e-324};
            x[i] = i % 5 == 0 ? odd[i % 6] : edges[i % (bins + 1)];
        }
        memset(tables, 0, sizeof tables);
        kernels_plain.count(x, n, &b, tables[0]);
        k->count(x, n, &b, tables[1]);
        uint32_t total = 0;
        for (size_t i = 0; i < bins; i++) {
            uint32_t sums[2] = {0, 0};
            for (size_t t = 0; t < BINS_TABLES; t++) {
                sums[0] += tables[0][t * (bins + 1) + i];
                sums[1] += tables[1][t * (bins + 1) + i];
            }
            assert_int_equal(sums[0], sums[1]);
            total += sums[0];
        }
        assert_true(total <= n && (n < 2 || total > 0));
    }
}

static void check_ends(const struct kernels *k, size_t n)
{
    double least, greatest, a, b;
    kernels_plain.extremes(x, n, &least, &greatest);
    k->extremes(x, n, &a, &b);
    assert_true(a == least && b == greatest);
    bool nan, plain_nan;
    assert_true(k->magnitude(x, n, &nan) == kernels_plain.magnitude(x, n, &plain_nan) && !nan && !plain_nan);
    for (size_t i = 0; i < n; i++) {
        static const double odd[] = {(double) NAN, HUGE_VAL, -HUGE_VAL};
        const double v = x[i];
        x[i] = odd[i % 3];
        a = k->magnitude(x, n, &nan);
        b = kernels_plain.magnitude(x, n, &plain_nan);
        assert_true(a == b && nan == plain_nan && nan == (i % 3 == 0) && isinf(a) == (i % 3 != 0));
        assert_false(all_finite(k, x, n));
        x[i] = v;
    }
}

static void check_gaps(const struct kernels *k, size_t n)
{
    static double scratch[ROLLING_SCRATCH(LONGEST)];
    for (size_t i = 0; i < n; i++) { /* single ones, and a stretch */
        x[i] = i % 7 == 3 || (i > 200 && i < 280) ? (double) NAN : 1e6 + x[i];
    }
    for (size_t window = 1; window <= n; window += window < 20 ? 1 : 13) {
        for (int what = 0; what < ROLLING_MIN; what++) {
            const struct windows w = {
                .x = x, .n = n, .window = window, .min_periods = 1 + window / 2, .omit = true, .ddof = 1};
            clear(n);
            rolling_plain_gaps[what](&w, scratch, want);
            k->rolling_gaps[what](&w, scratch, got);
            equal("gaps", n - window + 1, what == ROLLING_ZSCORE ? 1e-8 : 1e-11);
        }
    }
}

static void gaps(void **state)
{
    (void) state;
    each(check_gaps);
}

static void rolling(void **state)
{
    (void) state;
    each(check_rolling);
}

static void slide(void **state)
{
    (void) state;
    each(check_slide);
}

static void count(void **state)
{
    (void) state;
    each(check_count);
}

static void ends(void **state)
{
    (void) state;
    each(check_ends);
}

static void the_plain_set_is_right(void **state)
{
    (void) state;
    double scratch[ROLLING_SCRATCH(3)], out[4];
    const double v[] = {1, 2, 6, 4};
    rolling_plain[ROLLING_SUM](v, 4, 3, 3, scratch, out);
    assert_true(out[0] == 9 && out[1] == 12);
    rolling_plain[ROLLING_VAR](v, 4, 2, 2, scratch, out);
    assert_true(out[0] == 0.25 && out[1] == 4 && out[2] == 1);
    rolling_plain[ROLLING_MAX](v, 4, 2, 2, scratch, out);
    assert_true(out[0] == 2 && out[1] == 6 && out[2] == 6);
    kernels_plain.slide(v, 2, (const double[]){1, 0, -0.5}, 3, out);
    assert_true(out[0] == -2 && out[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plain_set_is_right),
        cmocka_unit_test(rolling),
        cmocka_unit_test(slide),
        cmocka_unit_test(count),
        cmocka_unit_test(ends),
        cmocka_unit_test(gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
