/* SPDX-License-Identifier: MPL-2.0 */
/* The part of kernels_body.h that makes moments of a block: one pass around a value near the mean, and
 * another one when that was not near. */

/* About the mean of a block: that of 128 values spread over it, or of all when they are few. */
static double likely_mean(const double *x, size_t n)
{
    enum { SAMPLE = 128, VECTORS = SAMPLE / W };
    if (n < 2 * SAMPLE) {
        return sum(x, n) / (double) n;
    }
    const size_t apart = n / VECTORS;
    vec total = v_set(0);
    for (size_t i = 0; i < VECTORS; i++) {
        total += v_load(x + i * apart);
    }
    return v_sum(total) / SAMPLE;
}

/* Sums of powers of deviations from `center`. */
struct powers {
    double s1, s2, s3, s4, min, max;
};

/* Deviations are taken from a center near the mean; their sum s1 tells how far the mean is off. Whether half
 * a standard deviation is near enough: sums of powers moved to the mean then lose about one bit. */
static bool center_is_near(double n, double s1, double s2)
{
    const double e = s1 / n;
    return e * e * 5 <= s2 / n;
}

/* The sum of all, n center + s1, rounded once. Where it is not finite, infinite values may be why. */
static double total_of(const double *x, size_t n, double center, double s1)
{
    const double count = (double) n, most = count * center, total = most + (s1 + fma(count, center, -most));
    return isfinite(total) ? total : sum(x, n);
}

static struct powers powers2(const double *x, size_t n, double center)
{
    const vec c = v_set(center);
    vec a1 = v_set(0), b1 = a1, c1 = a1, d1 = a1, a2 = a1, b2 = a1, c2 = a1, d2 = a1;
    size_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W) {
        vec da = v_load(x + i) - c, db = v_load(x + i + W) - c;
        vec dc = v_load(x + i + 2 * W) - c, dd = v_load(x + i + 3 * W) - c;
        a1 += da;
        b1 += db;
        c1 += dc;
        d1 += dd;
        a2 = v_fma(da, da, a2);
        b2 = v_fma(db, db, b2);
        c2 = v_fma(dc, dc, c2);
        d2 = v_fma(dd, dd, d2);
    }
    for (; i < n; i += W) {
        vec da = (i + W <= n ? v_load(x + i) : v_part(x + i, n - i, center)) - c;
        a1 += da;
        a2 = v_fma(da, da, a2);
    }
    return (struct powers){.s1 = v_sum((a1 + b1) + (c1 + d1)), .s2 = v_sum((a2 + b2) + (c2 + d2))};
}

static void moments2(const double *x, size_t n, struct moments *ret)
{
    const double count = (double) n;
    double center = likely_mean(x, n);
    struct powers p = powers2(x, n, center);
    if (!center_is_near(count, p.s1, p.s2)) {
        center += p.s1 / count;
        p = powers2(x, n, center);
    }
    const double e = p.s1 / count;
    *ret = (struct moments){
        .n = count, .sum = total_of(x, n, center, p.s1), .mean = mean_near(center, e), .m2 = p.s2 - e * p.s1};
}

/* Two vectors at a time: enough to do in each round to fill the time of an addition. Additions and
 * comparisons share one unit of the processor, multiplications have another; which of them squares are added
 * by evens that out. */
SIMD_INLINE struct powers powers4(const double *x, size_t n, double center, bool extremes)
{
    const vec c = v_set(center);
    vec p1 = v_set(0), p2 = p1, p3 = p1, p4 = p1, least = v_set(x[0]), greatest = least;
    vec q1 = p1, q2 = p1, q3 = p1, q4 = p1, less = least, greater = least;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        const vec u = v_load(x + i), d = u - c, dd = d * d;
        const vec v = v_load(x + i + W), e = v - c, ee = e * e;
        if (extremes) {
            least = v_min(u, least);
            greatest = v_max(u, greatest);
            less = v_min(v, less);
            greater = v_max(v, greater);
            p2 = v_fma(d, d, p2);
            q2 = v_fma(e, e, q2);
        } else {
            p2 += dd;
            q2 += ee;
        }
        p1 += d;
        q1 += e;
        p3 = v_fma(dd, d, p3);
        q3 = v_fma(ee, e, q3);
        p4 = v_fma(dd, dd, p4);
        q4 = v_fma(ee, ee, q4);
    }
    for (; i < n; i += W) {
        const size_t rest = n - i < W ? n - i : W;
        const vec v = v_part(x + i, rest, x[0]), d = v_part(x + i, rest, center) - c, dd = d * d;
        least = v_min(v, least);
        greatest = v_max(v, greatest);
        p1 += d;
        p2 += dd;
        p3 = v_fma(dd, d, p3);
        p4 = v_fma(dd, dd, p4);
    }
    return (struct powers){v_sum(p1 + q1),
                           v_sum(p2 + q2),
                           v_sum(p3 + q3),
                           v_sum(p4 + q4),
                           extremes ? v_least(v_min(less, least)) : 0,
                           extremes ? v_greatest(v_max(greater, greatest)) : 0};
}

SIMD_INLINE void fourth_moments(const double *x, size_t n, bool extremes, struct moments *ret)
{
    const double count = (double) n;
    double center = likely_mean(x, n);
    struct powers p = powers4(x, n, center, extremes);
    if (!center_is_near(count, p.s1, p.s2)) {
        center += p.s1 / count;
        p = powers4(x, n, center, extremes);
    }
    const double e = p.s1 / count;
    *ret = (struct moments){
        .n = count,
        .sum = total_of(x, n, center, p.s1),
        .mean = mean_near(center, e),
        .m2 = p.s2 - e * p.s1,
        .m3 = p.s3 - 3 * e * p.s2 + 2 * e * e * p.s1,
        .m4 = p.s4 - 4 * e * p.s3 + 6 * e * e * p.s2 - 3 * e * e * e * p.s1,
        .min = p.min,
        .max = p.max,
    };
}

static void moments4(const double *x, size_t n, struct moments *ret)
{
    fourth_moments(x, n, true, ret);
}

static void shape(const double *x, size_t n, struct moments *ret)
{
    fourth_moments(x, n, false, ret);
}
