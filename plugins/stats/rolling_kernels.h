/* SPDX-License-Identifier: MPL-2.0 */
/* rolling_kernels - a value for each window of consecutive numbers, once in plain C and once for each width of
 * vector unit (a part of kernels.h; rolling_body.h has the vector ones).
 *
 * Nothing is ever subtracted from a running sum: a value that has left the window leaves no trace. Sums of more
 * than a few values are put together from two: that of a block so far, and that of what the window still holds
 * of the block before; both are sums of deviations from a number that lies in every window of the block, so that
 * data far from zero keeps its digits.
 *
 * x holds n >= window numbers, finite, whose squares are; out gets the n - window + 1 windows in order, and does
 * not overlap x. */
#ifndef ROLLING_KERNELS_H
#define ROLLING_KERNELS_H

#include <stddef.h>

enum rolling {
    ROLLING_SUM,
    ROLLING_MEAN,
    ROLLING_VAR,
    ROLLING_STD,
    ROLLING_ZSCORE, /* of the window's last value */
    ROLLING_MIN,
    ROLLING_MAX,
    ROLLING_KINDS,
    ROLLING_COV = ROLLING_KINDS, /* these two in rolling.c only */
    ROLLING_CORR
};

/* divisor is that of the variance; scratch holds ROLLING_SCRATCH(window) numbers. */
typedef void rolling_kernel(const double *x, size_t n, size_t window, double divisor, double *scratch,
                            double *out);

#define ROLLING_SCRATCH(window) (16 * (window))

extern rolling_kernel *const rolling_plain[ROLLING_KINDS];

#endif
