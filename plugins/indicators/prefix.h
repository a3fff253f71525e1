/* SPDX-License-Identifier: MPL-2.0 */
/* prefix - sums that run from the first bar to the last. For kernels.
 *
 * Bars are taken in fours, aligned by their numbers: the sum up to a bar is that of the fours before, plus that of its own four up
 * to the bar. Only the first waits for the bars before, once in four bars. Carried are both, PREFIX_STATE doubles, all zero
 * before bar 0. */
#ifndef PREFIX_H
#define PREFIX_H

#include "kernel.h"

enum { PREFIX_STATE = 2, PREFIX_FOUR = 4 };

/* One bar at a time. */
ALWAYS_INLINE void prefix_one(double *restrict x, uint64_t number, double *whole, double *part)
{
    *part += *x;
    *x = *whole + *part;
    if (number % PREFIX_FOUR == PREFIX_FOUR - 1) {
        *whole = *x;
        *part = 0.0;
    }
}

/* Each value becomes the sum up to it; x[0] is of this number. */
ALWAYS_INLINE void prefix_sums(double *restrict x, size_t length, uint64_t number, double *restrict state)
{
    double whole = state[0], part = state[1];
    size_t i = 0;
    for (; i < length && (number + i) % PREFIX_FOUR != 0; i++) {
        prefix_one(x + i, number + i, &whole, &part);
    }
    for (; i + PREFIX_FOUR <= length; i += PREFIX_FOUR) {
        double a = x[i], b = a + x[i + 1], c = b + x[i + 2], d = c + x[i + 3];
        x[i] = whole + a;
        x[i + 1] = whole + b;
        x[i + 2] = whole + c;
        x[i + 3] = whole = whole + d;
    }
    for (; i < length; i++) {
        prefix_one(x + i, number + i, &whole, &part);
    }
    state[0] = whole;
    state[1] = part;
}

#endif
