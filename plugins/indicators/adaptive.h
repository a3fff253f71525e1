/* SPDX-License-Identifier: MPL-2.0 */
/* adaptive - Kaufman's adaptive moving average (KAMA): the straighter the way of the last bars, the quicker the average.
 *
 * ER = |x_i - x_{i-period}| / sum of |x_j - x_{j-1}| over the last `period` bars, 1 where nothing moved. The
 * average moves by ((2/3 - 2/31) ER + 2/31)^2 of its distance to x_i; it starts from x_{period-1}, and its first value is at
 * bar `period`. */
#ifndef ADAPTIVE_H
#define ADAPTIVE_H

#include "blocks.h"

enum { ADAPTIVE_STATE = 1 };

size_t adaptive_history(size_t period);
size_t adaptive_scratch(size_t period);

void adaptive_kama_part(const double *x, struct part part, size_t period, double *state, double *scratch,
                        double *out);

#endif
