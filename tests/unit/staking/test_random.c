/* SPDX-License-Identifier: MPL-2.0 */
/* The vector generator against plain code: xoshiro256++ lane by lane, normals by the mathematical library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "random.h"

struct plain {
    uint64_t s[4];
};

static uint64_t turned(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t plain_next(struct plain *p)
{
    uint64_t *s = p->s, result = turned(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turned(s[3], 45);
    return result;
}

/* The first outputs of xoshiro256++ from the state 1, 2, 3, 4, as its authors' code gives them. */
static void known_outputs(void **state)
{
    (void) state;
    static const uint64_t want[] = {41943041u, 58720359u, 3588806011781223u, 3591011842654386u};
    struct plain p = {{1, 2, 3, 4}};
    static struct random r;
    random_seed(&r, 7, 0);
    for (size_t i = 0; i < 4; i++) {
        for (size_t l = 0; l < RANDOM_LANES; l++) {
            r.state[i][l] = i + 1;
        }
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(plain_next(&p) == want[i]);
        for (size_t l = 0; l < RANDOM_LANES; l++) {
            assert_true(random_uniform(&r) == (double) (want[i] >> 12) * 0x1p-52);
        }
    }
}

static void lanes_are_xoshiro(void **state)
{
    (void) state;
    static struct random r;
    random_seed(&r, 2385, 1);
    struct plain lane[RANDOM_LANES];
    for (size_t l = 0; l < RANDOM_LANES; l++) {
        for (size_t i = 0; i < 4; i++) {
            lane[l].s[i] = r.state[i][l];
        }
    }
    for (size_t i = 0; i < 5 * RANDOM_BLOCK; i++) {
        double want = (double) (plain_next(&lane[i % RANDOM_LANES]) >> 12) * 0x1p-52;
        assert_true(random_uniform(&r) == want);
    }
}

static void normals_are_box_and_mullers(void **state)
{
    (void) state;
    static struct random uniform, normal;
    random_seed(&uniform, 11, 3);
    random_seed(&normal, 11, 3);
    for (int block = 0; block < 400; block++) {
        double u[RANDOM_BLOCK];
        for (size_t i = 0; i < RANDOM_BLOCK; i++) {
            u[i] = random_uniform(&uniform);
        }
        for (size_t i = 0; i < RANDOM_BLOCK; i++) {
            size_t pair = i % (RANDOM_BLOCK / 2);
            double radius = sqrt(-2 * log1p(-u[pair])), angle = 2 * acos(-1.0) * u[pair + RANDOM_BLOCK / 2];
            double want = radius * (i < RANDOM_BLOCK / 2 ? cos(angle) : sin(angle));
            assert_true(fabs(random_normal(&normal) - want) <= 4e-15 * (1 + radius));
        }
    }
}

static void streams_differ(void **state)
{
    (void) state;
    static struct random a, b, c;
    random_seed(&a, 1, 0);
    random_seed(&b, 1, 1);
    random_seed(&c, 2, 0);
    for (size_t l = 0; l < RANDOM_LANES; l++) {
        for (size_t k = 0; k < RANDOM_LANES; k++) {
            assert_true(a.state[0][l] != b.state[0][k] && a.state[0][l] != c.state[0][k]);
            assert_true(k == l || a.state[0][l] != a.state[0][k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_outputs),
        cmocka_unit_test(lanes_are_xoshiro),
        cmocka_unit_test(normals_are_box_and_mullers),
        cmocka_unit_test(streams_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
