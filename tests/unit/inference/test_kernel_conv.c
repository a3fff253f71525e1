/* SPDX-License-Identifier: MPL-2.0 */
/* What convolutions are made of - products whose elements lie anywhere, sums by channel, matrices turned - in every set of kernels, against
 * plain sums in double. Arrays are exactly as large as said, so that reading or writing beyond them shows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sets.h"

static size_t *places(size_t n, size_t below, size_t step)
{
    size_t *at = malloc(n * sizeof *at + 1);
    for (size_t i = 0; i < n; i++) {
        at[i] = noise() % below * step;
    }
    return at;
}

static void near(double found, double want, double size, const char *what)
{
    if (!(fabs(found - want) <= 4e-7 * (size + 1))) {
        fail_msg("%s %s: %g, expected %g", kernels()->name, what, found, want);
    }
}

/* ---- elements of x anywhere ---- */

static void check_gathered_of(size_t m, size_t k, size_t n, bool relu)
{
    enum { SPREAD = 40 };
    float *x = floats(2 * SPREAD - 1), *b = floats(k * n), *bias = floats(n), *y = floats(m * n);
    size_t *rows = places(m, SPREAD, 1), *taps = places(k, SPREAD, 1);
    char *memory = aligned_alloc(64, gemm_bytes(k, n) / 64 * 64 + 64);
    struct gemm g;
    gemm_pack(&g, k, n, b, 1, k, 1, memory);
    g.bias = bias;
    g.x_rows = rows;
    g.x_places = taps;
    g.act = relu ? ACT_RELU : ACT_NONE;
    gemm_run(&g, m, x, 0, y, n);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double want = (double) bias[j], size = 1;
            for (size_t l = 0; l < k; l++) {
                const double term = (double) x[rows[i] + taps[l]] * (double) b[j * k + l];
                want += term;
                size += fabs(term);
            }
            near((double) y[i * n + j], relu && want < 0 ? 0 : want, size, "gathered");
        }
    }
    free(x);
    free(b);
    free(bias);
    free(y);
    free(rows);
    free(taps);
    free(memory);
}

static void check_gathered(void)
{
    static const size_t columns[] = {3, 7, 16, 17, 32, 33, 48, 64, 100};
    for (size_t m = 1; m < 50; m++) {
        check_gathered_of(m, noise() % 40, columns[m % 9], m % 2);
    }
}

static void gathered(void **state)
{
    (void) state;
    each_set(check_gathered);
}

/* ---- rows of b anywhere ---- */

static void check_placed_of(size_t m, size_t k, size_t n)
{
    enum { SPREAD = 300 };
    float *x = floats(m * k), *b = floats(SPREAD + n + 63), *bias = floats(m), *y = floats(m * n);
    size_t *rows = places(k, SPREAD, 1);
    const struct gemm g = {.k = k, .n = n, .places = rows, .b = b, .row_bias = bias};
    gemm_run(&g, m, x, k, y, n);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double want = (double) bias[i], size = 1;
            for (size_t l = 0; l < k; l++) {
                const double term = (double) x[i * k + l] * (double) b[rows[l] + j];
                want += term;
                size += fabs(term);
            }
            near((double) y[i * n + j], want, size, "placed");
        }
    }
    free(x);
    free(b);
    free(bias);
    free(y);
    free(rows);
}

static void check_placed(void)
{
    for (size_t n = 1; n < 300; n += 1 + n / 9) {
        check_placed_of(1, 1 + noise() % 20, n);
        check_placed_of(2 + noise() % 14, 1 + noise() % 20, n);
    }
}

static void placed(void **state)
{
    (void) state;
    each_set(check_placed);
}

/* ---- weights of each channel ---- */

static void check_depth(void)
{
    const size_t lanes = kernels()->lanes;
    for (size_t n = 1; n < 30; n++) {
        const size_t channels = lanes * (1 + noise() % 4), k = 1 + noise() % 12, spread = 9;
        float *x = floats((2 * spread - 1) * channels), *weights = floats(k * channels),
              *bias = floats(channels), *y = floats(n * channels);
        size_t *rows = places(n, spread, channels), *taps = places(k, spread, channels);
        const struct depth d = {channels, k, x, weights, bias, rows, taps};
        kernels()->depth(&d, n, y);
        for (size_t i = 0; i < n; i++) {
            for (size_t c = 0; c < channels; c++) {
                double want = (double) bias[c], size = 1;
                for (size_t l = 0; l < k; l++) {
                    const double term =
                        (double) x[rows[i] + taps[l] + c] * (double) weights[l * channels + c];
                    want += term;
                    size += fabs(term);
                }
                near((double) y[i * channels + c], want, size, "depth");
            }
        }
        free(x);
        free(weights);
        free(bias);
        free(y);
        free(rows);
        free(taps);
    }
}

static void depth(void **state)
{
    (void) state;
    each_set(check_depth);
}

/* ---- turned ---- */

static void check_turn(void)
{
    for (size_t rows = 0; rows < 40; rows++) {
        for (size_t columns = 0; columns < 40; columns++) {
            const size_t ldx = columns + noise() % 3, ldy = rows + noise() % 3;
            float *x = floats(rows * ldx), *y = floats(columns * ldy), *before = floats(columns * ldy);
            memcpy(before, y, columns * ldy * sizeof *before);
            kernels()->turn(rows, columns, x, ldx, y, ldy);
            for (size_t i = 0; i < columns; i++) {
                for (size_t j = 0; j < ldy; j++) {
                    const float want = j < rows ? x[j * ldx + i] : before[i * ldy + j];
                    assert_memory_equal(&y[i * ldy + j], &want, sizeof want);
                }
            }
            free(x);
            free(y);
            free(before);
        }
    }
}

static void turn(void **state)
{
    (void) state;
    each_set(check_turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathered),
        cmocka_unit_test(placed),
        cmocka_unit_test(depth),
        cmocka_unit_test(turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
