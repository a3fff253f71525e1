/* SPDX-License-Identifier: MPL-2.0 */
/* anova - several samples: do they agree in mean, in rank, in variance? */
#include <string.h>

#include "dist.h"
#include "groups.h"
#include "reduce.h"
#include "select.h"
#include "sorting.h"

#define HELP_GROUPS                                                                                          \
    " x holds the values of all samples and group tells which sample each belongs to. A NaN makes all "      \
    "results NaN "                                                                                           \
    "unless nan_policy says otherwise."

enum { X, GROUP, NAN_POLICY, OPTION, CUT };

static const struct kiln_row group_params[] = {
    ROW_X("values of all samples"),
    ROW_GROUP,
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

/* ---- f_oneway -------------------------------------------------------------------------------------------- */

static const char f_oneway_help[] = "One-way analysis of variance: F = (sum n_g (mean_g - mean)^2 / (k - 1)) "
                                    "/ (sum of squares within samples / (n - "
                                    "k)), p from the F distribution, as scipy.stats.f_oneway.\n"
                                    "Without spread within the samples F is infinite and p 0; null when the "
                                    "means agree too. Refused when every sample "
                                    "has one value." HELP_GROUPS;

enum { STATISTIC, DF_BETWEEN, DF_WITHIN, PVALUE };

static const struct kiln_row f_oneway_results[] = {
    ROW_RESULT("statistic", "F"),
    ROW_RESULT("df_between", "samples less 1"),
    ROW_RESULT("df_within", "values less samples"),
    ROW_PVALUE,
};

#define f_oneway_params group_params

static const struct kiln_golden f_oneway_goldens[] = {
    {.title = "three samples",
     .args = "{\"x\":[1,2,3,2,3,4,5,6,7],\"group\":[1,1,1,2,2,2,3,3,3]}",
     .result = "{\"statistic\":13,\"df_between\":2,\"df_within\":6,\"pvalue\":0.006591796875}",
     .rtol = 1e-12},
    {.title = "no spread within",
     .args = "{\"x\":[1,1,1,1],\"group\":[0,0,7,7]}",
     .result = "{\"statistic\":null}"},
    {.title = "one sample",
     .args = "{\"x\":[1,2],\"group\":[4,4]}",
     .status = KILN_INVALID,
     .result = "group names one sample"},
};

/* Sums of squares between and within the samples, in units of 1 / scale^2; returns the scale. */
static double squares(const struct kernels *k, const struct groups *g, double *ret_between,
                      double *ret_within)
{
    struct reduction all;
    reduce_moments2(k, g->x, g->n, &all);
    double between = 0, within = 0, grand_hi = all.m.mean.hi, grand_lo = all.m.mean.lo;
    for (size_t i = 0; i < g->k; i++) {
        struct reduction r;
        reduce_moments2(k, g->x + g->start[i], g->start[i + 1] - g->start[i], &r);
        const double part = all.scale / r.scale;
        const double d = (r.m.mean.hi * part - grand_hi) + (r.m.mean.lo * part - grand_lo);
        between += r.m.n * d * d;
        within += r.m.m2 * part * part;
    }
    *ret_between = between;
    *ret_within = within;
    return all.scale;
}

/* F of the samples, with results as f_oneway's. */
static int give_f(struct kiln_call *call, const struct groups *g, struct kiln_slot *results)
{
    double between = 0, within = 0;
    squares(call->state, g, &between, &within);
    const double dfb = (double) (g->k - 1), dfw = (double) (g->n - g->k), f = between / dfb / (within / dfw);
    give(&results[STATISTIC], f);
    give(&results[DF_BETWEEN], dfb);
    give(&results[DF_WITHIN], dfw);
    return give(&results[PVALUE], dist_f_sf(f, dfb, dfw));
}

static int check_within(struct kiln_call *call, const struct groups *g)
{
    return g->n > g->k
               ? KILN_OK
               : call->host->fail(call, KILN_INVALID, "group",
                                  "each of the %zu samples has one value, expected more in one at least",
                                  g->k);
}

static int f_oneway_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct groups g;
    bool nan = false;
    int status = groups_take(call, &args[X], &args[GROUP], nan_policy_of(&args[NAN_POLICY]), 1, &g, &nan);
    status = status ? status : check_within(call, &g);
    return status ? status : nan ? give_nan(results, STATISTIC, PVALUE) : give_f(call, &g, results);
}

FUNCTION(f_oneway, "one-way analysis of variance", f_oneway_help);

/* ---- kruskal ---------------------------------------------------------------------------------------------- */

static const char kruskal_help[] = "Kruskal-Wallis rank test: H = 12 / (n (n + 1)) sum n_g (mean "
                                   "rank_g - (n + 1) / 2)^2, divided by the tie "
                                   "correction 1 - sum (t^3 - t) / (n^3 - n); p from the chi-squared "
                                   "distribution with k - 1 degrees of freedom, as "
                                   "scipy.stats.kruskal. Refused when all values are equal." HELP_GROUPS;

