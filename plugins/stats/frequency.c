/* SPDX-License-Identifier: MPL-2.0 */
/* frequency - tests of counts: goodness of fit and contingency. */
#include <math.h>

#include "dist.h"
#include "infer.h"

#define MOST_COUNT 9007199254740992.0 /* 2^53 */

/* ---- chisquare ------------------------------------------------------------------------------------------- */

static const char chisquare_help[] =
    "Pearson's chi-squared test of goodness of fit: sum (f_obs - f_exp)^2 / f_exp, df = k - 1 - ddof, as "
    "scipy.stats.chisquare. Without f_exp all are expected to be equal.\n"
    "Refused when the sums differ by more than 1e-8 of the smaller, or df is not positive. A NaN makes all "
    "results NaN; "
    "nan_policy omit leaves out the category.";

enum { CHI_OBS, CHI_EXP, CHI_DDOF, CHI_NAN_POLICY };
enum { STATISTIC, DF, PVALUE, EXPECTED };

static const struct kiln_row chisquare_params[] = {
    {.name = "f_obs",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "n",
     .min = 0,
     .max = MOST_COUNT,
     .help = "observed frequency of each category"},
    {.name = "f_exp",
     .kind = KILN_ARRAY,
     .flags = KILN_OPEN_MIN,
     .shape = "n",
     .min = 0,
     .max = MOST_COUNT,
     .help = "expected frequency of each; their mean by default"},
    ROW_DDOF("0", "further degrees of freedom lost, as many as parameters were estimated"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row chisquare_results[] = {
    ROW_RESULT("statistic", "chi-squared"),
    ROW_RESULT("df", "degrees of freedom"),
    ROW_PVALUE,
};

static const struct kiln_golden chisquare_goldens[] = {
    {.title = "a die",
     .args = "{\"f_obs\":[16,18,16,14,12,12]}",
     .result = "{\"statistic\":2,\"df\":5,\"pvalue\":0.8491450360846096}",
     .rtol = 1e-12},
    {.title = "expected frequencies",
     .args = "{\"f_obs\":[16,18,16,14,12,12],\"f_exp\":[16,16,16,16,16,8],\"ddof\":1}",
     .result = "{\"statistic\":3.5,\"df\":4,\"pvalue\":0.477878344488724}",
     .rtol = 1e-9},
    {.title = "another sum",
     .args = "{\"f_obs\":[1,2],\"f_exp\":[1,3]}",
     .status = KILN_INVALID,
     .result = "the sum of f_exp is 4, expected that of f_obs, 3"},
    {.title = "1,000 categories", .args = "{\"f_obs\":{\"$linspace\":[1,1000,1000]}}"},
};

static int chisquare_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const bool equal = !args[CHI_EXP].present;
    struct sample obs, exp = {0};
    const enum nan_policy policy = nan_policy_of(&args[CHI_NAN_POLICY]);
    int status =
        equal || policy == NAN_RAISE ? sample_take(call, &args[CHI_OBS], "f_obs", policy, &obs) : KILN_OK;
    if (!status && !equal && policy == NAN_RAISE) {
        status = sample_take(call, &args[CHI_EXP], "f_exp", policy, &exp);
    }
    if (!status && !equal) {
        status = sample_take_pairs(call, &args[CHI_OBS], &args[CHI_EXP], policy, &obs, &exp);
    }
    if (status) {
        return status;
    }
    double total = 0, expected = 0;
    for (size_t i = 0; i < obs.n; i++) {
        total += obs.x[i];
        expected += equal ? 0 : exp.x[i];
    }
    const double mean = total / (double) obs.n, df = (double) obs.n - 1 - (double) args[CHI_DDOF].i64;
    if (!(df > 0)) {
        return call->host->fail(call, KILN_INVALID, "ddof",
                                "ddof is %lld, expected less than %zu, categories less 1",
                                (long long) args[CHI_DDOF].i64, obs.n - 1);
    }
    if (equal && total == 0) {
        return call->host->fail(call, KILN_INVALID, "f_obs",
                                "all frequencies are 0, expected some observations");
    }
    if (!equal && fabs(total - expected) > 1e-8 * fmin(total, expected)) {
        return call->host->fail(call, KILN_INVALID, "f_exp",
                                "the sum of f_exp is %.15g, expected that of f_obs, %.15g", expected, total);
    }
    double sum = 0;
    for (size_t i = 0; i < obs.n; i++) {
        const double e = equal ? mean : exp.x[i], d = obs.x[i] - e;
        sum += d * d / e;
    }
    give(&results[STATISTIC], sum);
    give(&results[DF], df);
    return give(&results[PVALUE], dist_chi2_sf(sum, df));
}

FUNCTION(chisquare, "chi-squared test of goodness of fit", chisquare_help);

/* ---- chi2_contingency ------------------------------------------------------------------------------------ */

static const char chi2_contingency_help[] =
    "Chi-squared test of independence in a contingency table: expected = row sum times column sum / total, "
    "statistic = sum "
    "(observed - expected)^2 / expected, df = (rows - 1) (columns - 1), as scipy.stats.chi2_contingency.\n"
    "With correction and df 1 (2 by 2) each difference is made smaller by 0.5 first, but not below 0 "
    "(Yates). With df 0 "
    "the statistic is 0 and p 1. Refused when a row or column is empty.";

enum { TABLE, CORRECTION, TABLE_POLICY };

static const struct kiln_row chi2_contingency_params[] = {
    {.name = "observed",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED,
     .shape = "r c",
     .min = 0,
     .max = MOST_COUNT,
     .help = "frequencies"},
    ROW_SWITCH("correction", "true", "Yates's correction for continuity when df is 1"),
    ROW_CHOICE("nan_policy", "propagate|raise", "propagate",
               "what a NaN does: make all results NaN, or be refused"),
};

static const struct kiln_row chi2_contingency_results[] = {
    ROW_RESULT("statistic", "chi-squared"),
    ROW_RESULT("df", "degrees of freedom"),
    ROW_PVALUE,
    ROW_COLUMN("expected", "r c", "frequencies expected if rows and columns are independent"),
};

static const struct kiln_golden chi2_contingency_goldens[] = {
    {.title = "two by three",
     .args = "{\"observed\":[[10,10,20],[20,20,20]]}",
     .result =
         "{\"statistic\":2.7777777777777777,\"df\":2,\"pvalue\":0.24935220877729622,\"expected\":[[12,12,16],"
         "[18,18,24]]}",
     .rtol = 1e-12},
    {.title = "two by two, corrected",
     .args = "{\"observed\":[[10,20],[30,20]]}",
     .result = "{\"statistic\":4.32,\"df\":1,\"pvalue\":0.03766692222862869}",
     .rtol = 1e-12},
    {.title = "an empty column",
     .args = "{\"observed\":[[1,0],[2,0]]}",
     .status = KILN_INVALID,
     .result = "column 1 of observed is 0 throughout"},
};

static int expect(struct kiln_call *call, const double *x, size_t r, size_t c, double *expected)
{
    double *rows = call->host->alloc(call, (r + c) * sizeof *rows), *columns = rows ? rows + r : NULL,
           total = 0;
    if (!rows) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < r + c; i++) {
        rows[i] = 0;
    }
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < c; j++) {
            rows[i] += x[i * c + j];
            columns[j] += x[i * c + j];
        }
        total += rows[i];
    }
    for (size_t i = 0; i < r + c; i++) {
        if (rows[i] == 0) {
            return call->host->fail(call, KILN_INVALID, "observed",
                                    "%s %zu of observed is 0 throughout, expected some observations",
                                    i < r ? "row" : "column", i < r ? i : i - r);
        }
    }
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < c; j++) {
            expected[i * c + j] = rows[i] * columns[j] / total;
        }
    }
    return KILN_OK;
}

