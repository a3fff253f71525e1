/* SPDX-License-Identifier: MPL-2.0 */
/* standing - where the price stands between the extremes of a moving window, and how old these are: fast %K, WILLR, AROON.
 *
 * Bars begin .. end-1 are computed, and the window's bars before them are read; begin is not less than the window's length
 * - 1. scratch: what standing_scratch() says for the window. */
#ifndef STANDING_H
#define STANDING_H

#include <stddef.h>

size_t standing_scratch(size_t window);

/* 100 (close - L)/(H - L), with H the highest high and L the lowest low of the window; 0 where H = L. out[0] is of bar `begin`. */
void standing_k(const double *high, const double *low, const double *close, size_t begin, size_t end,
                size_t window, double *scratch, double *out);

/* -100 (H - close)/(H - L); 0 where H = L. out[0] is of bar `begin`. */
void standing_willr(const double *high, const double *low, const double *close, size_t begin, size_t end,
                    size_t window, double *scratch, double *out);

/* Over a window of period + 1 bars: 100 (period - bars since the lowest low)/period, and the same of the highest high, the latest
 * on ties. */
void standing_aroon(const double *high, const double *low, size_t begin, size_t end, size_t period,
                    double *scratch, double *out_down, double *out_up);

/* up - down of these. */
void standing_aroon_oscillator(const double *high, const double *low, size_t begin, size_t end, size_t period,
                               double *scratch, double *out);

#endif
