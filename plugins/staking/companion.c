/* SPDX-License-Identifier: MPL-2.0 */
/* companion - one staked asset, and the distribution of what investors redeem. */
#include "companion.h"

#include <math.h>
#include <string.h>

#include "rows.h"
#include "slots.h"
#include "size_model.h"

#define ROW_LEVEL                                                                                            \
    {                                                                                                        \
        FRACTION("staking_level", "0.9"),                                                                    \
            .help = "part of the holding that is staked; the liquid part is tau = 1 - level"                 \
    }
#define ROW_LAMBDA                                                                                           \
    {                                                                                                        \
        NOT_NEGATIVE("expected_redemptions_per_year", "18"), .unit = "1/year", .help = "lambda"              \
    }
#define ROW_WINDOW                                                                                           \
    {                                                                                                        \
        NOT_NEGATIVE("unbonding_period_days", "10"), .unit = "day",                                          \
                                                     .help = "days until unstaked coins can be sold, d"      \
    }

static double gauss_upper(double q);

/* ---- redemption_moments -------------------------------------------------------------------------- */

static const struct kiln_row redemption_moments_params[] = {SIZE_MODEL_ROWS, [SIZE_ROWS] = ROW_LEVEL};

enum { RM_TAU, RM_EXCEED, RM_FIRST, RM_SECOND, RM_THIRD, RM_FOURTH, RM_MEAN, RM_SIZE_2 };
static const struct kiln_row redemption_moments_results[] = {
    [RM_TAU] = {LEVEL("tau"), .help = "liquid part, 1 - staking_level"},
    [RM_EXCEED] = {NUMBER("p_exceed"), .help = "probability that a redemption exceeds it, P(R > tau)"},
    [RM_FIRST] = {NUMBER("excess_1"), .help = "E[(R - tau)+]"},
    [RM_SECOND] = {NUMBER("excess_2"), .help = "E[(R - tau)+^2]"},
    [RM_THIRD] = {NUMBER("excess_3"), .help = "E[(R - tau)+^3]"},
    [RM_FOURTH] = {NUMBER("excess_4"), .help = "E[(R - tau)+^4]"},
    [RM_MEAN] = {NUMBER("size_mean"), .help = "E[R]"},
    [RM_SIZE_2] = {NUMBER("size_2nd_moment"), .help = "E[R^2]"},
};

static const struct kiln_golden redemption_moments_goldens[] = {
    {.title = "published sizes at level 0.9",
     .args = "{}",
     .result =
         "{\"tau\":0.1,\"p_exceed\":0.166,\"excess_1\":0.0221,\"excess_2\":0.00331,\"size_mean\":0.08875}",
     .rtol = 1e-12},
    {.title = "Beta(2, 3), all of it staked",
     .args = "{\"model\":\"beta\",\"a\":2,\"b\":3,\"staking_level\":1}",
     .result = "{\"p_exceed\":1,\"excess_1\":0.4,\"excess_2\":0.2,\"excess_3\":0.11428571428571428,\"size_"
               "mean\":0.4}",
     .rtol = 1e-12},
    {.title = "the uniform distribution is Beta(1, 1)",
     .args = "{\"model\":\"beta\",\"a\":1,\"b\":1,\"staking_level\":0.5}",
     .result = "{\"p_exceed\":0.5,\"excess_1\":0.125,\"excess_2\":0.041666666666666664}",
     .rtol = 1e-12},
    {.title = "observed counts",
     .args = "{\"sizes\":[0.1,0.3],\"counts\":[3,1],\"staking_level\":0.8}",
     .result = "{\"p_exceed\":0.25,\"excess_1\":0.025,\"excess_2\":0.0025}",
     .rtol = 1e-12},
    {.title = "a mixture of retail and institutional investors",
     .args = "{\"model\":\"mixture\",\"retail_share\":0.75,\"sizes\":[0.4],\"staking_level\":0.99}",
     .result = "{\"excess_1\":0.10125}",
     .rtol = 1e-12},
    {.title = "probabilities that do not sum to 1",
     .args = "{\"sizes\":[0.1,0.3],\"probabilities\":[0.5,0.1]}",
     .status = KILN_INVALID,
     .result = "probabilities sum to 0.6, expected 1 within 0.01"},
};

