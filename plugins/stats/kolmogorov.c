/* SPDX-License-Identifier: MPL-2.0 */
#include "kolmogorov.h"

#include <math.h>
#include <string.h>

#include "dist.h"

#define PI_SQUARED 9.869604401089358

/* ---- one-sided ------------------------------------------------------------------------------------------- */

/* d sum C(n, j) (d + j / n)^(j - 1) (1 - d - j / n)^(n - j) over j from 0 to n (1 - d): each term is a binomial
 * probability, all are positive. For large n its limit, corrected to the order 1 / n. */
double kolmogorov_one_sided_sf(double d, double n)
{
    if (!(d > 0)) {
        return 1;
    }
    if (d >= 1) {
        return 0;
    }
    if (n > 1e5) {
        const double t = 6 * n * d + 1;
        return exp(-t * t / (18 * n));
    }
    double sum = 0;
    for (double j = floor(n * (1 - d)); j >= 0; j--) {
        const double p = d + j / n, q = 1 - p;
        sum += q > 0 ? dist_binom_pmf(j, n, p) / p : j == n ? 1 : 0;
    }
    return d * sum;
}

/* ---- two-sided ------------------------------------------------------------------------------------------- */

double kolmogorov_limit_sf(double x)
{
    if (!(x > 0.04)) {
        return isnan(x) ? x : 1; /* below, the probability differs from 1 by less than 1e-300 */
    }
    if (x < 1) { /* theta function of the other variable, which converges faster there */
        double sum = 0;
        for (int k = 1; k <= 15; k += 2) {
            sum += exp(-(double) (k * k) * PI_SQUARED / (8 * x * x));
        }
        return 1 - sqrt(2 * M_PI) / x * sum;
    }
    double sum = 0;
    for (int k = 1; k <= 6; k++) {
        const double term = exp(-2 * (double) (k * k) * x * x);
        sum += k % 2 ? term : -term;
    }
    return 2 * sum;
}

/* The expansion in powers of 1 / sqrt(n) to the third order. */
static double pelz_good_sf(double d, double n)
{
    const double z = d * sqrt(n), z2 = z * z, z3 = z2 * z, z4 = z2 * z2, z6 = z4 * z2, z7 = z6 * z,
                 z8 = z4 * z4;
    double k0 = 0, k1 = 0, k2 = 0, k3 = 0;
    for (int i = 20; i >= 0; i--) {
        const double h = i + 0.5, h2 = h * h, h4 = h2 * h2, a = PI_SQUARED * h2, e = exp(-a / (2 * z2));
        k0 += e;
        k1 += e * (a - z2);
        k2 += e * (6 * z6 + 2 * z4 + a * (2 * z4 - 5 * z2) + PI_SQUARED * PI_SQUARED * h4 * (1 - 2 * z2));
        k3 += e * (-30 * z6 - 90 * z8 + a * (135 * z4 - 96 * z6) +
                   PI_SQUARED * PI_SQUARED * h4 * (212 * z4 - 60 * z2) +
                   PI_SQUARED * PI_SQUARED * PI_SQUARED * h4 * h2 * (5 - 30 * z2));
    }
    double k2b = 0, k3b = 0;
    for (int i = 20; i >= 1; i--) {
        const double s = (double) (i * i), a = PI_SQUARED * s, e = exp(-a / (2 * z2));
        k2b += a * e;
        k3b += e * (3 * a * z2 - a * a);
    }
    const double root = sqrt(M_PI / 2), r = sqrt(n);
    const double cdf = 2 * root / z * k0 + root / (3 * z4) * k1 / r +
                       (root / (36 * z7) * k2 - root / (18 * z3) * k2b) / n +
                       (root / (3240 * z7 * z3) * k3 + root / (108 * z6) * k3b) / (n * r);
    return cdf < 0 ? 1 : cdf > 1 ? 0 : 1 - cdf;
}

struct power {
    double *m; /* times 2^exponent */
    int exponent;
};

static void multiply(const double *a, const double *b, size_t size, double *ret)
{
    memset(ret, 0, size * size * sizeof *ret);
    for (size_t i = 0; i < size; i++) {
        for (size_t k = 0; k < size; k++) {
            const double f = a[i * size + k];
            for (size_t j = 0; j < size; j++) {
                ret[i * size + j] += f * b[k * size + j];
            }
        }
    }
}

static void settle(struct power *p, size_t size)
{
    const int e = ilogb(p->m[(size / 2) * size + size / 2]);
    for (size_t i = 0; i < size * size; i++) {
        p->m[i] = ldexp(p->m[i], -e);
    }
    p->exponent += e;
}

/* Durbin's matrix: with d = (k - h) / n, 0 <= h < 1. */
static void durbin_matrix(double *m, size_t k, double h)
{
    const size_t size = 2 * k - 1;
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j < size; j++) {
            m[i * size + j] = i + 1 >= j ? 1 : 0;
        }
    }
    for (size_t i = 0; i < size; i++) {
        m[i * size] -= pow(h, (double) (i + 1));
        m[(size - 1) * size + i] -= pow(h, (double) (size - i));
    }
    m[(size - 1) * size] += 2 * h - 1 > 0 ? pow(2 * h - 1, (double) size) : 0;
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= i && j < size; j++) {
            for (size_t g = 1; g <= i - j + 1; g++) {
                m[i * size + j] /= (double) g;
            }
        }
    }
}

