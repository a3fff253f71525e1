/* SPDX-License-Identifier: MPL-2.0 */
/* rolling_kernels - a value for each window of consecutive numbers, once in plain C and once for each width of
 * vector unit (a part of kernels.h; rolling_body.h has the vector ones).
 *
 * Nothing is ever subtracted from a running sum: a value that has left the window leaves no trace. Sums of more
 * than a few values are put together from two: that of a block so far, and that of what the window still holds
 * of the block before; both are sums of deviations from a number that lies in every window of the block, so that
 * data far from zero keeps its digits.
 *
 * A rolling_kernel takes n >= window numbers x, whose squares are finite, and gives the n - window + 1 windows in
 * order; out does not overlap x. A NaN makes the windows it is in NaN, but extremes expect none; nobody expects
 * infinities. A rolling_gaps_kernel leaves NaN out and counts what remains. */
#ifndef ROLLING_KERNELS_H
#define ROLLING_KERNELS_H

#include <stdbool.h>
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
    ROLLING_COV = ROLLING_KINDS, /* these two by rolling_counted() only */
    ROLLING_CORR
};

/* divisor is that of the variance; scratch holds ROLLING_SCRATCH(window) numbers. */
typedef void rolling_kernel(const double *x, size_t n, size_t window, double divisor, double *scratch,
                            double *out);

#define ROLLING_SCRATCH(window) (24 * (window))

extern rolling_kernel *const rolling_plain[ROLLING_KINDS];

struct windows {
    const double *x, *y; /* y: the second series, or NULL */
    size_t n;
    size_t window;      /* at most n */
    size_t min_periods; /* values a window must have; at least 1 */
    bool omit;          /* a NaN is left out; else it makes its windows NaN */
    double ddof;
};

/* The windows that end at x[window - 1] .. x[n - 1], of one series, when NaN are left out; no extremes, which know
 * another way. out and scratch as above. */
typedef void rolling_gaps_kernel(const struct windows *w, double *scratch, double *out);

extern rolling_gaps_kernel *const rolling_plain_gaps[ROLLING_MIN];

/* The windows that end at x[first] .. x[end - 1], shorter ones at the start included: any sums, of one or two
 * series, with NaN and infinities. out has the place of window `first` first. */
void rolling_counted(enum rolling what, const struct windows *w, size_t first, size_t end, double *scratch,
                     double *out);

#endif