static int redemption_moments_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct size_model model;
    double excess[SIZE_MOMENTS], size[SIZE_MOMENTS], tau = 1 - args[SIZE_ROWS].f64;
    int status = size_model_read(call, args, &model);
    status = status ? status : size_model_moments(call, &model, tau, excess);
    status = status ? status : size_model_moments(call, &model, 0, size);
    if (status) {
        return status;
    }
    put(&out[RM_TAU], tau);
    for (size_t k = 0; k < SIZE_MOMENTS; k++) {
        put(&out[RM_EXCEED + k], excess[k]);
    }
    put(&out[RM_MEAN], size[1]);
    put(&out[RM_SIZE_2], size[2]);
    return KILN_OK;
}

const struct kiln_function redemption_moments_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "redemption_moments",
    .summary =
        "moments of what redemptions exceed the liquid part by, for several distributions of their size",
    .help =
        "E[(R - tau)+^k] for k = 0 to 4, where R is the size of a redemption as a part of the fund and tau = "
        "1 - "
        "staking_level what can be sold at once. model chooses the distribution of R: one size; two; a list "
        "with "
        "probabilities or observed counts; Beta(a, b); or a mixture E[f] = w E_retail[f] + (1 - w) "
        "E_institutional[f] with w = retail_share (of which retail redemptions alone are lambda w a year).\n"
        "Sums are exact. The beta integral from tau to 1 is taken by double exponential quadrature to about "
        "1e-12. "
        "Probabilities are normalised. After the companion models of the published service.",
    TABLES(redemption_moments_),
    .run = redemption_moments_run,
};

/* ---- one asset ----------------------------------------------------------------------------------- */

/* Parameters of both functions behind those of the size model. */
enum { S_LEVEL = SIZE_ROWS, S_LAMBDA, S_WINDOW, S_VARIANCE, S_WEIGHT, S_HORIZON, S_CONFIDENCE, S_MODE };

#define ASSET_ROWS                                                                                           \
    SIZE_MODEL_ROWS,                                                                                         \
        [S_LEVEL] = ROW_LEVEL, [S_LAMBDA] = ROW_LAMBDA, [S_WINDOW] = ROW_WINDOW,                             \
        [S_VARIANCE] =                                                                                       \
            {NOT_NEGATIVE("unit_variance", "0.00096438416"), .unit = "1/day",                                \
             .help = "daily variance v' Sigma v of one unit of overweight, spread over the benchmark; "      \
                     "staking.tracking_error gives w^2 times it as exposure"},                               \
        [S_WEIGHT] = {FRACTION("weight", "0.1049"), .help = "weight of the asset in the benchmark, w"}

static const struct kiln_row single_asset_params[] = {
    ASSET_ROWS,
    [S_HORIZON] = {NUMBER("horizon_days"), .flags = KILN_FINITE | KILN_OPEN_MIN, .min = 0, .max = 1e6,
                   .fallback = "252", .unit = "day",
                   .help = "period of horizon_tracking_error, T of 252 trading days a year"},
};

enum { SA_TE, SA_HORIZON, SA_K, SA_SECOND, SA_BY_LAMBDA, SA_BY_LEVEL };
static const struct kiln_row single_asset_results[] = {
    [SA_TE] = {YEARLY("tracking_error"), .help = "TE"},
    [SA_HORIZON] = {NUMBER("horizon_tracking_error"), .help = "TE sqrt(T / 252): of a period of T days"},
    [SA_K] = {NUMBER("k"), .unit = "1/day", .help = "w^2 v' Sigma v"},
    [SA_SECOND] = {NUMBER("excess_2"), .help = "E[(R - tau)+^2]"},
    [SA_BY_LAMBDA] = {NUMBER("dte_dlambda"), .help = "TE / (2 lambda); null when lambda is 0"},
    [SA_BY_LEVEL] = {NUMBER("dte_dlevel"), .help = "lambda d k E[(R - tau)+] / TE; null when TE is 0"},
};

static const struct kiln_golden single_asset_goldens[] = {
    {.title = "one size",
     .args =
         "{\"model\":\"homogeneous\",\"size\":0.3,\"staking_level\":0.9,\"expected_redemptions_per_year\":16,"
         "\"unbonding_period_days\":4,\"unit_variance\":0.0001,\"weight\":0.5,\"horizon_days\":63}",
     .result = "{\"tracking_error\":0.008,\"horizon_tracking_error\":0.004,\"k\":0.000025,\"excess_2\":0.04,"
               "\"dte_dlambda\":0.00025,\"dte_dlevel\":0.04}",
     .rtol = 1e-12},
    {.title = "a redemption that the liquid part covers",
     .args = "{\"model\":\"homogeneous\",\"size\":0.05,\"staking_level\":0.9}",
     .result = "{\"tracking_error\":0,\"dte_dlevel\":null}"},
    {.title = "a level above 1",
     .args = "{\"staking_level\":1.5}",
     .status = KILN_INVALID,
     .result = "staking_level is 1.5"},
};

