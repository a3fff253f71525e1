/* SPDX-License-Identifier: MPL-2.0 */
/* rates - one bar against another or against itself: changes over some bars, balance of power.
 *
 * Bars begin .. end-1 are written; changes read `period` bars before them. */
#ifndef RATES_H
#define RATES_H

#include <stddef.h>

/* x - p, with p the value `period` bars before x. */
void rates_difference(const double *x, size_t begin, size_t end, size_t period, double *out);

/* scale (x - p)/p, 0 where p is 0. */
void rates_change(const double *x, size_t begin, size_t end, size_t period, double scale, double *out);

/* scale x/p, 0 where p is 0. */
void rates_ratio(const double *x, size_t begin, size_t end, size_t period, double scale, double *out);

/* (close - open)/(high - low), 0 where the range is nothing or less. */
void rates_balance(const double *open, const double *high, const double *low, const double *close,
                   size_t begin, size_t end, double *out);

/* out becomes 100 out/x, 0 where x is nothing. */
void rates_percent(const double *x, size_t begin, size_t end, double *out);

/* Of n values, out becomes out - y, or by how much it is more than y: 100 (out - y)/y, 0 where y is nothing. */
void rates_less(const double *y, size_t n, double *out);
void rates_percent_more(const double *y, size_t n, double *out);

#endif
