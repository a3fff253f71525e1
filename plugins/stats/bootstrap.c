/* SPDX-License-Identifier: MPL-2.0 */
/* bootstrap - confidence intervals of a statistic from resamples. */
#include <string.h>

#include "dist.h"
#include "infer.h"
#include "quantile.h"
#include "reduce.h"
#include "resample.h"
#include "sorting.h"

static const char bootstrap_help[] =
    "Bootstrap confidence interval of a statistic of one sample, as scipy.stats.bootstrap: the statistic of "
    "n_resamples samples "
    "of n values drawn with replacement.\n"
    "percentile: quantiles (linear) of those at (1 -+ confidence_level) / 2; basic: those reflected at the "
    "estimate, 2 "
    "estimate - quantile; bca: percentiles moved for bias, z0 from the part below the estimate (half of the "
    "equal ones "
    "counted), and for skewness, a = sum U^3 / (6 (sum U^2)^1.5), U the jackknife's deviations (Efron 1987). "
    "standard_error "
    "is their standard deviation (ddof 1).\n"
    "Equal seeds give equal resamples on all machines: value j of resample r is x[floor(n u / 2^64)] (of the "
    "median, x in ascending order), u = mix(key + (j + 1) G), "
    "key = mix(seed + (r + 1) G) modulo 2^64, G = 0x9e3779b97f4a7c15, mix SplitMix64's finalizer; scipy's "
    "generator is "
    "another one, so intervals agree within their own chance only.\n"
    "Ends are null where bca is not defined, as when all resamples agree. A NaN makes all results NaN unless "
    "nan_policy says "
    "otherwise.";

enum { X, STATISTIC, N_RESAMPLES, LEVEL, METHOD, SEED, DDOF, KEEP, NAN_POLICY };
enum { LOW, HIGH, ERROR, ESTIMATE, DISTRIBUTION };

