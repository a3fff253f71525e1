/* SPDX-License-Identifier: MPL-2.0 */
/* normality - does a sample come from a normal distribution? By skewness and kurtosis. */
#include "dist.h"
#include "infer.h"
#include "reduce.h"
#include "shape.h"

#define HELP_SHAPE                                                                                           \
    " Null when all values are equal. A NaN makes all results NaN unless nan_policy says otherwise."

enum { X, NAN_POLICY, ALTERNATIVE };

static const struct kiln_row shape_params[] = {
    ROW_X("values"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};
static const struct kiln_row sided_params[] = {
    ROW_X("values"),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
    ROW_ALTERNATIVE("how the distribution differs if not normal: either way, less, or greater"),
};
static const struct kiln_row shape_results[] = {
    ROW_RESULT("statistic", "statistic of the test"),
    ROW_PVALUE,
};

struct shape {
    double n, skewness, kurtosis; /* biased; the kurtosis is 0 for a normal distribution */
};

static int take_shape(struct kiln_call *call, const struct kiln_slot *args, size_t least, struct shape *ret)
{
    struct sample s;
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &s);
    status = status ? status : sample_check_least(call, &s, "x", least);
    if (status == KILN_OK) {
        struct reduction r;
        reduce_moments4(call->state, s.x, s.n, &r);
        *ret = (struct shape){r.m.n, shape_skewness(&r.m, true), shape_kurtosis(&r.m, true)};
    }
    return status;
}

/* ---- jarque_bera ------------------------------------------------------------------------------------------- */

static const char jarque_bera_help[] = "Jarque-Bera test: n / 6 (g1^2 + g2^2 / 4), g1 the skewness and "
                                       "g2 the excess kurtosis (biased), p from the "
                                       "chi-squared distribution with 2 degrees of freedom, as "
                                       "scipy.stats.jarque_bera. Meant for large n." HELP_SHAPE;

#define jarque_bera_params  shape_params
#define jarque_bera_results shape_results

static const struct kiln_golden jarque_bera_goldens[] = {
    {.title = "a skewed sample",
     .args = "{\"x\":[1,2,4,8,16]}",
     .result = "{\"statistic\":0.7533295975028425,\"pvalue\":0.686146032359439}",
     .rtol = 1e-12},
    {.title = "no spread", .args = "{\"x\":[2.385,2.385]}", .result = "{\"statistic\":null,\"pvalue\":null}"},
    {.title = "one value", .args = "{\"x\":[1]}", .status = KILN_INVALID, .result = "expected at least 2"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int jarque_bera_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct shape s;
    int status = take_shape(call, args, 2, &s);
    if (status) {
        return status;
    }
    const double statistic = s.n / 6 * (s.skewness * s.skewness + s.kurtosis * s.kurtosis / 4);
    give(&results[0], statistic);
    return give(&results[1], dist_chi2_sf(statistic, 2));
}

FUNCTION(jarque_bera, "Jarque-Bera test of normality", jarque_bera_help);

/* ---- skewtest --------------------------------------------------------------------------------------------- */

static const char skewtest_help[] = "D'Agostino's test (1970) that the skewness is that of a normal "
                                    "distribution: a transformation of it to a standard "
                                    "normal z, as scipy.stats.skewtest; at least 8 values. At skewness 0 z "
                                    "is 0 (scipy 1.10 takes another value)." HELP_SHAPE;

/* Johnson's S_U curve through the moments of the skewness of n normal values. */
static double skewness_z(const struct shape *s)
{
    const double n = s->n, y = s->skewness * sqrt((n + 1) * (n + 3) / (6 * (n - 2)));
    const double beta2 =
        3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9));
    const double w2 = sqrt(2 * (beta2 - 1)) - 1;
    return asinh(y / sqrt(2 / (w2 - 1))) / sqrt(0.5 * log(w2));
}

#define skewtest_params  sided_params
#define skewtest_results shape_results

