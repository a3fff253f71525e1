/* SPDX-License-Identifier: MPL-2.0 */
#include "rolling.h"

#include "moving.h"
#include "sliding.h"

size_t rolling_scratch(size_t period)
{
    size_t sums = sliding_work(period);
    size_t moments = moving_moments_scratch(period); /* more than moving_vwap() wants */
    return sums > moments ? sums : moments;
}

void rolling_sums(const double *x, size_t n, size_t period, double *scratch, double *out)
{
    double sum = 0.0;
    for (size_t i = 0; i < least(period - 1, n); i++) {
        sum += x[i];
        out[i] = sum;
    }
    for (size_t length, i = period - 1; i < n; i += length) {
        double *to = out + i;
        length = sliding_piece(period, i, n - i);
        sliding_sums(x + i - (period - 1), length, &period, 1, i, scratch, &to);
    }
}

/* The windows that are not full yet: deviations from the first value, which all of them contain. */
static void moments_head(const double *x, size_t n, double *mean, double *variance)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - x[0], count = (double) (i + 1);
        sum += d;
        squares += d * d;
        double deviation = sum / count, spread = squares / count - deviation * deviation;
        mean[i] = x[0] + deviation;
        variance[i] = spread < 0.0 ? 0.0 : spread;
    }
}

static void moments_of_some(const double *x, size_t n, double *ret_mean, double *ret_variance)
{
    double sum = 0.0, squares = 0.0, count = 0.0, anchor = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(x[i])) {
            anchor = count > 0.0 ? anchor : x[i];
            sum += x[i] - anchor;
            count += 1.0;
        }
    }
    double mean = anchor + sum / count; /* NaN when there are none */
    for (size_t i = 0; i < n; i++) {
        squares += isnan(x[i]) ? 0.0 : (x[i] - mean) * (x[i] - mean);
    }
    *ret_mean = mean;
    *ret_variance = squares / count;
}

int rolling_moments(const double *x, size_t n, size_t period, double *scratch, struct pace *pace,
                    double *mean, double *variance)
{
    if (!series_has_nan(x, n)) {
        moments_head(x, least(period - 1, n), mean, variance);
        moving_moments(x, n, period, scratch, mean, variance);
        return KILN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        size_t count = least(period, i + 1);
        moments_of_some(x + i + 1 - count, count, &mean[i], &variance[i]);
        if (pace_stops(pace, 4 * count)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static double rank_of(double less, double equal, double count)
{
    return count > 1.0 ? 2.0 * (less + (equal - 1.0) / 2.0) / (count - 1.0) - 1.0 : 0.0;
}

/* Bars 0 .. n-1 with full windows: x[1 - period] can be read. */
KERNEL static void rank_full(const double *restrict x, size_t n, size_t period, double *restrict out)
{
    double less[KERNEL_CHUNK] = {0.0}, equal[KERNEL_CHUNK] = {0.0};
    for (size_t age = 0; age < period; age++) {
        const double *then = x - age;
        for (size_t i = 0; i < n; i++) {
            less[i] += then[i] < x[i] ? 1.0 : 0.0;
            equal[i] += then[i] == x[i] ? 1.0 : 0.0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = rank_of(less[i], equal[i], (double) period);
    }
}

int rolling_rank(const double *x, size_t n, size_t period, struct pace *pace, double *out)
{
    for (size_t i = 0; i < least(period - 1, n); i++) {
        double less = 0.0, equal = 0.0;
        for (size_t j = 0; j <= i; j++) {
            less += x[j] < x[i] ? 1.0 : 0.0;
            equal += x[j] == x[i] ? 1.0 : 0.0;
        }
        out[i] = rank_of(less, equal, (double) (i + 1));
        if (pace_stops(pace, i)) {
            return KILN_CANCELLED;
        }
    }
    for (size_t length, i = period - 1; i < n; i += length) {
        length = least(KERNEL_CHUNK, n - i);
        rank_full(x + i, length, period, out + i);
        if (pace_stops(pace, length * period)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}