static const struct kiln_row bootstrap_params[] = {
    ROW_X("values"),
    ROW_CHOICE("statistic", "mean|median|std|var", "mean", "what is computed of each sample"),
    {.name = "n_resamples",
     .kind = KILN_INT,
     .min = 2,
     .max = 1e8,
     .fallback = "9999",
     .help = "number of resamples"},
    ROW_CONFIDENCE,
    ROW_CHOICE("method", "bca|percentile|basic", "bca", "kind of interval"),
    {.name = "seed",
     .kind = KILN_INT,
     .min = 0,
     .max = 9007199254740992,
     .fallback = "0",
     .help = "start of the random numbers; equal seeds give equal results"},
    ROW_DDOF("0", "delta degrees of freedom of std and var: the divisor is n - ddof"),
    ROW_SWITCH("distribution", "false", "whether the statistics of all resamples are wanted"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row bootstrap_results[] = {
    ROW_RESULT("ci_low", "lower end of the confidence interval"),
    ROW_RESULT("ci_high", "its upper end"),
    ROW_RESULT("standard_error", "standard deviation of the resamples' statistics"),
    ROW_RESULT("estimate", "statistic of x"),
    ROW_COLUMN("distribution", "b", "statistic of each resample; null unless asked for"),
};

static const struct kiln_golden bootstrap_goldens[] = {
    {.title = "two resamples of the mean",
     .args = "{\"x\":[1,2,4,8],\"n_resamples\":2,\"method\":\"percentile\",\"seed\":7,\"distribution\":true}",
     .result = "{\"estimate\":3.75,\"distribution\":[4,7],\"standard_error\":2.1213203435596424,\"ci_low\":4."
               "075,\"ci_high\":6.925}",
     .rtol = 1e-14},
    {.title = "no spread",
     .args = "{\"x\":[3,3,3],\"n_resamples\":10,\"method\":\"basic\",\"statistic\":\"median\"}",
     .result = "{\"ci_low\":3,\"ci_high\":3,\"standard_error\":0,\"estimate\":3}"},
    {.title = "one value",
     .args = "{\"x\":[1]}",
     .status = KILN_INVALID,
     .result = "x has 1 value, expected at least 2"},
    {.title = "100 values", .args = "{\"x\":{\"$normal\":[100,1]},\"n_resamples\":999}"},
};

struct data {
    const double *d; /* deviations from the mean, times scale; ascending for the median */
    size_t n;
    double mean_hi, mean_lo, scale, ddof;
    char statistic; /* first letter, 'd' for the median */
    uint32_t *counts;
};

/* ---- one resample -------------------------------------------------------------------------------------------- */

/* In a fixed order of four lanes, so that the sums are the same everywhere. */
static void resample_sums(const struct data *s, uint64_t key, double *ret_sum, double *ret_squares)
{
    enum { LANES = 4 };
    double sums[LANES] = {0}, squares[LANES] = {0};
    const size_t n = s->n;
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            const double v = s->d[resample_place(key, j + l, n)];
            sums[l] += v;
            squares[l] += v * v;
        }
    }
    for (; j < n; j++) {
        const double v = s->d[resample_place(key, j, n)];
        sums[0] += v;
        squares[0] += v * v;
    }
    *ret_sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    *ret_squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

static double middle_of(double a, double b)
{
    return a == b ? a : a / 2 + b / 2;
}

/* How often each value was drawn tells where the middle of the resample is. */
static double resample_median(const struct data *s, uint64_t key)
{
    const size_t n = s->n, low = (n - 1) / 2, high = n / 2;
    memset(s->counts, 0, n * sizeof *s->counts);
    for (size_t j = 0; j < n; j++) {
        s->counts[resample_place(key, j, n)]++;
    }
    size_t at = 0, seen = s->counts[0];
    while (seen <= low) {
        seen += s->counts[++at];
    }
    const double a = s->d[at];
    while (seen <= high) {
        seen += s->counts[++at];
    }
    return middle_of(a, s->d[at]);
}

static double from_squares(const struct data *s, double squares)
{
    const double var = squares > 0 || isnan(squares) ? squares / ((double) s->n - s->ddof) : 0;
    return s->statistic == 's' ? sqrt(var) / s->scale : var / s->scale / s->scale;
}

static double located(const struct data *s, double deviation)
{
    return (s->mean_hi + (deviation + s->mean_lo)) / s->scale;
}

static double resample_statistic(const struct data *s, uint64_t key)
{
    double sum = 0, squares = 0;
    if (s->statistic == 'd') {
        return located(s, resample_median(s, key));
    }
    resample_sums(s, key, &sum, &squares);
    return s->statistic == 'm' ? located(s, sum / (double) s->n)
                               : from_squares(s, squares - sum * sum / (double) s->n);
}

/* ---- the sample itself --------------------------------------------------------------------------------------- */

static double squares_of(const struct data *s)
{
    double squares = 0, sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        squares += s->d[i] * s->d[i];
        sum += s->d[i];
    }
    return squares - sum * sum / (double) s->n;
}

static double estimate_of(const struct data *s)
{
    switch (s->statistic) {
    case 'd':
        return located(s, middle_of(s->d[(s->n - 1) / 2], s->d[s->n / 2]));
    case 'm':
        return located(s, 0);
    default:
        return from_squares(s, squares_of(s));
    }
}

/* The statistic without value i, but for a constant and a factor that are the same for all i. */
static double without(const struct data *s, size_t i, double all_squares)
{
    const double n = (double) s->n;
    const size_t k = s->n / 2;
    switch (s->statistic) {
    case 'd':
        if (s->n % 2 == 0) {
            return i < k ? s->d[k] : s->d[k - 1];
        }
        return i < k ? middle_of(s->d[k], s->d[k + 1])
                     : middle_of(s->d[k - 1], i == k ? s->d[k + 1] : s->d[k]);
    case 'm':
        return -s->d[i];
    default:
        all_squares -= s->d[i] * s->d[i] * n / (n - 1);
        return s->statistic == 's' ? sqrt(all_squares > 0 ? all_squares : 0) : all_squares;
    }
}

static double acceleration(const struct data *s)
{
    const double all = s->statistic == 's' || s->statistic == 'v' ? squares_of(s) : 0;
    double mean = 0, squares = 0, cubes = 0;
    for (size_t i = 0; i < s->n; i++) {
        mean += (without(s, i, all) - mean) / (double) (i + 1);
    }
    for (size_t i = 0; i < s->n; i++) {
        const double u = mean - without(s, i, all);
        squares += u * u;
        cubes += u * u * u;
    }
    return cubes / (6 * squares * sqrt(squares));
}

