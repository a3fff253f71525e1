/* SPDX-License-Identifier: MPL-2.0 */
/* shapiro - Shapiro and Wilk's test of normality. */
#include <math.h>

#include "dist.h"
#include "infer.h"
#include "reduce.h"
#include "sorting.h"

static const char shapiro_help[] =
    "Shapiro and Wilk's test of normality: W = (sum a_i x_(i))^2 / sum (x - mean)^2, with coefficients a and "
    "the p-value by "
    "Royston's approximations (Applied Statistics algorithm AS R94, 1995), as scipy.stats.shapiro, which "
    "computes in single "
    "precision. 3 to 5,000 values; p is less sure beyond that, and more than 100,000 are refused.\n"
    "Null when all values are equal. A NaN makes all results NaN unless nan_policy says otherwise.";

#define MOST 100000

enum { X, NAN_POLICY };

static const struct kiln_row shapiro_params[] = {
    ROW_X("values"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row shapiro_results[] = {
    ROW_RESULT("statistic", "W, 0..1; small where x is not normal"),
    ROW_PVALUE,
};

static const struct kiln_golden shapiro_goldens[] = {
    {.title = "weights of eleven men",
     .args = "{\"x\":[148,154,158,160,161,162,166,170,182,195,236]}",
     .result = "{\"statistic\":0.7888147830963135,\"pvalue\":0.00670381405650301}",
     .rtol = 1e-5},
    {.title = "three values",
     .args = "{\"x\":[1,2,3]}",
     .result = "{\"statistic\":1,\"pvalue\":1}",
     .rtol = 1e-7},
    {.title = "no spread", .args = "{\"x\":[1,1,1]}", .result = "{\"statistic\":null,\"pvalue\":null}"},
    {.title = "two values", .args = "{\"x\":[1,2]}", .status = KILN_INVALID, .result = "expected at least 3"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static double polynomial(const double *c, size_t k, double x)
{
    double value = 0;
    for (size_t i = k; i-- > 0;) {
        value = value * x + c[i];
    }
    return value;
}

#define POLYNOMIAL(c, x) polynomial(c, sizeof(c) / sizeof *(c), x)

/* The coefficients of the greater half; those of the lesser are their negatives. a[0] belongs to the extremes. */
static void coefficients(const struct kernels *k, size_t n, double *a)
{
    static const double first[] = {0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056};
    static const double second[] = {0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633};
    const size_t half = n / 2;
    if (n == 3) {
        a[0] = sqrt(0.5);
        return;
    }
    double squares = 0;
    for (size_t i = 0; i < half; i++) {
        a[i] = ((double) i + 1 - 0.375) / ((double) n + 0.25);
    }
    quick_norm_isf(k, a, half, a); /* expected order statistics of a normal sample, nearly */
    for (size_t i = 0; i < half; i++) {
        squares += 2 * a[i] * a[i];
    }
    const double length = sqrt(squares), u = 1 / sqrt((double) n), m0 = a[0], m1 = a[1];
    const double a0 = POLYNOMIAL(first, u) + m0 / length, a1 = POLYNOMIAL(second, u) + m1 / length;
    const size_t given = n > 5 ? 2 : 1;
    const double rest = given == 2 ? (squares - 2 * m0 * m0 - 2 * m1 * m1) / (1 - 2 * a0 * a0 - 2 * a1 * a1)
                                   : (squares - 2 * m0 * m0) / (1 - 2 * a0 * a0);
    a[0] = a0;
    if (given == 2) {
        a[1] = a1;
    }
    for (size_t i = given; i < half; i++) {
        a[i] /= sqrt(rest);
    }
}

/* 1 - W, summed so that it keeps its digits where W is nearly 1. x ascends; deviations from the mean in d. */
static double shortfall(const double *d, size_t n, const double *a)
{
    double xx = 0, ax = 0, aa = 0;
    for (size_t i = 0; i < n / 2; i++) {
        ax += a[i] * (d[n - 1 - i] - d[i]);
        aa += 2 * a[i] * a[i];
    }
    for (size_t i = 0; i < n; i++) {
        xx += d[i] * d[i];
    }
    const double length = sqrt(aa), ssx = sqrt(xx), product = ssx * length;
    return (product - ax) * (product + ax) / (product * product);
}

static double pvalue(double short_of_one, size_t count)
{
    static const double gamma[] = {-2.273, 0.459};
    static const double small_mean[] = {0.544, -0.39978, 0.025054, -6.714e-4};
    static const double small_log_sd[] = {1.3822, -0.77857, 0.062767, -0.0020322};
    static const double mean[] = {-1.5861, -0.31082, -0.083751, 0.0038915};
    static const double log_sd[] = {-0.4803, -0.082676, 0.0030302};
    const double n = (double) count;
    if (count == 3) {
        const double p = 6 / 3.141592653589793 * (asin(sqrt(1 - short_of_one)) - asin(sqrt(0.75)));
        return p < 0 ? 0 : p > 1 ? 1 : p;
    }
    double y = log(short_of_one);
    if (count > 11) {
        const double l = log(n);
        return dist_norm_sf((y - POLYNOMIAL(mean, l)) / exp(POLYNOMIAL(log_sd, l)));
    }
    const double limit = POLYNOMIAL(gamma, n);
    if (y >= limit) {
        return 1e-99;
    }
    y = -log(limit - y);
    return dist_norm_sf((y - POLYNOMIAL(small_mean, n)) / exp(POLYNOMIAL(small_log_sd, n)));
}

static int shapiro_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample s;
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &s);
    status = status ? status : sample_check_least(call, &s, "x", 3);
    if (status) {
        return status;
    }
    if (s.n > MOST) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %d", s.n, MOST);
    }
    struct reduction r;
    reduce_moments2(call->state, s.x, s.n, &r);
    if (!(r.m.m2 > 0) || !isfinite(r.m.m2)) {
        return give_nan(results, 0, 1);
    }
    double *d = call->host->alloc(call, s.n * sizeof *d), *a = call->host->alloc(call, s.n * sizeof *a);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(s.n));
    if (!d || !a || !scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < s.n; i++) {
        d[i] = (s.x[i] * r.scale - r.m.mean.hi) - r.m.mean.lo;
    }
    status = sort_values(call, d, s.n, scratch);
    coefficients(call->state, s.n, a);
    const double w1 = shortfall(d, s.n, a), short_of_one = w1 > 0 ? w1 : 0;
    give(&results[0], 1 - short_of_one);
    give(&results[1], pvalue(short_of_one, s.n));
    return status;
}

FUNCTION(shapiro, "Shapiro and Wilk's test of normality", shapiro_help);
