/* SPDX-License-Identifier: MPL-2.0 */
/* special - kernels of special functions over arrays, once in plain C and once for each width of vector unit.
 *
 * special_for() gives the set that belongs to the plugin's kernels. special_plain calls the C library in long
 * double and is what tests compare the others with. NaN gives NaN; out may be x; no kernel needs aligned
 * data or writes beyond n.
 *
 * Greatest errors found in a million random places per range, in units in the last place, of the sets with
 * fused multiply-add (in brackets: baseline): erf 1.6 (1.7), erfc and ndtr 3.7 (4.3), gamma for x > 0 4.7
 * (4.7), for x < 0 5.5 (5.5), lgamma 3.2 (4.0); tests/oracle/test_stats_special.py holds them to that. */
#ifndef SPECIAL_H
#define SPECIAL_H

#include "kernels.h"

struct special {
    const char *name;
    void (*erf)(const double *x, size_t n, double *out);
    void (*erfc)(const double *x, size_t n, double *out);
    void (*ndtr)(const double *x, size_t n, double *out); /* P(X <= x) of the standard normal law */
    /* The same with mean mu and deviation sigma; upper: P(X > x). For |mu| < 1e150, 1e-150 < sigma < 1e150. */
    void (*normal_cdf)(const double *x, size_t n, double mu, double sigma, bool upper, double *out);
    void (*gamma)(const double *x, size_t n, double *out);  /* NaN at -1, -2, .. and -inf; +-inf at +-0 */
    void (*lgamma)(const double *x, size_t n, double *out); /* log |gamma|; inf at 0, -1, .. */
};

extern const struct special special_plain, special_baseline;
#ifdef KERNELS_X86
extern const struct special special_avx2, special_avx512;
#endif

const struct special *special_for(const struct kernels *k);

#endif
