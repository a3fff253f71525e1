/* SPDX-License-Identifier: MPL-2.0 */
/* Products of float matrices and of bytes, in every set of kernels and in every shape of block, against plain sums in double
 * and in whole numbers. Arrays are exactly as large as said, so that reading or writing beyond them shows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sets.h"

struct product {
    size_t m, k, n;
    bool turned, placed, bias, row_bias, add;
    enum act_kind act;
};

static double expected(const struct product *p, const float *x, const float *b, const float *bias,
                       const float *rows, const float *before, size_t i, size_t j, double *ret_size)
{
    double sum = 0, size = 1;
    for (size_t l = 0; l < p->k; l++) {
        const double term =
            (double) x[i * p->k + l] * (double) (p->turned ? b[j * p->k + l] : b[l * p->n + j]);
        sum += term;
        size += fabs(term);
    }
    sum += (p->bias ? (double) bias[j] : 0) + (p->row_bias ? (double) rows[i] : 0);
    sum += p->add ? (double) before[i * p->n + j] : 0;
    *ret_size = size;
    switch (p->act) {
    case ACT_RELU:
        return sum > 0 ? sum : 0;
    case ACT_CLIP:
        return fmin(0.5, fmax(-0.25, sum));
    case ACT_TANH:
        return tanh(sum);
    default:
        return sum;
    }
}

static void check_product(const struct product *p)
{
    float *x = floats(p->m * p->k), *b = floats(p->k * p->n), *bias = floats(p->n), *rows = floats(p->m);
    float *y = floats(p->m * p->n), *before = malloc(p->m * p->n * sizeof *before + 1);
    memcpy(before, y, p->m * p->n * sizeof *y);
    struct gemm g;
    char *memory =
        aligned_alloc(64, (p->placed ? gemm_place_bytes(p->k, p->n) : gemm_bytes(p->k, p->n)) / 64 * 64 + 64);
    if (p->placed) {
        gemm_place(&g, p->k, p->n, b, memory);
    } else {
        gemm_pack(&g, p->k, p->n, b, p->turned ? 1 : p->n, p->turned ? p->k : 1, 1, memory);
    }
    g.bias = p->bias ? bias : NULL;
    g.row_bias = p->row_bias ? rows : NULL;
    g.add = p->add;
    g.act = p->act;
    g.act_a = -0.25F;
    g.act_b = 0.5F;
    gemm_run(&g, p->m, x, p->k, y, p->n);
    for (size_t i = 0; i < p->m; i++) {
        for (size_t j = 0; j < p->n; j++) {
            double size;
            const double want = expected(p, x, b, bias, rows, before, i, j, &size);
            if (!(fabs((double) y[i * p->n + j] - want) <= 4e-7 * size)) {
                fail_msg("%s %zux%zux%zu at %zu,%zu: %g, expected %g", kernels()->name, p->m, p->k, p->n, i,
                         j, (double) y[i * p->n + j], want);
            }
        }
    }
    free(x);
    free(b);
    free(bias);
    free(rows);
    free(y);
    free(before);
    free(memory);
}

static void check_shapes(void)
{
    static const size_t columns[] = {1, 2, 3, 7, 16, 17, 31, 32, 33, 48, 63, 64, 100};
    static const size_t depths[] = {0, 1, 3, 8, 33};
    static const enum act_kind acts[] = {ACT_NONE, ACT_RELU, ACT_CLIP, ACT_TANH};
    for (size_t m = 1; m < 27; m++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            const uint32_t flags = noise();
            const struct product p = {.m = m,
                                      .k = depths[noise() % 5],
                                      .n = columns[c],
                                      .turned = (flags & 3) == 0,
                                      .placed = (flags & 3) == 1,
                                      .bias = flags & 4,
                                      .row_bias = (flags & 24) == 24,
                                      .add = (flags & 96) == 96,
                                      .act = acts[flags >> 8 & 3]};
            check_product(&p);
        }
    }
}

static void products(void **state)
{
    (void) state;
    each_set(check_shapes);
}

/* A matrix with more elements than can be is refused by its size, not by what happens then. */
static void sizes(void **state)
{
    (void) state;
    assert_true(gemm_bytes(3, 5) >= 15 * sizeof(float));
    assert_int_equal(gemm_bytes(SIZE_MAX / 8, 64), 0);
    assert_int_equal(gemm_place_bytes(SIZE_MAX / 8, 64), 0);
    assert_int_equal(int8_bytes(SIZE_MAX / 8, 64), 0);
}

