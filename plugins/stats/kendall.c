/* SPDX-License-Identifier: MPL-2.0 */
/* kendall - Kendall's rank correlation. */
#include "infer.h"
#include "rankdist.h"
#include "sorting.h"

#define MOST_EXACT 2000

static const char kendalltau_help[] = "Kendall's tau: of the n (n - 1) / 2 pairs of observations, C are "
                                      "concordant (x and y differ in the same direction) and D "
                                      "discordant. Variant b: (C - D) / sqrt((N - tx) (N - ty)), N all "
                                      "pairs, tx and ty those tied in x or y; c: 2 (C - D) "
                                      "/ (n^2 (m - 1) / m), m the lesser number of different values; as "
                                      "scipy.stats.kendalltau, in n log n time.\n"
                                      "p: exact by counting permutations, without ties only and up to 2,000 "
                                      "observations; asymptotic by the normal distribution "
                                      "with the variance corrected for ties; auto: exact without ties up to "
                                      "33 observations, or when D or C is at most 1.\n"
                                      "Where all x or all y are equal, or with one observation, results are "
                                      "null. A NaN makes all results NaN unless "
                                      "nan_policy says otherwise.";

enum { X, Y, VARIANT, METHOD, ALTERNATIVE, NAN_POLICY };
enum { TAU, PVALUE };

static const struct kiln_row kendalltau_params[] = {
    ROW_VECTOR("x", "n", "values of the first variable"),
    ROW_VECTOR("y", "n", "values of the second, in the same order"),
    ROW_CHOICE("variant", "b|c", "b", "which tau"),
    ROW_CHOICE("method", "auto|asymptotic|exact", "auto", "how p is computed"),
    ROW_ALTERNATIVE("what tau is if not 0: something else, less, or greater"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row kendalltau_results[] = {
    ROW_RESULT("statistic", "tau, -1..1"),
    ROW_PVALUE,
};

static const struct kiln_golden kendalltau_goldens[] = {
    {.title = "with ties",
     .args = "{\"x\":[12,2,1,12,2],\"y\":[1,4,7,1,0]}",
     .result = "{\"statistic\":-0.47140452079103173,\"pvalue\":0.2827454599327748}",
     .rtol = 1e-12},
    {.title = "exact",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,3,2,5]}",
     .result = "{\"statistic\":0.6666666666666666,\"pvalue\":0.3333333333333333}",
     .rtol = 1e-13},
    {.title = "exact with ties",
     .args = "{\"x\":[1,1,2],\"y\":[1,2,3],\"method\":\"exact\"}",
     .status = KILN_INVALID,
     .result = "method is exact, expected no ties"},
    {.title = "1,000 pairs", .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]}}"},
};

/* Counts of pairs, and the sums over groups of t tied values that the variance asks for. */
struct tied {
    double pairs, cubes, fives; /* t (t - 1) / 2, t (t - 1) (t - 2), t (t - 1) (2 t + 5) */
    double groups;
};

static void add_group(struct tied *t, size_t size)
{
    const double n = (double) size;
    t->pairs += n * (n - 1) / 2;
    t->cubes += n * (n - 1) * (n - 2);
    t->fives += n * (n - 1) * (2 * n + 5);
    t->groups++;
}

static struct tied ties_of(const double *sorted, size_t n)
{
    struct tied t = {0};
    for (size_t from = 0, i = 1; i <= n; i++) {
        if (i == n || sorted[i] != sorted[from]) {
            add_group(&t, i - from);
            from = i;
        }
    }
    return t;
}

/* Pairs tied in both. */
static double both_tied(const double *x, const double *y, size_t n)
{
    struct tied t = {0};
    for (size_t from = 0, i = 1; i <= n; i++) {
        if (i == n || x[i] != x[from] || y[i] != y[from]) {
            add_group(&t, i - from);
            from = i;
        }
    }
    return t.pairs;
}

#define RUN 16 /* values put in order by insertion */

/* Puts y in order and counts the pairs that were out of it. */
static int count_inversions(struct kiln_call *call, double *y, size_t n, double *spare, double *ret)
{
    uint64_t count = 0;
    for (size_t from = 0; from < n; from += RUN) {
        const size_t to = from + RUN < n ? from + RUN : n;
        for (size_t i = from + 1; i < to; i++) {
            const double v = y[i];
            size_t j = i;
            for (; j > from && y[j - 1] > v; j--) {
                y[j] = y[j - 1];
            }
            y[j] = v;
            count += i - j;
        }
    }
    double *a = y, *b = spare;
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            const size_t middle = from + width < n ? from + width : n,
                         to = middle + width < n ? middle + width : n;
            size_t left = from, right = middle;
            for (size_t i = from; i < to; i++) {
                const bool take_left = right == to || (left < middle && a[left] <= a[right]);
                count += take_left ? 0 : middle - left;
                b[i] = take_left ? a[left] : a[right];
                left += take_left;
                right += !take_left;
            }
        }
        double *t = a;
        a = b;
        b = t;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    if (a != y) {
        for (size_t i = 0; i < n; i++) {
            y[i] = a[i];
        }
    }
    *ret = (double) count;
    return KILN_OK;
}

