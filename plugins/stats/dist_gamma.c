/* SPDX-License-Identifier: MPL-2.0 */
/* The functions dist_gamma to dist_f: laws whose tails are incomplete gamma and beta functions. */
#include "law_function.h"

/* ---- gamma ---- */

static const char gamma_help[] = "Gamma distribution, as scipy.stats.gamma: density z^(a - 1) exp(-z) / "
                                 "(scale Gamma(a)), z = (x - loc) / scale >= 0." HELP_TAILS;

static const struct kiln_row gamma_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("a", SHAPE_MIN, SHAPE_MAX, 0, .help = "shape"), );

static const struct kiln_golden gamma_goldens[] = {
    {.title = "a = 2",
     .args = "{\"x\":[0,1,3],\"of\":\"sf\",\"a\":2}",
     .result = "{\"values\":[1,0.7357588823428847,0.19914827347145578],\"mean\":2,\"var\":2}",
     .rtol = 1e-14},
    {.title = "quantile in the upper tail",
     .args = "{\"x\":[1e-100],\"of\":\"isf\",\"a\":1}",
     .result = "{\"values\":[230.25850929940458]}",
     .rtol = 1e-14},
    {.title = "a = 0", .args = "{\"x\":[1],\"a\":0}", .status = KILN_INVALID, .result = "a is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,9,200]},\"a\":2.5}"},
};

LAW_FUNCTION(gamma, "gamma distribution");

/* ---- beta ---- */

static const char beta_help[] = "Beta distribution, as scipy.stats.beta: density z^(a - 1) (1 - z)^(b - 1) / "
                                "(scale B(a, b)), z = (x - loc) / scale in 0..1." HELP_TAILS;

static const struct kiln_row beta_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("a", SHAPE_MIN, SHAPE_MAX, 0, .help = "exponent at the lower end, plus 1"),
                    ROW_SHAPE("b", SHAPE_MIN, SHAPE_MAX, 0, .help = "exponent at the upper end, plus 1"), );

static const struct kiln_golden beta_goldens[] = {
    {.title = "a = 2, b = 1: P(X <= x) = x^2",
     .args = "{\"x\":[0,0.25,0.5,1],\"of\":\"cdf\",\"a\":2,\"b\":1}",
     .result = "{\"values\":[0,0.0625,0.25,1],\"mean\":0.6666666666666666,\"var\":0.05555555555555555}",
     .rtol = 1e-14},
    {.title = "b = 0", .args = "{\"x\":[0.5],\"a\":1,\"b\":0}", .status = KILN_INVALID, .result = "b is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,1,200]},\"a\":2.5,\"b\":4,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(beta, "beta distribution");

/* ---- t ---- */

static const char t_help[] =
    "Student's t distribution, as scipy.stats.t: density proportional to (1 + z^2 / df)^(-(df + 1) / 2), z = "
    "(x - loc) / scale. The mean is undefined for df <= 1 (SciPy: infinite), the variance is infinite for df "
    "<= 2 and undefined for df <= 1." HELP_TAILS;

static const struct kiln_row t_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("df", SHAPE_MIN, SHAPE_MAX, 0, .help = "degrees of freedom"), );

static const struct kiln_golden t_goldens[] = {
    {.title = "df = 2: P(X > x) = (1 - x / sqrt(2 + x^2)) / 2",
     .args = "{\"x\":[0,1],\"of\":\"sf\",\"df\":2}",
     .result = "{\"values\":[0.5,0.2113248654051871],\"mean\":0}",
     .rtol = 1e-14},
    {.title = "df = 1: quartile, no mean",
     .args = "{\"x\":[0.75],\"of\":\"ppf\",\"df\":1}",
     .result = "{\"values\":[1],\"mean\":null,\"var\":null}",
     .rtol = 1e-14},
    {.title = "df = 0", .args = "{\"x\":[1],\"df\":0}", .status = KILN_INVALID, .result = "df is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[-5,5,200]},\"df\":7,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(t, "Student's t distribution");

/* ---- chi2 ---- */

static const char chi2_help[] =
    "Chi-squared distribution, as scipy.stats.chi2: that of the sum of squares of df standard normal "
    "variables; (x - loc) / scale is twice a gamma variable of shape df / 2." HELP_TAILS;

static const struct kiln_row chi2_params[] =
    ROWS_CONTINUOUS(ROW_SHAPE("df", SHAPE_MIN, SHAPE_MAX, 0, .help = "degrees of freedom"), );

static const struct kiln_golden chi2_goldens[] = {
    {.title = "df = 2: P(X > x) = exp(-x / 2)",
     .args = "{\"x\":[0,2,200],\"of\":\"sf\",\"df\":2}",
     .result = "{\"values\":[1,0.36787944117144233,3.720075976020836e-44],\"mean\":2,\"var\":4}",
     .rtol = 1e-14},
    {.title = "df = 0", .args = "{\"x\":[1],\"df\":0}", .status = KILN_INVALID, .result = "df is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,20,200]},\"df\":4}"},
};

LAW_FUNCTION(chi2, "chi-squared distribution");

/* ---- f ---- */

static const char f_help[] =
    "F distribution, as scipy.stats.f: that of the ratio of two chi-squared variables, each divided by its "
    "degrees of freedom dfn and dfd. The mean is infinite for dfd <= 2, the variance for dfd <= 4, and "
    "undefined for dfd <= 2." HELP_TAILS;

static const struct kiln_row f_params[] = ROWS_CONTINUOUS(
    ROW_SHAPE("dfn", SHAPE_MIN, SHAPE_MAX, 0, .help = "degrees of freedom of the numerator"),
    ROW_SHAPE("dfd", SHAPE_MIN, SHAPE_MAX, 0, .help = "degrees of freedom of the denominator"), );

static const struct kiln_golden f_goldens[] = {
    {.title = "dfn = dfd = 2: P(X > x) = 1 / (1 + x)",
     .args = "{\"x\":[0,1,4],\"of\":\"sf\",\"dfn\":2,\"dfd\":2}",
     .result = "{\"values\":[1,0.5,0.2],\"var\":null}",
     .rtol = 1e-14},
    {.title = "moments",
     .args = "{\"x\":[1],\"dfn\":2,\"dfd\":6}",
     .result = "{\"mean\":1.5,\"var\":6.75}",
     .rtol = 1e-14},
    {.title = "dfd = 0",
     .args = "{\"x\":[1],\"dfn\":1,\"dfd\":0}",
     .status = KILN_INVALID,
     .result = "dfd is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,9,200]},\"dfn\":3,\"dfd\":12,\"of\":\"sf\"}"},
};

LAW_FUNCTION(f, "F distribution");
