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
/* rolling windows, order, histograms and filters: moving.c, moving_order.c, ewm.c, ranks.c, histogram.c,
 * convolve.c, resample.c */
extern const struct kiln_function stats_rolling_sum, stats_rolling_mean, stats_rolling_var, stats_rolling_std,
    stats_rolling_zscore, stats_rolling_min, stats_rolling_max, stats_rolling_cov, stats_rolling_corr;
extern const struct kiln_function stats_rolling_median, stats_rolling_quantile;
extern const struct kiln_function stats_ewm_mean, stats_ewm_var, stats_ewm_std;
extern const struct kiln_function stats_sort, stats_argsort, stats_rankdata;
extern const struct kiln_function stats_histogram, stats_bincount, stats_digitize, stats_searchsorted;
extern const struct kiln_function stats_convolve, stats_correlate, stats_interp, stats_resample,
    stats_resample_linear, stats_detrend;

/* dist_closed.c, dist_gamma.c, dist_discrete.c */
extern const struct kiln_function stats_dist_norm, stats_dist_uniform, stats_dist_expon, stats_dist_lognorm,
    stats_dist_weibull_min, stats_dist_cauchy, stats_dist_laplace, stats_dist_logistic, stats_dist_pareto;
extern const struct kiln_function stats_dist_gamma, stats_dist_beta, stats_dist_t, stats_dist_chi2,
    stats_dist_f;
extern const struct kiln_function stats_dist_poisson, stats_dist_binom, stats_dist_geom, stats_dist_nbinom,
    stats_dist_hypergeom;
#define DISTRIBUTIONS                                                                                        \
    &stats_dist_norm, &stats_dist_uniform, &stats_dist_expon, &stats_dist_lognorm, &stats_dist_weibull_min,  \
        &stats_dist_cauchy, &stats_dist_laplace, &stats_dist_logistic, &stats_dist_pareto,                   \
        &stats_dist_gamma, &stats_dist_beta, &stats_dist_t, &stats_dist_chi2, &stats_dist_f,                 \
        &stats_dist_poisson, &stats_dist_binom, &stats_dist_geom, &stats_dist_nbinom, &stats_dist_hypergeom

/* special_unary.c, special_shaped.c */
extern const struct kiln_function stats_gamma, stats_gammaln, stats_digamma, stats_polygamma, stats_erf,
    stats_erfc, stats_erfinv, stats_erfcinv, stats_ndtr, stats_ndtri, stats_log_ndtr;
extern const struct kiln_function stats_beta, stats_betaln, stats_gammainc, stats_gammaincc, stats_betainc,
    stats_comb, stats_factorial;
#define SPECIAL_FUNCTIONS                                                                                    \
    &stats_gamma, &stats_gammaln, &stats_digamma, &stats_polygamma, &stats_erf, &stats_erfc, &stats_erfinv,  \
        &stats_erfcinv, &stats_ndtr, &stats_ndtri, &stats_log_ndtr, &stats_beta, &stats_betaln,              \
        &stats_gammainc, &stats_gammaincc, &stats_betainc, &stats_comb, &stats_factorial

/* basic statistics: moments.c, extremes.c, shape.c, means.c, robust.c, scaling.c, entropy.c, running.c, top.c */
extern const struct kiln_function stats_skew, stats_kurtosis, stats_moment;
extern const struct kiln_function stats_average, stats_gmean, stats_hmean, stats_pmean;
extern const struct kiln_function stats_sem, stats_variation, stats_sum, stats_min, stats_max, stats_ptp;

/* inference and regression: lstsq.c, polyfit.c */
extern const struct kiln_function stats_lstsq, stats_polyfit, stats_polyval;
/* ttest.c, anova.c, frequency.c, ks.c */
extern const struct kiln_function stats_ttest_1samp, stats_ttest_rel, stats_ttest_ind, stats_f_test,
    stats_f_oneway, stats_kruskal, stats_levene, stats_bartlett, stats_chisquare, stats_chi2_contingency,
    stats_fisher_exact, stats_binomtest, stats_ks_1samp, stats_ks_2samp;
/* ranktests.c, normality.c */
extern const struct kiln_function stats_mannwhitneyu, stats_wilcoxon, stats_jarque_bera, stats_skewtest,
    stats_kurtosistest, stats_normaltest;
/* correlate.c, kendall.c, regress.c */
extern const struct kiln_function stats_pearsonr, stats_spearmanr, stats_kendalltau, stats_linregress,
    stats_theilslopes;
/* acf.c, shapiro.c, distance.c */
extern const struct kiln_function stats_autocorrelation, stats_shapiro, stats_cdist, stats_pdist;
/* bootstrap.c */
extern const struct kiln_function stats_bootstrap;

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
