/* SPDX-License-Identifier: MPL-2.0 */
/* The functions dist_norm to dist_pareto: laws with closed forms, and those made from the normal one. */
#include <string.h>

#include "law_function.h"
#include "special.h"

/* ---- norm ---- */

static const char norm_help[] =
    "Normal distribution, as scipy.stats.norm: density exp(-z^2 / 2) / (scale sqrt(2 pi)), z = (x - loc) / "
    "scale; loc is the mean, scale the standard deviation." HELP_TAILS;

static const struct kiln_row norm_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden norm_goldens[] = {
    {.title = "standard normal",
     .args = "{\"x\":[0,1.5,null]}",
     .result = "{\"values\":[0.3989422804014327,0.12951759566589172,null],\"mean\":0,\"var\":1}",
     .rtol = 1e-14},
    {.title = "upper tail far out",
     .args = "{\"x\":[0,20],\"of\":\"sf\"}",
     .result = "{\"values\":[0.5,2.7536241186062337e-89]}",
     .rtol = 1e-14},
    {.title = "quantiles",
     .args = "{\"x\":[0.5,0.975],\"of\":\"ppf\",\"loc\":1,\"scale\":2}",
     .result = "{\"values\":[1,4.919927969080108],\"mean\":1,\"var\":4}",
     .rtol = 1e-14},
    {.title = "a probability above 1",
     .args = "{\"x\":[0.5,1.5],\"of\":\"ppf\"}",
     .status = KILN_INVALID,
     .result = "x[1] is 1.5"},
    {.title = "density at 1,000 places", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

/* Where intermediate results of the kernels could leave the range, and for what there is no kernel, one by
 * one. */
static bool norm_kernel(const struct kernels *k, const char *of, double loc, double scale, const double *x,
                        size_t n, double *values)
{
    const bool upper = strcmp(of, "sf") == 0;
    if (!(fabs(loc) < 1e150 && scale > 1e-150 && scale < 1e150)) {
        return false;
    }
    if (strcmp(of, "pdf") == 0) {
        k->normal_pdf(x, n, loc, scale, values);
        return true;
    }
    if (upper || strcmp(of, "cdf") == 0) {
        special_for(k)->normal_cdf(x, n, loc, scale, upper, values);
        return true;
    }
    return false;
}

static int norm_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return law_run_with(&law_norm, norm_kernel, call, args, results);
}

LAW_DESCRIPTOR(norm, "normal distribution");

/* ---- uniform ---- */

static const char uniform_help[] =
    "Uniform distribution on loc .. loc + scale, as scipy.stats.uniform: density 1 / scale." HELP_TAILS;

static const struct kiln_row uniform_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden uniform_goldens[] = {
    {.title = "on 1..5",
     .args = "{\"x\":[0,2,5],\"of\":\"cdf\",\"loc\":1,\"scale\":4}",
     .result = "{\"values\":[0,0.25,1],\"mean\":3,\"var\":1.3333333333333333}",
     .rtol = 1e-14},
    {.title = "no width", .args = "{\"x\":[0],\"scale\":0}", .status = KILN_INVALID, .result = "scale is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,1,200]}}"},
};

LAW_FUNCTION(uniform, "uniform distribution");

/* ---- expon ---- */

static const char expon_help[] = "Exponential distribution, as scipy.stats.expon: density exp(-z) / scale "
                                 "for z = (x - loc) / scale >= 0; the rate is 1 / scale." HELP_TAILS;

static const struct kiln_row expon_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden expon_goldens[] = {
    {.title = "scale 2",
     .args = "{\"x\":[-1,0,2],\"scale\":2}",
     .result = "{\"values\":[0,0.5,0.18393972058572117],\"mean\":2,\"var\":4}",
     .rtol = 1e-14},
    {.title = "tail far out",
     .args = "{\"x\":[500],\"of\":\"sf\"}",
     .result = "{\"values\":[7.124576406741286e-218]}",
     .rtol = 1e-14},
    {.title = "median",
     .args = "{\"x\":[0.5],\"of\":\"ppf\"}",
     .result = "{\"values\":[0.6931471805599453]}",
     .rtol = 1e-14},
    {.title = "negative scale",
     .args = "{\"x\":[1],\"scale\":-1}",
     .status = KILN_INVALID,
     .result = "scale is -1"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,9,200]},\"of\":\"cdf\"}"},
};

LAW_FUNCTION(expon, "exponential distribution");

/* ---- lognorm ---- */

static const char lognorm_help[] =
    "Lognormal distribution, as scipy.stats.lognorm: log of (x - loc) / scale is normal with mean 0 and "
    "standard deviation s; scale is the median." HELP_TAILS;

static const struct kiln_row lognorm_params[] = ROWS_CONTINUOUS(
    ROW_SHAPE("s", 0, 1000.0, KILN_OPEN_MIN, .help = "standard deviation of the logarithm"), );

