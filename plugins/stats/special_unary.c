/* SPDX-License-Identifier: MPL-2.0 */
/* Special functions of one variable, under SciPy's names. */
#include <math.h>
#include <string.h>

#include "functions.h"
#include "gammas.h"
#include "normal.h"
#include "sample.h"
#include "special.h"

#define POLL_EACH 256 /* places between looks at whether the answer is still wanted */

enum { X, NAN_POLICY, THIRD };

static const struct kiln_row unary_results[] = {
    {.name = "values", .kind = KILN_ARRAY, .shape = "n", .help = "the function at each x"},
};

#define ROW_PLACES(from, to, bounds, text)                                                                   \
    {                                                                                                        \
        .name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED | (bounds), .shape = "n", .min = from,       \
        .max = to, .help = text                                                                              \
    }
#define ROW_UNARY_NAN_POLICY                                                                                 \
    ROW_NAN_POLICY("what a NaN in x does: give NaN in its place (propagate and omit), or be refused")
#define ROW_POLES                                                                                            \
    {                                                                                                        \
        .name = "poles", .kind = KILN_STRING, .choices = "raise|inf", .fallback = "\"raise\"",               \
        .help = "what an x at a pole does: be refused, or give what SciPy gives there"                       \
    }

/* ---- running ------------------------------------------------------------------------------------------- */

static int check(struct kiln_call *call, const struct kiln_slot *args, bool (*pole)(double x))
{
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count;
    if (nan_policy_of(&args[NAN_POLICY]) == NAN_RAISE) {
        struct sample s;
        const int status = sample_take(call, &args[X], "x", NAN_RAISE, &s);
        if (status) {
            return status;
        }
    }
    for (size_t i = 0; pole && i < n; i++) {
        if (pole(x[i])) {
            return call->host->fail(call, KILN_INVALID, "x",
                                    "x[%zu] is %.17g, a pole, expected none (poles is raise)", i, x[i]);
        }
    }
    return KILN_OK;
}

static int run_kernel(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
                      bool (*pole)(double x), void (*kernel)(const double *x, size_t n, double *out))
{
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count, block = 65536;
    double *out = results[0].array.data;
    const int status = check(call, args, pole);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < n; i += block) {
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        kernel(x + i, n - i < block ? n - i : block, out + i);
    }
    return KILN_OK;
}

static int run_scalar(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
                      double (*function)(double x, int order), int order)
{
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count;
    double *out = results[0].array.data;
    const int status = check(call, args, NULL);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (i % POLL_EACH == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        out[i] = isnan(x[i]) ? x[i] : function(x[i], order);
    }
    return KILN_OK;
}

#define RUN(id, expression)                                                                                  \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return expression;                                                                                   \
    }
#define UNARY(id, text)                                                                                      \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD,                                                                                  \
        .flags = KILN_PURE,                                                                                  \
        .name = #id,                                                                                         \
        .summary = text,                                                                                     \
        .help = id##_help,                                                                                   \
        .params = id##_params,                                                                               \
        .n_params = KILN_COUNT(id##_params),                                                                 \
        .results = unary_results,                                                                            \
        .n_results = KILN_COUNT(unary_results),                                                              \
        .goldens = id##_goldens,                                                                             \
        .n_goldens = KILN_COUNT(id##_goldens),                                                               \
        .run = id##_run,                                                                                     \
    }

static bool refuses_poles(const struct kiln_slot *args)
{
    return strcmp(args[THIRD].text, "raise") == 0;
}

static bool at_pole(double x)
{
    return x <= 0 && x == floor(x);
}

/* ---- gamma ----------------------------------------------------------------------------------------------- */

static const char gamma_help[] =
    "Gamma function, the integral of t^(x - 1) exp(-t) over t > 0, continued to x < 0; gamma(k) = (k - 1)!. "
    "As scipy.special.gamma, right to 1e-14 relative and nearly always to the last place; inf above 171.62.\n"
    "0 and the negative whole numbers, to which -inf counts, are poles: refused, or with poles inf +-inf at "
    "+-0 and NaN at the others. Every number below -2^52 is whole.";
static const struct kiln_row gamma_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY,
                                               ROW_POLES};
