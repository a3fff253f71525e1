/* SPDX-License-Identifier: MPL-2.0 */
#include "series_data.h"

#include "bands.h"
#include "moving.h"

enum { LONG = 2100 };

/* Piece by piece gives what the moments of the whole series give, to the last bit, about either middle. */
static void bands_of_moments(void **state)
{
    (void) state;
    static const size_t periods[] = {1, 2, 5, 12, 13, 20, 100, 511, 513, 700, 2000};
    static const size_t lengths[] = {1, 5, 13, 70, 511, 512, 513, 531, 532, 1025, 2100};
    double *x = data_room(LONG), *scratch = data_room(moving_moments_scratch(LONG)), *mean = data_room(LONG),
           *variance = data_room(LONG);
    size_t compared = 0;
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
        for (size_t p = 0; p < sizeof(periods) / sizeof(periods[0]); p++) {
            size_t n = lengths[l], period = periods[p];
            if (period > n) {
                continue;
            }
            data_fill(x, n, DATA_SPIKE, n);
            moving_moments(x, n, period, scratch, mean, variance);
            for (int own = 0; own <= 1; own++) {
                double *upper = data_room(n), *middle = data_room(n), *lower = data_room(n);
                for (size_t i = 0; i < n && !own; i++) {
                    middle[i] = 2.385 * (double) i;
                }
                bands(x, n, period, 1.5, 2.25, own, scratch, upper, middle, lower);
                for (size_t i = period - 1; i < n; i++) {
                    double want = own ? mean[i] : 2.385 * (double) i, deviation = sqrt(variance[i]);
                    assert_true(middle[i] == want);
                    assert_true(upper[i] == want + 1.5 * deviation);
                    assert_true(lower[i] == want - 2.25 * deviation);
                    compared++;
                }
                test_free(upper), test_free(middle), test_free(lower);
            }
        }
    }
    assert_true(compared > 50000);
    test_free(x), test_free(scratch), test_free(mean), test_free(variance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_of_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