/* P(D < d): n! / n^n times the middle element of the matrix's n-th power. */
static int durbin_cdf(struct kiln_call *call, double d, size_t n, double *ret)
{
    const double nd = (double) n * d;
    const size_t k = (size_t) nd + 1, size = 2 * k - 1;
    double *work = call->host->alloc(call, 3 * size * size * sizeof *work);
    if (!work) {
        return KILN_RESOURCE;
    }
    struct power base = {.m = work}, result = {.m = work + size * size};
    double *spare = work + 2 * size * size;
    durbin_matrix(base.m, k, (double) k - nd);
    for (size_t i = 0; i < size * size; i++) {
        result.m[i] = i % (size + 1) == 0;
    }
    for (size_t left = n; left > 0; left /= 2) {
        if (left % 2) {
            multiply(result.m, base.m, size, spare);
            double *t = result.m;
            result.m = spare;
            spare = t;
            result.exponent += base.exponent;
            settle(&result, size);
        }
        if (left > 1) {
            multiply(base.m, base.m, size, spare);
            double *t = base.m;
            base.m = spare;
            spare = t;
            base.exponent *= 2;
            settle(&base, size);
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    double value = result.m[(k - 1) * size + k - 1];
    int exponent = result.exponent;
    for (size_t i = 1; i <= n; i++) {
        value *= (double) i / (double) n;
        if (value < 0x1p-500) {
            value *= 0x1p500;
            exponent -= 500;
        }
    }
    *ret = ldexp(value, exponent);
    return KILN_OK;
}

int kolmogorov_sf(struct kiln_call *call, double d, double n, double *ret)
{
    const double nd = n * d, spread = nd * d;
    *ret = isnan(d) ? d : 1;
    if (isnan(d) || nd <= 0.5) {
        return KILN_OK;
    }
    if (d >= 1) {
        *ret = 0;
        return KILN_OK;
    }
    if (d >= 0.5 || spread >= 4 || (n > 140 && spread >= 2.2)) {
        const double p = 2 * kolmogorov_one_sided_sf(d, n);
        *ret = p > 1 ? 1 : p;
        return KILN_OK;
    }
    if (n <= 140 || (n <= 1e5 && nd * sqrt(d) <= 1.4)) {
        double cdf = 0;
        const int status = durbin_cdf(call, d, (size_t) n, &cdf);
        *ret = cdf > 1 ? 0 : 1 - cdf;
        return status;
    }
    *ret = pelz_good_sf(d, n);
    return KILN_OK;
}

/* ---- two samples ----------------------------------------------------------------------------------------- */

/* C(2 n, n - k h) / C(2 n, n - (k - 1) h) */
static double next_ratio(double n, double h, double k)
{
    double ratio = 1;
    for (double j = 0; j < h; j++) {
        ratio *= (n - (k - 1) * h - j) / (n + (k - 1) * h + j + 1);
    }
    return ratio;
}

/* Reflected paths (Gnedenko and Korolyuk 1951): C(2 n, n - h) / C(2 n, n) one-sided; two-sided twice the sum of
 * (-1)^(k - 1) C(2 n, n - k h) / C(2 n, n), as a product of what is left each time. */
static double equal_sizes_sf(double n, double h, int two_sided)
{
    if (h <= 0) {
        return 1;
    }
    if (!two_sided) {
        return next_ratio(n, h, 1);
    }
    double sum = 0;
    for (double k = floor(n / h); k >= 1; k--) {
        sum = next_ratio(n, h, k) * (1 - sum);
    }
    return 2 * sum;
}

/* path[j]: the part of the lattice paths to (i, j) that have been outside, where |i m - j n| >= reach (one-sided:
 * i m - j n >= reach). The last step to (i, j) was along i with probability i / (i + j). Sums of positive terms only, so
 * that small probabilities keep their digits. */
int kolmogorov_two_sample_sf(struct kiln_call *call, size_t n, size_t m, double d, int two_sided, double *ret)
{
    if (n == m) {
        *ret = equal_sizes_sf((double) n, rint(d * (double) n), two_sided);
        return KILN_OK;
    }
    const double reach = rint(d * (double) n * (double) m) - 0.5;
    double *path = call->host->alloc(call, (m + 1) * sizeof *path);
    double *inverse = call->host->alloc(call, (n + m + 1) * sizeof *inverse);
    if (!path || !inverse) {
        return KILN_RESOURCE;
    }
    for (size_t i = 1; i <= n + m; i++) {
        inverse[i] = 1 / (double) i;
    }
    for (size_t j = 0; j <= m; j++) {
        path[j] = 1; /* as it stays behind and ahead of the part inside, which only moves forward */
    }
    size_t outside = 0;
    for (size_t i = 0; i <= n; i++) {
        const double a = (double) i * (double) m;
        /* Inside for from < j < to. */
        const double low = (a - reach) / (double) n, high = (a + reach) / (double) n;
        size_t from = low < 0 ? 0 : (size_t) low + 1;
        size_t to = two_sided && high < (double) m ? (size_t) ceil(high) : m + 1;
        from = from > m + 1 ? m + 1 : from;
        to = to < from ? from : to;
        for (; outside < from; outside++) {
            path[outside] = 1;
        }
        for (size_t j = from; j < to; j++) {
            if (i == 0 || j == 0) {
                path[j] = i == 0 ? (j == 0 ? 0 : path[j - 1]) : path[j];
            } else {
                path[j] = ((double) i * path[j] + (double) j * path[j - 1]) * inverse[i + j];
            }
        }
        if (i % 64 == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    *ret = path[m];
    return KILN_OK;
}
