/* SPDX-License-Identifier: MPL-2.0 */
/* The rolling kernels as one would write them down, with a block and what is left of the one before: what the
 * vector ones are compared with, and what few windows are left to. */
#include <math.h>

#include "rolling_kernels.h"

static double middle(double a, double b, double c)
{
    const double low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Sums of deviations and of their squares; what they came to after every so many goes to totals, so that rounding
 * errors do not grow with the window. */
struct sums {
    double s1, s2, t1, t2;
};

static inline void sums_add(struct sums *s, double d, size_t count)
{
    s->s1 += d;
    s->s2 += d * d;
    if (count % 128 == 0) {
        s->t1 += s->s1;
        s->t2 += s->s2;
        s->s1 = s->s2 = 0;
    }
}

/* The windows that end in a block all contain the value it begins with, and, blocks being shorter than the window
 * by two, the two values before; the middle one of them is the anchor, for an outlier would cost digits. */
static void sums(enum rolling what, const double *x, size_t n, size_t window, double divisor, double *scratch,
                 double *out)
{
    const double count = (double) window;
    const size_t block = window > 3 ? window - 2 : 1;
    for (size_t from = window - 1; from < n; from += block) {
        const size_t end = n - from < block ? n : from + block;
        const double anchor = window > 3 ? middle(x[from], x[from - 1], x[from - 2]) : x[from];
        struct sums sum = {0};
        scratch[0] = scratch[1] = 0;
        for (size_t age = 1; age < window;
             age++) { /* the tail that a window has of what is before the block */
            sums_add(&sum, x[from - age] - anchor, age);
            scratch[2 * age] = sum.t1 + sum.s1;
            scratch[2 * age + 1] = sum.t2 + sum.s2;
        }
        sum = (struct sums){0};
        for (size_t i = from; i < end; i++) {
            const double d = x[i] - anchor, *tail = scratch + 2 * (window - 1 - (i - from));
            sums_add(&sum, d, i - from + 1);
            const double s1 = (sum.t1 + sum.s1) + tail[0], s2 = (sum.t2 + sum.s2) + tail[1];
            const double mean = s1 / count, square = s2 - s1 * mean;
            const double var = (square < 0 ? 0 : square) / divisor; /* NaN stays NaN */
            out[i + 1 - window] = what == ROLLING_SUM    ? count * anchor + s1
                                  : what == ROLLING_MEAN ? anchor + mean
                                  : what == ROLLING_VAR  ? var
                                  : what == ROLLING_STD  ? sqrt(var)
                                                         : (d - mean) / sqrt(var);
        }
    }
}

static inline double further(enum rolling what, double a, double b)
{
    return what == ROLLING_MIN ? (b < a ? b : a) : (b > a ? b : a);
}

static void extremes(enum rolling what, const double *x, size_t n, size_t window, double *scratch,
                     double *out)
{
    for (size_t from = window - 1; from < n; from += window) {
        const size_t end = n - from < window ? n : from + window;
        scratch[0] = x[from];
        for (size_t age = 1; age < window; age++) {
            scratch[age] = further(what, scratch[age - 1], x[from - age]);
        }
        double head = x[from];
        for (size_t i = from; i < end; i++) {
            head = further(what, head, x[i]);
            out[i + 1 - window] = further(what, head, scratch[window - 1 - (i - from)]);
        }
    }
}

#define PLAIN(name, call)                                                                                    \
    static void name(const double *x, size_t n, size_t window, double divisor, double *scratch, double *out) \
    {                                                                                                        \
        (void) divisor;                                                                                      \
        call;                                                                                                \
    }

PLAIN(plain_sum, sums(ROLLING_SUM, x, n, window, divisor, scratch, out))
PLAIN(plain_mean, sums(ROLLING_MEAN, x, n, window, divisor, scratch, out))
PLAIN(plain_var, sums(ROLLING_VAR, x, n, window, divisor, scratch, out))
PLAIN(plain_std, sums(ROLLING_STD, x, n, window, divisor, scratch, out))
PLAIN(plain_zscore, sums(ROLLING_ZSCORE, x, n, window, divisor, scratch, out))
PLAIN(plain_min, extremes(ROLLING_MIN, x, n, window, scratch, out))
PLAIN(plain_max, extremes(ROLLING_MAX, x, n, window, scratch, out))

rolling_kernel *const rolling_plain[ROLLING_KINDS] = {
    plain_sum, plain_mean, plain_var, plain_std, plain_zscore, plain_min, plain_max,
};
