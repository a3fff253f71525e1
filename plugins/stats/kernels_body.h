/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels in terms of simd.h: included once by each of kernels_baseline.c, kernels_avx2.c and
 * kernels_avx512.c, which define KERNELS (the set to fill), KERNELS_NAME and KERNELS_RUN_HERE.
 *
 * Sums keep several vectors under way, because an addition takes three or four cycles but two can start in
 * each. */
#include "kernels.h"
#include "simd.h"

#include <float.h>
#include <math.h>

static bool runs_here(void)
{
    return KERNELS_RUN_HERE;
}

SIMD_BEGIN

#include "simd_math.h"

/* How far ahead to fetch: a whole block is probably followed by another, a short one is not. */
SIMD_INLINE size_t next_block(size_t n)
{
    return n >= KERNEL_BLOCK / 2 ? n : 0;
}

static size_t find_nan(const double *x, size_t n)
{
    size_t i = 0;
    for (; i + 8 * W <= n; i += 8 * W) {
        const double *p = x + i;
        unsigned found = v_unordered(v_load(p), v_load(p + W)) |
                         v_unordered(v_load(p + 2 * W), v_load(p + 3 * W)) |
                         v_unordered(v_load(p + 4 * W), v_load(p + 5 * W)) |
                         v_unordered(v_load(p + 6 * W), v_load(p + 7 * W));
        if (found) {
            break;
        }
    }
    while (i < n && x[i] == x[i]) {
        i++;
    }
    return i;
}

/* After every sixteen additions the four partial sums go to the total, so that few additions depend on each
 * other and rounding errors stay as few. */
static double sum(const double *x, size_t n)
{
    vec total = v_set(0);
    size_t i = 0;
    while (i + W <= n) {
        const size_t end = n - i < 64 * W ? n : i + 64 * W;
        vec a = v_set(0), b = a, c = a, d = a;
        for (; i + 4 * W <= end; i += 4 * W) {
            a += v_load(x + i);
            b += v_load(x + i + W);
            c += v_load(x + i + 2 * W);
            d += v_load(x + i + 3 * W);
        }
        for (; i + W <= end; i += W) {
            a += v_load(x + i);
        }
        total += (a + b) + (c + d);
    }
    return v_sum(total + v_part(x + i, n - i, 0));
}

static double magnitude(const double *x, size_t n, bool *ret_nan)
{
    vec a = v_set(0), b = a;
    unsigned nan = 0;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        const vec u = v_load(x + i), v = v_load(x + i + W);
        a = v_max(v_max(u, -u), a);
        b = v_max(v_max(v, -v), b);
        nan |= v_unordered(u, v);
    }
    for (; i < n; i += W) {
        const vec u = v_part(x + i, n - i < W ? n - i : W, 0);
        a = v_max(v_max(u, -u), a);
        nan |= v_unordered(u, u);
    }
    *ret_nan = nan;
    return v_greatest(v_max(a, b));
}

#include "kernels_moments.h"

/* Four vectors spread over the block tell about where its mean is. */
static double center_guess(const double *x, size_t n)
{
    const size_t step = n / 4;
    return v_sum((v_load(x) + v_load(x + step)) + (v_load(x + 2 * step) + v_load(x + 3 * step))) / (4 * W);
}

static void comoments_about(const double *x, const double *y, size_t n, double center_x, double center_y,
                            struct comoments *ret)
{
    const double count = (double) n;
    const size_t ahead = next_block(n);
    const vec cx = v_set(center_x), cy = v_set(center_y);
    vec x1 = v_set(0), y1 = x1, xx = x1, yy = x1, xy = x1, u1 = x1, v1 = x1, uu = x1, vv = x1, uv = x1;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        vec dx = v_load(x + i) - cx, dy = v_load(y + i) - cy;
        vec du = v_load(x + i + W) - cx, dv = v_load(y + i + W) - cy;
        v_prefetch(x + i, ahead, 2 * W);
        v_prefetch(y + i, ahead, 2 * W);
        x1 += dx;
        y1 += dy;
        u1 += du;
        v1 += dv;
        xx = v_fma(dx, dx, xx);
        yy = v_fma(dy, dy, yy);
        xy = v_fma(dx, dy, xy);
        uu = v_fma(du, du, uu);
        vv = v_fma(dv, dv, vv);
        uv = v_fma(du, dv, uv);
    }
    for (; i < n; i += W) {
        size_t rest = n - i < W ? n - i : W;
        vec dx = v_part(x + i, rest, center_x) - cx, dy = v_part(y + i, rest, center_y) - cy;
        x1 += dx;
        y1 += dy;
        xx = v_fma(dx, dx, xx);
        yy = v_fma(dy, dy, yy);
        xy = v_fma(dx, dy, xy);
    }
    const double sx = v_sum(x1 + u1), sy = v_sum(y1 + v1);
    ret->n = count;
    ret->mean_x = mean_near(center_x, sx / count);
    ret->mean_y = mean_near(center_y, sy / count);
    ret->sxx = v_sum(xx + uu) - sx * sx / count;
    ret->syy = v_sum(yy + vv) - sy * sy / count;
    ret->sxy = v_sum(xy + uv) - sx * sy / count;
}

