/* SPDX-License-Identifier: MPL-2.0 */
/* lstsq - multiple linear regression. */

#include "design.h"
#include "dist.h"
#include "infer.h"
#include "reduce.h"

static const char lstsq_help[] =
    "Multiple linear regression (ordinary least squares, OLS; numpy.linalg.lstsq with what statsmodels "
    "adds): coefficients b that make the sum of w (y - X b)^2 least; with intercept, "
    "the "
    "first coefficient belongs to a column of ones. x has one row for each observation.\n"
    "stderr = residual_std sqrt(diag (X' W X)^-1), residual_std = sqrt(rss / df_resid), df_resid = n - rank; "
    "tvalue = "
    "coef / stderr with two-sided pvalue; rsquared = 1 - rss / tss, tss about the mean with an intercept and "
    "about 0 "
    "without; fvalue compares with the model of the intercept alone (numpy.linalg.lstsq, statsmodels OLS and "
    "WLS).\n"
    "Solved by Householder reflections and refinement with residuals in twice the precision, or in twice the "
    "precision altogether where the columns are nearly dependent, so that coefficients are right almost to "
    "the last digit for the numbers given (NIST StRD Longley: 13 digits). Columns are scaled to unit length "
    "first; one "
    "that keeps less than rcond of its length beside the others counts as dependent: the rank falls, and the "
    "solution of least length is given.\n"
    "Results that would divide by df_resid = 0 are NaN. Infinite values are refused. nan_policy omit leaves "
    "out the "
    "observation, whose residual is NaN.";

enum { X, Y, WEIGHTS, INTERCEPT, RCOND, RESIDUALS, NAN_POLICY };

