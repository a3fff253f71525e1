/* SPDX-License-Identifier: MPL-2.0 */
#include "series_data.h"

#include "series.h"

static void clean_span(void **state)
{
    (void) state;
    size_t checked = 0;
    for (size_t n = 0; n <= 40; n++) {
        for (size_t lead = 0; lead <= n; lead++) {
            for (size_t gap = lead + 1; gap <= n; gap++) {
                double *a = data_room(n), *b = data_room(n);
                for (size_t i = 0; i < lead; i++) {
                    (i % 2 ? a : b)[i] = (double) NAN; /* in one of the series is enough */
                }
                if (gap < n) {
                    (gap % 2 ? a : b)[gap] = (double) NAN;
                }
                struct span span = series_span(n, 2, (const double *const[]){a, b});
                assert_int_equal(span.begin, lead);
                assert_int_equal(span.end, lead < n ? gap : n);
                test_free(a), test_free(b);
                checked++;
            }
        }
    }
    assert_true(checked > 5000);
}

static void gap_far_on(void **state)
{
    (void) state;
    enum { N = 3000 };
    double *x = data_room(N);
    const double *const series[] = {x};
    x[0] = (double) NAN;
    for (size_t gap = 1; gap < N; gap++) {
        double kept = x[gap];
        x[gap] = (double) NAN;
        struct span span = series_span(N, 1, series);
        assert_int_equal(span.begin, gap == 1 ? 2 : 1);
        assert_int_equal(span.end, gap == 1 ? N : gap);
        x[gap] = kept;
    }
    for (size_t i = 0; i < N; i++) {
        x[i] = (double) NAN;
    }
    struct span span = series_span(N, 1, series);
    assert_int_equal(series_length(span), 0);
    test_free(x);
}

static void infinities_are_values(void **state)
{
    (void) state;
    double x[] = {(double) INFINITY, 1.0, -(double) INFINITY};
    const double *const series[] = {x};
    struct span span = series_span(3, 1, series);
    assert_int_equal(span.begin, 0);
    assert_int_equal(span.end, 3);
}

static void blanks(void **state)
{
    (void) state;
    for (size_t n = 0; n <= 12; n++) {
        for (size_t begin = 0; begin <= n; begin++) {
            for (size_t end = begin; end <= n; end++) {
                for (size_t lookback = 0; lookback <= 14; lookback++) {
                    double *out = data_room(n);
                    series_blank(out, n, (struct span){begin, end}, lookback);
                    for (size_t i = 0; i < n; i++) {
                        int blank = i < begin + lookback || i >= end;
                        assert_int_equal(isnan(out[i]) != 0, blank);
                    }
                    test_free(out);
                }
            }
        }
    }
}

static void first_negative(void **state)
{
    (void) state;
    for (size_t n = 0; n < 40; n++) {
        double *x = data_room(n);
        for (size_t i = 0; i < n; i++) {
            x[i] = i % 3 == 0 ? (double) NAN : i % 3 == 1 ? -0.0 : 2.385;
        }
        assert_int_equal(series_first_negative(x, n), n);
        for (size_t at = n; at-- > 0;) {
            x[at] = -1e-300;
            assert_int_equal(series_first_negative(x, n), at);
        }
        test_free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_span),
        cmocka_unit_test(gap_far_on),
        cmocka_unit_test(infinities_are_values),
        cmocka_unit_test(blanks),
        cmocka_unit_test(first_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
