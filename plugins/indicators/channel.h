/* SPDX-License-Identifier: MPL-2.0 */
/* channel - the commodity channel index: how many mean deviations the price is away from its mean. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stddef.h>

/* Doubles of scratch. */
size_t channel_scratch(size_t period);

/* With price = (high + low + close)/3 and its mean m over the last `period` bars: (price - m)/(0.015 d), d being the mean of
 * |price - m| over the same bars; 0 where price = m. Writes bars begin .. end-1 and reads period - 1 bars before; begin + 1 >=
 * period >= 2. All is computed in
 * deviations from the window's last price, so that no digits are lost to the level of the price, and where all are equal the index is
 * exactly 0. Each window is summed afresh, many of them at once. */
void channel_index(const double *high, const double *low, const double *close, size_t begin, size_t end,
                   size_t period, double *scratch, double *out);

#endif
