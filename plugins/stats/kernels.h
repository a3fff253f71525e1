/* SPDX-License-Identifier: MPL-2.0 */
/* kernels - the inner loops, once in plain C and once for each width of vector unit.
 *
 * Every set does the same work; they differ in the last bits only, because they add in another order.
 * kernels_plain is the readable definition, against which tests/unit/stats/test_kernels.c compares the
 * others; kernels_best() picks the widest set that the processor (or the emulator it runs in) offers, when
 * the plugin is initialised.
 *
 * Blocks. Kernels marked "block" take at most KERNEL_BLOCK values, few enough to stay in the first-level
 * cache, so that they may read their data twice; reduce.h puts blocks together. No kernel needs aligned
 * data, allocates, or reads or writes beyond n. NaN among the values makes every sum NaN; min, max and split
 * expect none. */
#ifndef KERNELS_H
#define KERNELS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "bins.h"
#include "rolling_kernels.h"

#define KERNEL_BLOCK 1536
#define KERNEL_ORDER 32
#include "distance_kernels.h"
#include "fit_kernels.h"

#define KERNEL_BLOCK   1536
#define KERNEL_ORDER   32
#define KERNEL_ROWS    256 /* of a matrix, and how many of its columns, are a block */
#define KERNEL_COLUMNS 256

/* A mean to more digits than a double has: hi + lo, where hi is rounded. Without lo, joining blocks of 1e9 +
 * noise would cost digits of the noise. */
struct mean {
    double hi, lo;
};

/* n values: their sum, mean, and sums of powers of deviations from the mean. */
struct moments {
    double n, sum;
    struct mean mean;
    double m2, m3, m4, min, max; /* moments2 leaves m3, m4, min and max 0 */
};

/* n pairs: means, and sums of squares and products of deviations from them. */
struct comoments {
    double n;
    struct mean mean_x, mean_y;
    double sxx, syy, sxy;
};

/* The mean center + e, where e is small. */
static inline struct mean mean_near(double center, double e)
{
    const double hi = center + e;
    return (struct mean){hi, e - (hi - center)};
}

struct kernels {
    const char *name;
    bool (*runs_here)(void);

    size_t (*find_nan)(const double *x, size_t n); /* index of the first NaN; n when there is none */
    double (*sum)(const double *x, size_t n);      /* block */
    double (*magnitude)(const double *x, size_t n, bool *ret_nan);    /* largest |x|, NaN apart */
    void (*moments2)(const double *x, size_t n, struct moments *ret); /* block, n >= 1 */
    void (*moments4)(const double *x, size_t n, struct moments *ret); /* block, n >= 1 */
    void (*shape)(const double *x, size_t n, struct moments *ret);    /* the same, but min and max are 0 */
    void (*comoments)(const double *x, const double *y, size_t n, struct comoments *ret); /* block, n >= 1 */

    /* Smallest and largest of n >= 1 values; returns whether there is a NaN, when they mean nothing. */
    bool (*extremes)(const double *x, size_t n, double *ret_min, double *ret_max);

    /* The moments of each of `width` <= KERNEL_COLUMNS columns, 1 <= rows <= KERNEL_ROWS; neighbours in a column
     * are `stride` values apart. With powers 1 only n and sum are set, with 0 also min and max, else all. */
    void (*columns)(const double *x, size_t rows, size_t stride, size_t width, int powers,
                    struct moments *ret);

    /* out[i] = sum + x[0] + .. + x[i], rounded after each addition; returns the last one. All sets agree to the
     * last bit. */
    double (*cumsum)(const double *x, size_t n, double sum, double *out);

    /* out = x - mean; returns the sum of out, which is not 0 because mean is rounded. */
    double (*center)(const double *x, size_t n, double mean, double *out); /* block */

    /* out = (x - mean) / std; std is not 0. */
    void (*standardise)(const double *x, size_t n, double mean, double std, double *out);

    /* Density of the normal distribution; sigma > 0. */
    void (*normal_pdf)(const double *x, size_t n, double mu, double sigma, double *out);

    /* Puts values less than pivot at the front of out and the others behind them; returns how many are less.
     * out holds n values and does not overlap x. */
    size_t (*split)(const double *x, size_t n, double pivot, double *out);

    /* Sorts at most KERNEL_ORDER values into out, which may be x. */
    void (*order)(const double *x, size_t n, double *out);

    /* Counts the values of each bin; value i in table i % BINS_TABLES of counters, which are count + 1 apart. */
    void (*count)(const double *x, size_t n, const struct bins *b, uint32_t *tables);

    /* out[i] = sum of weights[j] x[i + j], for n sums of m products; x holds n + m - 1 values. */
    void (*slide)(const double *x, size_t n, const double *weights, size_t m, double *out);

    rolling_kernel *const *rolling;           /* by enum rolling */
    rolling_gaps_kernel *const *rolling_gaps; /* the same, less than ROLLING_MIN */

    /* ret[4 i + j] = sum of a[i * stride + l] b[j * stride + l] over l < n, a multiple of 8; i, j < 4. */
    void (*products)(const double *a, const double *b, size_t n, size_t stride, double ret[16]);

    struct fit_kernels fit; /* least squares */
    struct distance_kernels distance;
};

static inline bool all_finite(const struct kernels *k, const double *x, size_t n)
{
    bool nan;
    return k->magnitude(x, n, &nan) < (double) INFINITY && !nan;
}

extern const struct kernels kernels_plain, kernels_baseline;
#if defined(__x86_64__) && defined(__GNUC__)
#define KERNELS_X86 1
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

/* All sets, plain first, widest last, NULL behind them; some may not run here. */
extern const struct kernels *const kernels_all[];

const struct kernels *kernels_best(void);
const struct kernels *kernels_find(const char *name); /* NULL when there is none of this name */

#endif
