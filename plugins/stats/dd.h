/* SPDX-License-Identifier: MPL-2.0 */
/* dd - numbers of twice the precision: hi + lo, where |lo| <= ulp(hi) / 2, good for about 31 digits.
 *
 * For the few numbers of a fit that many others depend on; whole columns are worked on by fit_kernels. Not for
 * values near the ends of the range, where products would lose their second half. */
#ifndef DD_H
#define DD_H

#include <math.h>

struct dd {
    double hi, lo;
};

static inline struct dd dd_of(double a)
{
    return (struct dd){a, 0};
}

/* a + b exactly (Knuth). */
static inline struct dd dd_sum(double a, double b)
{
    const double s = a + b, t = s - a;
    return (struct dd){s, (a - (s - t)) + (b - t)};
}

/* a + b exactly where |a| >= |b| (Dekker). */
static inline struct dd dd_settle(double a, double b)
{
    const double s = a + b;
    return (struct dd){s, b - (s - a)};
}

static inline struct dd dd_add(struct dd a, struct dd b)
{
    struct dd s = dd_sum(a.hi, b.hi);
    const struct dd t = dd_sum(a.lo, b.lo);
    s = dd_settle(s.hi, s.lo + t.hi);
    return dd_settle(s.hi, s.lo + t.lo);
}

static inline struct dd dd_neg(struct dd a)
{
    return (struct dd){-a.hi, -a.lo};
}

static inline struct dd dd_sub(struct dd a, struct dd b)
{
    return dd_add(a, dd_neg(b));
}

static inline struct dd dd_mul(struct dd a, struct dd b)
{
    const double p = a.hi * b.hi;
    return dd_settle(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}

/* a + b c */
static inline struct dd dd_mul_add(struct dd a, struct dd b, struct dd c)
{
    return dd_add(a, dd_mul(b, c));
}

static inline struct dd dd_div(struct dd a, struct dd b)
{
    const double q = a.hi / b.hi;
    const struct dd rest = dd_sub(a, dd_mul(b, dd_of(q)));
    const double q2 = rest.hi / b.hi;
    const struct dd first = dd_settle(q, q2);
    return dd_settle(first.hi, first.lo + dd_sub(rest, dd_mul(b, dd_of(q2))).hi / b.hi);
}

static inline struct dd dd_sqrt(struct dd a)
{
    if (!(a.hi > 0)) {
        return dd_of(a.hi == 0 ? 0 : (double) NAN);
    }
    const double s = sqrt(a.hi);
    return dd_settle(s, dd_sub(a, dd_mul(dd_of(s), dd_of(s))).hi / (s + s));
}

static inline double dd_value(struct dd a)
{
    return a.hi + a.lo;
}

#endif
