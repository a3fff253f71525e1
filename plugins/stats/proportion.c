/* SPDX-License-Identifier: MPL-2.0 */
/* proportion - exact tests of proportions: of one, and of two in a 2 by 2 table. */
#include <math.h>

#include "dist.h"
#include "infer.h"
#include "laws.h"

/* ---- fisher_exact ---------------------------------------------------------------------------------------- */

static const char fisher_exact_help[] = "Fisher's exact test of a 2 by 2 table [[a, b], [c, d]], as "
                                        "scipy.stats.fisher_exact: with the sums given, a has a "
                                        "hypergeometric distribution. less: P(A <= a); greater: P(A >= a); "
                                        "two-sided: the probability of all tables that are "
                                        "at most as probable as this one (to 1e-14 relative).\n"
                                        "statistic = a d / (b c), infinite when b c is 0. When a row or "
                                        "column is empty, p is 1 and the statistic null.";

enum { FISHER_TABLE, FISHER_ALTERNATIVE };

static const struct kiln_row fisher_exact_params[] = {
    {.name = "table",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .flags = KILN_REQUIRED,
     .shape = "2 2",
     .min = 0,
     .max = 1e9,
     .help = "frequencies, at most 1e9 each"},
    ROW_ALTERNATIVE("what the odds ratio is if not 1: something else, less, or greater"),
};

static const struct kiln_row fisher_exact_results[] = {
    ROW_RESULT("statistic", "sample odds ratio"),
    {.name = "pvalue", .kind = KILN_FLOAT, .help = "probability of a table at least as extreme"},
};

static const struct kiln_golden fisher_exact_goldens[] = {
    {.title = "tea",
     .args = "{\"table\":[[3,1],[1,3]]}",
     .result = "{\"statistic\":9,\"pvalue\":0.4857142857142857}",
     .rtol = 1e-12},
    {.title = "one-sided",
     .args = "{\"table\":[[8,2],[1,5]],\"alternative\":\"greater\"}",
     .result = "{\"statistic\":20,\"pvalue\":0.024475524475524483}",
     .rtol = 1e-12},
    {.title = "an empty row",
     .args = "{\"table\":[[0,0],[1,5]]}",
     .result = "{\"statistic\":null,\"pvalue\":1}"},
    {.title = "negative", .args = "{\"table\":[[-1,2],[1,5]]}", .status = KILN_INVALID, .result = "-1"},
};

/* Of n draws from n1 + n2, k from the n1: its probability, and those of at most k or of more. */
static double hypergeom_mass(double k, double n1, double n2, double n)
{
    const double shape[] = {n1 + n2, n1, n};
    return law_density_at(&law_hypergeom, shape, k);
}

static double hypergeom_tail(double k, double n1, double n2, double n, bool upper)
{
    const double shape[] = {n1 + n2, n1, n};
    return law_tail_at(&law_hypergeom, shape, k, upper);
}

