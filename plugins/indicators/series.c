/* SPDX-License-Identifier: MPL-2.0 */
#include "series.h"

#include <math.h>
#include <stdbool.h>

#include "kernel.h"

/* Values looked at together, each lane apart, so that the compiler can use whole vectors. */
enum { LANES = 8 };

/* One comparison tells whether either of two values is none. */
KERNEL bool series_has_nan(const double *x, size_t n)
{
    double lane[LANES] = {0.0}, count = 0.0;
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        for (size_t j = 0; j < LANES; j++) {
            lane[j] += __builtin_isunordered(x[i + j], x[i + LANES + j]) ? 1.0 : 0.0;
        }
    }
    for (; i < n; i++) {
        count += x[i] != x[i] ? 1.0 : 0.0;
    }
    for (size_t j = 0; j < LANES; j++) {
        count += lane[j];
    }
    return count > 0.0;
}

static bool bar_is_clean(size_t i, size_t count, const double *const series[])
{
    for (size_t s = 0; s < count; s++) {
        if (isnan(series[s][i])) {
            return false;
        }
    }
    return true;
}

struct span series_span(size_t n, size_t count, const double *const series[])
{
    struct span span = {0, n};
    while (span.begin < n && !bar_is_clean(span.begin, count, series)) {
        span.begin++;
    }
    for (size_t from = span.begin; from < n; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, n - from);
        bool missing = false;
        for (size_t s = 0; s < count; s++) {
            missing |= series_has_nan(series[s] + from, length);
        }
        if (missing) {
            span.end = from;
            while (bar_is_clean(span.end, count, series)) {
                span.end++;
            }
            break;
        }
    }
    return span;
}

void series_blank(double *out, size_t n, struct span span, size_t lookback)
{
    size_t first = span.begin + least(lookback, series_length(span));
    for (size_t i = 0; i < first; i++) {
        out[i] = (double) NAN;
    }
    for (size_t i = span.end; i < n; i++) {
        out[i] = (double) NAN;
    }
}

KERNEL static size_t count_negative(const double *x, size_t n)
{
    double lane[LANES] = {0.0}, count = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            lane[j] += x[i + j] < 0.0 ? 1.0 : 0.0;
        }
    }
    for (; i < n; i++) {
        count += x[i] < 0.0 ? 1.0 : 0.0;
    }
    for (size_t j = 0; j < LANES; j++) {
        count += lane[j];
    }
    return (size_t) count;
}

size_t series_first_negative(const double *x, size_t n)
{
    if (count_negative(x, n) == 0) {
        return n;
    }
    size_t i = 0;
    while (!(x[i] < 0.0)) {
        i++;
    }
    return i;
}
