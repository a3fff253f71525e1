/* SPDX-License-Identifier: MPL-2.0 */
/* Special functions of several variables, and those of whole numbers, under SciPy's names. */
#include <math.h>
#include <string.h>

#include "functions.h"
#include "gammas.h"
#include "incomplete.h"
#include "sample.h"

#define POLL_EACH 64 /* places between looks at whether the answer is still wanted */

static const struct kiln_row values_results[] = {
    {.name = "values", .kind = KILN_ARRAY, .shape = "n", .help = "the function at each place"},
};

#define ROW_ARRAY(id, from, to, bounds, text)                                                                \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED | (bounds), .shape = "n", .min = from,        \
        .max = to, .help = text                                                                              \
    }
#define ROW_SHAPE(id, text)                                                                                  \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_REQUIRED | KILN_FINITE, .min = SHAPE_MIN,              \
        .max = SHAPE_MAX, .help = text                                                                       \
    }
#define ROW_SHAPED_NAN_POLICY                                                                                \
    ROW_NAN_POLICY("what a NaN does: give NaN in its place (propagate and omit), or be refused")
#define ROW_INTEGERS(id, most, text)                                                                         \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .dtype = KILN_I64, .flags = KILN_REQUIRED, .shape = "n", .min = 0,   \
        .max = most, .help = text                                                                            \
    }
#define SHAPED(id, text)                                                                                     \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD,                                                                                  \
        .flags = KILN_PURE,                                                                                  \
        .name = #id,                                                                                         \
        .summary = text,                                                                                     \
        .help = id##_help,                                                                                   \
        .params = id##_params,                                                                               \
        .n_params = KILN_COUNT(id##_params),                                                                 \
        .results = values_results,                                                                           \
        .n_results = KILN_COUNT(values_results),                                                             \
        .goldens = id##_goldens,                                                                             \
        .n_goldens = KILN_COUNT(id##_goldens),                                                               \
        .run = id##_run,                                                                                     \
    }

/* What each() hands on: the arguments and what was prepared from the scalar ones. */
struct places {
    const struct kiln_slot *args;
    struct gamma_shape gamma;
    struct beta_shape beta;
};

/* Where nan_policy says raise, no argument with real numbers may hold NaN. */
static int check(struct kiln_call *call, const struct kiln_slot *args)
{
    const struct kiln_row *rows = call->function->params;
    bool refused = false;
    for (uint32_t i = 0; i < call->function->n_params; i++) {
        refused |= strcmp(rows[i].name, "nan_policy") == 0 && nan_policy_of(&args[i]) == NAN_RAISE;
    }
    for (uint32_t i = 0; refused && i < call->function->n_params; i++) {
        struct sample s;
        const int status =
            rows[i].kind == KILN_ARRAY ? sample_take(call, &args[i], rows[i].name, NAN_RAISE, &s) : KILN_OK;
        if (status) {
            return status;
        }
    }
    return KILN_OK;
}

static int each(struct kiln_call *call, struct kiln_slot *results, const struct places *p,
                double (*at)(const struct places *p, size_t i))
{
    const size_t n = (size_t) results[0].array.count;
    double *out = results[0].array.data;
    const int status = check(call, p->args);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (i % POLL_EACH == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        out[i] = at(p, i);
    }
    return KILN_OK;
}

static double number(const struct places *p, int arg, size_t i)
{
    return ((const double *) p->args[arg].array.data)[i];
}

static int64_t integer(const struct places *p, int arg, size_t i)
{
    return ((const int64_t *) p->args[arg].array.data)[i];
}

/* ---- beta ------------------------------------------------------------------------------------------------- */

enum { BETA_A, BETA_B };

/* The logarithm at an end of the range of a parameter: B(a, 0) and B(0, b) are infinite, B(a, inf) is 0. */
static long double betaln_of(const struct places *p, size_t i)
{
    const double a = number(p, BETA_A, i), b = number(p, BETA_B, i);
    if (isnan(a) || isnan(b)) {
        return (long double) NAN;
    }
    return isinf(a) || isinf(b) ? -(long double) INFINITY : log_beta(a, b);
}

static double betaln_at(const struct places *p, size_t i)
{
    return (double) betaln_of(p, i);
}

static double beta_at(const struct places *p, size_t i)
{
    return (double) expl(betaln_of(p, i));
}

static const struct kiln_row beta_params[] = {
    ROW_ARRAY("a", 0, HUGE_VAL, KILN_OPEN_MIN, "first parameters, greater than 0"),
    ROW_ARRAY("b", 0, HUGE_VAL, KILN_OPEN_MIN, "second parameters, as many"),
    ROW_SHAPED_NAN_POLICY,
};
#define betaln_params beta_params

static const char beta_help[] =
    "Beta function gamma(a) gamma(b) / gamma(a + b) of each pair, as scipy.special.beta for a > 0 and b > 0.";
static const struct kiln_golden beta_goldens[] = {
    {.title = "whole and half",
     .args = "{\"a\":[2,0.5,1e-3,null],\"b\":[3,0.5,1,1]}",
     .result = "{\"values\":[0.08333333333333333,3.141592653589793,1000,null]}",
     .rtol = 1e-14},
    {.title = "a = 0", .args = "{\"a\":[0],\"b\":[1]}", .status = KILN_INVALID, .result = "0"},
    {.title = "200 pairs", .args = "{\"a\":{\"$linspace\":[1,9,200]},\"b\":{\"$linspace\":[9,1,200]}}"},
};
static int beta_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return each(call, results, &(struct places){.args = args}, beta_at);
}
SHAPED(beta, "beta function");

