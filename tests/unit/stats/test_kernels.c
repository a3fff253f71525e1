/* SPDX-License-Identifier: MPL-2.0 */
/* Every set of kernels that runs here against the plain one: lengths 0..70 and around blocks, addresses that
 * are not aligned, NaN and infinities at every place, nothing written beyond the end. */
#include "mock_host.h"

#include <float.h>

#include "kernels.h"

enum { LONGEST = KERNEL_BLOCK, ROOM = LONGEST + 64 };

static double x_room[ROOM], y_room[ROOM], a_room[ROOM], b_room[ROOM];

static const size_t lengths[] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,   10,  11,  12,  13,  14,  15,  16,  17,   18,   19,     20,
    21, 22, 23, 24, 25, 26, 27, 28, 29, 30,  31,  32,  33,  34,  35,  36,  37,  38,   39,   40,     41,
    42, 43, 44, 45, 46, 47, 48, 49, 50, 51,  52,  53,  54,  55,  56,  57,  58,  59,   60,   61,     62,
    63, 64, 65, 66, 67, 68, 69, 70, 99, 127, 128, 129, 255, 257, 511, 767, 768, 1000, 1021, LONGEST};

#define GUARD (-7.25e77)

/* Calls check for each set but the plain one, each length, and each of eight places in a cache line. */
static void each(void (*check)(const struct kernels *k, double *x, double *y, size_t n))
{
    int sets = 0;
    for (size_t s = 1; kernels_all[s]; s++) {
        if (!kernels_all[s]->runs_here()) {
            continue;
        }
        sets++;
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            const size_t offset = i % 8;
            mock_noise(x_room, ROOM, i + 1);
            mock_noise(y_room, ROOM, i + 1000);
            for (size_t j = 0; j < ROOM; j++) {
                x_room[j] = 2.385 + 3.75 * x_room[j];
                y_room[j] += 0.5 * x_room[j];
                a_room[j] = b_room[j] = GUARD;
            }
            check(kernels_all[s], x_room + offset, y_room + offset, lengths[i]);
        }
    }
    assert_true(sets >= 1);
}

static void guarded(const double *room, const double *out, size_t n)
{
    for (size_t i = 0; i < ROOM; i++) {
        if (room + i < out || room + i >= out + n) {
            assert_true(room[i] == GUARD);
        }
    }
}

static double magnitude(const double *x, size_t n, int power)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += pow(fabs(x[i]), power);
    }
    return sum;
}

static void near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 8 * DBL_EPSILON * scale)) {
        fail_msg("%.17g, expected %.17g within %g", got, want, 8 * DBL_EPSILON * scale);
    }
}

static void check_sum(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    near(k->sum(x, n), kernels_plain.sum(x, n), magnitude(x, n, 1));
    for (size_t i = 0; i < n && n <= 70; i++) {
        const double v = x[i];
        x[i] = (double) NAN;
        assert_true(isnan(k->sum(x, n)));
        x[i] = HUGE_VAL;
        assert_true(k->sum(x, n) == HUGE_VAL);
        x[i] = v;
    }
}

static void check_find_nan(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    x[n] = (double) NAN; /* one behind the end does not count */
    assert_int_equal(k->find_nan(x, n), n);
    for (size_t i = 0; i < n; i += n <= 200 ? 1 : 61) {
        const double v = x[i];
        x[i] = (double) NAN;
        assert_int_equal(k->find_nan(x, n), i);
        x[n - 1] = (double) NAN; /* the first one counts */
        assert_int_equal(k->find_nan(x, n), i);
        x[n - 1] = 0;
        x[i] = v;
    }
}

static void check_moments(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    if (n == 0) {
        return;
    }
    x[n] = 1e300;
    struct moments want, four, two;
    kernels_plain.moments4(x, n, &want);
    k->moments4(x, n, &four);
    k->moments2(x, n, &two);
    assert_true(four.n == (double) n && two.n == (double) n);
    assert_true(four.min == want.min && four.max == want.max);
    near(four.sum, want.sum, magnitude(x, n, 1));
    near(two.sum, want.sum, magnitude(x, n, 1));
    near(four.mean.hi, want.mean.hi, fabs(want.mean.hi) + sqrt(want.m2));
    near(two.mean.hi, want.mean.hi, fabs(want.mean.hi) + sqrt(want.m2));
    near(four.m2, want.m2, 4 * want.m2);
    near(two.m2, want.m2, 4 * want.m2);
    near(four.m3, want.m3, 16 * magnitude(x, n, 3));
    near(four.m4, want.m4, 16 * want.m4);
    for (size_t i = 0; i < n && n <= 70; i++) {
        const double v = x[i];
        x[i] = (double) NAN;
        k->moments4(x, n, &four);
        k->moments2(x, n, &two);
        assert_true(isnan(four.sum) && isnan(four.m2) && isnan(four.m3) && isnan(four.m4));
        assert_true(isnan(two.sum) && isnan(two.m2));
        x[i] = v;
    }
}

