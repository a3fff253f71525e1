/* SPDX-License-Identifier: MPL-2.0 */
/* regress - straight lines through pairs: by least squares, and by the median of slopes. */
#include <string.h>

#include "dist.h"
#include "infer.h"
#include "line.h"
#include "select.h"
#include "sorting.h"

/* ---- linregress -------------------------------------------------------------------------------------------- */

static const char linregress_help[] =
    "Line of least squares y = intercept + slope x: slope = Sxy / Sxx, rvalue Pearson's coefficient, stderr "
    "= sqrt((1 - r^2) "
    "Syy / Sxx / (n - 2)), pvalue that of t = slope / stderr with n - 2 degrees of freedom, intercept_stderr "
    "= stderr "
    "sqrt(Sxx / n + mean_x^2), as scipy.stats.linregress. 1 - r^2 is summed up on its own where r is nearly "
    "1.\n"
    "With 2 points the errors are 0 and p is 0, or 1 for a level line. Refused when all x are equal. When "
    "all y are equal r "
    "is null and p 1. A NaN makes all results NaN unless nan_policy says otherwise.";

enum { X, Y, ALTERNATIVE, NAN_POLICY };
enum { SLOPE, INTERCEPT, RVALUE, PVALUE, ERROR, INTERCEPT_ERROR };

