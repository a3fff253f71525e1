/* SPDX-License-Identifier: MPL-2.0 */
/* The functions dist_poisson to dist_hypergeom: laws on whole numbers. */
#include "law_function.h"

/* ---- poisson ---- */

static const char poisson_help[] =
    "Poisson distribution, as scipy.stats.poisson: mass exp(-mu) mu^k / k!, k = x - loc >= 0." HELP_TAILS
        HELP_WHOLE;

static const struct kiln_row poisson_params[] =
    ROWS_DISCRETE(ROW_SHAPE("mu", 0, SHAPE_MAX, 0, .help = "mean number of events"), );

static const struct kiln_golden poisson_goldens[] = {
    {.title = "mu = 2",
     .args = "{\"x\":[-1,0,2,2.5],\"mu\":2}",
     .result = "{\"values\":[0,0.1353352832366127,0.2706705664732254,0],\"mean\":2,\"var\":2}",
     .rtol = 1e-14},
    {.title = "quantiles",
     .args = "{\"x\":[0,0.1353352832366127,0.5],\"of\":\"ppf\",\"mu\":2}",
     .result = "{\"values\":[-1,0,2]}",
     .rtol = 1e-14},
    {.title = "negative mu", .args = "{\"x\":[1],\"mu\":-1}", .status = KILN_INVALID, .result = "mu is -1"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,199,200]},\"mu\":5,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(poisson, "Poisson distribution");

/* ---- binom ---- */

static const char binom_help[] = "Binomial distribution, as scipy.stats.binom: mass of k = x - loc successes "
                                 "in n trials, C(n, k) p^k (1 - p)^(n - k)." HELP_TAILS HELP_WHOLE;

static const struct kiln_row binom_params[] =
    ROWS_DISCRETE(ROW_WHOLE("n", SHAPE_MAX, "number of trials"),
                  ROW_SHAPE("p", 0, 1, 0, .unit = "fraction", .help = "probability of success"), );

static const struct kiln_golden binom_goldens[] = {
    {.title = "three coins",
     .args = "{\"x\":[0,1,2,3,4],\"n\":3,\"p\":0.5}",
     .result = "{\"values\":[0.125,0.375,0.375,0.125,0],\"mean\":1.5,\"var\":0.75}",
     .rtol = 1e-14},
    {.title = "at least 50 of 50",
     .args = "{\"x\":[49],\"of\":\"sf\",\"n\":50,\"p\":0.1}",
     .result = "{\"values\":[1.0000000000000027e-50]}",
     .rtol = 1e-14},
    {.title = "p above 1",
     .args = "{\"x\":[1],\"n\":3,\"p\":1.5}",
     .status = KILN_INVALID,
     .result = "p is 1.5"},
    {.title = "200 places",
     .args = "{\"x\":{\"$linspace\":[0,199,200]},\"n\":199,\"p\":0.25,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(binom, "binomial distribution");

/* ---- geom ---- */

static const char geom_help[] =
    "Geometric distribution, as scipy.stats.geom: the number k = x - loc of trials up to and including the "
    "first success, mass p (1 - p)^(k - 1), k >= 1." HELP_TAILS HELP_WHOLE;

static const struct kiln_row geom_params[] = ROWS_DISCRETE(
    ROW_SHAPE("p", 0, 1, KILN_OPEN_MIN, .unit = "fraction", .help = "probability of success"), );

static const struct kiln_golden geom_goldens[] = {
    {.title = "p = 0.5",
     .args = "{\"x\":[0,1,2,3],\"p\":0.5}",
     .result = "{\"values\":[0,0.5,0.25,0.125],\"mean\":2,\"var\":2}",
     .rtol = 1e-14},
    {.title = "tail",
     .args = "{\"x\":[100],\"of\":\"sf\",\"p\":0.5}",
     .result = "{\"values\":[7.888609052210118e-31]}",
     .rtol = 1e-14},
    {.title = "p = 0", .args = "{\"x\":[1],\"p\":0}", .status = KILN_INVALID, .result = "p is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,199,200]},\"p\":0.1,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(geom, "geometric distribution");

/* ---- nbinom ---- */

static const char nbinom_help[] =
    "Negative binomial distribution, as scipy.stats.nbinom: the number k = x - loc of failures before the "
    "n-th success, mass C(k + n - 1, k) p^n (1 - p)^k; n need not be whole." HELP_TAILS HELP_WHOLE;

static const struct kiln_row nbinom_params[] = ROWS_DISCRETE(
    ROW_SHAPE("n", SHAPE_MIN, SHAPE_MAX, 0, .help = "number of successes"),
    ROW_SHAPE("p", 0, 1, KILN_OPEN_MIN, .unit = "fraction", .help = "probability of success"), );

static const struct kiln_golden nbinom_goldens[] = {
    {.title = "n = 2, p = 0.5",
     .args = "{\"x\":[0,1,2],\"n\":2,\"p\":0.5}",
     .result = "{\"values\":[0.25,0.25,0.1875],\"mean\":2,\"var\":4}",
     .rtol = 1e-14},
    {.title = "n = 0", .args = "{\"x\":[1],\"n\":0,\"p\":0.5}", .status = KILN_INVALID, .result = "n is 0"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0,199,200]},\"n\":4,\"p\":0.1,\"of\":\"cdf\"}"},
};

LAW_FUNCTION(nbinom, "negative binomial distribution");

/* ---- hypergeom ---- */

#define HYPERGEOM_MOST 1e9

static const char hypergeom_help[] =
    "Hypergeometric distribution, as scipy.stats.hypergeom: of M things n are of one kind, N are drawn "
    "without putting back; mass of k = x - loc of that kind, C(n, k) C(M - n, N - k) / C(M, N). Tails are "
    "summed from k outwards, which for M of a thousand millions takes up to a millisecond a place." HELP_TAILS
        HELP_WHOLE;

static const struct kiln_row hypergeom_params[] =
    ROWS_DISCRETE(ROW_WHOLE("M", HYPERGEOM_MOST, "number of things"),
                  ROW_WHOLE("n", HYPERGEOM_MOST, "how many of them are of the kind counted, at most M"),
                  ROW_WHOLE("N", HYPERGEOM_MOST, "how many are drawn, at most M"), );

static const struct kiln_golden hypergeom_goldens[] = {
    {.title = "two of five, three drawn",
     .args = "{\"x\":[0,1,2],\"M\":5,\"n\":2,\"N\":3}",
     .result = "{\"values\":[0.1,0.6,0.3],\"mean\":1.2,\"var\":0.36}",
     .rtol = 1e-14},
    {.title = "more drawn than there are",
     .args = "{\"x\":[1],\"M\":5,\"n\":2,\"N\":6}",
     .status = KILN_INVALID,
     .result = "N is 6, expected at most M = 5"},
    {.title = "200 places",
     .args = "{\"x\":{\"$linspace\":[0,199,200]},\"M\":1000,\"n\":300,\"N\":199,\"of\":\"cdf\"}"},
};

enum { M = 2, KIND, DRAWN };

static int hypergeom_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    for (int i = KIND; i <= DRAWN; i++) {
        if (args[i].i64 > args[M].i64) {
            const char *name = hypergeom_params[i].name;
            return call->host->fail(call, KILN_INVALID, name, "%s is %lld, expected at most M = %lld", name,
                                    (long long) args[i].i64, (long long) args[M].i64);
        }
    }
    return law_run(&law_hypergeom, call, args, results);
}

LAW_DESCRIPTOR(hypergeom, "hypergeometric distribution");
