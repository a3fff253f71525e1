/* SPDX-License-Identifier: MPL-2.0 */
/* reduce - sums and moments of arrays of any length, from blocks.
 *
 * Blocks are summed by kernels that read them twice while they are in the cache, so that memory is read
 * once, and joined in a binary tree: errors grow with the logarithm of n. Moments of two parts are joined
 * exactly (Chan, Golub and LeVeque; Pebay 2008), never from raw powers, so data far from zero keeps its
 * digits.
 *
 * Where squares would leave the range of a double, everything is computed again on values multiplied by a
 * power of two, which `scale` remembers. The accessors give results in the units of the data. */
#ifndef REDUCE_H
#define REDUCE_H

#include "kernels.h"

struct reduction {
    struct moments m; /* of x * scale; but min and max of x */
    double scale;
};

struct coreduction {
    struct comoments m; /* of x * scale_x and y * scale_y */
    double scale_x, scale_y;
};

/* Sum and count alone; exact in range, so that a sum that overflows on the way still comes out. */
void reduce_sum(const struct kernels *k, const double *x, size_t n, struct reduction *ret);      /* n >= 1 */
double reduce_mean(const struct kernels *k, const double *x, size_t n);                          /* n >= 1 */
void reduce_moments2(const struct kernels *k, const double *x, size_t n, struct reduction *ret); /* n >= 1 */
void reduce_moments4(const struct kernels *k, const double *x, size_t n, struct reduction *ret); /* n >= 1 */
void reduce_shape(const struct kernels *k, const double *x, size_t n,
                  struct reduction *ret); /* n >= 1; as moments4, but without min and max */
void reduce_comoments(const struct kernels *k, const double *x, const double *y, size_t n,
                      struct coreduction *ret); /* n >= 1 */

/* Whether moments computed at scale 1 are what the functions above would give: false when something left the
 * range of a double, or when all values may be equal. powers: as of the kernel columns. */
bool reduction_is_final(const struct reduction *r, int powers);

/* The moments of two parts together. */
struct moments moments_join(const struct moments *a, const struct moments *b);

double reduction_sum(const struct reduction *r);
double reduction_mean(const struct reduction *r);
double reduction_var(const struct reduction *r, double ddof); /* n > ddof; may be infinite */
double reduction_std(const struct reduction *r, double ddof);

#endif