static const struct kiln_row linregress_params[] = {
    ROW_VECTOR("x", "n", "values that explain"),
    ROW_VECTOR("y", "n", "values to be explained, in the same order"),
    ROW_ALTERNATIVE("what the slope is if not 0: something else, less, or greater"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row linregress_results[] = {
    ROW_RESULT("slope", "slope of the line"),
    ROW_RESULT("intercept", "its value at 0"),
    ROW_RESULT("rvalue", "Pearson's correlation coefficient"),
    ROW_PVALUE,
    ROW_RESULT("stderr", "standard error of the slope"),
    ROW_RESULT("intercept_stderr", "standard error of the intercept"),
};

static const struct kiln_golden linregress_goldens[] = {
    {.title = "four points",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,3,2,5]}",
     .result = "{\"slope\":1.1,\"intercept\":0,\"rvalue\":0.8315218406202999,\"pvalue\":0.16847815937970012,"
               "\"stderr\":"
               "0.5196152422706632,\"intercept_stderr\":1.4230249470757708}",
     .rtol = 1e-12,
     .atol = 1e-14},
    {.title = "one place",
     .args = "{\"x\":[2.385,2.385],\"y\":[1,2]}",
     .status = KILN_INVALID,
     .result = "all 2 values of x are 2.385, expected different ones"},
    {.title = "10,000 points", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int refuse_flat(struct kiln_call *call, const struct sample *x)
{
    return call->host->fail(call, KILN_INVALID, "x", "all %zu values of x are %.15g, expected different ones",
                            x->n, x->x[0]);
}

static int linregress_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    int status = sample_take_pairs(call, &args[X], &args[Y], nan_policy_of(&args[NAN_POLICY]), &x, &y);
    status = status ? status : sample_check_least(call, &x, "x", 2);
    if (status) {
        return status;
    }
    struct line l;
    line_through(call->state, x.x, y.x, x.n, &l);
    if (l.deviation_x == 0) {
        return refuse_flat(call, &x);
    }
    const bool flat = l.deviation_y == 0;
    const double df = l.n - 2, t = line_t(&l);
    const double error = x.n == 2 || flat ? 0 : l.deviation_y / l.deviation_x * sqrt(l.unexplained / df);
    const double p = x.n == 2 ? (flat ? 1 : 0)
                     : flat   ? 1
                              : pvalue_t(t, df, alternative_of(&args[ALTERNATIVE]));
    give(&results[SLOPE], l.slope);
    give(&results[INTERCEPT], l.mean_y - l.slope * l.mean_x);
    give(&results[RVALUE], l.r);
    give(&results[PVALUE], isnan(l.slope) ? l.slope : p);
    give(&results[ERROR], isnan(l.slope) ? l.slope : error);
    return give(&results[INTERCEPT_ERROR], error * hypot(l.deviation_x, l.mean_x));
}

FUNCTION(linregress, "straight line of least squares", linregress_help);

/* ---- theilslopes ------------------------------------------------------------------------------------------- */

static const char theilslopes_help[] = "Theil and Sen's line: slope = median of (y_j - y_i) / (x_j - x_i) "
                                       "over all pairs with different x, which outliers hardly "
                                       "move, as scipy.stats.theilslopes. intercept: separate, median(y) - "
                                       "slope median(x); joint, median(y - slope x).\n"
                                       "The interval for the slope is Sen's (1968), with ties in x and y "
                                       "accounted for. Work and memory grow with n^2 / 2: "
                                       "20,000 points take 1.6 GB. Refused when all x are equal. A NaN makes "
                                       "all results NaN unless nan_policy says otherwise.";

enum { THEIL_X, THEIL_Y, THEIL_LEVEL, THEIL_METHOD, THEIL_NAN_POLICY };
enum { THEIL_SLOPE, THEIL_INTERCEPT, THEIL_LOW, THEIL_HIGH };

static const struct kiln_row theilslopes_params[] = {
    ROW_VECTOR("x", "n", "values that explain"),
    ROW_VECTOR("y", "n", "values to be explained, in the same order"),
    ROW_CONFIDENCE,
    ROW_CHOICE("method", "separate|joint", "separate", "how the intercept is found"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row theilslopes_results[] = {
    ROW_RESULT("slope", "median slope"),
    ROW_RESULT("intercept", "intercept of the line"),
    ROW_RESULT("low_slope", "lower end of the confidence interval of the slope"),
    ROW_RESULT("high_slope", "its upper end"),
};

static const struct kiln_golden theilslopes_goldens[] = {
    {.title = "an outlier",
     .args = "{\"x\":[0,1,2,3,4],\"y\":[0,1,2,3,40]}",
     .result = "{\"slope\":1,\"intercept\":0,\"low_slope\":1,\"high_slope\":37}"},
    {.title = "one place",
     .args = "{\"x\":[2.385,2.385],\"y\":[1,2]}",
     .status = KILN_INVALID,
     .result = "all 2 values of x are 2.385, expected different ones"},
    {.title = "100 points", .args = "{\"x\":{\"$normal\":[100,1]},\"y\":{\"$normal\":[100,2]}}"},
};

static double median_of(const struct kernels *k, const double *x, size_t n, double *scratch)
{
    const size_t ranks[] = {(n - 1) / 2, n / 2};
    double values[2];
    select_ranks(k, x, n, ranks, n % 2 ? 1 : 2, SELECT_PATIENCE, scratch, values);
    return n % 2 ? values[0] : values[0] / 2 + values[1] / 2;
}

/* Sum of t (t - 1) (2 t + 5) over groups of t equal values. */
static int tie_sum(struct kiln_call *call, const struct sample *s, double *sorted, void *scratch, double *ret)
{
    memcpy(sorted, s->x, s->n * sizeof *sorted);
    const int status = sort_values(call, sorted, s->n, scratch);
    double sum = 0;
    for (size_t from = 0, i = 1; i <= s->n; i++) {
        if (i == s->n || sorted[i] != sorted[from]) {
            const double t = (double) (i - from);
            sum += t * (t - 1) * (2 * t + 5);
            from = i;
        }
    }
    *ret = sum;
    return status;
}

static int all_slopes(struct kiln_call *call, const struct sample *x, const struct sample *y, double *slopes,
                      size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        for (size_t j = i + 1; j < x->n; j++) {
            slopes[n] = (y->x[j] - y->x[i]) / (x->x[j] - x->x[i]);
            n += x->x[j] != x->x[i];
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    *ret_n = n;
    return KILN_OK;
}

/* Sen's ranks: as far from the middle as Kendall's score, whose variance this is, is likely to be. Where ties leave no
 * variance there is no interval. */
static void interval(const struct kernels *k, const double *slopes, size_t n, double variance, double level,
                     double *scratch, struct kiln_slot *results)
{
    if (variance < 0) {
        return;
    }
    const double z = dist_norm_ppf((1 - level) / 2), nt = (double) n, sigma = sqrt(variance);
    const double upper = rint((nt - z * sigma) / 2), lower = rint((nt + z * sigma) / 2) - 1;
    const size_t low = lower < 0 ? 0 : (size_t) lower, high = upper > nt - 1 ? n - 1 : (size_t) upper;
    const size_t ranks[] = {low, high};
    double values[2];
    select_ranks(k, slopes, n, ranks, low == high ? 1 : 2, SELECT_PATIENCE, scratch, values);
    give(&results[THEIL_LOW], values[0]);
    give(&results[THEIL_HIGH], low == high ? values[0] : values[1]);
}

static int theil(struct kiln_call *call, const struct sample *x, const struct sample *y, double level,
                 bool joint, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    const size_t n = x->n, most = n / 2 * (n - 1 + n % 2);
    double *slopes = call->host->alloc(call, (most + 1) * sizeof *slopes);
    double *scratch = call->host->alloc(call, select_scratch_bytes(most > n ? most : n));
    double *sorted = call->host->alloc(call, n * sizeof *sorted);
    void *sorting = call->host->alloc(call, sort_scratch_bytes(n));
    size_t count = 0;
    if (!slopes || !scratch || !sorted || !sorting) {
        return KILN_RESOURCE;
    }
    int status = all_slopes(call, x, y, slopes, &count);
    if (status || count == 0) {
        return status ? status : refuse_flat(call, x);
    }
    if (k->find_nan(slopes, count) < count) { /* of infinite values */
        return give_nan(results, THEIL_SLOPE, THEIL_HIGH);
    }
    const double slope = median_of(k, slopes, count, scratch);
    double ties_x = 0, ties_y = 0;
    status = tie_sum(call, x, sorted, sorting, &ties_x);
    status = status ? status : tie_sum(call, y, sorted, sorting, &ties_y);
    if (status) {
        return status;
    }
    const double points = (double) n, all = points * (points - 1) * (2 * points + 5);
    interval(k, slopes, count, (all - ties_x - ties_y) / 18, level, scratch, results);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = y->x[i] - slope * x->x[i];
    }
    give(&results[THEIL_SLOPE], slope);
    return give(&results[THEIL_INTERCEPT],
                joint ? median_of(k, sorted, n, scratch)
                      : median_of(k, y->x, n, scratch) - slope * median_of(k, x->x, n, scratch));
}

static int theilslopes_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    int status = sample_take_pairs(call, &args[THEIL_X], &args[THEIL_Y],
                                   nan_policy_of(&args[THEIL_NAN_POLICY]), &x, &y);
    status = status ? status : sample_check_least(call, &x, "x", 2);
    if (status) {
        return status;
    }
    if (sample_has_nan(call, &x) || sample_has_nan(call, &y)) {
        return give_nan(results, THEIL_SLOPE, THEIL_HIGH);
    }
    if (x.n > 100000) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu points, expected at most 100000", x.n);
    }
    return theil(call, &x, &y, args[THEIL_LEVEL].f64, args[THEIL_METHOD].text[0] == 'j', results);
}

FUNCTION(theilslopes, "line through points by the median of slopes", theilslopes_help);
