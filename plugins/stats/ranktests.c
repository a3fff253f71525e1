/* SPDX-License-Identifier: MPL-2.0 */
/* ranktests - locations compared by ranks. */
#include <string.h>

#include "infer.h"
#include "rankdist.h"
#include "sorting.h"

/* ---- mannwhitneyu ----------------------------------------------------------------------------------------- */

static const char mannwhitneyu_help[] =
    "Mann-Whitney U test of two independent samples of n and m values, as scipy.stats.mannwhitneyu: U "
    "= sum of "
    "the ranks of x - n (n + 1) / 2, equal values with their average rank.\n"
    "asymptotic: z = (U - n m / 2 - 1/2) / s, s^2 = n m / 12 ((N + 1) - sum (t^3 - t) / (N (N - 1))), N = n "
    "+ m, t tied "
    "values; two-sided with the greater of U and n m - U; without use_continuity the 1/2 is left out. exact: "
    "by "
    "counting, as if there were no ties. auto: exact when a sample has at most 8 values and nothing is "
    "tied.\n"
    "When all values are equal the statistic is n m / 2 and p null. A NaN makes all results NaN unless "
    "nan_policy says "
    "otherwise; omit leaves out values of either sample.";

enum { MWU_X, MWU_Y, MWU_CONTINUITY, MWU_ALTERNATIVE, MWU_METHOD, MWU_NAN_POLICY };

static const struct kiln_row mannwhitneyu_params[] = {
    ROW_VECTOR("x", "n", "values of the first sample"),
    ROW_VECTOR("y", "m", "values of the second sample"),
    ROW_SWITCH("use_continuity", "true", "correction for continuity in the asymptotic p"),
    ROW_ALTERNATIVE("how x lies if not as y: otherwise, below, or above"),
    ROW_CHOICE("method", "auto|asymptotic|exact", "auto", "how p is computed"),
    ROW_NAN_POLICY(HELP_NAN),
};

static const struct kiln_row mannwhitneyu_results[] = {
    ROW_RESULT("statistic", "U of x"),
    ROW_PVALUE,
};

static const struct kiln_golden mannwhitneyu_goldens[] = {
    {.title = "exact",
     .args = "{\"x\":[19,22,16,29,24],\"y\":[20,11,17,12]}",
     .result = "{\"statistic\":17,\"pvalue\":0.1111111111111111}",
     .rtol = 1e-13},
    {.title = "asymptotic",
     .args = "{\"x\":[19,22,16,29,24],\"y\":[20,11,17,12],\"method\":\"asymptotic\"}",
     .result = "{\"statistic\":17,\"pvalue\":0.11134688653314041}",
     .rtol = 1e-12},
    {.title = "too many for counting",
     .args = "{\"x\":{\"$normal\":[5000,1]},\"y\":{\"$normal\":[5000,2]},\"method\":\"exact\"}",
     .status = KILN_INVALID,
     .result = "method is exact for 5000 and 5000 values"},
    {.title = "1,000 values each", .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]}}"},
};

/* Rank sum of the first n of all values, less the least it can be. */
static int rank_sum(struct kiln_call *call, const struct sample *x, const struct sample *y, double *ret_u,
                    struct ties *ret_ties)
{
    const size_t all = x->n + y->n;
    double *ranks = call->host->alloc(call, all * sizeof *ranks);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(all));
    if (!ranks || !scratch) {
        return KILN_RESOURCE;
    }
    memcpy(ranks, x->x, x->n * sizeof *ranks);
    memcpy(ranks + x->n, y->x, y->n * sizeof *ranks);
    const int status = sort_ranks(call, ranks, all, RANK_AVERAGE, scratch, ranks, ret_ties);
    double sum = 0; /* of halves of whole numbers: exact up to 2^52 */
    for (size_t i = 0; i < x->n && !status; i++) {
        sum += ranks[i];
    }
    *ret_u = sum - (double) x->n * ((double) x->n + 1) / 2;
    return status;
}

static int check_length(struct kiln_call *call, size_t n, const char *field)
{
    return n <= SORT_MOST ? KILN_OK
                          : call->host->fail(call, KILN_INVALID, field, "%zu values, expected at most %zu", n,
                                             (size_t) SORT_MOST);
}

