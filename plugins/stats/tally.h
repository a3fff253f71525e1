/* SPDX-License-Identifier: MPL-2.0 */
/* tally - moments of data that comes in pieces and is never all in memory.
 *
 *     struct tally t = {0};
 *     tally_add(k, x, n, NAN_OMIT, scratch, &t)    for each piece of at most TALLY_PIECE values
 *     tally_total(&t, &r)                          count, sum, mean, sums of powers, extremes of everything
 *
 * Pieces are joined in pairs, those in pairs again, and so on (level i holds 2^i pieces), so errors grow with
 * the logarithm of their number. Joining is exact (Chan, Golub and LeVeque; Pebay 2008), and done on scaled
 * values where powers would leave the range of a double. */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

#include "reduce.h"
#include "sample.h"

#define TALLY_PIECE (64 * KERNEL_BLOCK)

enum { TALLY_LEVELS = 48 };

struct tally {
    struct reduction level[TALLY_LEVELS];
    uint64_t pieces;  /* bit i is set when level i is taken */
    uint64_t missing; /* NaN */
};

/* Adds n values, 1 <= n <= TALLY_PIECE. scratch: room for n values. False when there is a NaN and the policy
 * is NAN_RAISE. */
bool tally_add(const struct kernels *k, const double *x, size_t n, enum nan_policy policy, double *scratch,
               struct tally *t);

/* Adds what another tally found. */
void tally_join(const struct tally *from, struct tally *t);

/* False when there are no values. */
bool tally_total(const struct tally *t, struct reduction *ret);

/* Two reductions together, exactly. */
struct reduction reduction_join(const struct reduction *a, const struct reduction *b);

/* With NAN_PROPAGATE, a NaN makes all of these NaN. */
struct summary {
    int64_t nobs; /* without those left out */
    double sum, mean, var, std, min, max, skewness, kurtosis;
};

/* var and std are NaN when n <= ddof; skewness and kurtosis (g1 and g2) when all values are equal. */
struct summary tally_summary(const struct tally *t, enum nan_policy policy, double ddof);

#endif
