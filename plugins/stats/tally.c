/* SPDX-License-Identifier: MPL-2.0 */
#include "tally.h"

#include <math.h>

/* The same moments, of values times a power of two. */
static struct moments scaled(const struct moments *m, double factor)
{
    struct moments s = *m;
    s.sum *= factor;
    s.mean.hi *= factor;
    s.mean.lo *= factor;
    s.m2 = s.m2 * factor * factor;
    s.m3 = s.m3 * factor * factor * factor;
    s.m4 = s.m4 * factor * factor * factor * factor;
    return s;
}

/* The power of two that brings the largest value to about 1; 1 when that is 0 or not finite. */
static double unit_scale(const struct moments *m)
{
    const double most = fmax(fabs(m->min), fabs(m->max));
    if (!isfinite(most) || most == 0) {
        return 1;
    }
    const int exponent = -ilogb(most);
    return ldexp(1, exponent < 1000 ? exponent : 1000);
}

static struct reduction joined_at(const struct reduction *a, const struct reduction *b, double scale)
{
    const struct moments x = scaled(&a->m, scale / a->scale), y = scaled(&b->m, scale / b->scale);
    return (struct reduction){moments_join(&x, &y), scale};
}

struct reduction reduction_join(const struct reduction *a, const struct reduction *b)
{
    const struct reduction *small = a->scale < b->scale ? a : b;
    struct reduction both = joined_at(a, b, small->scale);
    const double scale = unit_scale(&both.m), squares = both.m.m4;
    /* Out of range at the scale of one may be in range at that of the larger values of both. */
    if ((!isfinite(both.m.sum) || !(squares < 0x1p1000)) && scale != both.scale) {
        both = joined_at(a, b, scale);
    }
    return both;
}

static void put(const struct reduction *r, unsigned level, struct tally *t)
{
    struct reduction carried = *r;
    for (; t->pieces >> level & 1; level++) {
        carried = reduction_join(&t->level[level], &carried);
        t->pieces &= ~(1ull << level);
    }
    t->level[level] = carried;
    t->pieces |= 1ull << level;
}

bool tally_add(const struct kernels *k, const double *x, size_t n, enum nan_policy policy, double *scratch,
               struct tally *t)
{
    struct reduction r;
    reduce_moments4(k, x, n, &r);
    if (!isnan(r.m.sum)) {
        put(&r, 0, t);
        return true;
    }
    size_t count = 0; /* NaN, or infinities of both signs */
    for (size_t i = 0; i < n; i++) {
        scratch[count] = x[i];
        count += x[i] == x[i];
    }
    t->missing += n - count;
    if (policy == NAN_RAISE && count < n) {
        return false;
    }
    if (policy == NAN_PROPAGATE) {
        put(&r, 0, t);
    } else if (count) {
        reduce_moments4(k, scratch, count, &r);
        put(&r, 0, t);
    }
    return true;
}

void tally_join(const struct tally *from, struct tally *t)
{
    struct reduction r;
    if (tally_total(from, &r)) {
        put(&r, 0, t);
    }
    t->missing += from->missing;
}

bool tally_total(const struct tally *t, struct reduction *ret)
{
    bool any = false;
    for (unsigned i = 0; t->pieces >> i; i++) {
        if (t->pieces >> i & 1) {
            *ret = any ? reduction_join(&t->level[i], ret) : t->level[i];
            any = true;
        }
    }
    return any;
}

struct summary tally_summary(const struct tally *t, enum nan_policy policy, double ddof)
{
    const double nothing = (double) NAN;
    struct summary s = {0, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing};
    struct reduction r;
    if (!tally_total(t, &r)) {
        return s;
    }
    s.nobs = (int64_t) r.m.n;
    if (t->missing && policy == NAN_PROPAGATE) {
        return s;
    }
    s.sum = reduction_sum(&r);
    /* More exact than sum / n, but for infinities. */
    s.mean = isfinite(r.m.mean.hi) ? (r.m.mean.hi + r.m.mean.lo) / r.scale : reduction_mean(&r);
    s.min = r.m.min;
    s.max = r.m.max;
    if (r.m.n > ddof) {
        s.var = reduction_var(&r, ddof);
        s.std = reduction_std(&r, ddof);
    }
    if (r.m.m2 != 0) {
        const double n = r.m.n, m2 = r.m.m2 / n;
        s.skewness = r.m.m3 / n / (m2 * sqrt(m2));
        s.kurtosis = r.m.m4 / n / (m2 * m2) - 3;
    }
    return s;
}