static int chi2_contingency_run(struct kiln_call *call, const struct kiln_slot *args,
                                struct kiln_slot *results)
{
    const double *x = args[TABLE].array.data;
    double *expected = results[EXPECTED].array.data, sum = 0;
    const size_t r = (size_t) args[TABLE].array.shape[0], c = (size_t) args[TABLE].array.shape[1];
    struct sample s;
    int status = sample_take(call, &args[TABLE], "observed", nan_policy_of(&args[TABLE_POLICY]), &s);
    if (!status && sample_has_nan(call, &s)) {
        for (size_t i = 0; i < r * c; i++) {
            expected[i] = (double) NAN;
        }
        return give_nan(results, STATISTIC, PVALUE);
    }
    status = status ? status : expect(call, x, r, c, expected);
    if (status) {
        return status;
    }
    const double df = (double) (r - 1) * (double) (c - 1),
                 correction = args[CORRECTION].i64 && df == 1 ? 0.5 : 0;
    for (size_t i = 0; i < r * c; i++) {
        const double d = fmax(fabs(x[i] - expected[i]) - correction, 0);
        sum += d * d / expected[i];
    }
    give(&results[STATISTIC], df > 0 ? sum : 0);
    give(&results[DF], df);
    return give(&results[PVALUE], df > 0 ? dist_chi2_sf(sum, df) : 1);
}

FUNCTION(chi2_contingency, "chi-squared test of independence in a contingency table", chi2_contingency_help);
