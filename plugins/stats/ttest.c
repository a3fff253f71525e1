/* SPDX-License-Identifier: MPL-2.0 */
/* ttest - means compared by Student's t, and variances by F. */
#include "dist.h"
#include "infer.h"
#include "reduce.h"

#define HELP_EDGE                                                                                            \
    " Without any spread the statistic is infinite, or null when the means agree too. A NaN makes all "      \
    "results "                                                                                               \
    "NaN unless nan_policy says otherwise."

#define ROW_STATISTIC ROW_RESULT("statistic", "t")
#define ROW_DF        ROW_RESULT("df", "degrees of freedom")
#define ROW_LOW       ROW_RESULT("ci_low", "lower end of the confidence interval; infinite with alternative less")
#define ROW_HIGH      ROW_RESULT("ci_high", "its upper end; infinite with alternative greater")

enum { STATISTIC, DF, PVALUE, CI_LOW, CI_HIGH };

/* A mean with what is known of its error, all in units of 1 / scale. */
struct estimate {
    double difference, error, df, scale;
};

static int give_t(const struct estimate *e, enum alternative alternative, double level, double origin,
                  struct kiln_slot *results)
{
    const double t = e->difference / e->error, center = origin + e->difference / e->scale;
    const double tail = alternative == TWO_SIDED ? (1 - level) / 2 : 1 - level;
    const double reach = quick_t_isf(tail, e->df) * e->error / e->scale;
    give(&results[STATISTIC], t);
    give(&results[DF], e->df);
    give(&results[PVALUE], pvalue_t(t, e->df, alternative));
    give(&results[CI_LOW], alternative == LESS ? -HUGE_VAL : center - reach);
    give(&results[CI_HIGH], alternative == GREATER ? HUGE_VAL : center + reach);
    return KILN_OK;
}

/* mean - origin, where the mean keeps the digits that a double has no room for. */
static struct estimate against(const struct reduction *r, double origin)
{
    const double n = r->m.n;
    return (struct estimate){.difference = (r->m.mean.hi - origin * r->scale) + r->m.mean.lo,
                             .error = sqrt(r->m.m2 / (n - 1) / n),
                             .df = n - 1,
                             .scale = r->scale};
}

/* ---- ttest_1samp ---------------------------------------------------------------------------------------- */

static const char ttest_1samp_help[] =
    "t test of the mean of one sample: t = (mean - popmean) / sqrt(var / n) with ddof 1, df = n - 1, as "
    "scipy.stats.ttest_1samp. The interval is for the mean." HELP_EDGE;

enum { ONE_X, ONE_POPMEAN, ONE_ALTERNATIVE, ONE_LEVEL, ONE_NAN_POLICY };

static const struct kiln_row ttest_1samp_params[] = {
    ROW_X("values"),
    ROW_NUMBER("popmean", "0", "mean under the hypothesis"),
    ROW_ALTERNATIVE("what the mean is if not popmean: something else, less, or greater"),
    ROW_CONFIDENCE,
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row ttest_1samp_results[] = {ROW_STATISTIC, ROW_DF, ROW_PVALUE, ROW_LOW, ROW_HIGH};

static const struct kiln_golden ttest_1samp_goldens[] = {
    {.title = "1..5 against 2",
     .args = "{\"x\":[1,2,3,4,5],\"popmean\":2}",
     .result = "{\"statistic\":1.4142135623730951,\"df\":4,\"pvalue\":0.23019964108049873,\"ci_low\":"
               "1.0367568385224399,\"ci_high\":4.96324316147756}",
     .rtol = 1e-12},
    {.title = "no spread",
     .args = "{\"x\":[2.385,2.385],\"popmean\":2.385}",
     .result = "{\"statistic\":null}"},
    {.title = "one value",
     .args = "{\"x\":[2.385]}",
     .status = KILN_INVALID,
     .result = "x has 1 value, expected at least 2"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int ttest_1samp_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample s;
    int status = sample_take(call, &args[ONE_X], "x", nan_policy_of(&args[ONE_NAN_POLICY]), &s);
    status = status ? status : sample_check_least(call, &s, "x", 2);
    if (status) {
        return status;
    }
    struct reduction r;
    reduce_moments2(call->state, s.x, s.n, &r);
    const struct estimate e = against(&r, args[ONE_POPMEAN].f64);
    return give_t(&e, alternative_of(&args[ONE_ALTERNATIVE]), args[ONE_LEVEL].f64, args[ONE_POPMEAN].f64,
                  results);
}

FUNCTION(ttest_1samp, "t test of the mean of one sample", ttest_1samp_help);

/* ---- ttest_rel ------------------------------------------------------------------------------------------ */

static const char ttest_rel_help[] =
    "t test of two related samples: that of one sample for the differences x - y, against 0, as "
    "scipy.stats.ttest_rel. The interval is for the mean difference." HELP_EDGE;

enum { REL_X, REL_Y, REL_ALTERNATIVE, REL_LEVEL, REL_NAN_POLICY };

static const struct kiln_row ttest_rel_params[] = {
    ROW_VECTOR("x", "n", "values of the first sample"),
    ROW_VECTOR("y", "n", "values of the second, in the same order"),
    ROW_ALTERNATIVE("what the mean of x is if not that of y: something else, less, or greater"),
    ROW_CONFIDENCE,
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

#define ttest_rel_results ttest_1samp_results

static const struct kiln_golden ttest_rel_goldens[] = {
    {.title = "four pairs",
     .args = "{\"x\":[5,7,8,10],\"y\":[4,7,6,7]}",
     .result = "{\"statistic\":2.32379000772445,\"df\":3,\"pvalue\":0.10272807885839903}",
     .rtol = 1e-12},
    {.title = "a pair left out",
     .args = "{\"x\":[5,7,8,10,1],\"y\":[4,7,6,7,null],\"nan_policy\":\"omit\"}",
     .result = "{\"statistic\":2.32379000772445,\"df\":3}",
     .rtol = 1e-12},
    {.title = "one pair",
     .args = "{\"x\":[1],\"y\":[2]}",
     .status = KILN_INVALID,
     .result = "x has 1 value, expected at least 2"},
    {.title = "1,000 pairs", .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]}}"},
};

static int ttest_rel_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    int status =
        sample_take_pairs(call, &args[REL_X], &args[REL_Y], nan_policy_of(&args[REL_NAN_POLICY]), &x, &y);
    status = status ? status : sample_check_least(call, &x, "x", 2);
    if (status) {
        return status;
    }
    double *d = call->host->alloc(call, x.n * sizeof *d);
    if (!d) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < x.n; i++) {
        d[i] = x.x[i] - y.x[i];
    }
    struct reduction r;
    reduce_moments2(call->state, d, x.n, &r);
    const struct estimate e = against(&r, 0);
    return give_t(&e, alternative_of(&args[REL_ALTERNATIVE]), args[REL_LEVEL].f64, 0, results);
}