static const struct kiln_golden gamma_goldens[] = {
    {.title = "factorials",
     .args = "{\"x\":[1,5,23,null]}",
     .result = "{\"values\":[1,24,1.12400072777760768e21,null]}",
     .rtol = 1e-14},
    {.title = "halves",
     .args = "{\"x\":[0.5,5.5,-1.5]}",
     .result = "{\"values\":[1.772453850905516,52.34277778455352,2.363271801207355]}",
     .rtol = 1e-14},
    {.title = "a pole", .args = "{\"x\":[1,-2]}", .status = KILN_INVALID, .result = "x[1] is -2, a pole"},
    {.title = "1,000 places", .args = "{\"x\":{\"$linspace\":[0.1,9.9,1000]}}"},
};
RUN(gamma,
    run_kernel(call, args, results, refuses_poles(args) ? at_pole : NULL, special_for(call->state)->gamma))
UNARY(gamma, "gamma function");

static const char gammaln_help[] =
    "log |gamma(x)|, as scipy.special.gammaln, right to 1e-15 relative to the greater of 1 and the result, "
    "and for x > 0 relative to the result.\n"
    "0 and the negative whole numbers, to which -inf counts, are poles: refused, or with poles inf inf.";
static const struct kiln_row gammaln_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY,
                                                 ROW_POLES};
static const struct kiln_golden gammaln_goldens[] = {
    {.title = "small and large",
     .args = "{\"x\":[1,2,5,1e300,null]}",
     .result = "{\"values\":[0,0,3.1780538303479458,6.897755278982137e302,null]}",
     .rtol = 1e-14},
    {.title = "below 0",
     .args = "{\"x\":[-1.5]}",
     .result = "{\"values\":[0.8600470153764811]}",
     .rtol = 1e-14},
    {.title = "a pole", .args = "{\"x\":[0]}", .status = KILN_INVALID, .result = "x[0] is 0, a pole"},
    {.title = "1,000 places", .args = "{\"x\":{\"$linspace\":[0.1,99,1000]}}"},
};
RUN(gammaln,
    run_kernel(call, args, results, refuses_poles(args) ? at_pole : NULL, special_for(call->state)->lgamma))
UNARY(gammaln, "logarithm of the absolute value of the gamma function");

/* ---- digamma and its derivatives ----------------------------------------------------------------------- */

static double digamma_at(double x, int order)
{
    if (x == 0) {
        return copysign(HUGE_VAL, -x);
    }
    return isinf(x) ? (x > 0 ? x : (double) NAN) : (double) psi(order, x);
}

static const char digamma_help[] =
    "Derivative of log gamma(x), as scipy.special.digamma; right to 1e-15 relative for x > 0, and for x < 0 "
    "relative to the greater of 1 and the result.\n"
    "0 and the negative whole numbers, to which -inf counts, are poles: refused, or with poles inf -+inf at "
    "+-0 and NaN at the others.";
static const struct kiln_row digamma_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY,
                                                 ROW_POLES};
static const struct kiln_golden digamma_goldens[] = {
    {.title = "minus Euler's constant, and the next",
     .args = "{\"x\":[1,2,-0.5,null]}",
     .result = "{\"values\":[-0.5772156649015329,0.42278433509846713,0.03648997397857652,null]}",
     .rtol = 1e-14},
    {.title = "a pole", .args = "{\"x\":[-3]}", .status = KILN_INVALID, .result = "x[0] is -3, a pole"},
    {.title = "200 places", .args = "{\"x\":{\"$linspace\":[0.1,99,200]}}"},
};
static int digamma_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const int status = check(call, args, refuses_poles(args) ? at_pole : NULL);
    return status ? status : run_scalar(call, args, results, digamma_at, 0);
}
UNARY(digamma, "logarithmic derivative of the gamma function");

static double polygamma_at(double x, int order)
{
    return isinf(x) && order > 0 ? 0 : digamma_at(x, order);
}

static const char polygamma_help[] =
    "n-th derivative of digamma(x), as scipy.special.polygamma: (-1)^(n + 1) n! times the sum of 1 / (x + "
    "k)^(n + 1) over k >= 0, for x > 0.";
