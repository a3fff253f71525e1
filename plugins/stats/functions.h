/* SPDX-License-Identifier: MPL-2.0 */
/* functions - what this plugin offers: one descriptor each, one family per file.
 *
 * A family's file holds the rows, goldens and run of its functions; arithmetic that more than one of them
 * needs lives in reduce (sums and moments), select (order) and matrix, inner loops in kernels. To add a
 * function: write its descriptor, declare it here, list it in plugin.c. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <kiln/plugin.h>

/* moments.c */
extern const struct kiln_function stats_mean, stats_var, stats_std;
/* describe.c */
extern const struct kiln_function stats_describe;
/* quantile.c */
extern const struct kiln_function stats_quantile;
/* pairs.c */
extern const struct kiln_function stats_correlation, stats_covariance;
/* arrays.c */
extern const struct kiln_function stats_zscore, stats_cumsum;
/* distributions.c */
extern const struct kiln_function stats_normal_pdf;
/* spectra: fourier.c, window.c, spectrum.c (segments.c, fft.c) */
extern const struct kiln_function stats_fft, stats_ifft, stats_rfft, stats_irfft, stats_fftfreq,
    stats_rfftfreq;
extern const struct kiln_function stats_get_window;
extern const struct kiln_function stats_power_spectrum, stats_periodogram, stats_welch, stats_csd,
    stats_coherence;
/* data larger than memory: chunks.c, file_describe.c (tally.c, files.c, npy.c) */
extern const struct kiln_function stats_chunk_statistics;
extern const struct kiln_function stats_file_describe;

/* The tables of a descriptor, when they are called <name>_params, <name>_results and <name>_goldens. */
#define TABLES(name)                                                                                         \
    .params = name##_params, .n_params = KILN_COUNT(name##_params), .results = name##_results,               \
    .n_results = KILN_COUNT(name##_results), .goldens = name##_goldens,                                      \
    .n_goldens = KILN_COUNT(name##_goldens)

/* Sets a number as a result. */
static inline int give(struct kiln_slot *slot, double value)
{
    slot->present = 1;
    slot->f64 = value;
    return KILN_OK;
}

#endif
