/* SPDX-License-Identifier: MPL-2.0 */
#include "reduce.h"

#include <math.h>

#define PAIR_BLOCK (KERNEL_BLOCK / 2) /* two arrays share the cache */

/* Half of the whole blocks go left. For n > block. */
static size_t left_part(size_t n, size_t block)
{
    return (n / block + 1) / 2 * block;
}

static double sum_tree(const struct kernels *k, const double *x, size_t n)
{
    if (n <= KERNEL_BLOCK) {
        return k->sum(x, n);
    }
    const size_t left = left_part(n, KERNEL_BLOCK);
    return sum_tree(k, x, left) + sum_tree(k, x + left, n - left);
}

/* b - a */
static double mean_difference(const struct mean *a, const struct mean *b)
{
    return (b->hi - a->hi) + (b->lo - a->lo);
}

/* The mean a moved by d; what the addition rounds away goes to lo. */
static struct mean mean_moved(const struct mean *a, double d)
{
    const double hi = a->hi + d, moved = hi - a->hi;
    return (struct mean){hi, ((a->hi - (hi - moved)) + (d - moved)) + a->lo};
}

struct moments moments_join(const struct moments *a, const struct moments *b)
{
    const double n = a->n + b->n, d = mean_difference(&a->mean, &b->mean), part_a = a->n / n,
                 part_b = b->n / n;
    const double dd = d * d, weight = a->n * part_b;
    return (struct moments){
        .n = n,
        .sum = a->sum + b->sum,
        .mean = a->n >= b->n ? mean_moved(&a->mean, d * part_b) : mean_moved(&b->mean, -d * part_a),
        .m2 = a->m2 + b->m2 + dd * weight,
        .m3 = a->m3 + b->m3 + dd * d * weight * (part_a - part_b) + 3 * d * (part_a * b->m2 - part_b * a->m2),
        .m4 = a->m4 + b->m4 + dd * dd * weight * (part_a * part_a - part_a * part_b + part_b * part_b) +
              6 * dd * (part_a * part_a * b->m2 + part_b * part_b * a->m2) +
              4 * d * (part_a * b->m3 - part_b * a->m3),
        .min = a->min < b->min ? a->min : b->min,
        .max = a->max > b->max ? a->max : b->max,
    };
}

static struct comoments comoments_join(const struct comoments *a, const struct comoments *b)
{
    const double n = a->n + b->n;
    const double dx = mean_difference(&a->mean_x, &b->mean_x), dy = mean_difference(&a->mean_y, &b->mean_y);
    const double part_b = b->n / n, weight = a->n * part_b;
    return (struct comoments){
        .n = n,
        .mean_x = mean_moved(&a->mean_x, dx * part_b),
        .mean_y = mean_moved(&a->mean_y, dy * part_b),
        .sxx = a->sxx + b->sxx + dx * dx * weight,
        .syy = a->syy + b->syy + dy * dy * weight,
        .sxy = a->sxy + b->sxy + dx * dy * weight,
    };
}

/* Second attempts work on scaled copies, a block at a time. Not inlined: the trees should not carry these
 * buffers. */
typedef void moments_kernel(const double *x, size_t n, struct moments *ret);

static __attribute__((noinline)) void scaled_moments(moments_kernel *kernel, const double *x, size_t n,
                                                     double scale, struct moments *ret)
{
    double scaled[KERNEL_BLOCK];
    for (size_t i = 0; i < n; i++) {
        scaled[i] = x[i] * scale;
    }
    kernel(scaled, n, ret);
}

static __attribute__((noinline)) void scaled_comoments(const struct kernels *k, const double *x,
                                                       const double *y, size_t n, double scale_x,
                                                       double scale_y, struct comoments *ret)
{
    double scaled_x[PAIR_BLOCK], scaled_y[PAIR_BLOCK];
    for (size_t i = 0; i < n; i++) {
        scaled_x[i] = x[i] * scale_x;
        scaled_y[i] = y[i] * scale_y;
    }
    k->comoments(scaled_x, scaled_y, n, ret);
}

static struct moments moments_tree(moments_kernel *kernel, const double *x, size_t n, double scale)
{
    struct moments a, b;
    if (n <= KERNEL_BLOCK) {
        if (scale == 1) {
            kernel(x, n, &a);
        } else {
            scaled_moments(kernel, x, n, scale, &a);
        }
        return a;
    }
    const size_t left = left_part(n, KERNEL_BLOCK);
    a = moments_tree(kernel, x, left, scale);
    b = moments_tree(kernel, x + left, n - left, scale);
    return moments_join(&a, &b);
}

static struct comoments comoments_tree(const struct kernels *k, const double *x, const double *y, size_t n,
                                       double scale_x, double scale_y)
{
    struct comoments a, b;
    if (n <= PAIR_BLOCK) {
        if (scale_x == 1 && scale_y == 1) {
            k->comoments(x, y, n, &a);
        } else {
            scaled_comoments(k, x, y, n, scale_x, scale_y, &a);
        }
        return a;
    }
    const size_t left = left_part(n, PAIR_BLOCK);
    a = comoments_tree(k, x, y, left, scale_x, scale_y);
    b = comoments_tree(k, x + left, y + left, n - left, scale_x, scale_y);
    return comoments_join(&a, &b);
}

