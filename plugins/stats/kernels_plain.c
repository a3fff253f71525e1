/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels as one would write them down: what the vector sets are compared with. */
#include "kernels.h"

#include <math.h>

#include "distance_plain.h"
#include "fit_plain.h"

static bool plain_runs_here(void)
{
    return true;
}

static size_t plain_find_nan(const double *x, size_t n)
{
    size_t i = 0;
    while (i < n && !isnan(x[i])) {
        i++;
    }
    return i;
}

/* Neumaier's compensated sum. */
static double plain_sum(const double *x, size_t n)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        double next = sum + x[i];
        lost += fabs(sum) >= fabs(x[i]) ? (sum - next) + x[i] : (x[i] - next) + sum;
        sum = next;
    }
    return isfinite(sum) ? sum + lost : sum;
}

static double plain_magnitude(const double *x, size_t n, bool *ret_nan)
{
    double most = 0;
    *ret_nan = false;
    for (size_t i = 0; i < n; i++) {
        *ret_nan |= isnan(x[i]);
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    }
    return most;
}

static void plain_moments4(const double *x, size_t n, struct moments *ret)
{
    const double count = (double) n, sum = plain_sum(x, n), center = sum / count;
    double s1 = 0, s2 = 0, s3 = 0, s4 = 0, min = x[0], max = x[0];
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - center;
        s1 += d;
        s2 += d * d;
        s3 += d * d * d;
        s4 += d * d * d * d;
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    const double e = s1 / count; /* the mean is center + e; moments moved there */
    ret->n = count;
    ret->sum = sum;
    ret->mean = mean_near(center, e);
    ret->m2 = s2 - e * s1;
    ret->m3 = s3 - 3 * e * s2 + 2 * e * e * s1;
    ret->m4 = s4 - 4 * e * s3 + 6 * e * e * s2 - 3 * e * e * e * s1;
    ret->min = min;
    ret->max = max;
}

static bool plain_extremes(const double *x, size_t n, double *ret_min, double *ret_max)
{
    double min = x[0], max = x[0];
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) {
            return true;
        }
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    *ret_min = min;
    *ret_max = max;
    return false;
}

static void plain_columns(const double *x, size_t rows, size_t stride, size_t width, int powers,
                          struct moments *ret)
{
    for (size_t j = 0; j < width; j++) {
        double column[KERNEL_ROWS];
        for (size_t i = 0; i < rows; i++) {
            column[i] = x[i * stride + j];
        }
        struct moments *m = &ret[j];
        plain_moments4(column, rows, m);
        if (powers <= 1) {
            *m = (struct moments){.n = m->n, .sum = m->sum, .min = m->min, .max = m->max};
        }
    }
}

static double plain_cumsum(const double *x, size_t n, double sum, double *out)
{
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        out[i] = sum;
    }
    return sum;
}

static void plain_moments2(const double *x, size_t n, struct moments *ret)
{
    plain_moments4(x, n, ret);
    ret->m3 = ret->m4 = ret->min = ret->max = 0;
}

static void plain_shape(const double *x, size_t n, struct moments *ret)
{
    plain_moments4(x, n, ret);
    ret->min = ret->max = 0;
}

static void plain_comoments(const double *x, const double *y, size_t n, struct comoments *ret)
{
    const double count = (double) n, center_x = plain_sum(x, n) / count, center_y = plain_sum(y, n) / count;
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - center_x, dy = y[i] - center_y;
        sx += dx;
        sy += dy;
        sxx += dx * dx;
        syy += dy * dy;
        sxy += dx * dy;
    }
    ret->n = count;
    ret->mean_x = mean_near(center_x, sx / count);
    ret->mean_y = mean_near(center_y, sy / count);
    ret->sxx = sxx - sx * sx / count;
    ret->syy = syy - sy * sy / count;
    ret->sxy = sxy - sx * sy / count;
}

static double plain_center(const double *x, size_t n, double mean, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = x[i] - mean;
    }
    return plain_sum(out, n);
}

static void plain_standardise(const double *x, size_t n, double mean, double std, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (x[i] - mean) / std;
    }
}

/* exp(-z^2 / 2) / (sigma sqrt(2 pi)). Errors in z grow by the factor z^2, hence long double: it also has
 * room for what the factors may be at the ends of the range of a double. */
static void plain_normal_pdf(const double *x, size_t n, double mu, double sigma, double *out)
{
    const long double inv_sqrt_2pi = 0.398942280401432677939946L;
    for (size_t i = 0; i < n; i++) {
        const long double z = ((long double) x[i] - (long double) mu) / (long double) sigma;
        out[i] = (double) (expl(-z * z / 2) * (inv_sqrt_2pi / (long double) sigma));
    }
}

static size_t plain_split(const double *x, size_t n, double pivot, double *out)
{
    size_t left = 0, right = n;
    for (size_t i = 0; i < n; i++) {
        if (x[i] < pivot) {
            out[left++] = x[i];
        } else {
            out[--right] = x[i];
        }
    }
    return left;
}

static void plain_order(const double *x, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        const double v = x[i];
        size_t j = i;
        for (; j > 0 && out[j - 1] > v; j--) {
            out[j] = out[j - 1];
        }
        out[j] = v;
    }
}

static void plain_count(const double *x, size_t n, const struct bins *b, uint32_t *tables)
{
    for (size_t i = 0; i < n; i++) {
        tables[i % BINS_TABLES * (b->count + 1) + bins_find(b, x[i])]++;
    }
}

static void plain_slide(const double *x, size_t n, const double *weights, size_t m, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        for (size_t j = 0; j < m; j++) {
            out[i] += weights[j] * x[i + j];
        }
    }
}

static void plain_products(const double *a, const double *b, size_t n, size_t stride, double ret[16])
{
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            double s = 0;
            for (size_t l = 0; l < n; l++) {
                s += a[i * stride + l] * b[j * stride + l];
            }
            ret[4 * i + j] = s;
        }
    }
}

const struct kernels kernels_plain = {
    .name = "plain",
    .runs_here = plain_runs_here,
    .find_nan = plain_find_nan,
    .sum = plain_sum,
    .magnitude = plain_magnitude,
    .moments2 = plain_moments2,
    .moments4 = plain_moments4,
    .shape = plain_shape,
    .comoments = plain_comoments,
    .extremes = plain_extremes,
    .columns = plain_columns,
    .cumsum = plain_cumsum,
    .center = plain_center,
    .standardise = plain_standardise,
    .normal_pdf = plain_normal_pdf,
    .split = plain_split,
    .order = plain_order,
    .count = plain_count,
    .slide = plain_slide,
    .rolling = rolling_plain,
    .rolling_gaps = rolling_plain_gaps,
    .products = plain_products,
    .fit = FIT_PLAIN_KERNELS,
    .distance = DISTANCE_PLAIN_KERNELS,
};
