/* SPDX-License-Identifier: MPL-2.0 */
/* stats - statistics on arrays, by the conventions of NumPy and SciPy.
 *
 * The plugin's state is the set of kernels that this processor runs fastest, or the one that the option simd
 * names. */
#include <cblas.h>
#include <string.h>

#include "functions.h"
#include "kernels.h"

static const struct kiln_function *const functions[] = {
    &stats_mean,
    &stats_var,
    &stats_std,
    &stats_describe,
    &stats_quantile,
    &stats_correlation,
    &stats_covariance,
    &stats_zscore,
    &stats_cumsum,
    &stats_normal_pdf,
    /* rolling windows, order, histograms, filters */
    &stats_rolling_sum,
    &stats_rolling_mean,
    &stats_rolling_var,
    &stats_rolling_std,
    &stats_rolling_zscore,
    &stats_rolling_min,
    &stats_rolling_max,
    &stats_rolling_cov,
    &stats_rolling_corr,
    &stats_rolling_median,
    &stats_rolling_quantile,
    &stats_ewm_mean,
    &stats_ewm_var,
    &stats_ewm_std,
    &stats_sort,
    &stats_argsort,
    &stats_rankdata,
    &stats_histogram,
    &stats_bincount,
    &stats_digitize,
    &stats_searchsorted,
    &stats_convolve,
    &stats_correlate,
    &stats_interp,
    &stats_resample,
    &stats_resample_linear,
    &stats_detrend,
    /* distributions and special functions */
    DISTRIBUTIONS,
    SPECIAL_FUNCTIONS,

    /* basic statistics */
    &stats_sem,
    &stats_variation,
    &stats_sum,
    &stats_min,
    &stats_max,
    &stats_ptp,
    &stats_skew,
    &stats_kurtosis,
    &stats_moment,
    &stats_average,
    &stats_gmean,
    &stats_hmean,
    &stats_pmean,
    /* inference and regression */
    &stats_lstsq,
    &stats_polyfit,
    &stats_polyval,
    &stats_ttest_1samp,
    &stats_ttest_rel,
    &stats_ttest_ind,
    &stats_f_test,
    &stats_f_oneway,
    &stats_kruskal,
    &stats_levene,
    &stats_bartlett,
    &stats_chisquare,
    &stats_chi2_contingency,
    &stats_fisher_exact,
    &stats_binomtest,
    &stats_ks_1samp,
    &stats_ks_2samp,
    &stats_mannwhitneyu,
    &stats_wilcoxon,
    &stats_jarque_bera,
    &stats_skewtest,
    &stats_kurtosistest,
    &stats_normaltest,
    &stats_pearsonr,
    &stats_spearmanr,
    &stats_kendalltau,
    &stats_linregress,
    &stats_theilslopes,
    &stats_autocorrelation,
    &stats_shapiro,
    &stats_cdist,
    &stats_pdist,
    &stats_bootstrap,
};

static const struct kiln_row options[] = {
    {.name = "simd",
     .kind = KILN_STRING,
     .choices = "auto|plain|baseline|avx2|avx512",
     .fallback = "\"auto\"",
     .help = "vector instructions; the same on all machines makes results equal to the last bit"},
};

static int init(struct kiln_call *call, void **ret_state)
{
    openblas_set_num_threads(1); /* a worker is one thread; more of them are more workers */
    const struct kiln_value *simd = call->host->option(call, "simd");
    const struct kernels *k = kernels_best();
    if (simd && strcmp(simd->text, "auto") != 0) {
        k = kernels_find(simd->text);
        if (!k || !k->runs_here()) {
            return call->host->fail(
                call, KILN_INVALID, "simd",
                "simd is %s, which this processor does not have, expected auto or at most %s", simd->text,
                kernels_best()->name);
        }
    }
    *ret_state = (void *) (uintptr_t) k;
    return KILN_OK;
}

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "stats",
    .version = "1.0.0",     .summary = "statistics on arrays",
    .functions = functions, .n_functions = KILN_COUNT(functions),
    .options = options,     .n_options = KILN_COUNT(options),
    .init = init,
};
