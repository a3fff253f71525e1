/* SPDX-License-Identifier: MPL-2.0 */
/* Moments of long arrays: blocks joined as if they were one, and the ends of the range of a double. */
#include "mock_host.h"

#include "reduce.h"

enum { MOST = 5 * KERNEL_BLOCK + 7 };

static double x[MOST], y[MOST];

/* Powers of deviations in long double: from the plain definition, but for the rounding. */
static struct moments exact(const double *v, size_t n)
{
    long double sum = 0, s2 = 0, s3 = 0, s4 = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (long double) v[i];
    }
    for (size_t i = 0; i < n; i++) {
        long double d = (long double) v[i] - sum / (long double) n;
        s2 += d * d;
        s3 += d * d * d;
        s4 += d * d * d * d;
    }
    return (struct moments){.n = (double) n,
                            .sum = (double) sum,
                            .mean = {(double) (sum / (long double) n), 0},
                            .m2 = (double) s2,
                            .m3 = (double) s3,
                            .m4 = (double) s4};
}

static void each_set(void (*check)(const struct kernels *k))
{
    for (size_t s = 0; kernels_all[s]; s++) {
        if (kernels_all[s]->runs_here()) {
            check(kernels_all[s]);
        }
    }
}

static void check_blocks(const struct kernels *k)
{
    static const size_t lengths[] = {1,
                                     2,
                                     KERNEL_BLOCK / 2,
                                     KERNEL_BLOCK / 2 + 1,
                                     KERNEL_BLOCK,
                                     KERNEL_BLOCK + 1,
                                     2 * KERNEL_BLOCK - 1,
                                     2 * KERNEL_BLOCK,
                                     3 * KERNEL_BLOCK + 11,
                                     MOST};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t n = lengths[i];
        mock_noise(x, n, i + 7);
        mock_noise(y, n, i + 70);
        for (size_t j = 0; j < n; j++) { /* skewed, with a trend: the means of blocks differ */
            x[j] = x[j] * fabs(x[j]) + 2.385 + 1e-3 * (double) j;
            y[j] = y[j] - 0.75 * x[j];
        }
        const struct moments want = exact(x, n), want_y = exact(y, n);
        struct reduction two, four;
        struct coreduction pair;
        reduce_moments2(k, x, n, &two);
        reduce_moments4(k, x, n, &four);
        reduce_comoments(k, x, y, n, &pair);
        mock_close_to(reduce_mean(k, x, n), want.mean.hi, 1e-14);
        mock_close_to(reduction_mean(&two), want.mean.hi, 1e-14);
        mock_close_to(four.m.mean.hi, want.mean.hi, 1e-14);
        mock_close_to(reduction_sum(&four), want.sum, 1e-14);
        mock_close_to(pair.m.mean_x.hi, want.mean.hi, 1e-14);
        if (n > 1) {
            mock_close_to(reduction_var(&two, 1), want.m2 / (want.n - 1), 1e-14);
            mock_close_to(reduction_std(&four, 0), sqrt(want.m2 / want.n), 1e-14);
            mock_close_to(four.m.m4, want.m4, 1e-13);
            assert_true(fabs(four.m.m3 - want.m3) <= 1e-13 * pow(want.m2, 1.5));
            mock_close_to(pair.m.sxx, want.m2, 1e-14);
            mock_close_to(pair.m.syy, want_y.m2, 1e-14);
            long double sxy = 0;
            for (size_t j = 0; j < n; j++) {
                sxy += ((long double) x[j] - (long double) want.mean.hi) *
                       ((long double) y[j] - (long double) want_y.mean.hi);
            }
            mock_close_to(pair.m.sxy, (double) sxy, 1e-13);
        }
    }
}

/* 1e9 + noise over several blocks: the noise keeps its digits, alone and in pairs. */
static void check_far_from_zero(const struct kernels *k)
{
    static double noise_x[MOST], noise_y[MOST];
    mock_noise(noise_x, MOST, 3);
    mock_noise(noise_y, MOST, 4);
    for (size_t i = 0; i < MOST; i++) { /* multiples of 2^-20, so that 1e9 + noise is exact */
        noise_x[i] = rint(ldexp(noise_x[i], 20)) * 0x1p-20;
        noise_y[i] = rint(ldexp(noise_y[i] + noise_x[i], 20)) * 0x1p-20;
        x[i] = 1e9 + noise_x[i];
        y[i] = noise_y[i] - 1e9;
    }
    const struct moments want_x = exact(noise_x, MOST), want_y = exact(noise_y, MOST);
    long double sxy = 0;
    for (size_t i = 0; i < MOST; i++) {
        sxy += ((long double) noise_x[i] - (long double) want_x.mean.hi) *
               ((long double) noise_y[i] - (long double) want_y.mean.hi);
    }
    struct reduction two, four;
    struct coreduction pair;
    reduce_moments2(k, x, MOST, &two);
    reduce_moments4(k, x, MOST, &four);
    reduce_comoments(k, x, y, MOST, &pair);
    mock_close_to(two.m.m2, want_x.m2, 5e-14);
    mock_close_to(four.m.m2, want_x.m2, 5e-14);
    mock_close_to(four.m.m4, want_x.m4, 1e-13);
    assert_true(fabs(four.m.m3 - want_x.m3) <= 1e-13 * want_x.m4);
    mock_close_to(pair.m.sxx, want_x.m2, 5e-14);
    mock_close_to(pair.m.syy, want_y.m2, 5e-14);
    mock_close_to(pair.m.sxy, (double) sxy, 1e-13);
}

