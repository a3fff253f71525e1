/* SPDX-License-Identifier: MPL-2.0 */
#include "moving.h"

#include <math.h>

#include "blocks.h"

/* Up to here summing each window afresh is the faster way. */
enum { SHORT_PERIOD = 12 };

/* fn(.., period) with a constant for each short period, so that the loop over the window is unrolled and the one over the
 * bars works on whole vectors. */
#define CASE(fn, period, ...)                                                                                \
    case period:                                                                                             \
        fn(__VA_ARGS__, period);                                                                             \
        break;
#define SHORT_PERIODS(fn, ...)                                                                               \
    switch (period) {                                                                                        \
        CASE(fn, 1, __VA_ARGS__)                                                                             \
        CASE(fn, 2, __VA_ARGS__)                                                                             \
        CASE(fn, 3, __VA_ARGS__)                                                                             \
        CASE(fn, 4, __VA_ARGS__)                                                                             \
        CASE(fn, 5, __VA_ARGS__)                                                                             \
        CASE(fn, 6, __VA_ARGS__)                                                                             \
        CASE(fn, 7, __VA_ARGS__)                                                                             \
        CASE(fn, 8, __VA_ARGS__)                                                                             \
        CASE(fn, 9, __VA_ARGS__)                                                                             \
        CASE(fn, 10, __VA_ARGS__)                                                                            \
        CASE(fn, 11, __VA_ARGS__)                                                                            \
        CASE(fn, 12, __VA_ARGS__)                                                                            \
    }

static inline double fraction_of(size_t period)
{
    return 1.0 / (double) period;
}

/* ---- mean ------------------------------------------------------------------------------------ */

ALWAYS_INLINE void mean_of_each(const double *restrict x, size_t n, double *restrict mean, size_t period)
{
    double part = fraction_of(period);
    for (size_t i = period - 1; i < n; i++) {
        double sum = 0.0;
        for (size_t age = 1; age < period; age++) {
            sum += x[i - age] - x[i];
        }
        mean[i] = x[i] + sum * part;
    }
}

KERNEL static void mean_short(const double *restrict x, size_t n, size_t period, double *restrict mean)
{
    SHORT_PERIODS(mean_of_each, x, n, mean);
}

ALWAYS_INLINE void mean_terms(const quad *d, double place, quad *ret_terms)
{
    (void) place;
    ret_terms[0] = d[0];
}

ALWAYS_INLINE quad mean_finish(const quad *sums, const quad *anchor, double place, const double *fraction)
{
    (void) place;
    return anchor[0] + sums[0] * *fraction;
}

KERNEL static void mean_long(const double *x, struct part part, size_t period, double *scratch, double *mean)
{
    double fraction = fraction_of(period);
    blocks_run(1, 1, mean_terms, mean_finish, &x, part, period, &fraction, scratch, mean);
}

void moving_mean_part(const double *x, struct part part, size_t period, double *scratch, double *out_mean)
{
    size_t lookback = period - 1;
    part = part_from(part, lookback);
    if (part.begin == part.end) {
        return;
    }
    if (period > SHORT_PERIOD) {
        mean_long(x, part, period, scratch, out_mean);
        return;
    }
    ptrdiff_t start = (ptrdiff_t) part.begin - (ptrdiff_t) lookback; /* may lie before index 0 */
    mean_short(x + start, part.end - part.begin + lookback, period, out_mean + start);
}

/* ---- mean and variance ----------------------------------------------------------------------- */

/* From the mean deviation and the mean squared deviation from an anchor. */
static inline double variance_of(double deviation, double square)
{
    double variance = square - deviation * deviation;
    return variance < 0.0 ? 0.0 : variance;
}

ALWAYS_INLINE void moments_of_each(const double *restrict x, size_t n, double *restrict mean,
                                   double *restrict variance, size_t period)
{
    double part = fraction_of(period);
    for (size_t i = period - 1; i < n; i++) {
        double sum = 0.0, squares = 0.0;
        for (size_t age = 1; age < period; age++) {
            double d = x[i - age] - x[i];
            sum += d;
            squares += d * d;
        }
        double deviation = sum * part;
        mean[i] = x[i] + deviation;
        variance[i] = variance_of(deviation, squares * part);
    }
}