/* The power of two that brings the largest value to about 1; 1 when that is 0, infinite or NaN. */
static double unit_scale(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabs(x[i]) > most || isnan(x[i]) ? fabs(x[i]) : most;
    }
    if (!isfinite(most) || most == 0) {
        return 1;
    }
    int exponent = -ilogb(most);
    return ldexp(1, exponent < 1000 ? exponent : 1000);
}

static bool all_equal(const double *x, size_t n)
{
    if (!isfinite(x[0])) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0]) {
            return false;
        }
    }
    return true;
}

/* Whether a sum of squares may be nothing but rounding: then it is worth looking whether all values are
 * equal. */
static bool nearly_zero(double squares, double mean, double n)
{
    const double noise = 4 * 0x1p-52 * mean;
    return !(squares > n * noise * noise);
}

void reduce_sum(const struct kernels *k, const double *x, size_t n, struct reduction *ret)
{
    ret->scale = 1;
    ret->m.n = (double) n;
    ret->m.sum = sum_tree(k, x, n);
    if (!isfinite(ret->m.sum)) {
        /* The sum of finite values can overflow where their mean cannot. */
        ret->scale = 0x1p-64;
        ret->m.sum = moments_tree(k->moments2, x, n, ret->scale).sum;
    }
}

double reduce_mean(const struct kernels *k, const double *x, size_t n)
{
    struct reduction r;
    reduce_sum(k, x, n, &r);
    return reduction_mean(&r);
}

/* Products of the highest power stay in range, and so do sums. */
static bool fits(const struct moments *m, bool fourth)
{
    const double highest = fourth ? m->m4 : m->m2;
    return highest > 0x1p-900 && highest < 0x1p1000 && isfinite(m->sum);
}

bool reduction_is_final(const struct reduction *r, int powers)
{
    if (powers <= 1) {
        return isfinite(r->m.sum);
    }
    return !nearly_zero(r->m.m2, r->m.mean.hi, r->m.n) && fits(&r->m, powers == 4);
}

static void reduce_moments(moments_kernel *kernel, const double *x, size_t n, bool fourth,
                           struct reduction *ret)
{
    ret->scale = 1;
    ret->m = moments_tree(kernel, x, n, 1);
    if (nearly_zero(ret->m.m2, ret->m.mean.hi, ret->m.n) && all_equal(x, n)) {
        ret->m.mean = (struct mean){x[0], 0};
        ret->m.m2 = ret->m.m3 = ret->m.m4 = 0;
        if (!isfinite(ret->m.sum)) {
            ret->scale = 0x1p-64;
            ret->m.mean.hi = x[0] * ret->scale;
            ret->m.sum = ret->m.mean.hi * ret->m.n;
        }
        return;
    }
    if (!fits(&ret->m, fourth)) {
        double scale = unit_scale(x, n);
        if (scale != 1) {
            const double min = ret->m.min, max = ret->m.max;
            ret->scale = scale;
            ret->m = moments_tree(kernel, x, n, scale);
            ret->m.min = min;
            ret->m.max = max;
        }
    }
    ret->m.m2 = ret->m.m2 < 0 ? 0 : ret->m.m2;
}

void reduce_moments2(const struct kernels *k, const double *x, size_t n, struct reduction *ret)
{
    reduce_moments(k->moments2, x, n, false, ret);
}

void reduce_moments4(const struct kernels *k, const double *x, size_t n, struct reduction *ret)
{
    reduce_moments(k->moments4, x, n, true, ret);
}

void reduce_shape(const struct kernels *k, const double *x, size_t n, struct reduction *ret)
{
    reduce_moments(k->shape, x, n, true, ret);
}

void reduce_comoments(const struct kernels *k, const double *x, const double *y, size_t n,
                      struct coreduction *ret)
{
    ret->scale_x = ret->scale_y = 1;
    ret->m = comoments_tree(k, x, y, n, 1, 1);
    bool flat_x = nearly_zero(ret->m.sxx, ret->m.mean_x.hi, ret->m.n) && all_equal(x, n);
    bool flat_y = nearly_zero(ret->m.syy, ret->m.mean_y.hi, ret->m.n) && all_equal(y, n);
    /* Within these bounds products of two sums are in range, too. */
    bool fits_x = flat_x || (ret->m.sxx > 0x1p-400 && ret->m.sxx < 0x1p400);
    bool fits_y = flat_y || (ret->m.syy > 0x1p-400 && ret->m.syy < 0x1p400);
    if (!fits_x || !fits_y) {
        ret->scale_x = fits_x ? 1 : unit_scale(x, n);
        ret->scale_y = fits_y ? 1 : unit_scale(y, n);
        if (ret->scale_x != 1 || ret->scale_y != 1) {
            ret->m = comoments_tree(k, x, y, n, ret->scale_x, ret->scale_y);
        }
    }
    ret->m.sxx = flat_x || ret->m.sxx < 0 ? 0 : ret->m.sxx;
    ret->m.syy = flat_y || ret->m.syy < 0 ? 0 : ret->m.syy;
    ret->m.sxy = flat_x || flat_y ? 0 : ret->m.sxy;
}

double reduction_sum(const struct reduction *r)
{
    return r->m.sum / r->scale;
}

double reduction_mean(const struct reduction *r)
{
    return r->m.sum / r->m.n / r->scale;
}

double reduction_var(const struct reduction *r, double ddof)
{
    return r->m.m2 / (r->m.n - ddof) / r->scale / r->scale;
}

double reduction_std(const struct reduction *r, double ddof)
{
    return sqrt(r->m.m2 / (r->m.n - ddof)) / r->scale;
}