static void check_ends(const struct kernels *k)
{
    struct reduction r;
    struct coreduction c;
    for (size_t i = 0; i < 3000; i++) { /* +-1e308 in turn: sums and squares overflow */
        x[i] = i % 2 ? 1e308 : 0.5e308;
        y[i] = i % 2 ? 1e-200 : 3e-200;
    }
    mock_close_to(reduce_mean(k, x, 3000), 0.75e308, 1e-15);
    reduce_moments2(k, x, 3000, &r);
    mock_close_to(reduction_mean(&r), 0.75e308, 1e-15);
    mock_close_to(reduction_std(&r, 0), 0.25e308, 1e-13);
    assert_true(isinf(reduction_var(&r, 0)));
    reduce_moments4(k, x, 3000, &r);
    mock_close_to(r.m.m4 * r.m.n / (r.m.m2 * r.m.m2), 1, 1e-13); /* two equally frequent values */
    assert_true(r.m.min == 0.5e308 && r.m.max == 1e308);
    reduce_moments2(k, y, 3000, &r); /* squares vanish */
    mock_close_to(reduction_std(&r, 0), 1e-200, 1e-13);
    reduce_moments4(k, y, 3000, &r);
    mock_close_to(r.m.m4 * r.m.n / (r.m.m2 * r.m.m2), 1, 1e-13);
    reduce_comoments(k, x, y, 3000, &c);
    mock_close_to(c.m.sxy / sqrt(c.m.sxx * c.m.syy), -1, 1e-13);
    mock_close_to(c.m.sxy / c.m.n / c.scale_x / c.scale_y, -0.25e108, 1e-13);
    x[17] = HUGE_VAL;
    assert_true(reduce_mean(k, x, 3000) == HUGE_VAL);
    reduce_moments2(k, x, 3000, &r);
    assert_true(isnan(reduction_std(&r, 0)));
    x[17] = (double) NAN;
    assert_true(isnan(reduce_mean(k, x, 3000)));
    reduce_comoments(k, x, y, 3000, &c);
    assert_true(isnan(c.m.sxy) && isnan(c.m.sxx) && c.m.syy > 0);
}

static void check_equal(const struct kernels *k)
{
    static const double values[] = {0.1, -2.385, 1e308, 1e-310, 0, 1e9 + 0.1};
    struct reduction r;
    struct coreduction c;
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (size_t n = 1; n < 4000; n += 7 * n / 5 + 1) {
            for (size_t i = 0; i < n; i++) {
                x[i] = values[v];
                y[i] = (double) i;
            }
            reduce_moments2(k, x, n, &r);
            assert_true(r.m.m2 == 0 && r.m.mean.hi / r.scale == values[v]);
            reduce_moments4(k, x, n, &r);
            assert_true(r.m.m2 == 0 && r.m.m3 == 0 && r.m.m4 == 0);
            reduce_comoments(k, x, y, n, &c);
            assert_true(c.m.sxx == 0 && c.m.sxy == 0 && (c.m.syy > 0) == (n > 1));
        }
    }
    x[0] = (double) NAN;
    reduce_moments2(k, x, 1, &r);
    assert_true(isnan(reduction_std(&r, 0)));
    x[0] = HUGE_VAL;
    reduce_moments2(k, x, 1, &r);
    assert_true(isnan(reduction_std(&r, 0)) && reduction_mean(&r) == HUGE_VAL);
}

static void blocks_join(void **state)
{
    (void) state;
    each_set(check_blocks);
}

static void noise_far_from_zero(void **state)
{
    (void) state;
    each_set(check_far_from_zero);
}

static void the_ends_of_the_range(void **state)
{
    (void) state;
    each_set(check_ends);
}

static void equal_values_have_no_spread(void **state)
{
    (void) state;
    each_set(check_equal);
}

static void two_parts_are_one(void **state)
{
    (void) state;
    const double v[] = {1, 2, 4, 8, 16, 32, 64, 128};
    for (size_t cut = 1; cut < 8; cut++) {
        struct moments a, b, whole;
        kernels_plain.moments4(v, cut, &a);
        kernels_plain.moments4(v + cut, 8 - cut, &b);
        kernels_plain.moments4(v, 8, &whole);
        struct moments joined = moments_join(&a, &b);
        assert_true(joined.n == 8 && joined.sum == 255 && joined.min == 1 && joined.max == 128);
        mock_close_to(joined.mean.hi, whole.mean.hi, 1e-15);
        mock_close_to(joined.m2, whole.m2, 1e-14);
        mock_close_to(joined.m3, whole.m3, 1e-14);
        mock_close_to(joined.m4, whole.m4, 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_join),           cmocka_unit_test(noise_far_from_zero),
        cmocka_unit_test(the_ends_of_the_range), cmocka_unit_test(equal_values_have_no_spread),
        cmocka_unit_test(two_parts_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