static void check_bytes_of(size_t m, size_t k, size_t n, bool x_signed, bool w_signed, int zeros)
{
    uint8_t *x = malloc(m * k + 1), *w = malloc(k * n + 1);
    int32_t *y = malloc(m * n * sizeof *y + 1), *x_zero = calloc(m, sizeof *x_zero),
            *w_zero = calloc(n, sizeof *w_zero);
    for (size_t i = 0; i < m * k; i++) {
        x[i] =
            noise() % 4 ? (uint8_t) noise() : (x_signed ? 128 : 255); /* the largest in magnitude as well */
    }
    for (size_t i = 0; i < k * n; i++) {
        w[i] = noise() % 4 ? (uint8_t) noise() : (w_signed ? 128 : 255);
    }
    for (size_t i = 0; zeros && i < m; i++) {
        x_zero[i] = x_signed ? (int8_t) noise() : (uint8_t) noise();
    }
    for (size_t j = 0; zeros > 1 && j < n; j++) {
        w_zero[j] = w_signed ? (int8_t) noise() : (uint8_t) noise();
    }
    struct int8 g;
    char *memory = aligned_alloc(64, int8_bytes(k, n) / 64 * 64 + 64),
         *scratch = aligned_alloc(64, int8_scratch(k) / 64 * 64 + 64);
    int8_pack(&g, k, n, (struct bytes){w, w_signed, w_zero, 1}, n, 1, memory);
    int8_run(&g, m, (struct bytes){x, x_signed, x_zero, 1}, k, &(struct int8_out){.y = y, .ld = n}, scratch);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            int64_t want = 0;
            for (size_t l = 0; l < k; l++) {
                const int a = x_signed ? (int8_t) x[i * k + l] : x[i * k + l],
                          b = w_signed ? (int8_t) w[l * n + j] : w[l * n + j];
                want += (int64_t) (a - x_zero[i]) * (b - w_zero[j]);
            }
            if (y[i * n + j] != want) {
                fail_msg("%s %zux%zux%zu at %zu,%zu: %d, expected %lld", kernels()->name, m, k, n, i, j,
                         y[i * n + j], (long long) want);
            }
        }
    }
    free(x);
    free(w);
    free(y);
    free(x_zero);
    free(w_zero);
    free(memory);
    free(scratch);
}

static void check_bytes(void)
{
    static const size_t columns[] = {1, 5, 16, 31, 32, 33, 70};
    for (size_t m = 1; m < 62; m++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            const uint32_t flags = noise();
            check_bytes_of(m, flags & 16 ? 64 : 1 + flags / 64 % 41, columns[c], flags & 1, flags & 2,
                           (int) (flags >> 2 & 3) % 3);
        }
    }
    check_bytes_of(50, 2051, 33, true, false, 2); /* rows too long for the nearest cache */
    check_bytes_of(14, 2048, 33, false, true, 1);
}

static void bytes(void **state)
{
    (void) state;
    each_set(check_bytes);
}

/* A product whose sums go to floats and to bytes at once: the same as its sums, and each element by itself. */
static void check_end_of(size_t m, size_t n, const struct int8_type *type)
{
    enum { K = 24 };
    uint8_t x[K * 60], *to = malloc(m * n + 1);
    int8_t w[K * 70];
    int32_t *sums = malloc(m * n * sizeof *sums), zero = (int32_t) (noise() % 256);
    float scale[70], bias[70], *y = malloc(m * n * sizeof *y);
    struct int8 g;
    char *memory = aligned_alloc(64, int8_bytes(K, n) / 64 * 64 + 64),
         *scratch = aligned_alloc(64, int8_scratch(K) / 64 * 64 + 64);
    for (size_t i = 0; i < m * K; i++) {
        x[i] = (uint8_t) noise();
    }
    for (size_t i = 0; i < n * K; i++) {
        w[i] = (int8_t) noise();
    }
    for (size_t j = 0; j < n; j++) {
        scale[j] = 0.00004F * (float) (1 + noise() % 50);
        bias[j] = (float) (noise() % 100) / 10 - 5;
    }
    const bool each = noise() & 1;
    const struct int8_end end = {
        .scale = scale, .bias = bias, .scale_step = each, .times = 0.5F, .low = -31, .high = 40};
    const struct bytes left = {x, false, &zero, 0};
    int8_pack(&g, K, n, (struct bytes){w, true, NULL, 0}, n, 1, memory);
    int8_run(&g, m, left, K, &(struct int8_out){.y = sums, .ld = n}, scratch);
    int8_run(&g, m, left, K, &(struct int8_out){.y = y, .ld = n, .end = &end}, scratch);
    to[m * n] = 77;
    int8_run(&g, m, left, K, &(struct int8_out){.y = to, .ld = n, .end = &end, .type = type}, scratch);
    for (size_t i = 0; i < m * n; i++) {
        const double by = (double) scale[each ? i % n : 0] * 0.5;
        const double want = fmin(40, fmax(-31, (double) sums[i] * by + (double) bias[i % n]));
        assert_true(fabs((double) y[i] - want) < 1e-6 * (fabs(want) + 10));
        const double whole =
            fmin((double) type->high,
                 fmax((double) type->low, rint((double) (y[i] / type->scale)) + (double) type->zero));
        assert_int_equal(type->low < 0 ? (int8_t) to[i] : to[i], (int) whole);
    }
    assert_int_equal(to[m * n], 77);
    int8_to_floats(sums, n, &end, (float *) (void *) sums);
    assert_memory_equal(sums, y, n * sizeof *y);
    free(to);
    free(sums);
    free(y);
    free(memory);
    free(scratch);
}