/* The last place from `inside` (where it holds) towards `outside` (where it does not) at which the mass is at most p. */
static double boundary(double inside, double outside, double p, double n1, double n2, double n)
{
    while (fabs(outside - inside) > 1) {
        const double middle = floor((inside + outside) / 2);
        if (hypergeom_mass(middle, n1, n2, n) <= p) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return inside;
}

/* Both tails: this one up to a, and of the other all that is no more probable. */
static double fisher_both(double a, double n1, double n2, double n)
{
    const double mode = floor((n + 1) * (n1 + 1) / (n1 + n2 + 2)), p = hypergeom_mass(a, n1, n2, n);
    const double most = hypergeom_mass(mode, n1, n2, n), limit = p * (1 + 1e-14);
    const double first = fmax(0, n - n2), last = fmin(n, n1);
    if (fabs(p - most) <= 1e-14 * fmax(p, most)) {
        return 1;
    }
    if (a < mode) {
        const double low = hypergeom_tail(a, n1, n2, n, false);
        return hypergeom_mass(last, n1, n2, n) > limit
                   ? low
                   : low + hypergeom_tail(boundary(last, mode, limit, n1, n2, n) - 1, n1, n2, n, true);
    }
    const double high = hypergeom_tail(a - 1, n1, n2, n, true);
    return hypergeom_mass(first, n1, n2, n) > limit
               ? high
               : high + hypergeom_tail(boundary(first, mode, limit, n1, n2, n), n1, n2, n, false);
}

static int fisher_exact_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    const int64_t *t = args[FISHER_TABLE].array.data;
    const double a = (double) t[0], b = (double) t[1], c = (double) t[2], d = (double) t[3];
    if (a + b == 0 || c + d == 0 || a + c == 0 || b + d == 0) {
        give(&results[0], (double) NAN);
        return give(&results[1], 1);
    }
    give(&results[0], b * c > 0 ? a * d / (b * c) : HUGE_VAL);
    const enum alternative alternative = alternative_of(&args[FISHER_ALTERNATIVE]);
    const double p = alternative == LESS      ? hypergeom_tail(a, a + b, c + d, a + c, false)
                     : alternative == GREATER ? hypergeom_tail(a - 1, a + b, c + d, a + c, true)
                                              : fisher_both(a, a + b, c + d, a + c);
    return give(&results[1], p > 1 ? 1 : p);
}

FUNCTION(fisher_exact, "Fisher's exact test of a 2 by 2 table", fisher_exact_help);

/* ---- binomtest -------------------------------------------------------------------------------------------- */

static const char binomtest_help[] = "Exact test of a proportion: k successes in n trials have a binomial "
                                     "distribution, as scipy.stats.binomtest. less: "
                                     "P(K <= k); greater: P(K >= k); two-sided: the probability of all "
                                     "outcomes that are at most as probable as k (to 1e-7 "
                                     "relative). statistic = k / n.\n"
                                     "The interval for the proportion: exact (Clopper and Pearson, from the "
                                     "beta distribution), wilson, or wilsoncc, Wilson "
                                     "with continuity correction; one-sided when the alternative is.";

enum { BINOM_K, BINOM_N, BINOM_P, BINOM_ALTERNATIVE, BINOM_LEVEL, BINOM_METHOD };
enum { BINOM_STATISTIC, BINOM_PVALUE, BINOM_LOW, BINOM_HIGH };

static const struct kiln_row binomtest_params[] = {
    {.name = "k", .kind = KILN_INT, .flags = KILN_REQUIRED, .min = 0, .max = 1e15, .help = "successes"},
    {.name = "n", .kind = KILN_INT, .flags = KILN_REQUIRED, .min = 1, .max = 1e15, .help = "trials"},
    {.name = "p",
     .kind = KILN_FLOAT,
     .min = 0,
     .max = 1,
     .fallback = "0.5",
     .help = "probability of success under the hypothesis"},
    ROW_ALTERNATIVE("what the probability is if not p: something else, less, or greater"),
    ROW_CONFIDENCE,
    ROW_CHOICE("ci_method", "exact|wilson|wilsoncc", "exact", "how the interval is computed"),
};

static const struct kiln_row binomtest_results[] = {
    ROW_RESULT("statistic", "proportion of successes"),
    ROW_PVALUE,
    ROW_RESULT("ci_low", "lower end of the confidence interval"),
    ROW_RESULT("ci_high", "its upper end"),
};

static const struct kiln_golden binomtest_goldens[] = {
    {.title = "3 of 15 against 1/10, greater",
     .args = "{\"k\":3,\"n\":15,\"p\":0.1,\"alternative\":\"greater\"}",
     .result =
         "{\"statistic\":0.2,\"pvalue\":0.18406106910639114,\"ci_low\":0.05684686759024681,\"ci_high\":1}",
     .rtol = 1e-11},
    {.title = "none of 5",
     .args = "{\"k\":0,\"n\":5}",
     .result = "{\"pvalue\":0.0625,\"ci_low\":0}",
     .rtol = 1e-13},
    {.title = "more than all",
     .args = "{\"k\":6,\"n\":5}",
     .status = KILN_INVALID,
     .result = "k is 6, expected at most n = 5"},
};