static const char betaln_help[] =
    "Logarithm of the beta function of each pair, as scipy.special.betaln for a > 0 and b > 0, also where "
    "the beta function is too small or too large for a double.";
static const struct kiln_golden betaln_goldens[] = {
    {.title = "small and large",
     .args = "{\"a\":[2,1e300],\"b\":[3,1e300]}",
     .result = "{\"values\":[-2.4849066497880004,-1.3862943611198906e300]}",
     .rtol = 1e-14},
    {.title = "b = 0", .args = "{\"a\":[1],\"b\":[0]}", .status = KILN_INVALID, .result = "0"},
    {.title = "200 pairs", .args = "{\"a\":{\"$linspace\":[1,9,200]},\"b\":{\"$linspace\":[9,1,200]}}"},
};
static int betaln_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return each(call, results, &(struct places){.args = args}, betaln_at);
}
SHAPED(betaln, "logarithm of the beta function");

/* ---- incomplete gamma and beta ------------------------------------------------------------------------------ */

enum { GAMMAINC_X, GAMMAINC_A };

static double gammainc_of(const struct places *p, size_t i, bool upper)
{
    const double x = number(p, GAMMAINC_X, i);
    if (isnan(x)) {
        return x;
    }
    const struct tail t = gamma_tail(&p->gamma, x);
    return tail_value(&t, upper, false);
}

static double gammainc_at(const struct places *p, size_t i)
{
    return gammainc_of(p, i, false);
}

static double gammaincc_at(const struct places *p, size_t i)
{
    return gammainc_of(p, i, true);
}

static const struct kiln_row gammainc_params[] = {
    ROW_ARRAY("x", 0, HUGE_VAL, 0, "places, at least 0"),
    ROW_SHAPE("a", "exponent of the integrand, plus 1"),
    ROW_SHAPED_NAN_POLICY,
};
#define gammaincc_params gammainc_params

static const char gammainc_help[] =
    "Regularised lower incomplete gamma function P(a, x), the integral of t^(a - 1) exp(-t) from 0 to x "
    "divided by gamma(a), as scipy.special.gammainc; right to 1e-13 relative.";
static const struct kiln_golden gammainc_goldens[] = {
    {.title = "a = 1: 1 - exp(-x)",
     .args = "{\"a\":1,\"x\":[0,1e-20,1,null]}",
     .result = "{\"values\":[0,1e-20,0.6321205588285577,null]}",
     .rtol = 1e-14},
    {.title = "x below 0", .args = "{\"a\":1,\"x\":[-1]}", .status = KILN_INVALID, .result = "-1"},
    {.title = "200 places", .args = "{\"a\":2.5,\"x\":{\"$linspace\":[0,9,200]}}"},
};
static int gammainc_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct places p = {.args = args, .gamma = gamma_shape(args[GAMMAINC_A].f64)};
    return each(call, results, &p, gammainc_at);
}
SHAPED(gammainc, "regularised lower incomplete gamma function");

static const char gammaincc_help[] =
    "Regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x) without cancellation, as "
    "scipy.special.gammaincc; right to 1e-13 relative.";
static const struct kiln_golden gammaincc_goldens[] = {
    {.title = "a = 1: exp(-x)",
     .args = "{\"a\":1,\"x\":[0,1,700,null]}",
     .result = "{\"values\":[1,0.36787944117144233,9.859676543759771e-305,null]}",
     .rtol = 1e-14},
    {.title = "a = 0", .args = "{\"a\":0,\"x\":[1]}", .status = KILN_INVALID, .result = "a is 0"},
    {.title = "200 places", .args = "{\"a\":2.5,\"x\":{\"$linspace\":[0,9,200]}}"},
};
static int gammaincc_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct places p = {.args = args, .gamma = gamma_shape(args[GAMMAINC_A].f64)};
    return each(call, results, &p, gammaincc_at);
}
SHAPED(gammaincc, "regularised upper incomplete gamma function");

enum { BETAINC_X, BETAINC_A, BETAINC_B };

static double betainc_at(const struct places *p, size_t i)
{
    const double x = number(p, BETAINC_X, i);
    if (isnan(x)) {
        return x;
    }
    const struct tail t = beta_tail(&p->beta, x, 1 - (long double) x);
    return tail_value(&t, false, false);
}