static const struct kiln_golden skewtest_goldens[] = {
    {.title = "1..8",
     .args = "{\"x\":[1,2,3,4,5,6,7,8]}",
     .result = "{\"statistic\":0,\"pvalue\":1}",
     .atol = 1e-15},
    {.title = "one large value",
     .args = "{\"x\":[1,2,3,4,5,6,7,8000]}",
     .result = "{\"statistic\":3.571773510360407,\"pvalue\":0.0003545719905823133}",
     .rtol = 1e-11},
    {.title = "seven values",
     .args = "{\"x\":[1,2,3,4,5,6,7]}",
     .status = KILN_INVALID,
     .result = "x has 7 values, expected at least 8"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int skewtest_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct shape s;
    int status = take_shape(call, args, 8, &s);
    if (status) {
        return status;
    }
    const double z = skewness_z(&s);
    give(&results[0], z);
    return give(&results[1], pvalue_norm(z, alternative_of(&args[ALTERNATIVE])));
}

FUNCTION(skewtest, "test of the skewness of a normal distribution", skewtest_help);

/* ---- kurtosistest ----------------------------------------------------------------------------------------- */

static const char kurtosistest_help[] =
    "Anscombe and Glynn's test (1983) that the kurtosis is that of a normal distribution: a transformation "
    "of it to a standard "
    "normal z, as scipy.stats.kurtosistest; at least 5 values, reliable from 20 on." HELP_SHAPE;

static double kurtosis_z(const struct shape *s)
{
    const double n = s->n, mean = 3 * (n - 1) / (n + 1);
    const double var = 24 * n * (n - 2) * (n - 3) / ((n + 1) * (n + 1) * (n + 3) * (n + 5));
    const double x = (s->kurtosis + 3 - mean) / sqrt(var);
    const double skew =
        6 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)));
    const double a = 6 + 8 / skew * (2 / skew + sqrt(1 + 4 / (skew * skew)));
    const double root = cbrt((1 - 2 / a) / (1 + x * sqrt(2 / (a - 4))));
    return (1 - 2 / (9 * a) - root) / sqrt(2 / (9 * a));
}

#define kurtosistest_params  sided_params
#define kurtosistest_results shape_results

static const struct kiln_golden kurtosistest_goldens[] = {
    {.title = "-3..3 and an outlier",
     .args = "{\"x\":[-3,-2,-1,0,1,2,3,30]}",
     .result = "{\"statistic\":3.0140242474515038,\"pvalue\":0.0025780720049279346}",
     .rtol = 1e-11},
    {.title = "no spread", .args = "{\"x\":[1,1,1,1,1]}", .result = "{\"statistic\":null}"},
    {.title = "four values",
     .args = "{\"x\":[1,2,3,4]}",
     .status = KILN_INVALID,
     .result = "expected at least 5"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int kurtosistest_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct shape s;
    int status = take_shape(call, args, 5, &s);
    if (status) {
        return status;
    }
    const double z = kurtosis_z(&s);
    give(&results[0], z);
    return give(&results[1], pvalue_norm(z, alternative_of(&args[ALTERNATIVE])));
}

FUNCTION(kurtosistest, "test of the kurtosis of a normal distribution", kurtosistest_help);

/* ---- normaltest ------------------------------------------------------------------------------------------- */

static const char normaltest_help[] = "D'Agostino and Pearson's omnibus test K^2: the squares of the z of "
                                      "skewtest and kurtosistest together, p from the "
                                      "chi-squared distribution with 2 degrees of freedom, as "
                                      "scipy.stats.normaltest; at least 8 values." HELP_SHAPE;

#define normaltest_params  shape_params
#define normaltest_results shape_results

static const struct kiln_golden normaltest_goldens[] = {
    {.title = "one large value",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10,11,80]}",
     .result = "{\"statistic\":32.059694536381635,\"pvalue\":1.0922593867473729e-07}",
     .rtol = 1e-11},
    {.title = "no spread", .args = "{\"x\":[1,1,1,1,1,1,1,1]}", .result = "{\"statistic\":null}"},
    {.title = "four values",
     .args = "{\"x\":[1,2,3,4]}",
     .status = KILN_INVALID,
     .result = "expected at least 8"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int normaltest_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct shape s;
    int status = take_shape(call, args, 8, &s);
    if (status) {
        return status;
    }
    const double a = skewness_z(&s), b = kurtosis_z(&s), statistic = a * a + b * b;
    give(&results[0], statistic);
    return give(&results[1], dist_chi2_sf(statistic, 2));
}

FUNCTION(normaltest, "D'Agostino and Pearson's test of normality", normaltest_help);