FUNCTION(ttest_rel, "t test of two related samples", ttest_rel_help);

/* ---- ttest_ind ------------------------------------------------------------------------------------------ */

static const char ttest_ind_help[] =
    "t test of the means of two independent samples of n and m values, as scipy.stats.ttest_ind, variances u "
    "and v "
    "with ddof 1.\n"
    "equal_var true (Student): t = (mean_x - mean_y) / sqrt(p (1/n + 1/m)), p = ((n - 1) u + (m - 1) v) / "
    "df, df = n + "
    "m - 2. false (Welch): t = (mean_x - mean_y) / sqrt(a + b), a = u / n, b = v / m, df = (a + b)^2 / (a^2 "
    "/ (n - 1) "
    "+ b^2 / (m - 1)).\n"
    "The interval is for mean_x - mean_y. nan_policy omit leaves out values of either sample." HELP_EDGE;

enum { IND_X, IND_Y, IND_EQUAL_VAR, IND_ALTERNATIVE, IND_LEVEL, IND_NAN_POLICY };

static const struct kiln_row ttest_ind_params[] = {
    ROW_VECTOR("x", "n", "values of the first sample"),
    ROW_VECTOR("y", "m", "values of the second sample"),
    ROW_SWITCH("equal_var", "true", "whether both have the same variance (Student), or not (Welch)"),
    ROW_ALTERNATIVE("what the mean of x is if not that of y: something else, less, or greater"),
    ROW_CONFIDENCE,
    ROW_NAN_POLICY(HELP_NAN),
};

#define ttest_ind_results ttest_1samp_results