static const struct kiln_row lstsq_params[] = {
    ROW_VECTOR("x", "n k", "n observations of k variables"),
    ROW_VECTOR("y", "n", "values to be explained"),
    {.name = "weights",
     .kind = KILN_ARRAY,
     .flags = KILN_OPEN_MIN,
     .shape = "n",
     .min = 0,
     .max = HUGE_VAL,
     .help = "weight of each squared residual, as 1 / variance; 1 by default"},
    ROW_SWITCH("intercept", "true", "whether a constant is fitted as well, as the first coefficient"),
    {.name = "rcond",
     .kind = KILN_FLOAT,
     .min = 0,
     .max = 1,
     .fallback = "4e-15",
     .help = "part of its length that an independent column keeps at least"},
    ROW_SWITCH("residuals", "false", "whether residuals are wanted"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

enum {
    COEF,
    STDERR,
    TVALUES,
    PVALUES,
    RSQUARED,
    RSQUARED_ADJ,
    FVALUE,
    F_PVALUE,
    RSS,
    RESIDUAL_STD,
    DF_MODEL,
    DF_RESID,
    RANK,
    CONDITION,
    RESIDUAL
};

static const struct kiln_row lstsq_results[] = {
    ROW_COLUMN("coef", "p", "coefficients, the intercept first"),
    ROW_COLUMN("stderr", "p", "standard error of each"),
    ROW_COLUMN("tvalues", "p", "coef / stderr"),
    ROW_COLUMN("pvalues", "p", "two-sided p-value of each coefficient being 0"),
    ROW_RESULT("rsquared", "coefficient of determination; null when y has no spread"),
    ROW_RESULT("rsquared_adj", "the same, adjusted for degrees of freedom"),
    ROW_RESULT("fvalue", "F statistic of the regression; null without variables"),
    ROW_RESULT("f_pvalue", "its p-value, with df_model and df_resid degrees of freedom"),
    ROW_RESULT("rss", "weighted sum of squared residuals"),
    ROW_RESULT("residual_std", "sqrt(rss / df_resid); null when df_resid is 0"),
    ROW_COUNT("df_model", "rank without the intercept"),
    ROW_COUNT("df_resid", "observations less rank"),
    ROW_COUNT("rank", "number of independent columns"),
    ROW_RESULT(
        "condition",
        "|X| |X^-1| (Frobenius) of the columns scaled to unit length; infinite when they are dependent"),
    ROW_COLUMN("residuals", "q", "y - X b, as long as y; null unless asked for"),
};

static const struct kiln_golden lstsq_goldens[] = {
    {.title = "a plane through four points",
     .args = "{\"x\":[[0,0],[1,0],[0,1],[1,1]],\"y\":[1,3,4,7],\"residuals\":true}",
     .result = "{\"coef\":[0.75,2.5,3.5],\"df_resid\":1,\"rank\":3,\"rss\":0.25,\"residual_std\":0.5,"
               "\"rsquared\":0.9866666666666667,\"residuals\":[0.25,-0.25,-0.25,0.25],\"stderr\":[0."
               "4330127018922193,"
               "0.5,0.5]}",
     .rtol = 1e-14},
    {.title = "through the origin, weighted",
     .args = "{\"x\":[[1],[2]],\"y\":[1,4],\"weights\":[4,1],\"intercept\":false}",
     .result = "{\"coef\":[1.5],\"rss\":2,\"df_resid\":1}",
     .rtol = 1e-14},
    {.title = "a column twice: the solution of least length",
     .args = "{\"x\":[[1,1],[2,2],[3,3]],\"y\":[2,4,6.5],\"intercept\":false}",
     .result = "{\"coef\":[1.0535714285714286,1.0535714285714286],\"rank\":1,\"df_resid\":2}",
     .rtol = 1e-14},
    {.title = "a missing observation",
     .args = "{\"x\":[[1],[2],[null],[4]],\"y\":[1,2,3,4],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element [2,0] of x is NaN"},
};

/* The sum of squares that the regression is compared with, of y as scaled. */
static double total_squares(struct kiln_call *call, const struct design *d, size_t n, bool intercept)
{
    double weights = 0, mean = 0, sum = 0, off = 0;
    if (intercept && !d->weights) {
        struct reduction r;
        reduce_moments2(call->state, d->y, n, &r);
        return r.m.m2 / r.scale / r.scale;
    }
    for (size_t i = 0; intercept && i < n; i++) {
        weights += d->weights[i];
        mean += (d->y[i] - mean) * (d->weights[i] / weights);
    }
    for (size_t i = 0; i < n; i++) {
        const double w = d->weights ? d->weights[i] : 1, e = d->y[i] - mean;
        sum += w * e * e;
        off += w * e;
    }
    return intercept ? sum - off * off / weights : sum;
}

static void give_fit(const struct fit *f, const struct design *d, double tss, size_t n, size_t k,
                     bool intercept, struct kiln_slot *results)
{
    const double df = (double) (n - f->rank), df_model = (double) (f->rank - (intercept && f->rank > 0));
    const double unit = d->weight_scale * d->y_scale * d->y_scale,
                 variance = f->rss / df; /* NaN, too, when df is 0 */
    double *coef = results[COEF].array.data, *err = results[STDERR].array.data,
           *t = results[TVALUES].array.data, *p = results[PVALUES].array.data;
    for (size_t j = 0; j < k; j++) {
        const double b = dd_value(f->b[j]),
                     se = df > 0 ? sqrt(variance) * fit_root_length(f, k, j) : (double) NAN;
        coef[j] = b * d->scales[j] / d->y_scale;
        err[j] = se * d->scales[j] / d->y_scale;
        t[j] = b / se;
        p[j] = df > 0 ? 2 * dist_t_sf(fabs(t[j]), df) : (double) NAN;
    }
    give(&results[RSS], f->rss / unit);
    give_int(&results[RANK], (int64_t) f->rank);
    give_int(&results[DF_RESID], (int64_t) (n - f->rank));
    give_int(&results[DF_MODEL], (int64_t) df_model);
    give(&results[CONDITION], f->condition);
    if (df > 0) {
        give(&results[RESIDUAL_STD], sqrt(variance / d->weight_scale) / d->y_scale);
    }
    if (tss > 0) {
        const double unexplained = f->rss / tss;
        give(&results[RSQUARED], 1 - unexplained);
        if (df > 0) {
            give(&results[RSQUARED_ADJ], 1 - unexplained * ((double) n - (intercept ? 1 : 0)) / df);
            if (df_model > 0) {
                const double explained = tss > f->rss ? tss - f->rss : 0,
                             fvalue = explained / df_model / variance;
                give(&results[FVALUE], fvalue);
                give(&results[F_PVALUE], dist_f_sf(fvalue, df_model, df));
            }
        }
    }
}

/* Residuals to the places of their observations. */
static void spread_residuals(const struct observations *data, double y_scale, double *r)
{
    size_t from = data->n;
    for (size_t i = data->given; i-- > 0;) {
        r[i] = !data->kept || data->kept[i] ? r[--from] / y_scale : (double) NAN;
    }
}

static int all_nan(struct kiln_slot *results, size_t k, size_t n)
{
    for (size_t i = COEF; i <= PVALUES; i++) {
        for (size_t j = 0; j < k; j++) {
            ((double *) results[i].array.data)[j] = (double) NAN;
        }
    }
    for (size_t i = 0; results[RESIDUAL].array.data && i < n; i++) {
        ((double *) results[RESIDUAL].array.data)[i] = (double) NAN;
    }
    give_nan(results, RSQUARED, RESIDUAL_STD);
    give(&results[CONDITION], (double) NAN);
    return KILN_OK;
}

static int lstsq_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct observations data;
    struct design d;
    struct fit f;
    bool nan = false;
    int status = observations_take(call, &args[X], &args[Y], &args[WEIGHTS], nan_policy_of(&args[NAN_POLICY]),
                                   &data, &nan);
    if (status) {
        return status;
    }
    const bool intercept = args[INTERCEPT].i64;
    const size_t k = data.m + intercept;
    for (size_t i = COEF; i <= PVALUES; i++) {
        if (!call->host->grow(call, i, (int64_t) k)) {
            return KILN_RESOURCE;
        }
    }
    double *residuals = NULL;
    if (args[RESIDUALS].i64 && !(residuals = call->host->grow(call, RESIDUAL, (int64_t) data.given))) {
        return KILN_RESOURCE;
    }
    if (nan) {
        return all_nan(results, k, data.given);
    }
    status = design_make(call, &data, intercept, k, &d);
    if (status) {
        return status;
    }
    const struct fit_source s = {.n = data.n,
                                 .k = k,
                                 .panel = design_panel,
                                 .of = &d,
                                 .rcond = args[RCOND].f64,
                                 .ret_residuals = residuals};
    status = fit_solve(call, &s, &f);
    if (status) {
        return status;
    }
    if (residuals) {
        spread_residuals(&data, d.y_scale, residuals);
    }
    give_fit(&f, &d, total_squares(call, &d, data.n, intercept), data.n, k, intercept, results);
    return KILN_OK;
}

FUNCTION(lstsq, "multiple linear regression", lstsq_help);