static const struct kiln_golden lognorm_goldens[] = {
    {.title = "around its median",
     .args = "{\"x\":[0,2,4],\"of\":\"cdf\",\"s\":1,\"scale\":2}",
     .result =
         "{\"values\":[0,0.5,0.7558914042144173],\"mean\":3.2974425414002564,\"var\":18.68309708188642}",
     .rtol = 1e-14},
    {.title = "no deviation", .args = "{\"x\":[1],\"s\":0}", .status = KILN_INVALID, .result = "s is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,9,200]},\"s\":0.5}"},
};

LAW_FUNCTION(lognorm, "lognormal distribution");

/* ---- weibull_min ---- */

static const char weibull_min_help[] = "Weibull distribution, as scipy.stats.weibull_min: P(X > x) = "
                                       "exp(-z^c), z = (x - loc) / scale >= 0." HELP_TAILS;

static const struct kiln_row weibull_min_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("c", 1e-3, 1e6, 0, .help = "exponent"), );

static const struct kiln_golden weibull_min_goldens[] = {
    {.title = "c = 2",
     .args = "{\"x\":[0,1,3],\"of\":\"sf\",\"c\":2}",
     .result = "{\"values\":[1,0.36787944117144233,0.00012340980408667956],\"mean\":0.886226925452758,"
               "\"var\":0.2146018366025517}",
     .rtol = 1e-14},
    {.title = "c = 0", .args = "{\"x\":[1],\"c\":0}", .status = KILN_INVALID, .result = "c is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,4,200]},\"c\":1.5}"},
};

LAW_FUNCTION(weibull_min, "Weibull distribution");

/* ---- cauchy ---- */

static const char cauchy_help[] =
    "Cauchy distribution, as scipy.stats.cauchy: density 1 / (pi scale (1 + z^2)), z = (x - loc) / scale. It "
    "has neither mean nor variance." HELP_TAILS;

static const struct kiln_row cauchy_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden cauchy_goldens[] = {
    {.title = "quartiles",
     .args = "{\"x\":[0.25,0.5,0.75],\"of\":\"ppf\",\"loc\":1,\"scale\":2}",
     .result = "{\"values\":[-1,1,3],\"mean\":null,\"var\":null}",
     .rtol = 1e-14},
    {.title = "tail far out",
     .args = "{\"x\":[1e300],\"of\":\"sf\"}",
     .result = "{\"values\":[3.1830988618379065e-301]}",
     .rtol = 1e-14},
    {.title = "no width", .args = "{\"x\":[1],\"scale\":0}", .status = KILN_INVALID, .result = "scale is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[-9,9,200]}}"},
};

LAW_FUNCTION(cauchy, "Cauchy distribution");

/* ---- laplace ---- */

static const char laplace_help[] = "Laplace (double exponential) distribution, as scipy.stats.laplace: "
                                   "density exp(-|z|) / (2 scale), z = (x - loc) / scale." HELP_TAILS;

static const struct kiln_row laplace_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden laplace_goldens[] = {
    {.title = "both sides",
     .args = "{\"x\":[-1,0,1],\"of\":\"cdf\"}",
     .result = "{\"values\":[0.18393972058572117,0.5,0.8160602794142788],\"mean\":0,\"var\":2}",
     .rtol = 1e-14},
    {.title = "a missing place refused",
     .args = "{\"x\":[0,null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "x[1] is NaN"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[-9,9,200]}}"},
};

LAW_FUNCTION(laplace, "Laplace distribution");

/* ---- logistic ---- */

static const char logistic_help[] = "Logistic distribution, as scipy.stats.logistic: P(X <= x) = 1 / (1 + "
                                    "exp(-z)), z = (x - loc) / scale." HELP_TAILS;

static const struct kiln_row logistic_params[] = ROWS_CONTINUOUS();

static const struct kiln_golden logistic_goldens[] = {
    {.title = "both tails",
     .args = "{\"x\":[-700,0,1],\"of\":\"cdf\"}",
     .result =
         "{\"values\":[9.85967654375977e-305,0.5,0.7310585786300049],\"mean\":0,\"var\":3.289868133696453}",
     .rtol = 1e-14},
    {.title = "a probability below 0",
     .args = "{\"x\":[-0.5],\"of\":\"isf\"}",
     .status = KILN_INVALID,
     .result = "x[0] is -0.5"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[-9,9,200]}}"},
};

LAW_FUNCTION(logistic, "logistic distribution");

/* ---- pareto ---- */

static const char pareto_help[] =
    "Pareto distribution, as scipy.stats.pareto: P(X > x) = z^-b for z = (x - loc) / scale >= 1. The mean is "
    "infinite for b <= 1; the variance for b <= 2, and undefined for b <= 1." HELP_TAILS;

static const struct kiln_row pareto_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("b", SHAPE_MIN, 1e6, 0, .help = "exponent of the tail"), );

static const struct kiln_golden pareto_goldens[] = {
    {.title = "b = 3",
     .args = "{\"x\":[0.5,1,2],\"of\":\"sf\",\"b\":3}",
     .result = "{\"values\":[1,1,0.125],\"mean\":1.5,\"var\":0.75}",
     .rtol = 1e-14},
    {.title = "b = 0", .args = "{\"x\":[1],\"b\":0}", .status = KILN_INVALID, .result = "b is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[1,9,200]},\"b\":1.5}"},
};

LAW_FUNCTION(pareto, "Pareto distribution");