static int mannwhitneyu_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample x, y;
    const enum nan_policy policy = nan_policy_of(&args[MWU_NAN_POLICY]);
    int status = sample_take(call, &args[MWU_X], "x", policy, &x);
    status = status ? status : sample_take(call, &args[MWU_Y], "y", policy, &y);
    status = status ? status : check_length(call, x.n + y.n, "x");
    if (status) {
        return status;
    }
    if (sample_has_nan(call, &x) || sample_has_nan(call, &y)) {
        return give_nan(results, 0, 1);
    }
    double u1 = 0;
    struct ties ties;
    status = rank_sum(call, &x, &y, &u1, &ties);
    if (status) {
        return status;
    }
    const double n = (double) x.n, m = (double) y.n, all = n + m, u2 = n * m - u1;
    const enum alternative alternative = alternative_of(&args[MWU_ALTERNATIVE]);
    const double u = alternative == GREATER ? u1 : alternative == LESS ? u2 : fmax(u1, u2);
    const char *method = args[MWU_METHOD].text;
    const bool exact = method[0] == 'e' || (method[1] == 'u' && (n <= 8 || m <= 8) && ties.tied == 0 &&
                                            mann_whitney_feasible(n, m));
    double p = 0;
    if (exact && !mann_whitney_feasible(n, m)) {
        return call->host->fail(call, KILN_INVALID, "method",
                                "method is exact for %zu and %zu values, expected fewer or asymptotic", x.n,
                                y.n);
    }
    if (exact) {
        status = mann_whitney_sf(call, x.n, y.n, floor(u), &p);
    } else {
        const double s = sqrt(n * m / 12 * ((all + 1) - ties.cubes / (all * (all - 1))));
        const double z = (u - n * m / 2 - (args[MWU_CONTINUITY].i64 ? 0.5 : 0)) / s;
        p = ties.groups == 1 ? (double) NAN : pvalue_norm(z, GREATER);
    }
    p *= alternative == TWO_SIDED ? 2 : 1;
    give(&results[0], u1);
    give(&results[1], p > 1 ? 1 : p);
    return status;
}

FUNCTION(mannwhitneyu, "Mann-Whitney test of two samples by ranks", mannwhitneyu_help);

/* ---- wilcoxon ---------------------------------------------------------------------------------------------- */

static const char wilcoxon_help[] =
    "Wilcoxon's signed-rank test that x, or x - y, is symmetric about 0, as scipy.stats.wilcoxon: r_plus and "
    "r_minus are "
    "sums of the ranks of |d| over positive and negative d; statistic is the lesser, r_plus when one-sided.\n"
    "Zeros: wilcox leaves them out, pratt ranks them and then leaves them out, zsplit gives half of their "
    "ranks to either "
    "side. approx: z = (T - mean) / s with tie correction; correction moves T by 1/2 towards the mean. "
    "exact: by counting. "
    "auto: exact up to 50 values without zeros and without ties (scipy 1.10: with ties, too, where the "
    "counts do not "
    "hold).\n"
    "Refused when all differences are 0. A NaN makes all results NaN unless nan_policy says otherwise.";

enum { W_X, W_Y, W_ZERO, W_CORRECTION, W_ALTERNATIVE, W_METHOD, W_NAN_POLICY };
enum { W_STATISTIC, W_PVALUE, W_Z };

#define MOST_SIGNED 2000

