/* SPDX-License-Identifier: MPL-2.0 */
/* select - values at given places of the sorted order, without sorting everything.
 *
 * Quickselect for several ranks at once: split the values around a pivot, go on only in the parts in which
 * ranks are asked for. Pivots come from a sample, aimed a little beyond the wanted rank, so that about 1.6 n
 * values are moved for one rank. Many ranks turn it into quicksort. Time is bounded by 64 n also for
 * contrived data. The answer does not depend on the pivots. */
#ifndef SELECT_H
#define SELECT_H

#include "kernels.h"

/* Bytes of scratch memory that select_ranks needs for n values. */
size_t select_scratch_bytes(size_t n);

/* Splits that may leave most of a range. After them the range of values is halved instead, which always
 * ends; tests pass 0 to go that way at once. */
enum { SELECT_PATIENCE = 12 };

/* ranks ascend strictly and are below n; ret[i] = the value of rank ranks[i] (0: the smallest). No NaN among
 * x. */
void select_ranks(const struct kernels *k, const double *x, size_t n, const size_t *ranks, size_t n_ranks,
                  unsigned patience, double *scratch, double *ret);

#endif