KERNEL static void moments_short(const double *restrict x, size_t n, size_t period, double *restrict mean,
                                 double *restrict variance)
{
    SHORT_PERIODS(moments_of_each, x, n, mean, variance);
}

/* A deviation and its square, side by side in one register; may_alias, since the scratch is doubles. */
typedef double both __attribute__((vector_size(16), may_alias));

_Static_assert(BLOCKS_ABREAST == 4, "moving_moments_scratch() counts on it");

ALWAYS_INLINE void moments_terms(const quad *d, double place, quad *ret_terms)
{
    (void) place;
    ret_terms[0] = d[0];
    ret_terms[1] = d[0] * d[0];
}

ALWAYS_INLINE quad moments_variance(const quad *sums, const quad *anchor, double place,
                                    const double *fraction)
{
    (void) anchor;
    (void) place;
    quad deviation = sums[0] * *fraction, variance = sums[1] * *fraction - deviation * deviation;
    for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
        variance[l] = variance[l] < 0.0 ? 0.0 : variance[l];
    }
    return variance;
}

KERNEL static void moments_long(const double *x, struct part part, size_t period, double *scratch,
                                double *mean, double *variance)
{
    double fraction = fraction_of(period);
    blocks_run_two(1, MOVING_SUMS, moments_terms, mean_finish, moments_variance, &x, part, period, &fraction,
                   scratch, mean, variance);
}

void moving_moments_part(const double *x, struct part part, size_t period, double *scratch, double *out_mean,
                         double *out_variance)
{
    size_t lookback = period - 1;
    part = part_from(part, lookback);
    if (part.begin == part.end) {
        return;
    }
    if (period > SHORT_PERIOD) {
        moments_long(x, part, period, scratch, out_mean, out_variance);
        return;
    }
    ptrdiff_t start = (ptrdiff_t) part.begin - (ptrdiff_t) lookback;
    moments_short(x + start, part.end - part.begin + lookback, period, out_mean + start,
                  out_variance + start);
}

/* ---- volume-weighted mean price ---------------------------------------------------------------- */

ALWAYS_INLINE both paid_and_traded(double high, double low, double close, double volume)
{
    return (both){(high + low + close) * volume, volume};
}

/* As mean_rest(); skip may be 0. */
ALWAYS_INLINE void vwap_block(const double *restrict high, const double *restrict low,
                              const double *restrict close, const double *restrict volume, size_t from,
                              size_t skip, size_t length, size_t period, double *restrict scratch,
                              double *restrict out)
{
    both *restrict sum = (both *) scratch;
    both head = {0.0, 0.0}, tail = {0.0, 0.0};
    for (size_t j = period - 1; j > skip; j--) {
        if (j < length) {
            sum[j] = tail;
        }
        size_t bar = from + j - period;
        tail += paid_and_traded(high[bar], low[bar], close[bar], volume[bar]);
    }
    sum[skip] = tail;
    for (size_t bar = from; bar < from + skip; bar++) {
        head += paid_and_traded(high[bar], low[bar], close[bar], volume[bar]);
    }
    for (size_t i = skip; i < length; i++) {
        size_t bar = from + i;
        head += paid_and_traded(high[bar], low[bar], close[bar], volume[bar]);
        sum[i] += head;
    }
    for (size_t i = skip; i < length; i++) {
        double traded = scratch[2 * i + 1];
        out[from + i] = traded > 0.0 ? scratch[2 * i] / (3.0 * traded) : (double) NAN;
    }
}

KERNEL void moving_vwap_part(const double *restrict high, const double *restrict low,
                             const double *restrict close, const double *restrict volume, struct part part,
                             size_t period, double *restrict scratch, double *restrict out)
{
    size_t lookback = period - 1;
    part = part_from(part, lookback);
    if (part.begin == part.end) {
        return;
    }
    size_t skip = part_place(part, lookback, period);
    for (size_t from = part.begin - skip; from < part.end; from += period) {
        vwap_block(high, low, close, volume, from, skip, least(period, part.end - from), period, scratch,
                   out);
        skip = 0;
    }
}
