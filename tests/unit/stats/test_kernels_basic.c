/* SPDX-License-Identifier: MPL-2.0 */
/* Every set of kernels against the plain one, where basic statistics alone use them: extremes, columns of
 * matrices, sums in order, and moments of blocks whose likely mean is far off. */
#include "mock_host.h"

#include "kernels.h"

enum { ROOM = 70000 };

static double x[ROOM + 8], got_room[ROOM + 8], want_room[ROOM + 8];

static void each_set(void (*check)(const struct kernels *k))
{
    for (size_t s = 1; kernels_all[s]; s++) {
        if (kernels_all[s]->runs_here()) {
            check(kernels_all[s]);
        }
    }
}

static void check_extremes(const struct kernels *k)
{
    for (size_t n = 1; n < 100; n++) {
        double min, max, want_min, want_max, *at = x + n % 8;
        mock_noise(at, n, n);
        at[n] = 1e300; /* not looked at */
        assert_false(kernels_plain.extremes(at, n, &want_min, &want_max));
        assert_false(k->extremes(at, n, &min, &max));
        assert_true(min == want_min && max == want_max);
        for (size_t i = 0; i < n; i++) {
            const double v = at[i];
            at[i] = (double) NAN;
            assert_true(k->extremes(at, n, &min, &max));
            at[i] = -HUGE_VAL;
            assert_false(k->extremes(at, n, &min, &max));
            assert_true(min == -HUGE_VAL);
            at[i] = v;
        }
    }
}

static void extremes(void **state)
{
    (void) state;
    each_set(check_extremes);
}

static void same_moments(const struct moments *a, const struct moments *b, int powers)
{
    assert_true(a->n == b->n && fabs(a->sum - b->sum) <= 1e-13 * (fabs(b->sum) + b->n));
    if (powers != 1) {
        assert_true(a->min == b->min && a->max == b->max);
    }
    if (powers > 1) {
        mock_close_to(a->mean.hi, b->mean.hi, 1e-13 + 1e-15 / (fabs(b->mean.hi) + 1e-300));
        assert_true(fabs(a->m2 - b->m2) <= 1e-13 * b->m2);
        assert_true(fabs(a->m3 - b->m3) <= 1e-12 * (b->m4 + b->m2));
        assert_true(fabs(a->m4 - b->m4) <= 1e-13 * b->m4);
    }
}

static void check_columns(const struct kernels *k)
{
    static const size_t widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 63, 65, 100, KERNEL_COLUMNS};
    static const size_t heights[] = {1, 2, 3, 4, 5, 6, 7, 9, 63, KERNEL_ROWS};
    static const int powers[] = {0, 1, 2, 4};
    static struct moments got[KERNEL_COLUMNS + 1], want[KERNEL_COLUMNS];
    mock_noise(x, ROOM, 7);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (size_t h = 0; h < sizeof heights / sizeof *heights; h++) {
            const size_t width = widths[i], rows = heights[h], stride = width + i % 3 * 5;
            const size_t offset = stride * rows < ROOM ? i % 8 : 0;
            if (stride * rows > ROOM) {
                continue;
            }
            for (size_t p = 0; p < 4; p++) {
                got[width].n = -7.25;
                kernels_plain.columns(x + offset, rows, stride, width, powers[p], want);
                k->columns(x + offset, rows, stride, width, powers[p], got);
                assert_true(got[width].n == -7.25); /* nothing beyond */
                for (size_t j = 0; j < width; j++) {
                    same_moments(&got[j], &want[j], powers[p]);
                }
            }
        }
    }
}

static void columns(void **state)
{
    (void) state;
    each_set(check_columns);
}

/* Trends, steps, and a period that the sample for the likely mean may fall in with. */
static double value(int kind, size_t i)
{
    switch (kind) {
    case 0:
        return 1e6 + (double) i;
    case 1:
        return i < 700 ? -3e5 : 2.385;
    case 2:
        return i % 12 == 0 ? 1e4 : 0.5 + (double) (i % 5);
    case 3:
        return i % 8 == 0 ? -1e9 - (double) (i % 3) : 1e9 + (double) (i % 7);
    case 4:
        return i == 0 ? 1e12 : (double) (i % 3);
    default:
        return (double) (i * i) / 3;
    }
}

static void check_unlikely_means(const struct kernels *k)
{
    for (int kind = 0; kind < 6; kind++) {
        for (size_t n = 200; n <= KERNEL_BLOCK; n += 167) {
            struct moments want, four, two, shape;
            long double sum = 0;
            for (size_t i = 0; i < n; i++) {
                x[i] = value(kind, i);
                sum += (long double) x[i];
            }
            kernels_plain.moments4(x, n, &want);
            k->moments4(x, n, &four);
            k->moments2(x, n, &two);
            k->shape(x, n, &shape);
            same_moments(&four, &want, 4);
            mock_close_to(two.m2, want.m2, 1e-13);
            mock_close_to(two.mean.hi, (double) (sum / (long double) n), 4e-15);
            assert_true(shape.min == 0 && shape.max == 0 && shape.m2 == shape.m2);
            shape.min = want.min;
            shape.max = want.max;
            same_moments(&shape, &want, 4);
        }
    }
}

static void unlikely_means(void **state)
{
    (void) state;
    each_set(check_unlikely_means);
}

/* Sums near the ends of a power of two, with many values halfway between two results; to the last bit. */
static void check_sums_in_order(const struct kernels *k)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const size_t n = 20 + (size_t) seed * 7 % 300;
        double *out = got_room + seed % 8;
        mock_noise(x, n, seed);
        for (size_t i = 0; i < n; i++) {
            x[i] = seed % 4 == 0   ? floor(x[i] * 64) * 0x1p-53
                   : seed % 4 == 1 ? 0x1p-53 * (x[i] < 0 ? 1 : 3)
                                   : x[i];
        }
        const double start = seed % 4 < 2 ? 1.5 + (double) (seed % 5) * 0.1 : seed % 4 == 2 ? -1023.5 : 1e6;
        out[n] = -7.25;
        const double last = k->cumsum(x, n, start, out), want = kernels_plain.cumsum(x, n, start, want_room);
        assert_true(last == want && out[n] == -7.25);
        assert_memory_equal(out, want_room, n * sizeof *out);
    }
}

static void sums_in_order(void **state)
{
    (void) state;
    each_set(check_sums_in_order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes),
        cmocka_unit_test(columns),
        cmocka_unit_test(unlikely_means),
        cmocka_unit_test(sums_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