struct asset {
    double tau, lambda, days, k, tracking_error;
    double excess[SIZE_MOMENTS];
};

static int read_asset(struct kiln_call *call, const struct kiln_slot *args, struct asset *a)
{
    struct size_model model;
    a->tau = 1 - args[S_LEVEL].f64;
    a->lambda = args[S_LAMBDA].f64;
    a->days = args[S_WINDOW].f64;
    a->k = args[S_WEIGHT].f64 * args[S_WEIGHT].f64 * args[S_VARIANCE].f64;
    int status = size_model_read(call, args, &model);
    status = status ? status : size_model_moments(call, &model, a->tau, a->excess);
    if (status) {
        return status;
    }
    a->tracking_error = sqrt(a->lambda * a->days * a->k * a->excess[2]);
    if (!isfinite(a->tracking_error) || !isfinite(a->lambda * a->days * a->k)) {
        return call->host->fail(
            call, KILN_INVALID, "expected_redemptions_per_year",
            "expected_redemptions_per_year is %g, expected less: with %g days and a unit_variance of %g the "
            "result is beyond the range of double",
            a->lambda, a->days, args[S_VARIANCE].f64);
    }
    return KILN_OK;
}

static void put_slopes(const struct asset *a, struct kiln_slot *by_lambda, struct kiln_slot *by_level)
{
    if (a->lambda > 0) {
        put(by_lambda, a->tracking_error / (2 * a->lambda));
    }
    if (a->tracking_error > 0) {
        put(by_level, a->lambda * a->days * a->k * a->excess[1] / a->tracking_error);
    }
}

static int single_asset_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct asset a;
    int status = read_asset(call, args, &a);
    if (status) {
        return status;
    }
    put(&out[SA_TE], a.tracking_error);
    put(&out[SA_HORIZON], a.tracking_error * sqrt(args[S_HORIZON].f64 / 252));
    put(&out[SA_K], a.k);
    put(&out[SA_SECOND], a.excess[2]);
    put_slopes(&a, &out[SA_BY_LAMBDA], &out[SA_BY_LEVEL]);
    return KILN_OK;
}

const struct kiln_function single_asset_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "single_asset",
    .summary = "tracking error of a fund that stakes one asset, for any distribution of redemptions",
    .help = "TE = sqrt(lambda d k E[(R - tau)+^2]), k = w^2 v' Sigma v, where v spreads one unit of "
            "overweight over the "
            "benchmark so that it costs least (one constraint for the asset, one for the sum). It does not "
            "depend on the "
            "period over which it is measured: TE of T days times sqrt(252 / T). Slopes: dTE/dlambda = TE / "
            "(2 lambda), "
            "dTE/ds = lambda d k E[(R - tau)+] / TE. After the companion models of the published service.",
    TABLES(single_asset_),
    .run = single_asset_run,
};

/* ---- compound Poisson ---------------------------------------------------------------------------- */

static const struct kiln_row compound_poisson_params[] = {
    ASSET_ROWS,
    [S_HORIZON] = {NUMBER("years"), .flags = KILN_FINITE | KILN_OPEN_MIN, .min = 0, .max = 1e6,
                   .fallback = "1", .unit = "year", .help = "how long is observed"},
    [S_CONFIDENCE] = {NUMBER("confidence"), .flags = KILN_FINITE | KILN_OPEN_MIN | KILN_OPEN_MAX, .min = 0,
                      .max = 1, .fallback = "0.95", .help = "probability of the interval"},
    [S_MODE] = {.name = "mode",
                .kind = KILN_STRING,
                .choices = "exact|compatible",
                .fallback = "\"exact\"",
                .help = "compatible takes the variance times d, as published, which is too narrow by "
                        "sqrt(d); exact times d^2"},
};

enum { CP_TE, CP_LOW, CP_HIGH, CP_ERROR, CP_MEAN, CP_VARIANCE, CP_BY_LAMBDA, CP_BY_LEVEL };
static const struct kiln_row compound_poisson_results[] = {
    [CP_TE] = {YEARLY("tracking_error"), .help = "TE"},
    [CP_LOW] = {YEARLY("low"), .help = "lower end of the interval, not below 0"},
    [CP_HIGH] = {YEARLY("high"), .help = "upper end"},
    [CP_ERROR] = {YEARLY("standard_error"),
                  .help = "of TE over the years, to first order; null when TE is 0"},
    [CP_MEAN] = {NUMBER("variance_mean"), .unit = "1/year^2",
                 .help = "expected variance of a year, d lambda E[f]"},
    [CP_VARIANCE] = {NUMBER("variance_variance"), .unit = "1/year^4",
                     .help = "variance of that variance, d^2 lambda E[f^2]"},
    [CP_BY_LAMBDA] = {NUMBER("dte_dlambda"), .help = "TE / (2 lambda); null when lambda is 0"},
    [CP_BY_LEVEL] = {NUMBER("dte_dlevel"), .help = "lambda d k E[(R - tau)+] / TE; null when TE is 0"},
};

