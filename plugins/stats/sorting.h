/* SPDX-License-Identifier: MPL-2.0 */
/* sorting - values in order, the order itself, and ranks.
 *
 * Doubles are mapped to integers of the same order and sorted by radix (least digit first) on as many of their
 * leading bits as are likely to tell n values apart; the few that agree in those are sorted again by the bits
 * below. Time is linear in n whatever the data. For the order, the index of each value travels in the low bits of
 * its integer, so that 8 bytes are moved for each value; bits that had to make room are compared afterwards.
 *
 * Scratch memory holds sort_scratch_bytes(n). NaN go to the end, in the order they came in; -0 equals 0. Calls
 * return KILN_OK, or KILN_CANCELLED when the job is no longer wanted. */
#ifndef SORTING_H
#define SORTING_H

#include <kiln/plugin.h>

/* Longer arrays are refused by the functions that sort: indices are 32 bits wide. */
#define SORT_MOST ((size_t) UINT32_MAX)

enum rank_method { RANK_AVERAGE, RANK_MIN, RANK_MAX, RANK_DENSE, RANK_ORDINAL };

/* Groups of equal values. */
struct ties {
    size_t numbers; /* values that are not NaN */
    size_t groups;  /* different ones among them */
    size_t tied;    /* values that have an equal */
    double cubes;   /* sum of t^3 - t over the groups of t values: the tie correction of the rank tests */
};

size_t sort_scratch_bytes(size_t n);

/* Ascending, in place. */
int sort_values(struct kiln_call *call, double *x, size_t n, void *scratch);

/* ret[i] = index of the value of rank i; equal values in the order of their indices (a stable sort). */
int sort_order(struct kiln_call *call, const double *x, size_t n, void *scratch, uint32_t *ret);

/* ret[i] = rank of x[i], from 1, as scipy.stats.rankdata; that of a NaN is NaN. ret may be x; ret_ties may be
 * NULL. */
int sort_ranks(struct kiln_call *call, const double *x, size_t n, enum rank_method method, void *scratch,
               double *ret, struct ties *ret_ties);

/* The groups of equal values of an ascending array without NaN. */
void ties_of_sorted(const double *x, size_t n, struct ties *ret);

#endif
