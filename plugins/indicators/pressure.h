/* SPDX-License-Identifier: MPL-2.0 */
/* pressure - who pressed harder over a sliding window, buyers or sellers: MFI, IMI, ULTOSC.
 *
 * Each is a share of two sums over the window (see sliding.h). The bars of the window before the part, and one more where changes are
 * taken, are read. Nothing is carried. scratch: what pressure_scratch() says. */
#ifndef PRESSURE_H
#define PRESSURE_H

#include <stddef.h>

#include "kernel.h"

enum { PRESSURE_WINDOWS = 3 };

/* Doubles of scratch for so many windows, of which the longest has so many bars. */
size_t pressure_scratch(size_t longest, size_t windows);

/* Money flow: price x volume with price = (high + low + close)/3; 100 R/(R + F) of the flows of bars whose price rose and of those
 * whose price fell; 0 where R + F < 1. From bar number `period` on. */
void pressure_money(const double *high, const double *low, const double *close, const double *volume,
                    struct part part, size_t period, double *scratch, double *out);

/* Within bars: 100 R/(R + F) of close - open where positive and of open - close where positive; NaN where R + F
 * is 0. From bar number period - 1 on. */
void pressure_intraday(const double *open, const double *close, struct part part, size_t period,
                       double *scratch, double *out);

/* Ultimate oscillator: with A the sum of close - min(low, previous close) over that of the true range, 0 where the latter is nothing,
 * 100 (4 A + 2 A' + A'')/7 for three windows, the shortest first. From bar number periods[2] on. */
void pressure_ultimate(const double *high, const double *low, const double *close, struct part part,
                       const size_t periods[PRESSURE_WINDOWS], double *scratch, double *out);

#endif
