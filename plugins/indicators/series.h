/* SPDX-License-Identifier: MPL-2.0 */
/* series - the part of the sent series that can be computed on, and the bars that have no value.
 *
 * The rule for missing bars (NaN), the same for every indicator: leading bars with a NaN in any of the series are skipped, and
 * the indicator starts after them; from the first later bar with a NaN in any of the series on, there is no value. */
#ifndef SERIES_H
#define SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include <kiln/plugin.h>

/* Bars begin .. end-1 are clean; begin == end when none is. */
struct span {
    size_t begin, end;
};

/* series: `count` pointers to n doubles each. */
struct span series_span(size_t n, size_t count, const double *const series[]);

/* Number of clean bars. */
static inline size_t series_length(struct span span)
{
    return span.end - span.begin;
}

/* Sets out to NaN where an indicator with this lookback has no value: before span.begin + lookback and from span.end on. */
void series_blank(double *out, size_t n, struct span span, size_t lookback);

/* Whether one of n values is none. */
bool series_has_nan(const double *x, size_t n);

/* Index of the first value below zero; n when there is none. */
size_t series_first_negative(const double *x, size_t n);

/* Data of an argument or a result that is an array of doubles; NULL when absent. */
static inline const double *series_in(const struct kiln_slot *slot)
{
    return slot->array.data;
}

static inline double *series_out(struct kiln_slot *slot)
{
    return slot->array.data;
}

#endif