/* Deviations, ascending for the median. */
static int prepare(struct kiln_call *call, const struct sample *x, struct data *s)
{
    double *d = call->host->alloc(call, x->n * sizeof *d);
    struct reduction r;
    if (!d) {
        return KILN_RESOURCE;
    }
    reduce_moments2(call->state, x->x, x->n, &r);
    s->mean_hi = r.m.mean.hi;
    s->mean_lo = r.m.mean.lo;
    s->scale = r.scale;
    for (size_t i = 0; i < x->n; i++) {
        d[i] = (x->x[i] * r.scale - r.m.mean.hi) - r.m.mean.lo;
    }
    s->d = d;
    s->n = x->n;
    if (s->statistic != 'd') {
        return KILN_OK;
    }
    s->counts = call->host->alloc(call, x->n * sizeof *s->counts);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(x->n));
    return s->counts && scratch ? sort_values(call, d, x->n, scratch) : KILN_RESOURCE;
}

/* ---- the interval --------------------------------------------------------------------------------------------- */

/* The probabilities at which percentiles are taken. NaN where bca is not defined. */
static void bca_levels(const struct data *s, const double *values, size_t b, double estimate, double tail,
                       double q[2])
{
    size_t below = 0, equal = 0;
    for (size_t i = 0; i < b; i++) {
        below += values[i] < estimate;
        equal += values[i] == estimate;
    }
    const double z0 = dist_norm_ppf(((double) below + (double) equal / 2) / (double) b), a = acceleration(s);
    const double low = z0 + dist_norm_ppf(tail), high = z0 - dist_norm_ppf(tail);
    q[0] = dist_norm_cdf(z0 + low / (1 - a * low));
    q[1] = dist_norm_cdf(z0 + high / (1 - a * high));
}

static int give_interval(struct kiln_call *call, const struct data *s, const double *values, size_t b,
                         const char *method, double level, struct kiln_slot *results)
{
    const double estimate = estimate_of(s), tail = (1 - level) / 2;
    double q[2] = {tail, 1 - tail}, ends[2] = {(double) NAN, (double) NAN};
    give(&results[ESTIMATE], estimate);
    struct reduction r;
    reduce_moments2(call->state, values, b, &r);
    give(&results[ERROR], reduction_std(&r, 1));
    if (method[1] == 'c') {
        bca_levels(s, values, b, estimate, tail, q);
    }
    if (q[0] >= 0 && q[1] <= 1) { /* numbers */
        const int status = quantiles(call, values, b, quantile_linear, q, 2, ends);
        if (status) {
            return status;
        }
    }
    const bool basic = method[0] == 'b' && method[1] == 'a';
    give(&results[LOW], basic ? 2 * estimate - ends[1] : ends[0]);
    give(&results[HIGH], basic ? 2 * estimate - ends[0] : ends[1]);
    return KILN_OK;
}

static int bootstrap_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x;
    const char *name = args[STATISTIC].text;
    struct data s = {.statistic = name[2] == 'd' && name[0] == 'm' ? 'd' : name[0],
                     .ddof = (double) args[DDOF].i64};
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &x);
    status = status ? status : sample_check_least(call, &x, "x", 2);
    if (!status && (s.statistic == 's' || s.statistic == 'v')) {
        status = sample_check_ddof(call, &x, "x", args[DDOF].i64);
    }
    if (!status && x.n > SORT_MOST) {
        status = call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %zu", x.n,
                                  (size_t) SORT_MOST);
    }
    status = status ? status : prepare(call, &x, &s);
    if (status) {
        return status;
    }
    const size_t b = (size_t) args[N_RESAMPLES].i64;
    double *values = args[KEEP].i64 ? call->host->grow(call, DISTRIBUTION, (int64_t) b)
                                    : call->host->alloc(call, b * sizeof *values);
    if (!values) {
        return KILN_RESOURCE;
    }
    const struct sample deviations = {.x = s.d, .n = s.n};
    const bool nan = sample_has_nan(call, &deviations); /* infinities, too, make them */
    const size_t polled = s.n < 50000 ? 100000 / s.n : 1;
    for (size_t i = 0; i < b; i++) {
        values[i] = nan ? (double) NAN : resample_statistic(&s, resample_key((uint64_t) args[SEED].i64, i));
        if (i % polled == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return nan ? give_nan(results, LOW, ESTIMATE)
               : give_interval(call, &s, values, b, args[METHOD].text, args[LEVEL].f64, results);
}

FUNCTION(bootstrap, "bootstrap confidence interval of a statistic", bootstrap_help);