/* The second pass must make up for the rounding of the mean: deviations of 1e-3 on top of 1e9. */
static void check_far_from_zero(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    if (n == 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = 1e9 + (double) (i % 5) / 1024;
    }
    long double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (long double) (i % 5) / 1024;
    }
    for (size_t i = 0; i < n; i++) {
        long double d = (long double) (i % 5) / 1024 - sum / (long double) n;
        squares += d * d;
    }
    struct moments two, four;
    struct comoments pair;
    k->moments2(x, n, &two);
    k->moments4(x, n, &four);
    k->comoments(x, x, n, &pair);
    mock_close_to(two.m2, (double) squares, 1e-13);
    mock_close_to(four.m2, (double) squares, 1e-13);
    mock_close_to(pair.sxy, (double) squares, 1e-13);
}

static void check_comoments(const struct kernels *k, double *x, double *y, size_t n)
{
    if (n == 0) {
        return;
    }
    x[n] = y[n] = (double) NAN;
    struct comoments want, got;
    kernels_plain.comoments(x, y, n, &want);
    k->comoments(x, y, n, &got);
    assert_true(got.n == (double) n);
    near(got.mean_x.hi, want.mean_x.hi, fabs(want.mean_x.hi) + sqrt(want.sxx));
    near(got.mean_y.hi, want.mean_y.hi, fabs(want.mean_y.hi) + sqrt(want.syy));
    near(got.sxx, want.sxx, 4 * want.sxx);
    near(got.syy, want.syy, 4 * want.syy);
    near(got.sxy, want.sxy, 4 * sqrt(want.sxx * want.syy));
    for (size_t i = 0; i < n && n <= 70; i++) {
        const double v = y[i];
        y[i] = (double) NAN;
        k->comoments(x, y, n, &got);
        assert_true(isnan(got.sxy) && isnan(got.syy) && !isnan(got.sxx));
        y[i] = v;
    }
}

static void check_center(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    double *a = a_room + 3, *b = b_room + 3;
    double got = k->center(x, n, 2.5, a), want = kernels_plain.center(x, n, 2.5, b);
    assert_memory_equal(a, b, n * sizeof *a);
    near(got, want, magnitude(a, n, 1));
    guarded(a_room, a, n);
}

static void check_standardise(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    static const double stds[] = {3.75, 3, 0x1p-40, 7e200, 1e-200, 1e-160};
    if (n > 4) {
        x[2] = (double) NAN;
        x[3] = 2.5;
    }
    for (size_t s = 0; s < sizeof stds / sizeof *stds; s++) {
        double *a = a_room + 5, *b = b_room + 5;
        k->standardise(x, n, 2.5, stds[s], a);
        kernels_plain.standardise(x, n, 2.5, stds[s], b);
        for (size_t i = 0; i < n; i++) { /* correctly rounded, however it is done */
            assert_true(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])));
        }
        guarded(a_room, a, n);
    }
    double *own = a_room + 5;
    memcpy(own, x, n * sizeof *own);
    k->standardise(own, n, 2.5, 3.75, own); /* in place */
    kernels_plain.standardise(x, n, 2.5, 3.75, b_room + 5);
    for (size_t i = 0; i < n; i++) {
        assert_true(own[i] == b_room[5 + i] || isnan(own[i]));
    }
}

/* Units in the last place between v and the exact value, which long double gives closely enough. */
static double ulps(double v, long double exact)
{
    int exponent;
    (void) frexp((double) exact, &exponent);
    double ulp = ldexp(1, exponent - 53);
    ulp = ulp < 0x1p-1074 ? 0x1p-1074 : ulp;
    return (double) (fabsl((long double) v - exact) / (long double) ulp);
}

static long double exact_pdf(double x, double mu, double sigma)
{
    long double s = (long double) sigma, z = ((long double) x - (long double) mu) / s;
    return expl(-z * z / 2) / s * 0.398942280401432677939946059934382L;
}