enum { H_STATISTIC, H_DF, H_PVALUE };

static const struct kiln_row kruskal_results[] = {
    ROW_RESULT("statistic", "H"),
    ROW_RESULT("df", "samples less 1"),
    ROW_PVALUE,
};

#define kruskal_params group_params

static const struct kiln_golden kruskal_goldens[] = {
    {.title = "two samples with a tie",
     .args = "{\"x\":[1,3,5,7,9,2,4,6,8,9],\"group\":[1,1,1,1,1,2,2,2,2,2]}",
     .result = "{\"statistic\":0.17560975609755855,\"df\":1,\"pvalue\":0.6751736149271266}",
     .rtol = 1e-12},
    {.title = "all equal",
     .args = "{\"x\":[2.385,2.385,2.385],\"group\":[1,1,2]}",
     .status = KILN_INVALID,
     .result = "all 3 values of x are 2.385"},
    {.title = "1,000 values",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"group\":{\"$linspace\":[0,999,1000]}}"},
};

static int kruskal_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct groups g;
    bool nan = false;
    int status = groups_take(call, &args[X], &args[GROUP], nan_policy_of(&args[NAN_POLICY]), 1, &g, &nan);
    if (status || nan) {
        return status ? status : give_nan(results, H_STATISTIC, H_PVALUE);
    }
    double *ranks = call->host->alloc(call, g.n * sizeof *ranks);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(g.n));
    struct ties ties;
    if (!ranks || !scratch) {
        return KILN_RESOURCE;
    }
    status = sort_ranks(call, g.x, g.n, RANK_AVERAGE, scratch, ranks, &ties);
    if (status) {
        return status;
    }
    if (ties.groups == 1) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu values of x are %.15g, expected different ones", g.n, g.x[0]);
    }
    const double n = (double) g.n, middle = (n + 1) / 2;
    double sum = 0;
    for (size_t i = 0; i < g.k; i++) {
        double off = 0;
        for (size_t j = g.start[i]; j < g.start[i + 1]; j++) {
            off += ranks[j] - middle;
        }
        sum += off * off / (double) (g.start[i + 1] - g.start[i]);
    }
    const double h = 12 / (n * (n + 1)) * sum / (1 - ties.cubes / (n * (n * n - 1))), df = (double) (g.k - 1);
    give(&results[H_STATISTIC], h);
    give(&results[H_DF], df);
    return give(&results[H_PVALUE], dist_chi2_sf(h, df));
}

FUNCTION(kruskal, "Kruskal-Wallis test of several samples by ranks", kruskal_help);

/* ---- levene ---------------------------------------------------------------------------------------------- */

static const char levene_help[] = "Levene's test of equal variances: f_oneway of the distances |x - center| "
                                  "from the median, the mean, or the trimmed "
                                  "mean of each sample, as scipy.stats.levene. trimmed leaves out the lowest "
                                  "and highest proportiontocut of the "
                                  "values, rounded down; here their distances are left out, too.\n"
                                  "Refused when every sample has one value." HELP_GROUPS;

static const struct kiln_row levene_params[] = {
    ROW_X("values of all samples"),
    ROW_GROUP,
    ROW_NAN_POLICY(HELP_NAN_POLICY),
    ROW_CHOICE("center", "median|mean|trimmed", "median", "where distances are taken from"),
    {.name = "proportiontocut",
     .kind = KILN_FLOAT,
     .flags = KILN_OPEN_MAX,
     .min = 0,
     .max = 0.5,
     .unit = "fraction",
     .fallback = "0.05",
     .help = "part of the values that trimmed cuts at either end"},
};

#define levene_results f_oneway_results

static const struct kiln_golden levene_goldens[] = {
    {.title = "two samples",
     .args = "{\"x\":[1,2,3,4,5,1,4,7,10,13],\"group\":[1,1,1,1,1,2,2,2,2,2]}",
     .result = "{\"statistic\":4.114285714285714,\"df_between\":1,\"df_within\":8}",
     .rtol = 1e-13},
    {.title = "no spread at all",
     .args = "{\"x\":[1,1,2,2],\"group\":[1,1,2,2],\"center\":\"mean\"}",
     .result = "{\"statistic\":null}"},
    {.title = "one value each",
     .args = "{\"x\":[1,2],\"group\":[1,2]}",
     .status = KILN_INVALID,
     .result = "each of the 2 samples has one value"},
};

/* The center of a sample, whose values it puts in order and cuts off at both ends when trimmed. */
static int center_of(struct kiln_call *call, double *x, size_t *from, size_t *to, char center, double cut,
                     void *scratch, double *ret)
{
    const size_t n = *to - *from;
    if (center == 'd') {
        const size_t ranks[] = {(n - 1) / 2, n / 2};
        double values[2];
        select_ranks(call->state, x + *from, n, ranks, n % 2 ? 1 : 2, SELECT_PATIENCE, scratch, values);
        *ret = n % 2 ? values[0] : values[0] / 2 + values[1] / 2;
        return KILN_OK;
    }
    if (center == 't') {
        int status = sort_values(call, x + *from, n, scratch);
        if (status) {
            return status;
        }
    }
    const size_t off = center == 't' ? (size_t) (cut * (double) n) : 0;
    *from += off;
    *to -= off;
    *ret = reduce_mean(call->state, x + *from, *to - *from);
    return KILN_OK;
}

