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

/* basic statistics: moments.c, extremes.c, shape.c, means.c, robust.c, scaling.c,
 * outliers.c, entropy.c, running.c, top.c */
extern const struct kiln_function stats_skew, stats_kurtosis, stats_moment;
extern const struct kiln_function stats_median, stats_median_abs_deviation, stats_iqr, stats_mode,
    stats_trim_mean;
extern const struct kiln_function stats_minmax_scale, stats_robust_scale, stats_winsorize, stats_outliers;
extern const struct kiln_function stats_entropy, stats_cumprod, stats_cummax, stats_cummin, stats_diff,
    stats_top_k;
extern const struct kiln_function stats_average, stats_gmean, stats_hmean, stats_pmean;
extern const struct kiln_function stats_sem, stats_variation, stats_sum, stats_min, stats_max, stats_ptp;

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
