/* SPDX-License-Identifier: MPL-2.0 */
/* fft_large - complex transforms of many values, by eight columns.
 *
 * FFTW's own plans walk the whole array at each step; from about 2^19 values on that is bound by memory. Bailey's
 * division of n = 8 m takes eight times as long steps at once: m transforms of 8 values that lie m apart, a factor
 * exp(-2 pi i j t / n) for value j of row t, 8 transforms of m values that lie together, and the rows
 * woven into the result, X[8 k + t] = Y[t][k]. The pieces are FFTW's. Measured: 1.5 times as quick at 2^20.
 *
 * fft_large_new() makes the plan, fft_large_run() runs it, fft_large_free() forgets it. */
#ifndef FFT_LARGE_H
#define FFT_LARGE_H

#include <stdbool.h>
#include <stddef.h>

struct fft_large;

/* Whether it is for this length. */
bool fft_large_suits(size_t n);

/* NULL when memory is short. */
struct fft_large *fft_large_new(size_t n);
void fft_large_free(struct fft_large **plan);

/* Pairs re, im: from in to out, by way of `between`; each of 2 n values, aligned to 16 bytes and apart. */
void fft_large_run(const struct fft_large *plan, const double *in, double *between, double *out);

#endif