static size_t scratch_bytes(size_t n)
{
    const size_t sorting = sort_scratch_bytes(n), selecting = select_scratch_bytes(n);
    return sorting > selecting ? sorting : selecting;
}

static int levene_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct groups g;
    bool nan = false;
    int status = groups_take(call, &args[X], &args[GROUP], nan_policy_of(&args[NAN_POLICY]), 1, &g, &nan);
    if (status || nan) {
        return status ? status : give_nan(results, STATISTIC, PVALUE);
    }
    double *x = call->host->alloc(call, 2 * g.n * sizeof *x), *z = x ? x + g.n : NULL;
    size_t *start = call->host->alloc(call, (g.k + 1) * sizeof *start);
    void *scratch = call->host->alloc(call, scratch_bytes(g.n));
    if (!x || !start || !scratch) {
        return KILN_RESOURCE;
    }
    memcpy(x, g.x, g.n * sizeof *x);
    const char *name = args[OPTION].text;
    const char center = name[0] == 't' ? 't' : name[2]; /* trimmed, median or mean */
    size_t n = 0;
    for (size_t i = 0; i < g.k; i++) {
        size_t from = g.start[i], to = g.start[i + 1];
        double middle = 0;
        status = center_of(call, x, &from, &to, center, args[CUT].f64, scratch, &middle);
        if (status) {
            return status;
        }
        start[i] = n;
        for (size_t j = from; j < to; j++) {
            z[n++] = fabs(x[j] - middle);
        }
    }
    start[g.k] = n;
    const struct groups distances = {.k = g.k, .n = n, .x = z, .start = start};
    status = check_within(call, &distances);
    return status ? status : give_f(call, &distances, results);
}

FUNCTION(levene, "Levene's test of equal variances", levene_help);

/* ---- bartlett -------------------------------------------------------------------------------------------- */

static const char bartlett_help[] = "Bartlett's test of equal variances of samples from normal "
                                    "distributions: T = ((n - k) ln s^2 - sum (n_g - 1) ln "
                                    "s_g^2) / (1 + (sum 1 / (n_g - 1) - 1 / (n - k)) / (3 (k - 1))), s^2 the "
                                    "pooled variance; p from the chi-squared "
                                    "distribution with k - 1 degrees of freedom, as scipy.stats.bartlett.\n"
                                    "A sample without spread beside one with spread makes T infinite and p "
                                    "0; null when none has any." HELP_GROUPS;

#define bartlett_params  group_params
#define bartlett_results kruskal_results

static const struct kiln_golden bartlett_goldens[] = {
    {.title = "two samples",
     .args = "{\"x\":[1,2,3,4,1,4,7,10],\"group\":[1,1,1,1,2,2,2,2]}",
     .result = "{\"statistic\":2.6271032079393812,\"df\":1,\"pvalue\":0.10505322124724488}",
     .rtol = 1e-12},
    {.title = "one value",
     .args = "{\"x\":[1,2,3],\"group\":[-1,-1,5]}",
     .status = KILN_INVALID,
     .result = "sample 5 has 1 value, expected at least 2 in each"},
    {.title = "no spread", .args = "{\"x\":[1,1,2,2],\"group\":[1,1,2,2]}", .result = "{\"statistic\":null}"},
};

static int bartlett_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct groups g;
    bool nan = false;
    int status = groups_take(call, &args[X], &args[GROUP], nan_policy_of(&args[NAN_POLICY]), 2, &g, &nan);
    if (status || nan) {
        return status ? status : give_nan(results, H_STATISTIC, H_PVALUE);
    }
    double between = 0, within = 0, sum = 0, inverse = 0;
    const double scale = squares(call->state, &g, &between, &within);
    const double df = (double) (g.n - g.k), pooled = within / df, k = (double) g.k;
    for (size_t i = 0; i < g.k; i++) {
        struct reduction r;
        reduce_moments2(call->state, g.x + g.start[i], g.start[i + 1] - g.start[i], &r);
        const double part = scale / r.scale;
        sum -= (r.m.n - 1) * log(r.m.m2 * part * part / (r.m.n - 1) / pooled);
        inverse += 1 / (r.m.n - 1);
    }
    const double t = sum / (1 + (inverse - 1 / df) / (3 * (k - 1)));
    give(&results[H_STATISTIC], t < 0 ? 0 : t);
    give(&results[H_DF], k - 1);
    return give(&results[H_PVALUE], dist_chi2_sf(t < 0 ? 0 : t, k - 1));
}

FUNCTION(bartlett, "Bartlett's test of equal variances", bartlett_help);
