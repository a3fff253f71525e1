/* SPDX-License-Identifier: MPL-2.0 */
/* correlate - correlation coefficients of two variables with their p-values. */
#include "dist.h"
#include "infer.h"
#include "line.h"
#include "sorting.h"

enum { X, Y, ALTERNATIVE, LEVEL, NAN_POLICY };

/* ---- pearsonr ---------------------------------------------------------------------------------------------- */

static const char pearsonr_help[] = "Pearson's correlation coefficient r = sum((x - mx) (y - my)) / "
                                    "sqrt(sum((x - mx)^2) sum((y - my)^2)) and the p-value "
                                    "of t = r sqrt((n - 2) / (1 - r^2)) with n - 2 degrees of freedom, which "
                                    "for normal data is that of r's beta "
                                    "distribution, as scipy.stats.pearsonr. 1 - r^2 is summed up on its own "
                                    "where r is nearly 1, so p keeps its digits.\n"
                                    "The interval is Fisher's: tanh(atanh r -+ z / sqrt(n - 3)); -1..1 for 3 "
                                    "pairs or fewer; one-sided when the alternative "
                                    "is. With 2 pairs r is -1 or 1 and p 1.\n"
                                    "Where all x or all y are equal there is no correlation: results are "
                                    "null. A NaN makes all results NaN unless "
                                    "nan_policy says otherwise.";

static const struct kiln_row pearsonr_params[] = {
    ROW_VECTOR("x", "n", "values of the first variable"),
    ROW_VECTOR("y", "n", "values of the second, in the same order"),
    ROW_ALTERNATIVE("what the correlation is if not 0: something else, less, or greater"),
    ROW_CONFIDENCE,
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

enum { R, PVALUE, LOW, HIGH };

static const struct kiln_row pearsonr_results[] = {
    ROW_RESULT("statistic", "r, -1..1"),
    ROW_PVALUE,
    ROW_RESULT("ci_low", "lower end of the confidence interval"),
    ROW_RESULT("ci_high", "its upper end"),
};

static const struct kiln_golden pearsonr_goldens[] = {
    {.title = "four pairs",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,3,2,5]}",
     .result = "{\"statistic\":0.8315218406202999,\"pvalue\":0.16847815937970012}",
     .rtol = 1e-12},
    {.title = "no spread",
     .args = "{\"x\":[2.385,2.385],\"y\":[1,2]}",
     .result = "{\"statistic\":null,\"pvalue\":null}"},
    {.title = "one pair",
     .args = "{\"x\":[1],\"y\":[2]}",
     .status = KILN_INVALID,
     .result = "expected at least 2"},
    {.title = "10,000 pairs", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int take(struct kiln_call *call, const struct kiln_slot *args, const struct kiln_slot *policy,
                size_t least, struct sample *x, struct sample *y)
{
    const int status = sample_take_pairs(call, &args[X], &args[Y], nan_policy_of(policy), x, y);
    return status ? status : sample_check_least(call, x, "x", least);
}

static void fisher_interval(double r, double n, double level, enum alternative alternative,
                            struct kiln_slot *results)
{
    double low = -1, high = 1;
    if (isnan(r) || n > 3) {
        const double z = dist_norm_isf(alternative == TWO_SIDED ? (1 - level) / 2 : 1 - level) / sqrt(n - 3);
        low = alternative == LESS ? -1 : tanh(atanh(r) - z);
        high = alternative == GREATER ? 1 : tanh(atanh(r) + z);
    }
    give(&results[LOW], isnan(r) ? r : low);
    give(&results[HIGH], isnan(r) ? r : high);
}

static int pearsonr_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    int status = take(call, args, &args[NAN_POLICY], 2, &x, &y);
    if (status) {
        return status;
    }
    struct line l;
    line_through(call->state, x.x, y.x, x.n, &l);
    const enum alternative alternative = alternative_of(&args[ALTERNATIVE]);
    give(&results[R], l.r);
    give(&results[PVALUE], isnan(l.r) ? l.r : x.n == 2 ? 1 : pvalue_t(line_t(&l), l.n - 2, alternative));
    fisher_interval(l.r, l.n, args[LEVEL].f64, alternative, results);
    return KILN_OK;
}

FUNCTION(pearsonr, "Pearson's correlation with its p-value", pearsonr_help);

/* ---- spearmanr --------------------------------------------------------------------------------------------- */

static const char spearmanr_help[] = "Spearman's rank correlation: Pearson's coefficient of the ranks, equal "
                                     "values with their average rank; p from t = r "
                                     "sqrt((n - 2) / (1 - r^2)) with n - 2 degrees of freedom, as "
                                     "scipy.stats.spearmanr (good from some tens of pairs).\n"
                                     "Where all x or all y are equal, or with 2 pairs, p is null. A NaN "
                                     "makes all results NaN unless nan_policy says "
                                     "otherwise.";

enum { SPEARMAN_POLICY = ALTERNATIVE + 1 };

static const struct kiln_row spearmanr_params[] = {
    ROW_VECTOR("x", "n", "values of the first variable"),
    ROW_VECTOR("y", "n", "values of the second, in the same order"),
    ROW_ALTERNATIVE("what the correlation is if not 0: something else, less, or greater"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row spearmanr_results[] = {
    ROW_RESULT("statistic", "rank correlation, -1..1"),
    ROW_PVALUE,
};

static const struct kiln_golden spearmanr_goldens[] = {
    {.title = "five pairs",
     .args = "{\"x\":[1,2,3,4,5],\"y\":[5,6,7,8,7]}",
     .result = "{\"statistic\":0.8207826816681233,\"pvalue\":0.08858700531354381}",
     .rtol = 1e-12},
    {.title = "monotone",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,8,27,64]}",
     .result = "{\"statistic\":1,\"pvalue\":0}"},
    {.title = "one pair left",
     .args = "{\"x\":[1,null],\"y\":[2,3],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "x has 1 value without NaN, expected at least 2"},
    {.title = "1,000 pairs", .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]}}"},
};

static int spearmanr_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    int status = take(call, args, &args[SPEARMAN_POLICY], 2, &x, &y);
    if (status) {
        return status;
    }
    if (sample_has_nan(call, &x) || sample_has_nan(call, &y)) {
        return give_nan(results, R, PVALUE);
    }
    if (x.n > SORT_MOST) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %zu", x.n,
                                (size_t) SORT_MOST);
    }
    double *ranks = call->host->alloc(call, 2 * x.n * sizeof *ranks);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(x.n));
    if (!ranks || !scratch) {
        return KILN_RESOURCE;
    }
    status = sort_ranks(call, x.x, x.n, RANK_AVERAGE, scratch, ranks, NULL);
    status = status ? status : sort_ranks(call, y.x, x.n, RANK_AVERAGE, scratch, ranks + x.n, NULL);
    if (status) {
        return status;
    }
    struct line l;
    line_through(call->state, ranks, ranks + x.n, x.n, &l);
    give(&results[R], l.r);
    return give(&results[PVALUE], x.n == 2 || isnan(l.r)
                                      ? (double) NAN
                                      : pvalue_t(line_t(&l), l.n - 2, alternative_of(&args[ALTERNATIVE])));
}

FUNCTION(spearmanr, "Spearman's rank correlation with its p-value", spearmanr_help);
