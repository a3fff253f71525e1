/* SPDX-License-Identifier: MPL-2.0 */
#include "series_data.h"

#include "plain.h"
#include "smooth.h"

enum { LONG = 1600 };

/* Every length to 70, then some around the chunks that the kernels work in. */
static size_t next_length(size_t n)
{
    return n < 70 ? n + 1 : n < 500 ? n + 143 : n < 530 ? n + 1 : n + 497;
}

static double *kinds_of(int kind, size_t n, uint64_t seed)
{
    double *x = data_room(n);
    data_fill(x, n, kind, seed);
    return x;
}

static void ema(void **state)
{
    (void) state;
    double *got = data_room(LONG), *want = data_room(LONG);
    size_t compared = 0;
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        for (size_t n = 1; n <= LONG; n = next_length(n)) {
            double *x = kinds_of(kind, n, n);
            for (size_t period = 2; period <= 40 && period <= n; period++) {
                smooth_ema(x, n, period, got);
                plain_ema(x, n, period, want);
                data_compare("ema", got, want, period - 1, n, 1e-14, 1e-14 * data_scale(x, n));
                compared++;
            }
            test_free(x);
        }
    }
    assert_true(compared > 10000);
    test_free(got), test_free(want);
}

static void macd(void **state)
{
    (void) state;
    static const size_t periods[][3] = {{12, 26, 9}, {2, 2, 1},  {2, 3, 1},  {3, 10, 5},
                                        {5, 5, 7},   {6, 40, 2}, {2, 15, 30}};
    double *got[3], *want[3];
    size_t compared = 0;
    for (size_t r = 0; r < 3; r++) {
        got[r] = data_room(LONG);
        want[r] = data_room(LONG);
    }
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        for (size_t n = 1; n <= LONG; n = next_length(n)) {
            double *x = kinds_of(kind, n, n);
            for (size_t p = 0; p < sizeof(periods) / sizeof(periods[0]); p++) {
                size_t fast = periods[p][0], slow = periods[p][1], signal = periods[p][2];
                if (n < slow + signal - 1) {
                    continue;
                }
                smooth_macd(x, n, fast, slow, signal, got[0], got[1], got[2]);
                plain_macd(x, n, fast, slow, signal, want[0], want[1], want[2]);
                for (size_t r = 0; r < 3; r++) {
                    data_compare("macd", got[r], want[r], slow + signal - 2, n, 0.0,
                                 2e-14 * data_scale(x, n));
                }
                compared++;
            }
            test_free(x);
        }
    }
    assert_true(compared > 1000);
    for (size_t r = 0; r < 3; r++) {
        test_free(got[r]), test_free(want[r]);
    }
}

static void rsi(void **state)
{
    (void) state;
    /* No level and no spike: there a change has lost its digits before any indicator sees it. */
    static const int kinds[] = {DATA_WALK, DATA_EQUAL, DATA_STEPS, DATA_HUGE, DATA_TINY};
    double *got = data_room(LONG), *want = data_room(LONG);
    size_t compared = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (size_t n = 1; n <= LONG; n = next_length(n)) {
            double *x = kinds_of(kinds[k], n, n);
            for (size_t period = 2; period <= 40 && period < n; period++) {
                smooth_rsi(x, n, period, got);
                plain_rsi(x, n, period, want);
                data_compare("rsi", got, want, period, n, 1e-12, 1e-12);
                compared++;
            }
            test_free(x);
        }
    }
    assert_true(compared > 10000);
    test_free(got), test_free(want);
}