/* Deviations from a guess that is off by at most the standard deviation lose one bit when they are moved to the mean. If
 * it is off by more, the mean is known by then, and the values are read again. */
static void comoments(const double *x, const double *y, size_t n, struct comoments *ret)
{
    const double count = (double) n;
    if (n < 16 * W) {
        comoments_about(x, y, n, sum(x, n) / count, sum(y, n) / count, ret);
        return;
    }
    const double center_x = center_guess(x, n), center_y = center_guess(y, n);
    comoments_about(x, y, n, center_x, center_y, ret);
    const double off_x = (ret->mean_x.hi - center_x) + ret->mean_x.lo,
                 off_y = (ret->mean_y.hi - center_y) + ret->mean_y.lo;
    if (!(off_x * off_x * count <= ret->sxx && off_y * off_y * count <= ret->syy)) {
        comoments_about(x, y, n, sum(x, n) / count, sum(y, n) / count, ret);
    }
}

/* Lanes without values are filled with the first one. */
static bool extremes(const double *x, size_t n, double *ret_min, double *ret_max)
{
    vec a = v_set(x[0]), b = a, c = a, d = a;
    unsigned nan = 0;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        const vec u = v_load(x + i), v = v_load(x + i + W);
        a = v_min(u, a);
        b = v_max(u, b);
        c = v_min(v, c);
        d = v_max(v, d);
        nan |= v_unordered(u, v);
    }
    for (; i < n; i += W) {
        const vec u = v_part(x + i, n - i < W ? n - i : W, x[0]);
        a = v_min(u, a);
        b = v_max(u, b);
        nan |= v_unordered(u, u);
    }
    *ret_min = v_least(v_min(a, c));
    *ret_max = v_greatest(v_max(b, d));
    return nan != 0;
}

#include "kernels_columns.h"
#include "kernels_scan.h"

static double center(const double *x, size_t n, double mean, double *out)
{
    const vec m = v_set(mean);
    vec a = v_set(0), b = a;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        vec d = v_load(x + i) - m, e = v_load(x + i + W) - m;
        v_store(out + i, d);
        v_store(out + i + W, e);
        a += d;
        b += e;
    }
    for (; i < n; i += W) {
        size_t rest = n - i < W ? n - i : W;
        vec d = v_part(x + i, rest, mean) - m;
        v_store_part(out + i, rest, d);
        a += d;
    }
    return v_sum(a + b);
}

#if W > 2
/* A product with the reciprocal, mended by what it leaves over, is the correctly rounded quotient
 * (Markstein) and takes half the time of a division; it needs a fused multiply-add, and quotients far from
 * the ends of the range. */
SIMD_INLINE vec quotient(vec a, vec divisor, vec reciprocal)
{
    vec q = a * reciprocal;
    return v_fma(-v_rest(q, divisor, a), reciprocal, q);
}
#endif

static void standardise(const double *x, size_t n, double mean, double std, double *out)
{
    const vec m = v_set(mean), s = v_set(std);
    size_t i = 0;
#if W > 2
    if (std > 0x1p-500 && std < 0x1p500) {
        const vec r = v_set(1 / std);
        for (; i + W <= n; i += W) {
            v_store(out + i, quotient(v_load(x + i) - m, s, r));
        }
        v_store_part(out + i, n - i, quotient(v_part(x + i, n - i, mean) - m, s, r));
        return;
    }
#endif
    for (; i + W <= n; i += W) {
        v_store(out + i, (v_load(x + i) - m) / s);
    }
    v_store_part(out + i, n - i, (v_part(x + i, n - i, mean) - m) / s);
}

/* An error in z = (x - mu) / sigma, or in its square, grows by the factor z^2 in the result, so what
 * rounding takes away is carried along: z + dz is the quotient, u + du is -(z + dz)^2 / 2. Then exp(u) is 2^k
 * exp(r).
 * The factor of the density is added as c + c (exp(r) - 1), with the part of c that rounding took away, so
 * that the result is rounded almost once. */