static const char betainc_help[] =
    "Regularised incomplete beta function I_x(a, b), the integral of t^(a - 1) (1 - t)^(b - 1) from 0 to x "
    "divided by beta(a, b), as scipy.special.betainc; right to 1e-13 relative.";
static const struct kiln_row betainc_params[] = {
    ROW_ARRAY("x", 0, 1, 0, "places"),
    ROW_SHAPE("a", "exponent at 0, plus 1"),
    ROW_SHAPE("b", "exponent at 1, plus 1"),
    ROW_SHAPED_NAN_POLICY,
};
static const struct kiln_golden betainc_goldens[] = {
    {.title = "a = 2, b = 1: x^2",
     .args = "{\"a\":2,\"b\":1,\"x\":[0,1e-100,0.5,1,null]}",
     .result = "{\"values\":[0,1e-200,0.25,1,null]}",
     .rtol = 1e-14},
    {.title = "x above 1", .args = "{\"a\":1,\"b\":1,\"x\":[2]}", .status = KILN_INVALID, .result = "2"},
    {.title = "200 places", .args = "{\"a\":2.5,\"b\":4,\"x\":{\"$linspace\":[0,1,200]}}"},
};
static int betainc_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct places p = {.args = args, .beta = beta_shape(args[BETAINC_A].f64, args[BETAINC_B].f64)};
    return each(call, results, &p, betainc_at);
}
SHAPED(betainc, "regularised incomplete beta function");

/* ---- whole numbers -------------------------------------------------------------------------------------------- */

enum { COMB_N, COMB_K };

/* Exact in 128 bits while it fits, which every number does that a double can hold exactly; else from the
 * logarithm, whose error is small because the result is below 10^308. */
static double comb_of(uint64_t n, uint64_t k)
{
    __extension__ typedef unsigned __int128 wide;
    k = k < n - k ? k : n - k;
    wide product = 1;
    for (uint64_t i = 1; i <= k; i++) {
        const uint64_t factor = n - k + i;
        if (product > ~(wide) 0 / factor) {
            const long double a = (long double) (n - k) + 1, b = (long double) k + 1;
            return (double) expl(-log_beta(a, b) - logl((long double) n + 1));
        }
        product = product * factor / i;
    }
    return (double) product;
}

static double comb_at(const struct places *p, size_t i)
{
    const int64_t n = integer(p, COMB_N, i), k = integer(p, COMB_K, i);
    return k > n ? 0 : comb_of((uint64_t) n, (uint64_t) k);
}

static const char comb_help[] =
    "Number of ways to choose k of n things, n! / (k! (n - k)!), of each pair, as scipy.special.comb: exact "
    "where a double can hold it, else right to 1e-15; 0 for k > n; inf from 1.8e308 on.";
static const struct kiln_row comb_params[] = {
    ROW_INTEGERS("n", 0x1p53, "numbers of things"),
    ROW_INTEGERS("k", 0x1p53, "how many of them to choose"),
};
static const struct kiln_golden comb_goldens[] = {
    {.title = "exact",
     .args = "{\"n\":[5,56,3,0],\"k\":[2,28,4,0]}",
     .result = "{\"values\":[10,7648690600760440,0,1]}"},
    {.title = "below 0", .args = "{\"n\":[-1],\"k\":[0]}", .status = KILN_INVALID, .result = "-1"},
    {.title = "of 1,000",
     .args = "{\"n\":[1000],\"k\":[500]}",
     .result = "{\"values\":[2.7028824094543655e299]}",
     .rtol = 1e-14},
    {.title = "ten of 10..109",
     .args = "{\"n\":{\"$linspace\":[10,109,100]},\"k\":{\"$linspace\":[10,10,100]}}"},
};
static int comb_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return each(call, results, &(struct places){.args = args}, comb_at);
}
SHAPED(comb, "binomial coefficients");

static double factorial_at(const struct places *p, size_t i)
{
    const int64_t n = integer(p, 0, i);
    if (n > 170) {
        return HUGE_VAL;
    }
    long double product = 1;
    for (int64_t k = 2; k <= n; k++) {
        product *= k;
    }
    return (double) product;
}

static const char factorial_help[] =
    "n! of each n, as scipy.special.factorial: exact up to 22, correctly rounded up to 170, inf above.";
static const struct kiln_row factorial_params[] = {ROW_INTEGERS("x", 0x1p53, "whole numbers, at least 0")};
static const struct kiln_golden factorial_goldens[] = {
    {.title = "small",
     .args = "{\"x\":[0,1,5,22]}",
     .result = "{\"values\":[1,1,120,1.12400072777760768e21]}"},
    {.title = "below 0", .args = "{\"x\":[-1]}", .status = KILN_INVALID, .result = "-1"},
    {.title = "large",
     .args = "{\"x\":[170]}",
     .result = "{\"values\":[7.257415615307994e306]}",
     .rtol = 1e-15},
    {.title = "0 to 170", .args = "{\"x\":{\"$linspace\":[0,170,171]}}"},
};
static int factorial_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return each(call, results, &(struct places){.args = args}, factorial_at);
}
SHAPED(factorial, "factorials");