static void rsi_stays_in_range(void **state)
{
    (void) state;
    double *x = data_room(LONG), *got = data_room(LONG);
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        data_fill(x, LONG, kind, 9);
        for (size_t period = 2; period < 60; period++) {
            smooth_rsi(x, LONG, period, got);
            for (size_t i = period; i < LONG; i++) {
                assert_true(got[i] >= 0.0 && got[i] <= 100.0);
            }
        }
    }
    for (size_t i = 0; i < LONG; i++) {
        x[i] = 0.1 * (double) i; /* only gains, no two alike */
    }
    smooth_rsi(x, LONG, 14, got);
    for (size_t i = 14; i < LONG; i++) {
        assert_true(got[i] == 100.0);
    }
    test_free(x), test_free(got);
}

static void atr(void **state)
{
    (void) state;
    double *got = data_room(LONG), *want = data_room(LONG);
    size_t compared = 0;
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        for (size_t n = 1; n <= LONG; n = next_length(n)) {
            double *high = kinds_of(kind, n, n), *low = kinds_of(kind, n, n + 1),
                   *close = kinds_of(kind, n, n + 2);
            for (size_t period = 1; period <= 40 && period < n; period++) {
                smooth_atr(high, low, close, n, period, got);
                plain_atr(high, low, close, n, period, want);
                data_compare("atr", got, want, period, n, 1e-13, 0.0);
                compared++;
            }
            test_free(high), test_free(low), test_free(close);
        }
    }
    assert_true(compared > 10000);
    test_free(got), test_free(want);
}

static void equal_values_are_exact(void **state)
{
    (void) state;
    double *x = data_room(LONG), *a = data_room(LONG), *b = data_room(LONG), *c = data_room(LONG);
    double *rsi_values = data_room(LONG);
    data_fill(x, LONG, DATA_EQUAL, 0);
    for (size_t period = 2; period <= 300; period++) {
        smooth_ema(x, LONG, period, a);
        for (size_t i = period - 1; i < LONG; i++) {
            assert_true(a[i] == 0.1);
        }
    }
    smooth_macd(x, LONG, 12, 26, 9, a, b, c);
    smooth_rsi(x, LONG, 14, rsi_values);
    for (size_t i = 33; i < LONG; i++) {
        assert_true(a[i] == 0.0 && b[i] == 0.0 && c[i] == 0.0 && rsi_values[i] == 0.0);
    }
    test_free(x), test_free(a), test_free(b), test_free(c), test_free(rsi_values);
}

/* A value depends on the bars before it and not on those after it: a stream can give the same bits. */
static void longer_series_same_bits(void **state)
{
    (void) state;
    double *x = data_room(LONG), *low = data_room(LONG), *whole[6], *part[6];
    static const size_t lookback[6] = {29, 33, 33, 33, 14, 14};
    data_fill(x, LONG, DATA_WALK, 5), data_fill(low, LONG, DATA_STEPS, 6);
    for (size_t r = 0; r < 6; r++) {
        whole[r] = data_room(LONG), part[r] = data_room(LONG);
    }
    smooth_ema(x, LONG, 30, whole[0]);
    smooth_macd(x, LONG, 12, 26, 9, whole[1], whole[2], whole[3]);
    smooth_rsi(x, LONG, 14, whole[4]);
    smooth_atr(x, low, x, LONG, 14, whole[5]);
    for (size_t n = 34; n < LONG; n = next_length(n)) {
        smooth_ema(x, n, 30, part[0]);
        smooth_macd(x, n, 12, 26, 9, part[1], part[2], part[3]);
        smooth_rsi(x, n, 14, part[4]);
        smooth_atr(x, low, x, n, 14, part[5]);
        for (size_t r = 0; r < 6; r++) {
            data_same_bits("part", part[r], whole[r], lookback[r], n);
        }
    }
    for (size_t r = 0; r < 6; r++) {
        test_free(whole[r]), test_free(part[r]);
    }
    test_free(x), test_free(low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ema),
        cmocka_unit_test(macd),
        cmocka_unit_test(rsi),
        cmocka_unit_test(rsi_stays_in_range),
        cmocka_unit_test(atr),
        cmocka_unit_test(equal_values_are_exact),
        cmocka_unit_test(longer_series_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
