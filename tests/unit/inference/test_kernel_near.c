/* SPDX-License-Identifier: MPL-2.0 */
/* Products with and distances from groups of vectors, in every set of kernels, beside sums of doubles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../seeded.h"
#include "kernel/kernels.h"

enum { MOST_GROUPS = 11, MOST_COLUMNS = 70 };

static void check(const struct kernels *k, size_t groups, size_t columns, uint64_t *seed)
{
    static float vectors[MOST_GROUPS * MOST_COLUMNS * NEAR_GROUP], x[MOST_COLUMNS],
        out[MOST_GROUPS * NEAR_GROUP + 1];
    for (size_t i = 0; i < groups * columns * NEAR_GROUP; i++) {
        vectors[i] = (float) (seeded_unit(seed) - 0.5);
    }
    for (size_t c = 0; c < columns; c++) {
        x[c] = (float) (seeded_unit(seed) - 0.5);
    }
    for (int squares = 0; squares < 2; squares++) {
        out[groups * NEAR_GROUP] = 2.385f;
        k->near(groups, squares, columns, vectors, x, out);
        assert_true(out[groups * NEAR_GROUP] == 2.385f);
        for (size_t i = 0; i < groups * NEAR_GROUP; i++) {
            double sum = 0;
            for (size_t c = 0; c < columns; c++) {
                const double v =
                    (double) vectors[(i / NEAR_GROUP * columns + c) * NEAR_GROUP + i % NEAR_GROUP];
                sum += squares ? ((double) x[c] - v) * ((double) x[c] - v) : (double) x[c] * v;
            }
            assert_true(fabs((double) out[i] - sum) <= 1e-6 * (1 + (double) columns / 4));
        }
    }
}

static void every_set(void **state)
{
    (void) state;
    static const size_t columns[] = {0, 1, 2, 3, 17, MOST_COLUMNS};
    uint64_t seed = 3;
    size_t sets = 0;
    for (size_t s = 0; kernels_all[s]; s++) {
        for (size_t g = 0; kernels_all[s]->runs_here() && g <= MOST_GROUPS; g++) {
            for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
                check(kernels_all[s], g, columns[c], &seed);
            }
        }
        sets += kernels_all[s]->runs_here();
    }
    assert_true(sets >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
