/* SPDX-License-Identifier: MPL-2.0 */
/* A long convolution ends soon after its job was cancelled, in whichever way it is computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/kernels.h"
#include "op/conv.h"

enum { CHANNELS = 16, TAPS = 3 };

static int asked;

static int after_two(void *arg)
{
    (void) arg;
    return ++asked > 2;
}

/* One sample, one axis of n; `channels_in` is of one group. */
static void check(conv_way *way, int64_t n, size_t channels_in, size_t size)
{
    struct conv p = {.w = {.axes = 1,
                           .in = {1, 1, n},
                           .kernel = {1, 1, TAPS},
                           .stride = {1, 1, 1},
                           .dilation = {1, 1, 1},
                           .begin = {0, 0, 1},
                           .end = {0, 0, 1},
                           .out = {1, 1, n},
                           .in_size = n,
                           .kernel_size = TAPS,
                           .out_size = n},
                     .groups = 1,
                     .channels_in = CHANNELS,
                     .channels_out = CHANNELS,
                     .k = channels_in * TAPS,
                     .rows = 1,
                     .pitch = CHANNELS};
    void *x = calloc(CHANNELS * (size_t) n, size), *y = calloc(CHANNELS * (size_t) n, size),
         *weights = calloc(CHANNELS * p.k, size);
    struct gemm g;
    void *packed = aligned_alloc(64, (gemm_bytes(p.k, CHANNELS) + 63) / 64 * 64);
    gemm_pack(&g, p.k, CHANNELS, weights, 1, p.k, 1, packed);
    p.packed = &g;
    p.turned = weights;
    p.places = calloc(p.k, sizeof *p.places);
    assert_true(image_plan(&p.image, &p.w, CHANNELS, NULL));
    image_places(&p.image, &p.w, p.k, p.places);
    p.behind = CHANNELS * p.image.channel + 4 * kernels()->lanes;
    struct run r = {.scratch = calloc(p.behind + (CONV_BLOCK + 1) * CHANNELS, sizeof(float)),
                    .cancelled = after_two};
    asked = 0;
    assert_int_equal(way(&p, &r, 0, x, weights, NULL, y), KILN_CANCELLED);
    assert_int_equal(asked, 3);
    r.cancelled = NULL;
    assert_int_equal(way(&p, &r, 0, x, weights, NULL, y), KILN_OK);
    free(r.scratch);
    free(p.places);
    free(packed);
    free(weights);
    free(x);
    free(y);
}

static void every_way(void **state)
{
    (void) state;
    check(conv_channels, 1 << 15, CHANNELS, sizeof(float));
    check(conv_positions, 1 << 15, CHANNELS, sizeof(float));
    check(conv_depth, 1 << 17, 1, sizeof(float));
    check(conv_plain_floats, 1 << 12, CHANNELS, sizeof(float));
    check(conv_plain_doubles, 1 << 12, CHANNELS, sizeof(double));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
