/* SPDX-License-Identifier: MPL-2.0 */
#include "series_data.h"

#include "plain.h"
#include "running.h"

enum { LONG = 1600 };

struct bars {
    double *high, *low, *close, *volume, *other, *got, *want;
};

static void bars_make(struct bars *b, size_t n, int kind)
{
    double **const all[] = {&b->high, &b->low, &b->close, &b->volume, &b->other, &b->got, &b->want};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        *all[i] = data_room(n);
        data_fill(*all[i], n, kind, n + i);
    }
    data_volume(b->volume, n, n);
    for (size_t i = 0; i < n; i++) {
        b->other[i] = b->volume[i] * (double) (i % 5) / 4.0; /* from nothing to all of the volume */
    }
}

static void bars_free(struct bars *b)
{
    test_free(b->high), test_free(b->low), test_free(b->close), test_free(b->volume), test_free(b->other);
    test_free(b->got), test_free(b->want);
}

static size_t next_length(size_t n)
{
    return n < 70 ? n + 1 : n < 500 ? n + 143 : n < 530 ? n + 1 : n + 497;
}

static void sums(void **state)
{
    (void) state;
    size_t compared = 0;
    for (int kind = 0; kind < DATA_KINDS; kind++) {
        for (size_t n = 1; n <= LONG; n = next_length(n)) {
            struct bars b;
            bars_make(&b, n, kind);
            double scale = 1000.0 * (double) n, flow[2], want[2];

            running_obv(b.close, b.volume, n, b.got);
            plain_obv(b.close, b.volume, n, b.want);
            data_compare("obv", b.got, b.want, 0, n, 0.0, 1e-14 * scale);

            running_vwap(b.high, b.low, b.close, b.volume, n, b.got);
            plain_vwap(b.high, b.low, b.close, b.volume, n, b.want);
            data_compare("vwap", b.got, b.want, 0, n, kind == DATA_HUGE ? 1e-9 : 1e-13, 0.0);

            for (size_t sided = 0; sided < 2; sided++) {
                for (size_t i = 0; i < n; i++) {
                    b.low[i] = (double) (i * 7 % 3) - 1.0;
                }
                const double *sides = sided ? b.low : NULL, *prices = sided ? NULL : b.close;
                running_cvd_trades(prices, b.volume, sides, n, b.got, &flow[0], &flow[1]);
                plain_cvd_trades(prices, b.volume, sides, n, b.want, &want[0], &want[1]);
                data_compare("cvd", b.got, b.want, 0, n, 0.0, 1e-14 * scale);
                data_compare("flow", flow, want, 0, 2, 1e-13, 0.0);
            }

            running_cvd_bars(b.volume, b.other, n, b.got, &flow[0], &flow[1]);
            plain_cvd_bars(b.volume, b.other, n, b.want, &want[0], &want[1]);
            data_compare("cvd of bars", b.got, b.want, 0, n, 0.0, 1e-14 * scale);
            data_compare("flow of bars", flow, want, 0, 2, 1e-13, 0.0);
            bars_free(&b);
            compared++;
        }
    }
    assert_true(compared > 500);
}

/* Whole volumes are summed without any error, whatever the chunk. */
static void whole_volumes_are_exact(void **state)
{
    (void) state;
    enum { N = 1200 };
    double close[N], volume[N], out[N], want = 0.0, bought, sold;
    for (size_t i = 0; i < N; i++) {
        close[i] = (double) (i * 37 % 101);
        volume[i] = (double) (i + 3);
    }
    running_obv(close, volume, N, out);
    for (size_t i = 0; i < N; i++) {
        want += i == 0 || close[i] > close[i - 1] ? volume[i] : close[i] < close[i - 1] ? -volume[i] : 0.0;
        assert_true(out[i] == want);
    }
    running_cvd_trades(close, volume, NULL, N, out, &bought, &sold);
    assert_true(out[0] == 0.0 && out[N - 1] == want - volume[0] && bought - sold == out[N - 1]);
}

static void longer_series_same_bits(void **state)
{
    (void) state;
    struct bars b;
    double bought, sold;
    bars_make(&b, LONG, DATA_WALK);
    for (size_t n = 1; n < LONG; n = next_length(n)) {
        running_obv(b.close, b.volume, LONG, b.want);
        running_obv(b.close, b.volume, n, b.got);
        data_same_bits("obv", b.got, b.want, 0, n);
        running_vwap(b.high, b.low, b.close, b.volume, LONG, b.want);
        running_vwap(b.high, b.low, b.close, b.volume, n, b.got);
        data_same_bits("vwap", b.got, b.want, 0, n);
        running_cvd_bars(b.volume, b.other, LONG, b.want, &bought, &sold);
        running_cvd_bars(b.volume, b.other, n, b.got, &bought, &sold);
        data_same_bits("cvd", b.got, b.want, 0, n);
    }
    bars_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(whole_volumes_are_exact),
        cmocka_unit_test(longer_series_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
