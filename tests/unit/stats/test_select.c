/* SPDX-License-Identifier: MPL-2.0 */
/* Selection against a full sort: every rank, many ranks at once, data made to be unkind, and without
 * patience. */
#include "mock_host.h"

#include "select.h"

enum { MOST = 5000 };

static double x[MOST], sorted[MOST], scratch[2 * MOST], got[MOST];
static size_t ranks[MOST];

static int ascending(const void *a, const void *b)
{
    const double p = *(const double *) a, q = *(const double *) b;
    return (p > q) - (p < q);
}

enum kind { NOISE, FEW, EQUAL, RISING, FALLING, STEPS, ENDS, HUGE_RANGE, KINDS };

static void fill(enum kind kind, size_t n)
{
    mock_noise(x, n, n + kind);
    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case FEW:
            x[i] = floor(2 * x[i]);
            break;
        case EQUAL:
            x[i] = 2.385;
            break;
        case RISING:
            x[i] = (double) i;
            break;
        case FALLING:
            x[i] = -(double) i;
            break;
        case STEPS:
            x[i] = (double) (i % 7) - 0.0;
            break;
        case ENDS:
            x[i] = i % 5 == 0   ? HUGE_VAL
                   : i % 5 == 1 ? -HUGE_VAL
                   : i % 5 == 2 ? -0.0
                   : i % 5 == 3 ? 0.0
                                : x[i];
            break;
        case HUGE_RANGE:
            x[i] = ldexp(x[i], (int) (i % 2000) - 1000);
            break;
        default:
            break;
        }
    }
    memcpy(sorted, x, n * sizeof *x);
    qsort(sorted, n, sizeof *sorted, ascending);
}

static void check(const struct kernels *k, size_t n, size_t n_ranks, unsigned patience)
{
    assert_true(select_scratch_bytes(n) <= sizeof scratch);
    select_ranks(k, x, n, ranks, n_ranks, patience, scratch, got);
    for (size_t i = 0; i < n_ranks; i++) {
        if (got[i] != sorted[ranks[i]]) {
            fail_msg("%s, n %zu: rank %zu is %.17g, expected %.17g", k->name, n, ranks[i], got[i],
                     sorted[ranks[i]]);
        }
    }
}

static void each(void (*check_with)(const struct kernels *k, size_t n))
{
    static const size_t lengths[] = {1, 2, 3, 31, 32, 33, 34, 63, 64, 65, 70, 100, 999, 1000, 4999};
    for (size_t s = 0; kernels_all[s]; s++) {
        if (!kernels_all[s]->runs_here()) {
            continue;
        }
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            for (enum kind kind = 0; kind < KINDS; kind++) {
                fill(kind, lengths[i]);
                check_with(kernels_all[s], lengths[i]);
            }
        }
    }
}

static void single(const struct kernels *k, size_t n)
{
    const size_t step = n <= 100 ? 1 : n / 37;
    for (size_t r = 0; r < n; r += step) {
        ranks[0] = r;
        check(k, n, 1, SELECT_PATIENCE);
    }
    ranks[0] = n - 1;
    check(k, n, 1, SELECT_PATIENCE);
}

static void several(const struct kernels *k, size_t n)
{
    size_t n_ranks = 0;
    for (size_t i = 0; i < 10; i++) {
        const size_t r = i * (n - 1) / 9;
        if (n_ranks == 0 || ranks[n_ranks - 1] != r) {
            ranks[n_ranks++] = r;
        }
    }
    check(k, n, n_ranks, SELECT_PATIENCE);
}

static void all(const struct kernels *k, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ranks[i] = i;
    }
    check(k, n, n, SELECT_PATIENCE);
}

static void impatient(const struct kernels *k, size_t n)
{
    for (size_t share = 0; share <= 4; share++) {
        ranks[0] = share * (n - 1) / 4;
        check(k, n, 1, 0);
    }
    all(k, n);
    check(k, n, n, 0);
}

#define TEST(name)                                                                                           \
    static void name##_ranks(void **state)                                                                   \
    {                                                                                                        \
        (void) state;                                                                                        \
        each(name);                                                                                          \
    }
TEST(single)
TEST(several)
TEST(all)
TEST(impatient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ranks),
        cmocka_unit_test(several_ranks),
        cmocka_unit_test(all_ranks),
        cmocka_unit_test(impatient_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