static const struct kiln_golden ttest_ind_goldens[] = {
    {.title = "Student",
     .args = "{\"x\":[1,2,3,4],\"y\":[2,4,6]}",
     .result = "{\"statistic\":-1.2179969144117253,\"df\":5,\"pvalue\":0.2775605199635172}",
     .rtol = 1e-12},
    {.title = "Welch",
     .args = "{\"x\":[1,2,3,4],\"y\":[2,4,6],\"equal_var\":false}",
     .result = "{\"statistic\":-1.1338934190276817,\"df\":3.234718826405868,\"pvalue\":0.3338237000775014}",
     .rtol = 1e-12},
    {.title = "one value",
     .args = "{\"x\":[1,2],\"y\":[3,null],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "y has 1 value without NaN, expected at least 2"},
    {.title = "10,000 values each", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int take_two(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *y,
                    enum nan_policy policy, struct reduction *ret_x, struct reduction *ret_y)
{
    struct sample sx, sy;
    int status = sample_take(call, x, "x", policy, &sx);
    status = status ? status : sample_take(call, y, "y", policy, &sy);
    status = status ? status : sample_check_least(call, &sx, "x", 2);
    status = status ? status : sample_check_least(call, &sy, "y", 2);
    if (status) {
        return status;
    }
    reduce_moments2(call->state, sx.x, sx.n, ret_x);
    reduce_moments2(call->state, sy.x, sy.n, ret_y);
    return KILN_OK;
}

/* The moments in units of 1 / scale. */
static void rescale(struct reduction *r, double scale)
{
    const double factor = scale / r->scale;
    r->m.mean.hi *= factor;
    r->m.mean.lo *= factor;
    r->m.m2 *= factor * factor;
    r->scale = scale;
}

static int ttest_ind_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct reduction x, y;
    int status = take_two(call, &args[IND_X], &args[IND_Y], nan_policy_of(&args[IND_NAN_POLICY]), &x, &y);
    if (status) {
        return status;
    }
    const double scale = x.scale < y.scale ? x.scale : y.scale;
    rescale(&x, scale);
    rescale(&y, scale);
    const double n = x.m.n, m = y.m.n, a = x.m.m2 / (n - 1) / n, b = y.m.m2 / (m - 1) / m;
    struct estimate e = {.difference = (x.m.mean.hi - y.m.mean.hi) + (x.m.mean.lo - y.m.mean.lo),
                         .scale = scale};
    if (args[IND_EQUAL_VAR].i64) {
        e.df = n + m - 2;
        e.error = sqrt((x.m.m2 + y.m.m2) / e.df * (1 / n + 1 / m));
    } else {
        const double most = fmax(a, b), u = a / most,
                     v = b / most; /* squares of small variances might vanish */
        e.df = most > 0 ? (u + v) * (u + v) / (u * u / (n - 1) + v * v / (m - 1)) : 1;
        e.error = sqrt(a + b);
    }
    return give_t(&e, alternative_of(&args[IND_ALTERNATIVE]), args[IND_LEVEL].f64, 0, results);
}

FUNCTION(ttest_ind, "t test of the means of two independent samples", ttest_ind_help);

/* ---- f_test ------------------------------------------------------------------------------------------------ */

static const char f_test_help[] =
    "F test of equal variances of two samples from normal distributions: F = var_x / var_y with ddof 1, dfn "
    "= n - 1, "
    "dfd = m - 1; two-sided p = 2 min(P(F <= f), P(F >= f)), at most 1 (var.test of R).\n"
    "It is sensitive to distributions that are not normal; see levene. Refused when y has no spread. A NaN "
    "makes all "
    "results NaN unless nan_policy says otherwise.";

enum { F_X, F_Y, F_ALTERNATIVE, F_NAN_POLICY };
enum { F_STATISTIC, F_DFN, F_DFD, F_PVALUE };

static const struct kiln_row f_test_params[] = {
    ROW_VECTOR("x", "n", "values of the first sample"),
    ROW_VECTOR("y", "m", "values of the second sample"),
    ROW_ALTERNATIVE("what the variance of x is if not that of y: something else, less, or greater"),
    ROW_NAN_POLICY(HELP_NAN),
};

static const struct kiln_row f_test_results[] = {
    ROW_RESULT("statistic", "ratio of the variances"),
    ROW_RESULT("dfn", "degrees of freedom of x"),
    ROW_RESULT("dfd", "degrees of freedom of y"),
    ROW_PVALUE,
};

static const struct kiln_golden f_test_goldens[] = {
    {.title = "variances 5/3 and 20/3",
     .args = "{\"x\":[1,2,3,4],\"y\":[2,4,6,8]}",
     .result = "{\"statistic\":0.25,\"dfn\":3,\"dfd\":3}",
     .rtol = 1e-14},
    {.title = "a flat sample",
     .args = "{\"x\":[1,2],\"y\":[3,3]}",
     .status = KILN_INVALID,
     .result = "all 2 values of y are 3, expected some spread"},
    {.title = "1,000 values each", .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]}}"},
};

static int f_test_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct reduction x, y;
    int status = take_two(call, &args[F_X], &args[F_Y], nan_policy_of(&args[F_NAN_POLICY]), &x, &y);
    if (status) {
        return status;
    }
    if (y.m.m2 == 0) {
        return call->host->fail(call, KILN_INVALID, "y",
                                "all %.0f values of y are %.15g, expected some spread", y.m.n,
                                y.m.mean.hi / y.scale);
    }
    const double dfn = x.m.n - 1, dfd = y.m.n - 1, part = y.scale / x.scale;
    const double f = x.m.m2 / dfn / (y.m.m2 / dfd) * part * part;
    const double low = dist_f_cdf(f, dfn, dfd), high = dist_f_sf(f, dfn, dfd);
    const enum alternative alternative = alternative_of(&args[F_ALTERNATIVE]);
    const double both = 2 * (high < low ? high : low);
    give(&results[F_STATISTIC], f);
    give(&results[F_DFN], dfn);
    give(&results[F_DFD], dfd);
    return give(&results[F_PVALUE], alternative == LESS      ? low
                                    : alternative == GREATER ? high
                                    : both > 1               ? 1
                                                             : both);
}

FUNCTION(f_test, "F test of two variances", f_test_help);
