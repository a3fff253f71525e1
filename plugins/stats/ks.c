/* SPDX-License-Identifier: MPL-2.0 */
/* ks - Kolmogorov-Smirnov tests of distributions. */
#include "dist.h"
#include "infer.h"
#include "kolmogorov.h"
#include "sorting.h"
#include "special.h"

#define MOST_EXACT 10000 /* values of either sample, as scipy */
#define MOST_PATHS 4e9   /* lattice points that an exact probability may need */

enum { STATISTIC, PVALUE, LOCATION, SIGN };

#define ROW_D                                                                                                \
    ROW_RESULT("statistic", "greatest distance of the distribution functions, or difference when one-sided")
#define ROW_LOCATION ROW_RESULT("statistic_location", "value of x at which it is found")
#define ROW_SIGN     ROW_COUNT("statistic_sign", "1 where the function of x lies above the other there, else -1")

/* Sorted copy; *ret_nan when the results are to be NaN. */
static int take_sorted(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                       enum nan_policy policy, struct sample *ret, bool *ret_nan)
{
    int status = sample_take(call, slot, field, policy, ret);
    if (status) {
        return status;
    }
    if (sample_has_nan(call, ret)) {
        *ret_nan = true;
        return KILN_OK;
    }
    double *sorted = call->host->alloc(call, ret->n * sizeof *sorted);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(ret->n));
    if (!sorted || !scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < ret->n; i++) {
        sorted[i] = ret->x[i];
    }
    ret->x = sorted;
    return sort_values(call, sorted, ret->n, scratch);
}

/* Both one-sided distances and where they are. */
struct distances {
    double above, below, above_at, below_at;
};

static int give_distance(const struct distances *d, enum alternative alternative, double *ret_d,
                         struct kiln_slot *results)
{
    const bool below = alternative == LESS || (alternative == TWO_SIDED && d->below > d->above);
    *ret_d = below ? d->below : d->above;
    give(&results[STATISTIC], *ret_d);
    give(&results[LOCATION], below ? d->below_at : d->above_at);
    give_int(&results[SIGN], below ? -1 : 1);
    return KILN_OK;
}

/* ---- ks_1samp --------------------------------------------------------------------------------------------- */

static const char ks_1samp_help[] =
    "Kolmogorov-Smirnov test that x comes from a given distribution, as scipy.stats.ks_1samp and kstest: D+ "
    "= "
    "max(i / n - "
    "F(x_i)), D- = max(F(x_i) - (i - 1) / n) over x in ascending order; statistic max(D+, D-), with "
    "alternative greater D+, "
    "with less D-.\n"
    "F by cdf: norm (loc mean, scale standard deviation), uniform (from loc to loc + scale), expon (from "
    "loc, mean scale), "
    "logistic, laplace or cauchy (loc, scale). Parameters taken from the data themselves make p too large.\n"
    "p: exact and auto take the finite distribution of D (Durbin's matrix; one-sided Smirnov's; for n > 140 "
    "away from "
    "the tails an expansion with error below 1e-9); asymp its limit; approx twice the one-sided probability. "
    "One-sided "
    "tests are always exact. A NaN makes all results NaN unless nan_policy says otherwise.";

enum { ONE_X, ONE_CDF, ONE_LOC, ONE_SCALE, ONE_ALTERNATIVE, ONE_METHOD, ONE_NAN_POLICY };