static const struct kiln_golden compound_poisson_goldens[] = {
    {.title = "one size, 16 redemptions a year",
     .args =
         "{\"model\":\"homogeneous\",\"size\":0.3,\"staking_level\":0.9,\"expected_redemptions_per_year\":16,"
         "\"unbonding_period_days\":4,\"unit_variance\":0.0001,\"weight\":0.5}",
     .result = "{\"tracking_error\":0.008,\"low\":0.006040036015459946,\"high\":0.009959963984540054,"
               "\"standard_error\":0.001,\"variance_mean\":0.000064,\"variance_variance\":2.56e-10}",
     .rtol = 1e-9},
    {.title = "as published",
     .args =
         "{\"model\":\"homogeneous\",\"size\":0.3,\"staking_level\":0.9,\"expected_redemptions_per_year\":16,"
         "\"unbonding_period_days\":4,\"unit_variance\":0.0001,\"weight\":0.5,\"mode\":\"compatible\"}",
     .result = "{\"tracking_error\":0.008,\"standard_error\":0.0005}",
     .rtol = 1e-9},
    {.title = "a certain interval",
     .args = "{\"confidence\":1}",
     .status = KILN_INVALID,
     .result = "confidence is 1"},
};

static int compound_poisson_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct asset a;
    int status = read_asset(call, args, &a);
    if (status) {
        return status;
    }
    const double days = strcmp(args[S_MODE].text, "exact") == 0 ? a.days * a.days : a.days;
    const double mean = a.days * a.lambda * a.k * a.excess[2];
    const double variance = days * a.lambda * a.k * a.k * a.excess[4]; /* E[f^2] with f = k (R - tau)+^2 */
    put(&out[CP_TE], a.tracking_error);
    put(&out[CP_MEAN], mean);
    put(&out[CP_VARIANCE], variance);
    put_slopes(&a, &out[CP_BY_LAMBDA], &out[CP_BY_LEVEL]);
    if (a.tracking_error > 0) {
        /* The mean of `years` yearly variances has variance / years; a root's error is that over twice the root. */
        const double error = sqrt(variance / args[S_HORIZON].f64) / (2 * a.tracking_error);
        const double half = gauss_upper((1 - args[S_CONFIDENCE].f64) / 2) * error;
        put(&out[CP_ERROR], error);
        put(&out[CP_LOW], fmax(0, a.tracking_error - half));
        put(&out[CP_HIGH], a.tracking_error + half);
    } else {
        put(&out[CP_LOW], 0);
        put(&out[CP_HIGH], 0);
    }
    return KILN_OK;
}

const struct kiln_function compound_poisson_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "compound_poisson",
    .summary =
        "how far the tracking error of a year may be from the expected one, as redemptions come at random",
    .help = "Redemptions come as a Poisson process of lambda a year, each adding d f(R) to the variance of "
            "the year, f(R) = k "
            "(R - tau)+^2. So the variance has the mean d lambda E[f] and the variance d^2 lambda E[f^2], "
            "and TE, its root, "
            "the standard error sqrt(lambda E[f^2] / years) d / (2 TE) by the delta method. The interval is "
            "TE -+ z times "
            "that, not below 0.\n"
            "mode \"compatible\" keeps a fault of the published model: the variance is multiplied by d and "
            "not d^2. After its "
            "companion models.",
    TABLES(compound_poisson_),
    .run = compound_poisson_run,
};

/* The place that a normal variable exceeds with probability q, 0 < q <= 0.5: Halley's steps on erfc from a rough start. */
static double gauss_upper(double q)
{
    if (q >= 0.5) {
        return 0;
    }
    double t = sqrt(-2 * log(q)), z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t));
    for (int i = 0; i < 4; i++) {
        const double density = exp(-z * z / 2) * 0.39894228040143267794;
        const double e = (0.5 * erfc(z * M_SQRT1_2) - q) / density; /* > 0: z is too small */
        z += e / (1 - z * e / 2);
    }
    return z;
}
