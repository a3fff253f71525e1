/* SPDX-License-Identifier: MPL-2.0 */
#include "metric.h"

#include <math.h>
#include <string.h>

#include "reduce.h"

/* ---- mahalanobis --------------------------------------------------------------------------------------------- */

/* The lower triangle l with l l' = a, in place; only the lower triangle of a is read. 0 when a is not positive
 * definite. */
static int cholesky(double *a, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j <= i; j++) {
            double s = a[i * k + j];
            for (size_t l = 0; l < j; l++) {
                s -= a[i * k + l] * a[j * k + l];
            }
            if (i == j && !(s > 1e-14 * fabs(a[i * k + i]))) {
                return 0;
            }
            a[i * k + j] = i == j ? sqrt(s) : s / a[j * k + j];
        }
    }
    return 1;
}

/* Covariance of the points, whose columns' means are taken off. */
static void covariance(double *points, size_t m, size_t k, double *ret)
{
    for (size_t j = 0; j < k; j++) {
        double mean = 0, off = 0;
        for (size_t i = 0; i < m; i++) {
            mean += (points[i * k + j] - mean) / (double) (i + 1);
        }
        for (size_t i = 0; i < m; i++) {
            off += points[i * k + j] - mean;
        }
        mean += off / (double) m;
        for (size_t i = 0; i < m; i++) {
            points[i * k + j] -= mean;
        }
    }
    memset(ret, 0, k * k * sizeof *ret);
    for (size_t i = 0; i < m; i++) {
        const double *x = points + i * k;
        for (size_t a = 0; a < k; a++) {
            for (size_t b = 0; b <= a; b++) {
                ret[a * k + b] += x[a] * x[b] / ((double) m - 1);
            }
        }
    }
}

static int whiten(struct kiln_call *call, const double *vi, double *points, size_t m, size_t k)
{
    double *root = call->host->alloc(call, k * k * sizeof *root), *z = call->host->alloc(call, k * sizeof *z);
    if (!root || !z) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; vi && i < k; i++) {
        for (size_t j = 0; j <= i; j++) {
            root[i * k + j] = vi[i * k + j] / 2 + vi[j * k + i] / 2; /* all that a quadratic form sees */
        }
    }
    if (!vi) {
        covariance(points, m, k, root);
    }
    if (!cholesky(root, k)) {
        return call->host->fail(
            call, KILN_INVALID, vi ? "vi" : "metric",
            vi ? "vi is not positive definite, expected an inverse covariance matrix"
               : "metric is mahalanobis, but the covariance of the %zu points is singular, expected vi "
                 "or more points",
            m);
    }
    for (size_t i = 0; i < m; i++) {
        double *x = points + i * k;
        for (size_t j = 0; j < k; j++) {
            double s = vi ? 0 : x[j];
            for (size_t l = vi ? j : 0; l < (vi ? k : j); l++) {
                s += vi ? root[l * k + j] * x[l] : -root[j * k + l] * z[l];
            }
            z[j] = vi ? s : s / root[j * k + j];
        }
        memcpy(x, z, k * sizeof *x);
    }
    return KILN_OK;
}

/* ---- the others ---------------------------------------------------------------------------------------------- */

/* Unit vectors; those without a direction become NaN. */
static void normalise(const struct kernels *kernels, double *points, size_t m, size_t k, bool center)
{
    for (size_t i = 0; i < m; i++) {
        double *x = points + i * k, squares = 0;
        const double mean = center ? reduce_mean(kernels, x, k) : 0;
        for (size_t j = 0; j < k; j++) {
            x[j] -= mean;
            squares += x[j] * x[j];
        }
        const double length = sqrt(squares);
        for (size_t j = 0; j < k; j++) {
            x[j] /= length;
        }
    }
}

/* A power of two; 1 unless the greatest value is very large or very small. */
static double safe_scale(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = fabs(x[i]);
        most = a > most ? a : most;
    }
    if (most == 0 || isinf(most) || (most > 0x1p-400 && most < 0x1p400)) {
        return 1;
    }
    const int exponent = -ilogb(most);
    return ldexp(1, exponent > 1000 ? 1000 : exponent);
}

int metric_prepare(struct kiln_call *call, const char *name, const double *vi, double *points, size_t m,
                   size_t k, struct metric *ret)
{
    const struct kernels *kernels = call->state;
    *ret = (struct metric){
        .name = name, .kernel = kernels->distance.squares, .scale = safe_scale(points, m * k)};
    for (size_t i = 0; ret->scale != 1 && i < m * k; i++) {
        points[i] *= ret->scale;
    }
    switch (name[0] == 'c' ? name[1] : name[0]) { /* one of METRICS */
    case 'i':
        ret->kernel = kernels->distance.magnitudes;
        return KILN_OK;
    case 'h':
        ret->kernel = kernels->distance.greatest;
        return KILN_OK;
    case 'o':
        normalise(kernels, points, m, k, name[2] == 'r');
        return KILN_OK;
    case 'm':
        if (!vi) { /* which makes its own unit */
            ret->scale = 1;
        }
        return whiten(call, vi, points, m, k);
    default:
        return KILN_OK;
    }
}

void metric_finish(const struct metric *metric, double *d, size_t n)
{
    const double scale = metric->scale;
    switch (metric->name[0] == 'c' ? metric->name[1] : metric->name[0]) {
    case 'o':
        for (size_t i = 0; i < n; i++) {
            d[i] /= 2;
        }
        return;
    case 'e':
    case 'm':
        for (size_t i = 0; i < n; i++) {
            d[i] = sqrt(d[i]);
        }
        break;
    case 's':
        for (size_t i = 0; scale != 1 && i < n; i++) {
            d[i] /= scale;
        }
        break;
    default:
        break;
    }
    for (size_t i = 0; scale != 1 && i < n; i++) {
        d[i] /= scale;
    }
}