static const struct kiln_row ks_1samp_params[] = {
    ROW_X("values"),
    ROW_CHOICE("cdf", "norm|uniform|expon|logistic|laplace|cauchy", "norm",
               "distribution under the hypothesis"),
    ROW_NUMBER("loc", "0", "its location: the mean of norm, the least value of uniform and expon"),
    {.name = "scale",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE | KILN_OPEN_MIN,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "1",
     .help = "its scale: the standard deviation of norm, the width of uniform, the mean of expon"},
    ROW_ALTERNATIVE(
        "where the distribution function of x lies if not on the other: anywhere, below, or above"),
    ROW_CHOICE("method", "auto|exact|approx|asymp", "auto", "how p is computed"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row ks_1samp_results[] = {ROW_D, ROW_PVALUE, ROW_LOCATION, ROW_SIGN};

static const struct kiln_golden ks_1samp_goldens[] = {
    {.title = "four values, uniform",
     .args = "{\"x\":[0.1,0.2,0.4,0.9],\"cdf\":\"uniform\"}",
     .result = "{\"statistic\":0.35,\"pvalue\":0.60505,\"statistic_location\":0.4,\"statistic_sign\":1}",
     .rtol = 1e-12},
    {.title = "one-sided",
     .args = "{\"x\":[0.1,0.2,0.4,0.9],\"cdf\":\"uniform\",\"alternative\":\"less\"}",
     .result = "{\"statistic\":0.15,\"statistic_sign\":-1}",
     .rtol = 1e-12},
    {.title = "no scale", .args = "{\"x\":[1],\"scale\":0}", .status = KILN_INVALID, .result = "scale is 0"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static double cdf_uniform(double z)
{
    return z < 0 ? 0 : z > 1 ? 1 : z;
}

static double cdf_expon(double z)
{
    return z > 0 ? -expm1(-z) : 0;
}

static double cdf_logistic(double z)
{
    return 1 / (1 + exp(-z));
}

static double cdf_laplace(double z)
{
    return z < 0 ? exp(z) / 2 : 1 - exp(-z) / 2;
}

static double cdf_cauchy(double z)
{
    return 0.5 + atan(z) / 3.141592653589793;
}

typedef double cdf_function(double z); /* of the standard distribution */

static cdf_function *cdf_of(const char *name)
{
    switch (name[0]) { /* one of the row's choices */
    case 'u':
        return cdf_uniform;
    case 'e':
        return cdf_expon;
    case 'c':
        return cdf_cauchy;
    case 'l':
        return name[1] == 'o' ? cdf_logistic : cdf_laplace;
    default:
        return dist_norm_cdf;
    }
}

/* F at each value. */
static void cdf_values(const struct kernels *k, const struct sample *s, const char *name, double loc,
                       double scale, double *ret)
{
    if (name[0] == 'n' && fabs(loc) < 1e150 && scale > 1e-150 && scale < 1e150) {
        special_for(k)->normal_cdf(s->x, s->n, loc, scale, false, ret);
        return;
    }
    cdf_function *cdf = cdf_of(name);
    for (size_t i = 0; i < s->n; i++) {
        ret[i] = cdf((s->x[i] - loc) / scale);
    }
}

static struct distances one_distances(const struct sample *s, const double *cdf)
{
    struct distances d = {-HUGE_VAL, -HUGE_VAL, s->x[0], s->x[0]};
    for (size_t i = 0; i < s->n; i++) {
        const double above = (double) (i + 1) / (double) s->n - cdf[i],
                     below = cdf[i] - (double) i / (double) s->n;
        if (above > d.above) {
            d.above = above;
            d.above_at = s->x[i];
        }
        if (below > d.below) {
            d.below = below;
            d.below_at = s->x[i];
        }
    }
    return d;
}

static int ks_1samp_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample s;
    bool nan = false;
    int status = take_sorted(call, &args[ONE_X], "x", nan_policy_of(&args[ONE_NAN_POLICY]), &s, &nan);
    if (status || nan) {
        return status ? status : give_nan(results, STATISTIC, LOCATION);
    }
    double *cdf = call->host->alloc(call, s.n * sizeof *cdf);
    if (!cdf) {
        return KILN_RESOURCE;
    }
    cdf_values(call->state, &s, args[ONE_CDF].text, args[ONE_LOC].f64, args[ONE_SCALE].f64, cdf);
    const struct distances found = one_distances(&s, cdf);
    const enum alternative alternative = alternative_of(&args[ONE_ALTERNATIVE]);
    const double n = (double) s.n;
    double d = 0, p = 0;
    give_distance(&found, alternative, &d, results);
    const char *method = args[ONE_METHOD].text;
    if (alternative != TWO_SIDED) {
        p = kolmogorov_one_sided_sf(d, n);
    } else if (method[0] == 'a' && method[1] == 's') {
        p = kolmogorov_limit_sf(d * sqrt(n));
    } else if (method[0] == 'a' && method[1] == 'p') {
        p = 2 * kolmogorov_one_sided_sf(d, n);
    } else {
        status = kolmogorov_sf(call, d, n, &p);
    }
    give(&results[PVALUE], p > 1 ? 1 : p);
    return status;
}

FUNCTION(ks_1samp, "Kolmogorov-Smirnov test of one sample", ks_1samp_help);

/* ---- ks_2samp --------------------------------------------------------------------------------------------- */

static const char ks_2samp_help[] =
    "Kolmogorov-Smirnov test that two samples of n and m values come from the same distribution, as "
    "scipy.stats.ks_2samp: the greatest distance of their empirical distribution functions; with alternative "
    "greater that of "
    "x above that of y, with less the other way.\n"
    "p: exact counts lattice paths (work n m); auto does so up to 10,000 values in each; asymp takes the "
    "distribution of one "
    "sample of n m / (n + m) values, rounded, or one-sided Hodges's approximation. exact is refused where n "
    "m exceeds 4e9.\n"
    "A NaN makes all results NaN unless nan_policy says otherwise; omit leaves out values of either sample.";

enum { TWO_X, TWO_Y, TWO_ALTERNATIVE, TWO_METHOD, TWO_NAN_POLICY };

static const struct kiln_row ks_2samp_params[] = {
    ROW_VECTOR("x", "n", "values of the first sample"),
    ROW_VECTOR("y", "m", "values of the second sample"),
    ROW_ALTERNATIVE(
        "where the distribution function of x lies if not on that of y: anywhere, below, or above"),
    ROW_CHOICE("method", "auto|exact|asymp", "auto", "how p is computed"),
    ROW_NAN_POLICY(HELP_NAN),
};

#define ks_2samp_results ks_1samp_results

static const struct kiln_golden ks_2samp_goldens[] = {
    {.title = "separate samples",
     .args = "{\"x\":[1,2,3],\"y\":[4,5,6]}",
     .result = "{\"statistic\":1,\"pvalue\":0.1,\"statistic_location\":3,\"statistic_sign\":1}",
     .rtol = 1e-14},
    {.title = "ties",
     .args = "{\"x\":[1,2,2,3],\"y\":[2,3,4]}",
     .result = "{\"statistic\":0.4166666666666667,\"pvalue\":0.8857142857142858}",
     .rtol = 1e-13},
    {.title = "nothing left",
     .args = "{\"x\":[1],\"y\":[null],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "all 1 values are NaN"},
    {.title = "100 values each", .args = "{\"x\":{\"$normal\":[100,1]},\"y\":{\"$normal\":[100,2]}}"},
};

static struct distances two_distances(const struct sample *x, const struct sample *y)
{
    struct distances d = {0, 0, x->x[0], x->x[0]};
    size_t i = 0, j = 0;
    double above = 0, below = 0;
    while (i < x->n || j < y->n) {
        const double at = j == y->n || (i < x->n && x->x[i] <= y->x[j]) ? x->x[i] : y->x[j];
        while (i < x->n && x->x[i] == at) {
            i++;
        }
        while (j < y->n && y->x[j] == at) {
            j++;
        }
        const double off = (double) i * (double) y->n - (double) j * (double) x->n; /* whole numbers */
        if (off > above) {
            above = off;
            d.above_at = at;
        }
        if (-off > below) {
            below = -off;
            d.below_at = at;
        }
    }
    d.above = above / ((double) x->n * (double) y->n);
    d.below = below / ((double) x->n * (double) y->n);
    return d;
}

static int two_pvalue(struct kiln_call *call, double n, double m, double d, enum alternative alternative,
                      bool exact, double *ret)
{
    if (exact) {
        return kolmogorov_two_sample_sf(call, (size_t) n, (size_t) m, d, alternative == TWO_SIDED, ret);
    }
    const double en = n * m / (n + m), most = fmax(n, m), least = fmin(n, m);
    if (alternative == TWO_SIDED) {
        return kolmogorov_sf(call, d, rint(en), ret);
    }
    const double z = sqrt(en) * d;
    *ret = exp(-2 * z * z - 2 * z * (most + 2 * least) / sqrt(most * least * (most + least)) / 3);
    return KILN_OK;
}

static int ks_2samp_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    bool nan = false;
    const enum nan_policy policy = nan_policy_of(&args[TWO_NAN_POLICY]);
    int status = take_sorted(call, &args[TWO_X], "x", policy, &x, &nan);
    status = status ? status : take_sorted(call, &args[TWO_Y], "y", policy, &y, &nan);
    if (status || nan) {
        return status ? status : give_nan(results, STATISTIC, LOCATION);
    }
    const struct distances found = two_distances(&x, &y);
    const enum alternative alternative = alternative_of(&args[TWO_ALTERNATIVE]);
    const double n = (double) x.n, m = (double) y.n;
    const char *method = args[TWO_METHOD].text;
    const bool exact = method[0] == 'e' || (method[1] == 'u' && x.n <= MOST_EXACT && y.n <= MOST_EXACT);
    if (exact && n * m > MOST_PATHS) {
        return call->host->fail(call, KILN_INVALID, "method",
                                "method is exact for %zu and %zu values, expected a product of at most %.0f",
                                x.n, y.n, MOST_PATHS);
    }
    double d = 0, p = 0;
    give_distance(&found, alternative, &d, results);
    status = two_pvalue(call, n, m, d, alternative, exact, &p);
    give(&results[PVALUE], p > 1 ? 1 : p);
    return status;
}

FUNCTION(ks_2samp, "Kolmogorov-Smirnov test of two samples", ks_2samp_help);
