/* SPDX-License-Identifier: MPL-2.0 */
/* order - the values at a few places of the sorted order, and the median, with scratch memory from the call. */
#ifndef ORDER_H
#define ORDER_H

#include <kiln/plugin.h>
#include <stddef.h>

/* ret[i] = the value of rank ranks[i], from 0, of n values, none NaN. Ranks ascend; they may be equal. At
 * most 4. KILN_RESOURCE without scratch memory. */
int order_values(struct kiln_call *call, const double *x, size_t n, const size_t *ranks, size_t n_ranks,
                 double *ret);

/* The middle value, or the mean of the two in the middle, rounded once as by numpy.median. */
int order_median(struct kiln_call *call, const double *x, size_t n, double *ret);

/* The median of |x - center|. */
int order_deviation(struct kiln_call *call, const double *x, size_t n, double center, double *ret);

#endif