static void check_ends(void)
{
    for (size_t i = 0; i < 200; i++) {
        struct int8_type type = {.scale = 0.01F + (float) (noise() % 100) / 300, .zero = 12, .high = 255};
        if (i & 1) {
            type.zero = -3;
            type.low = -128;
            type.high = 127;
        }
        if (i & 2) {
            int8_type_fast(&type);
        }
        check_end_of(1 + noise() % 60, 1 + noise() % 70, &type);
    }
}

/* Multiplied or divided, the bytes are the same: at the steps, elsewhere, and for what is no number. */
static void check_fast_type(void)
{
    enum { N = 4096 };
    static float x[N];
    static uint8_t fast[N], slow[N];
    size_t products = 0;
    for (int round = 0; round < 60; round++) {
        const bool is_signed = round & 1;
        const struct int8_type by_division = {.scale = (float) exp((double) (noise() % 2000) / 100 - 12),
                                              .zero = is_signed ? (float) (noise() % 256) - 128
                                                                : (float) (noise() % 256),
                                              .low = is_signed ? -128 : 0,
                                              .high = is_signed ? 127 : 255};
        struct int8_type type = by_division;
        int8_type_fast(&type);
        products += type.product;
        for (size_t i = 0; i < N; i++) {
            const float q =
                (float) ((int) (noise() % 600) - 300) + (i & 1 ? 0.5F : (float) (noise() % 100) / 100);
            x[i] = q * type.scale;
            for (uint32_t up = noise() % 3; i & 2 && up > 0; up--) {
                x[i] = nextafterf(x[i], i & 4 ? INFINITY : -INFINITY);
            }
        }
        const float odd[] = {(float) NAN, INFINITY, -INFINITY, 3.4e38F, -3.4e38F, 1e-45F, -0.0F};
        memcpy(x, odd, sizeof odd);
        int8_quantize(x, N, &type, fast);
        int8_quantize(x, N, &by_division, slow);
        assert_memory_equal(fast, slow, N);
        assert_int_equal((int8_t) fast[0], (int8_t) type.low);
        assert_int_equal((int8_t) fast[1], (int8_t) type.high);
    }
    if (strcmp(kernels()->name, "plain") != 0) { /* with fused multiply-add it works for nearly all scales */
        assert_true(products > 50);
    }
    const float refused[] = {0, -0.1F, (float) NAN, INFINITY, 1e-38F};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct int8_type type = {.scale = refused[i], .high = 255};
        int8_type_fast(&type);
        assert_false(type.product);
    }
}

static void check_quantizing(void)
{
    /* ties to even, what is far outside, and what is no number */
    const float x[] = {0.5F, 1.5F, 2.5F, -0.5F, 1e30F, -1e30F, (float) NAN, INFINITY, -INFINITY, 126.5F, 300};
    const int wanted[] = {0, 2, 2, 0, 127, -128, -128, 127, -128, 126, 127};
    int8_t y[11];
    int8_quantize(x, 11, &(struct int8_type){.scale = 1, .low = -128, .high = 127}, y);
    for (int i = 0; i < 11; i++) {
        assert_int_equal(y[i], wanted[i]);
    }
    uint8_t bytes[40];
    float row[40], scale;
    int32_t zero;
    for (size_t n = 1; n < 40; n++) {
        for (size_t i = 0; i < n; i++) {
            row[i] = (float) (noise() % 1000) / 100 - 2;
        }
        int8_dynamic(row, n, bytes, &scale, &zero);
        assert_in_range(zero, 0, 255);
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs((double) (scale * (float) (bytes[i] - zero) - row[i])) <= 0.51 * (double) scale);
        }
    }
    memset(row, 0, sizeof row);
    int8_dynamic(row, 40, bytes, &scale, &zero);
    assert_true(scale == 1 && zero == 0 && bytes[39] == 0);
}

static void ends(void **state)
{
    (void) state;
    each_set(check_ends);
    each_set(check_quantizing);
    each_set(check_fast_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(sizes),
        cmocka_unit_test(bytes),
        cmocka_unit_test(ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
