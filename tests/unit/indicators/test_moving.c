/* SPDX-License-Identifier: MPL-2.0 */
#include "series_data.h"

#include "moving.h"
#include "plain.h"

static const size_t lengths[] = {1,  2,  3,  4,  5,   6,   7,   8,   9,   10,  11,  12,  13, 14,
                                 15, 16, 17, 23, 24,  25,  26,  31,  40,  41,  63,  64,  65, 70,
                                 79, 80, 81, 99, 120, 500, 511, 512, 513, 524, 525, 1030};
enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]), PERIODS = 43 };

static size_t period_of(size_t index)
{
    static const size_t longer[] = {64, 100, 499, 512};
    return index < PERIODS - 4 ? index + 2 : longer[index - (PERIODS - 4)];
}

/* The error of a mean is measured by the values of its own window, so that a trace of the spike would show. */
static double window_scale(const double *x, size_t i, size_t period)
{
    return data_scale(x + i + 1 - period, period);
}

static void means_and_variances(void **state)
{
    (void) state;
    double *scratch = data_room(moving_moments_scratch(LONGEST));
    size_t compared = 0;
    double *x = data_room(LONGEST), *mean = data_room(LONGEST), *mean_too = data_room(LONGEST);
    double *variance = data_room(LONGEST), *want_mean = data_room(LONGEST),
           *want_variance = data_room(LONGEST);
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        for (size_t l = 0; l < LENGTHS; l++) {
            size_t n = lengths[l];
            data_fill(x, n, kind, n + 3);
            for (size_t p = 0; p < PERIODS && period_of(p) <= n; p++) {
                size_t period = period_of(p);
                moving_mean(x, n, period, scratch, mean);
                moving_moments(x, n, period, scratch, mean_too, variance);
                plain_moments(x, n, period, want_mean, want_variance);
                for (size_t i = period - 1; i < n; i++) {
                    double scale = window_scale(x, i, period);
                    double deviation = sqrt(variance[i]), want = sqrt(want_variance[i]);
                    if (fabs(mean[i] - want_mean[i]) > 4e-15 * scale || mean_too[i] != mean[i]) {
                        fail_msg("kind %d n %zu period %zu: mean[%zu] is %.17g and %.17g, expected %.17g",
                                 kind, n, period, i, mean[i], mean_too[i], want_mean[i]);
                    }
                    if (fabs(deviation - want) > 4e-15 * (double) period * want) {
                        fail_msg("kind %d n %zu period %zu: deviation[%zu] is %.17g, expected %.17g", kind, n,
                                 period, i, deviation, want);
                    }
                    compared++;
                }
            }
        }
    }
    assert_true(compared > 100000);
    test_free(x), test_free(mean), test_free(mean_too), test_free(variance), test_free(want_mean);
    test_free(want_variance), test_free(scratch);
}

static void mean_alone_is_the_reference_mean(void **state)
{
    (void) state;
    double x[] = {3.25, 1.5, 2.385, 7.125, -4.5}, got[5], want[5], *scratch = NULL; /* of short periods */
    moving_mean(x, 5, 3, scratch, got);
    plain_mean(x, 5, 3, want);
    data_compare("mean", got, want, 2, 5, 1e-15, 0.0);
    assert_float_equal(got[2], 2.3783333333333334, 1e-15);
}

static void equal_values_are_exact(void **state)
{
    (void) state;
    double *scratch = data_room(moving_moments_scratch(LONGEST));
    double *x = data_room(300), *mean = data_room(300), *variance = data_room(300);
    data_fill(x, 300, DATA_EQUAL, 1);
    for (size_t period = 1; period <= 150; period++) {
        moving_moments(x, 300, period, scratch, mean, variance);
        for (size_t i = period - 1; i < 300; i++) {
            assert_true(mean[i] == 0.1 && variance[i] == 0.0);
        }
    }
    test_free(x), test_free(mean), test_free(variance), test_free(scratch);
}

/* A value depends on the bars before it and not on those after it: a stream can give the same bits. */
static void longer_series_same_bits(void **state)
{
    (void) state;
    double *scratch = data_room(moving_moments_scratch(LONGEST));
    enum { N = 700 };
    double *x = data_room(N), *mean = data_room(N), *variance = data_room(N), *mean_part = data_room(N);
    double *variance_part = data_room(N), *sum = data_room(N);
    static const size_t periods[] = {2, 5, 12, 13, 20, 33, 100, 350};
    data_fill(x, N, DATA_WALK, 5);
    for (size_t p = 0; p < sizeof(periods) / sizeof(periods[0]); p++) {
        moving_moments(x, N, periods[p], scratch, mean, variance);
        moving_mean(x, N, periods[p], scratch, sum);
        data_same_bits("both means", sum, mean, periods[p] - 1, N);
        for (size_t n = periods[p]; n < N; n += 1 + n / 7) {
            moving_moments(x, n, periods[p], scratch, mean_part, variance_part);
            data_same_bits("mean", mean_part, mean, periods[p] - 1, n);
            data_same_bits("variance", variance_part, variance, periods[p] - 1, n);
            moving_mean(x, n, periods[p], scratch, mean_part);
            data_same_bits("mean alone", mean_part, mean, periods[p] - 1, n);
        }
    }
    test_free(x), test_free(mean), test_free(variance), test_free(mean_part), test_free(variance_part);
    test_free(sum), test_free(scratch);
}

static void vwap_of_windows(void **state)
{
    (void) state;
    double *high = data_room(LONGEST), *low = data_room(LONGEST), *close = data_room(LONGEST);
    double *volume = data_room(LONGEST), *got = data_room(LONGEST), *want = data_room(LONGEST);
    for (size_t l = 0; l < LENGTHS; l++) {
        size_t n = lengths[l];
        data_fill(high, n, DATA_WALK, n), data_fill(low, n, DATA_STEPS, n + 1),
            data_fill(close, n, DATA_WALK, n + 2);
        data_volume(volume, n, n);
        for (size_t period = 1; period <= n && period <= 130; period += 1 + period / 9) {
            double *scratch = data_room(moving_moments_scratch(
                period)); /* its very size, so that a sanitizer sees one step too far */
            moving_vwap(high, low, close, volume, n, period, scratch, got);
            plain_moving_vwap(high, low, close, volume, n, period, want);
            data_compare("vwap", got, want, period - 1, n, 1e-13, 0.0);
            test_free(scratch);
        }
    }
    test_free(high), test_free(low), test_free(close), test_free(volume), test_free(got), test_free(want);
}

/* The first output is at period-1, nothing before it is written. */
static void nothing_before_the_lookback(void **state)
{
    (void) state;
    for (size_t period = 2; period <= 40; period += 19) {
        double *scratch = data_room(moving_moments_scratch(period));
        double *x = data_room(50), *mean = data_room(50), *variance = data_room(50);
        data_fill(x, 50, DATA_WALK, 1);
        moving_moments(x, 50, period, scratch, mean, variance);
        for (size_t i = 0; i < period - 1; i++) {
            assert_true(mean[i] == -12345.678 && variance[i] == -12345.678);
        }
        test_free(x), test_free(mean), test_free(variance), test_free(scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_and_variances),    cmocka_unit_test(mean_alone_is_the_reference_mean),
        cmocka_unit_test(equal_values_are_exact), cmocka_unit_test(longer_series_same_bits),
        cmocka_unit_test(vwap_of_windows),        cmocka_unit_test(nothing_before_the_lookback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