static const struct kiln_row polygamma_params[] = {
    ROW_PLACES(0, HUGE_VAL, KILN_OPEN_MIN, "places, greater than 0"),
    ROW_UNARY_NAN_POLICY,
    {.name = "n", .kind = KILN_INT, .flags = KILN_REQUIRED, .min = 0, .max = 100, .help = "order"}};
static const struct kiln_golden polygamma_goldens[] = {
    {.title = "pi^2 / 6",
     .args = "{\"n\":1,\"x\":[1,2]}",
     .result = "{\"values\":[1.6449340668482264,0.6449340668482264]}",
     .rtol = 1e-14},
    {.title = "no x below 0", .args = "{\"n\":1,\"x\":[-1]}", .status = KILN_INVALID, .result = "-1"},
    {.title = "100 places", .args = "{\"n\":1,\"x\":{\"$linspace\":[0.1,99,100]}}"},
};
RUN(polygamma, run_scalar(call, args, results, polygamma_at, (int) args[THIRD].i64))
UNARY(polygamma, "derivatives of the digamma function");

/* ---- error function and normal law ------------------------------------------------------------------------ */

static const char erf_help[] =
    "Error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, as scipy.special.erf.";
static const struct kiln_row erf_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY};
static const struct kiln_golden erf_goldens[] = {
    {.title = "around 0",
     .args = "{\"x\":[-1,0,0.5,9,null]}",
     .result = "{\"values\":[-0.8427007929497149,0,0.5204998778130465,1,null]}",
     .rtol = 1e-14},
    {.title = "a missing place refused",
     .args = "{\"x\":[null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "NaN"},
    {.title = "1,000 places", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};
RUN(erf, run_kernel(call, args, results, NULL, special_for(call->state)->erf))
UNARY(erf, "error function");

static const char erfc_help[] = "1 - erf(x) without cancellation, as scipy.special.erfc; far out it falls as "
                                "exp(-x^2) / (x sqrt(pi)) and is 0 from 27.23 on.";
static const struct kiln_row erfc_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY};
static const struct kiln_golden erfc_goldens[] = {
    {.title = "both sides",
     .args = "{\"x\":[-1,0,0.5,20,null]}",
     .result = "{\"values\":[1.8427007929497148,1,0.4795001221869535,5.395865611607901e-176,null]}",
     .rtol = 1e-14},
    {.title = "a missing place refused",
     .args = "{\"x\":[null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "NaN"},
    {.title = "1,000 places", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};
RUN(erfc, run_kernel(call, args, results, NULL, special_for(call->state)->erfc))
UNARY(erfc, "complementary error function");

static double erfinv_at(double x, int order)
{
    (void) order;
    return fabs(x) == 1 ? copysign(HUGE_VAL, x) : (double) erf_inverse(x);
}

static const char erfinv_help[] =
    "The y with erf(y) = x, as scipy.special.erfinv; +-inf at +-1. An x outside of -1..1 is refused.";
static const struct kiln_row erfinv_params[] = {ROW_PLACES(-1, 1, 0, "values of erf, -1..1"),
                                                ROW_UNARY_NAN_POLICY};
static const struct kiln_golden erfinv_goldens[] = {
    {.title = "around 0",
     .args = "{\"x\":[0,0.5,-0.999]}",
     .result = "{\"values\":[0,0.4769362762044699,-2.326753765513525]}",
     .rtol = 1e-14},
    {.title = "more than 1", .args = "{\"x\":[1.5]}", .status = KILN_INVALID, .result = "1.5"},
    {.title = "100 places", .args = "{\"x\":{\"$linspace\":[-0.99,0.99,100]}}"},
};
RUN(erfinv, run_scalar(call, args, results, erfinv_at, 0))
UNARY(erfinv, "inverse of the error function");

static double erfcinv_at(double x, int order)
{
    (void) order;
    return x == 0 ? HUGE_VAL : x == 2 ? -HUGE_VAL : (double) erfc_inverse(x);
}

static const char erfcinv_help[] =
    "The y with erfc(y) = x, as scipy.special.erfcinv, also for tiny x; inf at 0, -inf at 2. An x outside of "
    "0..2 is refused.";
static const struct kiln_row erfcinv_params[] = {ROW_PLACES(0, 2, 0, "values of erfc, 0..2"),
                                                 ROW_UNARY_NAN_POLICY};
static const struct kiln_golden erfcinv_goldens[] = {
    {.title = "both sides",
     .args = "{\"x\":[1,0.5,1.5,1e-300]}",
     .result = "{\"values\":[0,0.4769362762044699,-0.4769362762044699,26.209469960516124]}",
     .rtol = 1e-14},
    {.title = "below 0", .args = "{\"x\":[-0.5]}", .status = KILN_INVALID, .result = "-0.5"},
    {.title = "100 places", .args = "{\"x\":{\"$linspace\":[0.01,1.99,100]}}"},
};
RUN(erfcinv, run_scalar(call, args, results, erfcinv_at, 0))
UNARY(erfcinv, "inverse of the complementary error function");

static const char ndtr_help[] =
    "P(X <= x) of the standard normal distribution, erfc(-x / sqrt(2)) / 2, as scipy.special.ndtr, without "
    "what rounding x / sqrt(2) costs far out.";
static const struct kiln_row ndtr_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY};
static const struct kiln_golden ndtr_goldens[] = {
    {.title = "both sides",
     .args = "{\"x\":[0,1.5,-20,null]}",
     .result = "{\"values\":[0.5,0.9331927987311419,2.7536241186062337e-89,null]}",
     .rtol = 1e-14},
    {.title = "a missing place refused",
     .args = "{\"x\":[null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "NaN"},
    {.title = "1,000 places", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};
RUN(ndtr, run_kernel(call, args, results, NULL, special_for(call->state)->ndtr))
UNARY(ndtr, "distribution function of the standard normal law");

static double ndtri_at(double x, int order)
{
    (void) order;
    return x == 0 || x == 1 ? copysign(HUGE_VAL, x - 0.5) : (double) normal_place(x, false);
}

static const char ndtri_help[] =
    "The y with ndtr(y) = x, as scipy.special.ndtri; -inf at 0, inf at 1. An x outside of 0..1 is refused.";
static const struct kiln_row ndtri_params[] = {ROW_PLACES(0, 1, 0, "probabilities"), ROW_UNARY_NAN_POLICY};
static const struct kiln_golden ndtri_goldens[] = {
    {.title = "quantiles",
     .args = "{\"x\":[0.5,0.975,1e-300]}",
     .result = "{\"values\":[0,1.959963984540054,-37.0470962993612]}",
     .rtol = 1e-14},
    {.title = "more than 1", .args = "{\"x\":[1.5]}", .status = KILN_INVALID, .result = "1.5"},
    {.title = "100 places", .args = "{\"x\":{\"$linspace\":[0.01,0.99,100]}}"},
};
RUN(ndtri, run_scalar(call, args, results, ndtri_at, 0))
UNARY(ndtri, "quantiles of the standard normal law");

static double log_ndtr_at(double x, int order)
{
    (void) order;
    const struct tail t = normal_tail(x);
    return tail_value(&t, false, true);
}

static const char log_ndtr_help[] =
    "log of ndtr(x), as scipy.special.log_ndtr, also where ndtr(x) would be 0 or round to 1.";
static const struct kiln_row log_ndtr_params[] = {ROW_PLACES(0, 0, 0, "places"), ROW_UNARY_NAN_POLICY};
static const struct kiln_golden log_ndtr_goldens[] = {
    {.title = "both sides",
     .args = "{\"x\":[0,10,-100,null]}",
     .result = "{\"values\":[-0.6931471805599453,-7.619853024160527e-24,-5005.5242086942053,null]}",
     .rtol = 1e-14},
    {.title = "a missing place refused",
     .args = "{\"x\":[null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "NaN"},
    {.title = "200 places", .args = "{\"x\":{\"$normal\":[200,1]}}"},
};
RUN(log_ndtr, run_scalar(call, args, results, log_ndtr_at, 0))
UNARY(log_ndtr, "logarithm of the distribution function of the standard normal law");
