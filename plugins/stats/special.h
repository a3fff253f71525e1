/* SPDX-License-Identifier: MPL-2.0 */
/* special - kernels of special functions over arrays, once in plain C and once for each width of vector unit.
 *
 * special_for() gives the set that belongs to the plugin's kernels. special_plain calls the C library in long
 * double and is what tests compare the others with. NaN gives NaN; out may be x; no kernel needs aligned
 * data or writes beyond n.
 *
 * Greatest errors found against mpmath by tests/oracle/test_stats_special.py and bench figures are in
 * special_body.h. */
#ifndef SPECIAL_H
#define SPECIAL_H

#include "kernels.h"

struct special {
    const char *name;
    void (*erf)(const double *x, size_t n, double *out);
    void (*erfc)(const double *x, size_t n, double *out);
    void (*ndtr)(const double *x, size_t n, double *out);   /* P(X <= x) of the standard normal law */
    void (*gamma)(const double *x, size_t n, double *out);  /* NaN at -1, -2, .. and -inf; +-inf at +-0 */
    void (*lgamma)(const double *x, size_t n, double *out); /* log |gamma|; inf at 0, -1, .. */
};

extern const struct special special_plain, special_baseline;
#ifdef KERNELS_X86
extern const struct special special_avx2, special_avx512;
#endif

const struct special *special_for(const struct kernels *k);

#endif