/* x and y in the order of x, and of y where x is tied. */
static int sort_both(struct kiln_call *call, const struct sample *x, const struct sample *y, double *xs,
                     double *ys, double *spare, void *scratch)
{
    const size_t n = x->n;
    uint32_t *first = call->host->alloc(call, 2 * n * sizeof *first), *second = first ? first + n : NULL;
    if (!first) {
        return KILN_RESOURCE;
    }
    int status = sort_order(call, y->x, n, scratch, first);
    for (size_t i = 0; i < n && !status; i++) {
        spare[i] = x->x[first[i]];
    }
    status = status ? status : sort_order(call, spare, n, scratch, second);
    for (size_t i = 0; i < n && !status; i++) {
        xs[i] = x->x[first[second[i]]];
        ys[i] = y->x[first[second[i]]];
    }
    return status;
}

struct counts {
    double n, all, discordant, both;
    struct tied x, y;
};

static double asymptotic_p(const struct counts *c, double excess, enum alternative alternative)
{
    const double m = c->n * (c->n - 1);
    double var = (m * (2 * c->n + 5) - c->x.fives - c->y.fives) / 18 + 2 * c->x.pairs * c->y.pairs / m;
    if (c->n > 2) {
        var += c->x.cubes * c->y.cubes / (9 * m * (c->n - 2));
    }
    return pvalue_norm(excess / sqrt(var), alternative);
}

static int exact_p(struct kiln_call *call, const struct counts *c, enum alternative alternative, double *ret)
{
    double greater = 0, less = 0; /* as few discordant pairs, or as few concordant ones */
    int status = inversions_cdf(call, (size_t) c->n, c->discordant, &greater);
    status = status ? status : inversions_cdf(call, (size_t) c->n, c->all - c->discordant, &less);
    const double both = 2 * fmin(greater, less);
    *ret = alternative == GREATER ? greater : alternative == LESS ? less : fmin(both, 1);
    return status;
}

static int count_pairs(struct kiln_call *call, const struct sample *x, const struct sample *y,
                       struct counts *c)
{
    const size_t n = x->n;
    double *xs = call->host->alloc(call, 3 * n * sizeof *xs), *ys = xs ? xs + n : NULL,
           *spare = xs ? ys + n : NULL;
    void *scratch = call->host->alloc(call, sort_scratch_bytes(n));
    if (!xs || !scratch) {
        return KILN_RESOURCE;
    }
    int status = sort_both(call, x, y, xs, ys, spare, scratch);
    if (status) {
        return status;
    }
    *c = (struct counts){.n = (double) n, .all = (double) n * ((double) n - 1) / 2};
    c->x = ties_of(xs, n);
    c->both = both_tied(xs, ys, n);
    status = count_inversions(call, ys, n, spare, &c->discordant);
    c->y = ties_of(ys, n);
    return status;
}

static int kendalltau_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    struct counts c;
    int status = sample_take_pairs(call, &args[X], &args[Y], nan_policy_of(&args[NAN_POLICY]), &x, &y);
    if (status) {
        return status;
    }
    if (sample_has_nan(call, &x) || sample_has_nan(call, &y)) {
        return give_nan(results, TAU, PVALUE);
    }
    if (x.n > SORT_MOST) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %zu", x.n,
                                (size_t) SORT_MOST);
    }
    status = count_pairs(call, &x, &y, &c);
    if (status) {
        return status;
    }
    if (c.x.groups == 1 || c.y.groups == 1) {
        return give_nan(results, TAU, PVALUE);
    }
    const double excess = c.all - c.x.pairs - c.y.pairs + c.both - 2 * c.discordant;
    const double classes = fmin(c.x.groups, c.y.groups);
    const double tau = args[VARIANT].text[0] == 'b'
                           ? excess / sqrt(c.all - c.x.pairs) / sqrt(c.all - c.y.pairs)
                           : 2 * excess / (c.n * c.n * (classes - 1) / classes);
    const bool tied = c.x.pairs > 0 || c.y.pairs > 0;
    const char *method = args[METHOD].text;
    const bool exact = method[0] == 'e' || (method[1] == 'u' && !tied &&
                                            (c.n <= 33 || fmin(c.discordant, c.all - c.discordant) <= 1));
    if (exact && (tied || (method[0] == 'e' && c.n > MOST_EXACT))) {
        return call->host->fail(
            call, KILN_INVALID, "method",
            "method is exact, expected no ties and at most %d observations, or asymptotic", MOST_EXACT);
    }
    const enum alternative alternative = alternative_of(&args[ALTERNATIVE]);
    double p = 0;
    if (exact) {
        status = exact_p(call, &c, alternative, &p);
    } else {
        p = asymptotic_p(&c, excess, alternative);
    }
    give(&results[TAU], fmax(-1, fmin(1, tau)));
    give(&results[PVALUE], p);
    return status;
}

FUNCTION(kendalltau, "Kendall's rank correlation with its p-value", kendalltau_help);