static const struct kiln_row wilcoxon_params[] = {
    ROW_VECTOR("x", "n", "differences, or values of the first of two related samples"),
    ROW_OPTIONAL("y", "n", "values of the second sample"),
    ROW_CHOICE("zero_method", "wilcox|pratt|zsplit", "wilcox", "what becomes of zero differences"),
    ROW_SWITCH("correction", "false", "correction for continuity in the approximate p"),
    ROW_ALTERNATIVE("where the differences lie if not about 0: elsewhere, below, or above"),
    ROW_CHOICE("method", "auto|exact|approx", "auto", "how p is computed"),
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

static const struct kiln_row wilcoxon_results[] = {
    ROW_RESULT("statistic", "sum of ranks"),
    ROW_PVALUE,
    ROW_RESULT("zstatistic", "z of the approximation; null when p is exact"),
};

static const struct kiln_golden wilcoxon_goldens[] = {
    {.title = "exact",
     .args = "{\"x\":[6,8,14,16,23,24,28,29,41,-48,49,56,60,-67,75]}",
     .result = "{\"statistic\":24,\"pvalue\":0.041259765625,\"zstatistic\":null}",
     .rtol = 1e-13},
    {.title = "one-sided, approximate",
     .args = "{\"x\":[6,8,14,16,23,24,28,29,41,-48,49,56,60,-67,75],\"alternative\":\"greater\",\"method\":"
             "\"approx\"}",
     .result = "{\"statistic\":96,\"pvalue\":0.020444066455927955}",
     .rtol = 1e-9},
    {.title = "no differences",
     .args = "{\"x\":[1,2],\"y\":[1,2]}",
     .status = KILN_INVALID,
     .result = "all 2 differences are 0"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

/* Ranks of the differences, summed by sign. */
struct signed_ranks {
    double plus, minus, zeros; /* rank sums */
    double n, n_zero, cubes;
};

static int take_differences(struct kiln_call *call, const struct kiln_slot *args, struct sample *d)
{
    const enum nan_policy policy = nan_policy_of(&args[W_NAN_POLICY]);
    if (!args[W_Y].present) {
        return sample_take(call, &args[W_X], "x", policy, d);
    }
    struct sample y;
    int status = sample_take_pairs(call, &args[W_X], &args[W_Y], policy, d, &y);
    double *out = status ? NULL : call->host->alloc(call, d->n * sizeof *out);
    if (status || !out) {
        return status ? status : KILN_RESOURCE;
    }
    for (size_t i = 0; i < d->n; i++) {
        out[i] = d->x[i] - y.x[i];
    }
    d->x = out;
    return KILN_OK;
}

static int rank_differences(struct kiln_call *call, const struct sample *s, bool keep_zeros,
                            struct signed_ranks *r)
{
    double *d = call->host->alloc(call, 2 * s->n * sizeof *d), *ranks = d ? d + s->n : NULL;
    void *scratch = call->host->alloc(call, sort_scratch_bytes(s->n));
    size_t n = 0, zeros = 0;
    if (!d || !scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < s->n; i++) {
        d[n] = s->x[i];
        ranks[n] = fabs(s->x[i]);
        zeros += s->x[i] == 0;
        n += keep_zeros || s->x[i] != 0;
    }
    *r = (struct signed_ranks){.n = (double) n, .n_zero = (double) zeros};
    if (zeros == s->n) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu differences are 0, expected some that are not", s->n);
    }
    struct ties ties;
    const int status = sort_ranks(call, ranks, n, RANK_AVERAGE, scratch, ranks, &ties);
    for (size_t i = 0; i < n && !status; i++) {
        r->plus += d[i] > 0 ? ranks[i] : 0;
        r->minus += d[i] < 0 ? ranks[i] : 0;
        r->zeros += d[i] == 0 ? ranks[i] : 0;
    }
    r->cubes = ties.cubes;
    return status;
}

static double approximate_z(const struct signed_ranks *r, bool pratt, double t, bool correction,
                            enum alternative alternative)
{
    const double n = r->n, z = r->n_zero;
    double mean = n * (n + 1) / 4, squares = n * (n + 1) * (2 * n + 1), cubes = r->cubes, shift = 0;
    if (pratt) {
        mean -= z * (z + 1) / 4;
        squares -= z * (z + 1) * (2 * z + 1);
        cubes -= z * (z * z - 1);
    }
    if (correction) {
        shift = alternative == GREATER ? 0.5
                : alternative == LESS  ? -0.5
                : t > mean             ? 0.5
                : t < mean             ? -0.5
                                       : 0;
    }
    return (t - mean - shift) / sqrt((squares - cubes / 2) / 24);
}

static int exact_p(struct kiln_call *call, const struct signed_ranks *r, enum alternative alternative,
                   double *ret)
{
    double below = 0, above = 0; /* P(W <= plus), P(W >= plus) = P(W <= minus) */
    int status = signed_rank_cdf(call, (size_t) r->n, floor(r->plus), &below);
    status = status ? status : signed_rank_cdf(call, (size_t) r->n, ceil(r->minus), &above);
    *ret = alternative == LESS ? below : alternative == GREATER ? above : fmin(1, 2 * fmin(below, above));
    return status;
}

static int wilcoxon_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct sample d;
    struct signed_ranks r;
    int status = take_differences(call, args, &d);
    status = status ? status : check_length(call, d.n, "x");
    if (status) {
        return status;
    }
    if (sample_has_nan(call, &d)) {
        return give_nan(results, W_STATISTIC, W_Z);
    }
    const char zero = args[W_ZERO].text[0];
    status = rank_differences(call, &d, zero != 'w', &r);
    if (status) {
        return status;
    }
    const char *method = args[W_METHOD].text;
    const bool exact = method[0] == 'e' || (method[1] == 'u' && r.n <= 50 && r.n_zero == 0 && r.cubes == 0);
    if (exact && (r.n_zero > 0 || r.n > MOST_SIGNED)) {
        return call->host->fail(
            call, KILN_INVALID, "method",
            "method is exact for %.0f differences of which %.0f are 0, expected at most %d without 0, "
            "or approx",
            (double) d.n, r.n_zero, MOST_SIGNED);
    }
    if (zero == 'z') {
        r.plus += r.zeros / 2;
        r.minus += r.zeros / 2;
    }
    const enum alternative alternative = alternative_of(&args[W_ALTERNATIVE]);
    const double t = alternative == TWO_SIDED ? fmin(r.plus, r.minus) : r.plus;
    double p = 0;
    if (exact) {
        status = exact_p(call, &r, alternative, &p);
    } else {
        const double z = approximate_z(&r, zero == 'p', t, args[W_CORRECTION].i64, alternative);
        p = pvalue_norm(z, alternative);
        give(&results[W_Z], z);
    }
    give(&results[W_STATISTIC], t);
    give(&results[W_PVALUE], p);
    return status;
}

FUNCTION(wilcoxon, "Wilcoxon's signed-rank test", wilcoxon_help);
