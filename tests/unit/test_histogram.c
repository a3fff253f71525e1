/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"
#include "seeded.h"

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static void buckets_are_in_order_and_of_the_promised_width(void **state)
{
    (void) state;
    uint32_t before = 0;
    int64_t from = 0;
    for (double at = 0; at < 4e12; at = at < 600 ? at + 1 : at * 1.0007) {
        int64_t ns = (int64_t) at;
        uint32_t bucket = histogram_bucket(ns);
        assert_true(bucket == before || bucket == before + 1);
        if (bucket != before) {
            double width = (double) (ns - from);
            assert_true(width <= 17 || width <= (double) from / 32 * 1.03);
            from = ns;
        }
        before = bucket;
    }
    assert_int_equal(histogram_bucket(-17), 0);
    assert_int_equal(histogram_bucket(INT64_MIN), 0);
    assert_int_equal(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
    assert_int_equal(histogram_bucket(15), 0);
    assert_int_equal(histogram_bucket(16), 1);
    assert_int_equal(histogram_bucket(511), 31);
    assert_int_equal(histogram_bucket(512), 32);
    assert_true(histogram_bucket(INT64_C(3600000000000)) <
                HISTOGRAM_BUCKETS - 1); /* an hour still has its own */
}

static void empty_gives_zero(void **state)
{
    (void) state;
    struct histogram h = {0};
    assert_true(histogram_quantile(&h, 0.5) == 0);
    assert_true(histogram_quantile(&h, 1) == 0);
}

static void sums_and_maximum_are_exact(void **state)
{
    (void) state;
    struct histogram h = {0};
    histogram_add(&h, 2385);
    histogram_add(&h, 77123);
    histogram_add(&h, -5);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.sum_ns, 79508);
    assert_int_equal(h.max_ns, 77123);
    assert_true(histogram_quantile(&h, 1) <= 77123);
}

/* Quantiles beside the exact ones of the sorted sample, over distributions of different tails. */
static void quantiles_against_a_sort(void **state)
{
    (void) state;
    enum { N = 20011 };
    static const double qs[] = {0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    int64_t *sample = malloc(N * sizeof *sample);
    struct histogram *h = malloc(sizeof *h);
    uint64_t seed = 20240917;
    for (int kind = 0; kind < 5; kind++) {
        memset(h, 0, sizeof *h);
        for (size_t i = 0; i < N; i++) {
            double u = seeded_unit(&seed);
            double x = kind == 0   ? 1e3 + u * 9e5                    /* even */
                       : kind == 1 ? 5e4 * -log1p(-u) + 700           /* exponential */
                       : kind == 2 ? 2e4 / pow(1 - u * 0.999999, 1.2) /* heavy tail */
                       : kind == 3 ? (u < 0.6 ? 12345.0 : 6.789e9)    /* two points */
                                   : exp(7 + 20 * u);                 /* over all octaves */
            sample[i] = (int64_t) x;
            histogram_add(h, sample[i]);
        }
        qsort(sample, N, sizeof *sample, by_value);
        for (size_t k = 0; k < sizeof qs / sizeof qs[0]; k++) {
            size_t rank = (size_t) ceil(qs[k] * N);
            double exact = (double) sample[rank ? rank - 1 : 0];
            double got = histogram_quantile(h, qs[k]);
            double most = kind == 0 && qs[k] > 0.2
                              ? 0.005
                              : 0.032; /* where a bucket is filled evenly, what is inside it is told apart */
            if (fabs(got - exact) > most * exact + 16) {
                fail_msg("kind %d q %.3f: %.1f, exactly %.1f", kind, qs[k], got, exact);
            }
        }
        assert_true(histogram_quantile(h, 1) <= (double) h->max_ns);
    }
    free(h);
    free(sample);
}

static void quantiles_never_fall(void **state)
{
    (void) state;
    struct histogram h = {0};
    uint64_t seed = 99;
    for (int i = 0; i < 500; i++) {
        histogram_add(&h, (int64_t) (seeded_u64(&seed) >> (seeded_below(&seed, 40) + 20)));
    }
    double before = 0;
    for (int i = 0; i <= 1000; i++) {
        double got = histogram_quantile(&h, i / 1000.0);
        assert_true(got >= before);
        before = got;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_in_order_and_of_the_promised_width),
        cmocka_unit_test(empty_gives_zero),
        cmocka_unit_test(sums_and_maximum_are_exact),
        cmocka_unit_test(quantiles_against_a_sort),
        cmocka_unit_test(quantiles_never_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
