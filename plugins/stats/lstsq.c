/* SPDX-License-Identifier: MPL-2.0 */
/* lstsq - multiple linear regression. */
#include <string.h>

#include "dist.h"
#include "fit.h"
#include "infer.h"
#include "kernels.h"
#include "reduce.h"

static const char lstsq_help[] =
    "Multiple linear regression: coefficients b that make the sum of w (y - X b)^2 least; with intercept, "
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

/* All panels one behind the other: k columns of FIT_ROWS. */
struct design {
    double *columns, *y, *weights;
    double *scales, y_scale, weight_scale; /* powers of two by which the numbers were multiplied */
};

static void panel_of(const struct fit_source *s, size_t index, struct fit_panel *ret)
{
    const struct design *d = s->of;
    *ret = (struct fit_panel){.hi = d->columns + index * s->k * FIT_ROWS,
                              .y = d->y + index * FIT_ROWS,
                              .weights = d->weights ? d->weights + index * FIT_ROWS : NULL};
}

/* Marks the observations to keep; returns how many. */
static size_t keep(const double *x, const double *y, const double *weights, size_t n, size_t m,
                   unsigned char *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool good = y[i] == y[i] && !(weights && weights[i] != weights[i]);
        for (size_t j = 0; good && j < m; j++) {
            good = x[i * m + j] == x[i * m + j];
        }
        ret[i] = good;
        kept += good;
    }
    return kept;
}

/* A power of two that brings values of up to `most` to about 1, where squares might leave the range. */
static double safe_scale(double most)
{
    return most == 0 || (most > 0x1p-300 && most < 0x1p300)
               ? 1
               : ldexp(1, -ilogb(most) > 1000 ? 1000 : -ilogb(most));
}

/* The sum of magnitudes in a column of a panel, in lanes that compilers turn into vectors. */
static double column_size(const double *v)
{
    enum { LANES = 8 };
    double sums[LANES] = {0};
    for (size_t i = 0; i < FIT_ROWS; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            sums[l] += fabs(v[i + l]);
        }
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/* Multiplies a column, one part of it in each panel, by its safe scale; 0 when it has an infinity. */
static double rescale(double *v, size_t stride, size_t panels)
{
    double most = 0;
    for (size_t t = 0; t < panels; t++) {
        most += column_size(v + t * stride);
    }
    if (most > 0x1p-290 && most < 0x1p290) {
        return 1;
    }
    most = 0;
    for (size_t t = 0; t < panels; t++) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            most = fmax(most, fabs(v[t * stride + i]));
        }
    }
    if (isinf(most)) {
        return 0;
    }
    const double scale = safe_scale(most);
    for (size_t t = 0; scale != 1 && t < panels; t++) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            v[t * stride + i] *= scale;
        }
    }
    return scale;
}

/* The columns of up to FIT_ROWS observations; ones in front when there is an intercept. */
static void fill_panel(const double *x, size_t rows, size_t m, bool intercept, double *to)
{
    if (intercept) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            to[i] = i < rows ? 1 : 0;
        }
        to += FIT_ROWS;
    }
    for (size_t j = 0; j < m; j++, to += FIT_ROWS) {
        for (size_t i = 0; i < rows; i++) {
            to[i] = x[i * m + j];
        }
        if (rows < FIT_ROWS) {
            memset(to + rows, 0, (FIT_ROWS - rows) * sizeof *to);
        }
    }
}

static double *padded(struct kiln_call *call, const double *x, size_t n)
{
    const size_t all = fit_panels(n) * FIT_ROWS;
    double *ret = call->host->alloc(call, all * sizeof *ret);
    if (ret) {
        memcpy(ret, x, n * sizeof *ret);
        memset(ret + n, 0, (all - n) * sizeof *ret);
    }
    return ret;
}

struct data {
    const double *x, *y, *weights; /* weights may be NULL */
    size_t n, m;
    unsigned char *kept; /* NULL: all */
    size_t given;
};

static int refuse_nan(struct kiln_call *call, const struct data *d)
{
    for (size_t i = 0; i < d->n; i++) {
        for (size_t j = 0; j < d->m; j++) {
            if (isnan(d->x[i * d->m + j])) {
                return call->host->fail(
                    call, KILN_INVALID, "x",
                    "element [%zu,%zu] of x is NaN, expected numbers (nan_policy is raise)", i, j);
            }
        }
        if (isnan(d->y[i]) || (d->weights && isnan(d->weights[i]))) {
            const char *field = isnan(d->y[i]) ? "y" : "weights";
            return call->host->fail(call, KILN_INVALID, field,
                                    "element %zu of %s is NaN, expected numbers (nan_policy is raise)", i,
                                    field);
        }
    }
    return KILN_OK;
}