/* How many outcomes on the far side of the mode are at most as probable as `limit`. There pmf falls towards `end`. */
static double as_rare(double mode, double end, double limit, double n, double p)
{
    if (dist_binom_pmf(end, n, p) > limit) {
        return 0;
    }
    double rare = end, common = mode;
    while (fabs(common - rare) > 1) {
        const double middle = floor((rare + common) / 2);
        if (dist_binom_pmf(middle, n, p) <= limit) {
            rare = middle;
        } else {
            common = middle;
        }
    }
    return fabs(end - rare) + 1;
}

static double binom_both(double k, double n, double p)
{
    const double limit = dist_binom_pmf(k, n, p) * (1 + 1e-7);
    if (k == p * n) {
        return 1;
    }
    if (k < p * n) {
        const double y = as_rare(ceil(p * n) - 1, n, limit, n, p);
        return dist_binom_cdf(k, n, p) + dist_binom_sf(n - y, n, p);
    }
    const double y = as_rare(floor(p * n) + 1, 0, limit, n, p);
    return dist_binom_cdf(y - 1, n, p) + dist_binom_sf(k - 1, n, p);
}

static void wilson(double k, double n, double level, enum alternative alternative, bool corrected,
                   double *low, double *high)
{
    const double z = dist_norm_ppf(alternative == TWO_SIDED ? 0.5 + level / 2 : level), p = k / n, q = 1 - p;
    const double denominator = 2 * (n + z * z), center = (2 * n * p + z * z) / denominator;
    if (corrected) {
        const double dlow = (1 + z * sqrt(z * z - 2 - 1 / n + 4 * p * (n * q + 1))) / denominator;
        const double dhigh = (1 + z * sqrt(z * z + 2 - 1 / n + 4 * p * (n * q - 1))) / denominator;
        *low = alternative == LESS || k == 0 ? 0 : center - dlow;
        *high = alternative == GREATER || k == n ? 1 : center + dhigh;
        return;
    }
    const double d = z / denominator * sqrt(4 * n * p * q + z * z);
    *low = alternative == LESS || k == 0 ? 0 : center - d;
    *high = alternative == GREATER || k == n ? 1 : center + d;
}

static int binomtest_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const double k = (double) args[BINOM_K].i64, n = (double) args[BINOM_N].i64, p = args[BINOM_P].f64;
    const double level = args[BINOM_LEVEL].f64;
    const enum alternative alternative = alternative_of(&args[BINOM_ALTERNATIVE]);
    if (k > n) {
        return call->host->fail(call, KILN_INVALID, "k", "k is %.0f, expected at most n = %.0f", k, n);
    }
    const double pvalue = alternative == LESS      ? dist_binom_cdf(k, n, p)
                          : alternative == GREATER ? dist_binom_sf(k - 1, n, p)
                                                   : binom_both(k, n, p);
    double low = 0, high = 1;
    if (args[BINOM_METHOD].text[0] == 'w') {
        wilson(k, n, level, alternative, args[BINOM_METHOD].text_bytes > 6, &low, &high);
    } else {
        const double tail = alternative == TWO_SIDED ? (1 - level) / 2 : 1 - level;
        low = alternative == LESS || k == 0 ? 0 : dist_beta_ppf(tail, k, n - k + 1);
        high = alternative == GREATER || k == n ? 1 : dist_beta_isf(tail, k + 1, n - k);
    }
    give(&results[BINOM_STATISTIC], k / n);
    give(&results[BINOM_PVALUE], pvalue > 1 ? 1 : pvalue);
    give(&results[BINOM_LOW], low < 0 ? 0 : low);
    return give(&results[BINOM_HIGH], high > 1 ? 1 : high);
}

FUNCTION(binomtest, "exact test of a proportion", binomtest_help);