static void check_normal_pdf(const struct kernels *k, double *x, double *y, size_t n)
{
    static const double sigmas[] = {1, 1.7, 1e-3, 1e100, 3e-120};
    for (size_t s = 0; s < sizeof sigmas / sizeof *sigmas; s++) {
        const double mu = s % 2 ? 2.385 : 0, sigma = sigmas[s];
        for (size_t i = 0; i < n; i++) {
            y[i] = mu + sigma * (x[i] * 1.7); /* mostly within 20 sigma */
        }
        if (n > 5) {
            y[1] = (double) NAN;
            y[2] = -HUGE_VAL;
            y[3] = HUGE_VAL;
            y[4] = mu;
            y[5] = mu + 37.4 * sigma;
        }
        double *a = a_room + 1;
        k->normal_pdf(y, n, mu, sigma, a);
        for (size_t i = 0; i < n; i++) {
            if (isnan(y[i])) {
                assert_true(isnan(a[i]));
            } else if (isinf(y[i])) {
                assert_true(a[i] == 0);
            } else if (ulps(a[i], exact_pdf(y[i], mu, sigma)) > 2) {
                fail_msg("%s: pdf(%a; %a, %a) is %a, off by %.3f ulp", k->name, y[i], mu, sigma, a[i],
                         ulps(a[i], exact_pdf(y[i], mu, sigma)));
            }
        }
        guarded(a_room, a, n);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void same_values(const double *got, const double *from, size_t n)
{
    static double a[ROOM], b[ROOM];
    memcpy(a, got, n * sizeof *a);
    memcpy(b, from, n * sizeof *b);
    qsort(a, n, sizeof *a, ascending);
    qsort(b, n, sizeof *b, ascending);
    assert_memory_equal(a, b, n * sizeof *a);
}

static void check_split(const struct kernels *k, double *x, double *y, size_t n)
{
    (void) y;
    for (size_t i = 0; i < n; i += 3) {
        x[i] = 2.5; /* ties */
    }
    const double pivots[] = {2.5, -HUGE_VAL, HUGE_VAL, 0, n ? x[n / 2] : 1};
    for (size_t p = 0; p < 5; p++) {
        double *a = a_room + 7;
        size_t less = k->split(x, n, pivots[p], a);
        assert_int_equal(less, kernels_plain.split(x, n, pivots[p], b_room + 7));
        for (size_t i = 0; i < n; i++) {
            assert_true(i < less ? a[i] < pivots[p] : a[i] >= pivots[p]);
        }
        same_values(a, x, n);
        guarded(a_room, a, n);
    }
}

static void check_order(const struct kernels *k, double *x, double *y, size_t n)
{
    if (n > KERNEL_ORDER) {
        return;
    }
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < n; i++) { /* as it comes, few values, all equal, infinities */
            y[i] = kind == 0   ? x[i]
                   : kind == 1 ? floor(x[i])
                   : kind == 2 ? 2.385
                   : i % 3     ? HUGE_VAL
                               : -HUGE_VAL;
        }
        double *a = a_room + 2, *b = b_room + 2;
        k->order(y, n, a);
        kernels_plain.order(y, n, b);
        assert_memory_equal(a, b, n * sizeof *a);
        guarded(a_room, a, n);
        k->order(y, n, y);
        assert_memory_equal(y, b, n * sizeof *y);
    }
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void) state;                                                                                        \
        each(check_##name);                                                                                  \
    }
TEST(sum)
TEST(find_nan)
TEST(moments)
TEST(far_from_zero)
TEST(comoments)
TEST(center)
TEST(standardise)
TEST(normal_pdf)
TEST(split)
TEST(order)

static void the_plain_set_is_right(void **state)
{
    (void) state;
    const double x[] = {1e16, 1, -1e16, 2.5};
    assert_true(kernels_plain.sum(x, 4) == 3.5);
    struct moments m;
    kernels_plain.moments4((const double[]){1, 2, 3, 4, 10}, 5, &m);
    assert_true(m.mean.hi == 4 && m.mean.lo == 0 && m.m2 == 50 && m.m3 == 180 && m.m4 == 1394 && m.min == 1 &&
                m.max == 10);
    struct comoments c;
    kernels_plain.comoments((const double[]){1, 2, 3, 4}, (const double[]){1, 3, 2, 5}, 4, &c);
    assert_true(c.sxx == 5 && c.syy == 8.75 && c.sxy == 5.5);
    double out[3];
    kernels_plain.normal_pdf((const double[]){0, 1.5, 38.5}, 3, 0, 1, out);
    assert_true(ulps(out[0], 0.3989422804014326779L) <= 1);
    assert_true(ulps(out[1], 0.1295175956658917276L) <= 2);
    assert_true(out[2] > 0 && out[2] < 1e-320);
    kernels_plain.normal_pdf((const double[]){0, 70e-310}, 2, 0, 1e-310,
                             out); /* a sigma below the normal range */
    assert_true(isinf(out[0]) && out[1] == 0);
    assert_int_equal(kernels_plain.split((const double[]){3, 1, 2, 2}, 4, 2, (double[4]){0}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plain_set_is_right),
        cmocka_unit_test(sum),
        cmocka_unit_test(find_nan),
        cmocka_unit_test(moments),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(comoments),
        cmocka_unit_test(center),
        cmocka_unit_test(standardise),
        cmocka_unit_test(normal_pdf),
        cmocka_unit_test(split),
        cmocka_unit_test(order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