SIMD_INLINE vec density(vec x, vec mu, vec sigma, vec reciprocal, vec factor, vec factor_rest)
{
    vec d = x - mu, b = d - x, lost = (x - (d - b)) - (mu + b);
    vec z = d * reciprocal, dz = (lost - v_rest(z, sigma, d)) * reciprocal;
    vec zz = z * z, u = zz * v_set(-0.5), du = v_set(-0.5) * v_rest(z, z, zz) - z * dz;
    vec k, p = v_expm1_near(v_exp_reduce(u, du, &k));
    return v_exp2(factor + v_fma(factor, p, factor_rest), k);
}

static void normal_pdf(const double *x, size_t n, double mu, double sigma, double *out)
{
    if (!(fabs(mu) < 1e150 && sigma > 1e-150 && sigma < 1e150)) {
        kernels_plain.normal_pdf(x, n, mu, sigma, out); /* where intermediate results would leave the range */
        return;
    }
    /* 1 / sqrt(2 pi) in two parts. At 50 sigma the density is 0, whatever sigma is here; keeping x within
     * makes infinities harmless. A NaN passes v_min and v_max as their second operand. */
    const double inv_hi = 0x1.9884533d43651p-2, inv_lo = -0x1.cbc0d30ebfd15p-56;
    const double c = inv_hi / sigma, c_rest = (fma(-c, sigma, inv_hi) + inv_lo) / sigma;
    const vec m = v_set(mu), s = v_set(sigma), reciprocal = v_set(1 / sigma), f = v_set(c),
              f_rest = v_set(c_rest);
    const vec from = v_set(mu - 50 * sigma), to = v_set(mu + 50 * sigma);
    size_t i = 0;
    for (; i + W <= n; i += W) {
        vec v = v_max(from, v_min(to, v_load(x + i)));
        v_store(out + i, density(v, m, s, reciprocal, f, f_rest));
    }
    if (i < n) {
        vec v = v_max(from, v_min(to, v_part(x + i, n - i, mu)));
        v_store_part(out + i, n - i, density(v, m, s, reciprocal, f, f_rest));
    }
}

/* The gap between left and right is as wide as what is still to be read. Whole vectors are stored at both
 * ends of it, of which only the matching lanes count; with room for two vectors they cannot meet. */
static size_t split(const double *x, size_t n, double pivot, double *out)
{
    size_t left = 0, right = n, i = 0;
    for (; i + 2 * W_SPLIT <= n; i += W_SPLIT) {
        const size_t less = v_split(x + i, pivot, out + left, out + right - W_SPLIT);
        left += less;
        right -= W_SPLIT - less;
    }
    for (; i < n; i++) {
        const size_t less = x[i] < pivot;
        out[left] = x[i];
        out[right - 1] = x[i];
        left += less;
        right -= 1 - less;
    }
    return left;
}

/* Each value goes to the place given by the number of smaller ones. Equal values meet in one place; the
 * places behind it stay empty and are filled from it. */
static void order(const double *x, size_t n, double *out)
{
    double lanes[KERNEL_ORDER];
    vec_int before[KERNEL_ORDER / W];
    for (size_t i = 0; i < n; i += W) {
        const vec v = v_part(x + i, n - i < W ? n - i : W, 0);
        vec_int count = {0};
        for (size_t j = 0; j < n; j++) {
            count -= (vec_int) (v_set(x[j]) < v);
        }
        before[i / W] = count;
    }
    for (size_t i = 0; i < n; i++) {
        lanes[i] = -HUGE_VAL;
    }
    for (size_t i = 0; i < n; i++) {
        lanes[before[i / W][i % W]] = x[i];
    }
    double last = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        last = lanes[i] > last ? lanes[i] : last;
        out[i] = last;
    }
}

#include "distance_body.h"
#include "fit_body.h"
#include "product_body.h"

SIMD_END

#include "series_body.h"
#include "rolling_body.h"

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .runs_here = runs_here,
    .find_nan = find_nan,
    .sum = sum,
    .magnitude = magnitude,
    .moments2 = moments2,
    .moments4 = moments4,
    .shape = shape,
    .comoments = comoments,
    .extremes = extremes,
    .columns = columns,
    .cumsum = cumsum,
    .center = center,
    .standardise = standardise,
    .normal_pdf = normal_pdf,
    .split = split,
    .order = order,
    .count = count,
    .slide = slide,
    .rolling = rolling_kernels,
    .rolling_gaps = rolling_gaps_kernels,
    .products = products,
    .fit = FIT_KERNELS,
    .distance = DISTANCE_KERNELS,
};