static int omit(struct kiln_call *call, struct data *d)
{
    d->kept = call->host->alloc(call, d->n);
    if (!d->kept) {
        return KILN_RESOURCE;
    }
    const size_t left = keep(d->x, d->y, d->weights, d->n, d->m, d->kept);
    double *x = call->host->alloc(call, left * d->m * sizeof *x),
           *y = call->host->alloc(call, left * sizeof *y),
           *weights = d->weights ? call->host->alloc(call, left * sizeof *weights) : NULL;
    if (!x || !y || (d->weights && !weights)) {
        return KILN_RESOURCE;
    }
    if (left == 0) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu observations have a NaN, expected at least one without", d->n);
    }
    size_t to = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->kept[i]) {
            memcpy(x + to * d->m, d->x + i * d->m, d->m * sizeof *x);
            y[to] = d->y[i];
            if (weights) {
                weights[to] = d->weights[i];
            }
            to++;
        }
    }
    d->x = x;
    d->y = y;
    d->weights = weights;
    d->n = left;
    return KILN_OK;
}

/* ret_nan: the data has a NaN, and the results shall have one. */
static int data_take(struct kiln_call *call, const struct kiln_slot *args, struct data *d, bool *ret_nan)
{
    const struct kernels *k = call->state;
    *d = (struct data){.x = args[X].array.data,
                       .y = args[Y].array.data,
                       .weights = args[WEIGHTS].present ? args[WEIGHTS].array.data : NULL,
                       .n = (size_t) args[X].array.shape[0],
                       .m = (size_t) args[X].array.shape[1]};
    d->given = d->n;
    const bool nan = k->find_nan(d->x, d->n * d->m) < d->n * d->m || k->find_nan(d->y, d->n) < d->n ||
                     (d->weights && k->find_nan(d->weights, d->n) < d->n);
    const enum nan_policy policy = nan_policy_of(&args[NAN_POLICY]);
    *ret_nan = nan && policy == NAN_PROPAGATE;
    return !nan || *ret_nan ? KILN_OK : policy == NAN_RAISE ? refuse_nan(call, d) : omit(call, d);
}

/* One of the arrays has an infinity: says where. */
static int refuse_infinite(struct kiln_call *call, const struct data *d)
{
    static const char *const fields[] = {"x", "y", "weights"};
    const double *const arrays[] = {d->x, d->y, d->weights};
    for (size_t f = 0; f < 3; f++) {
        const size_t columns = f == 0 ? d->m : 1;
        for (size_t i = 0; arrays[f] && i < d->n * columns; i++) {
            if (isinf(arrays[f][i])) {
                return call->host->fail(call, KILN_INVALID, fields[f],
                                        "%s of observation %zu is infinite, expected finite numbers",
                                        fields[f], i / columns);
            }
        }
    }
    return KILN_FAILED; /* not reached */
}

static int design_make(struct kiln_call *call, const struct data *data, bool intercept, size_t k,
                       struct design *d)
{
    const size_t panels = fit_panels(data->n);
    d->columns = call->host->alloc(call, panels * k * FIT_ROWS * sizeof *d->columns);
    d->scales = call->host->alloc(call, k * sizeof *d->scales);
    d->y = padded(call, data->y, data->n);
    d->weights = data->weights ? padded(call, data->weights, data->n) : NULL;
    if (!d->columns || !d->scales || !d->y || (data->weights && !d->weights)) {
        return KILN_RESOURCE;
    }
    for (size_t t = 0; t < panels; t++) {
        const size_t from = t * FIT_ROWS, rows = data->n - from < FIT_ROWS ? data->n - from : FIT_ROWS;
        fill_panel(data->x + from * data->m, rows, data->m, intercept, d->columns + t * k * FIT_ROWS);
    }
    bool finite = true;
    for (size_t j = 0; j < k; j++) {
        d->scales[j] = rescale(d->columns + j * FIT_ROWS, k * FIT_ROWS, panels);
        finite = finite && d->scales[j] != 0;
    }
    d->y_scale = rescale(d->y, FIT_ROWS, panels);
    d->weight_scale = d->weights ? rescale(d->weights, FIT_ROWS, panels) : 1;
    return finite && d->y_scale != 0 && d->weight_scale != 0 ? KILN_OK : refuse_infinite(call, data);
}

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
static void spread_residuals(const struct data *data, double y_scale, double *r)
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
    struct data data;
    struct design d;
    struct fit f;
    bool nan = false;
    int status = data_take(call, args, &data, &nan);
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
                                 .panel = panel_of,
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
