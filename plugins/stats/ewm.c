/* SPDX-License-Identifier: MPL-2.0 */
/* ewm - exponentially weighted mean, variance and standard deviation. */
#include "functions.h"
#include "rolling.h"

enum { X, ALPHA, SPAN, HALFLIFE, COM, ADJUST, IGNORE_NA, MIN_PERIODS, NAN_POLICY, BIAS };
enum { CHUNK = 1 << 16 }; /* values between two looks at whether the job is still wanted */

struct decay {
    double keep;  /* what a value's weight is multiplied by from one value to the next: 1 - alpha */
    double enter; /* the weight of a new value: 1, or alpha when not adjusted */
    bool adjust, ignore_na, bias;
    size_t min_periods;
};

#define HELP_EWM                                                                                             \
    "The weight of a value falls by the factor 1 - alpha with each value that follows. Exactly one of "      \
    "alpha, "                                                                                                \
    "span (alpha = 2 / (span + 1)), halflife (alpha = 1 - exp(-ln 2 / halflife)) and com (alpha = 1 / (com " \
    "+ "                                                                                                     \
    "1)) says how fast. With adjust, the default, weights are 1, 1 - alpha, (1 - alpha)^2 ... backwards "    \
    "from "                                                                                                  \
    "the value, divided by their sum; without, the recursion y[0] = x[0], y[i] = (1 - alpha) y[i - 1] + "    \
    "alpha "                                                                                                 \
    "x[i] is used.\n"                                                                                        \
    "A NaN repeats the last result, as in pandas; weights go on falling meanwhile unless ignore_na. "        \
    "nan_policy propagate makes it and all further results NaN instead. The first min_periods - 1 numbers "  \
    "give NaN."

/* ---- arguments ---------------------------------------------------------------------------------------------- */

static double alpha_of(const struct kiln_slot *args)
{
    return args[ALPHA].present      ? args[ALPHA].f64
           : args[SPAN].present     ? 2 / (args[SPAN].f64 + 1)
           : args[HALFLIFE].present ? -expm1(-0.693147180559945309 / args[HALFLIFE].f64)
                                    : 1 / (args[COM].f64 + 1);
}

static int take(struct kiln_call *call, const struct kiln_slot *args, bool bias, struct decay *ret)
{
    const int given = args[ALPHA].present + args[SPAN].present + args[HALFLIFE].present + args[COM].present;
    const size_t n = (size_t) args[X].array.count;
    if (given != 1) {
        return call->host->fail(call, KILN_INVALID, "alpha",
                                "%d of alpha, span, halflife and com were given, expected one", given);
    }
    if ((uint64_t) args[MIN_PERIODS].i64 > n) {
        return call->host->fail(call, KILN_INVALID, "min_periods",
                                "min_periods is %lld, expected at most the %zu values of x",
                                (long long) args[MIN_PERIODS].i64, n);
    }
    if (sample_check_nan(call, &args[X], "x", &args[NAN_POLICY])) {
        return KILN_INVALID;
    }
    const double alpha = alpha_of(args);
    *ret = (struct decay){
        .keep = args[HALFLIFE].present ? exp2(-1 / args[HALFLIFE].f64) : 1 - alpha,
        .enter = args[ADJUST].i64 ? 1 : alpha,
        .adjust = args[ADJUST].i64,
        .ignore_na = args[IGNORE_NA].i64,
        .bias = bias,
        .min_periods = (size_t) args[MIN_PERIODS].i64,
    };
    return KILN_OK;
}

/* ---- recursions --------------------------------------------------------------------------------------------- */

/* Weights are relative: `old` is that of all values so far, and the next one enters with d->enter. */
struct state {
    double mean, spread;      /* spread: weighted mean of squared deviations */
    double old, sum, squares; /* sum of weights and of their squares, for the unbiased variance */
    size_t numbers;
};

/* One value; of the two quantities the variance is worked out when asked for. */
static inline void step(const struct decay *d, bool variance, double x, struct state *s)
{
    if (isnan(x) && (d->ignore_na || s->numbers == 0)) {
        return;
    }
    s->old *= d->keep;
    s->sum *= d->keep;
    s->squares *= d->keep * d->keep;
    if (isnan(x)) {
        return;
    }
    if (s->numbers++ == 0) {
        *s = (struct state){.mean = x, .old = 1, .sum = 1, .squares = 1, .numbers = 1};
        return;
    }
    const double total = s->old + d->enter, share = d->enter / total, off = x - s->mean;
    s->mean += off * share;
    if (variance) {
        s->spread = (1 - share) * (s->spread + share * off * off);
        s->sum += d->enter;
        s->squares += d->enter * d->enter;
        if (!d->adjust) {
            s->sum /= total;
            s->squares /= total * total;
        }
    }
    s->old = d->adjust ? total : 1;
}

static double variance_of(const struct decay *d, const struct state *s)
{
    if (d->bias) {
        return s->spread;
    }
    const double free = s->sum * s->sum - s->squares;
    return free > 0 ? s->sum * s->sum / free * s->spread : (double) NAN;
}

static void means(const struct decay *d, const double *x, size_t n, struct state *s, double *out)
{
    for (size_t i = 0; i < n; i++) {
        step(d, false, x[i], s);
        out[i] = s->numbers >= d->min_periods && s->numbers > 0 ? s->mean : (double) NAN;
    }
}

static void variances(const struct decay *d, bool root, const double *x, size_t n, struct state *s,
                      double *out)
{
    for (size_t i = 0; i < n; i++) {
        step(d, true, x[i], s);
        const double v = s->numbers >= d->min_periods && s->numbers > 0 ? variance_of(d, s) : (double) NAN;
        out[i] = root ? sqrt(v) : v;
    }
}

static int run(struct kiln_call *call, const struct kiln_slot *args, enum rolling what, double *out)
{
    const struct kernels *k = call->state;
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count;
    struct decay d = {0};
    double scale = 1;
    int status = take(call, args, what != ROLLING_MEAN && args[BIAS].i64, &d);
    if (status == KILN_OK) {
        bool nan;
        status = rolling_scaled(call, what, n, k->magnitude(x, n, &nan), &x, &scale);
    }
    if (status) {
        return status;
    }
    const size_t numbers = nan_policy_of(&args[NAN_POLICY]) == NAN_PROPAGATE ? k->find_nan(x, n) : n;
    struct state s = {0};
    for (size_t i = 0; i < numbers; i += CHUNK) {
        const size_t count = numbers - i < CHUNK ? numbers - i : CHUNK;
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        if (what == ROLLING_MEAN) {
            means(&d, x + i, count, &s, out + i);
        } else {
            variances(&d, what == ROLLING_STD, x + i, count, &s, out + i);
        }
    }
    for (size_t i = numbers; i < n; i++) {
        out[i] = (double) NAN;
    }
    rolling_unscale(what, out, n, scale, scale);
    return KILN_OK;
}

/* ---- functions ---------------------------------------------------------------------------------------------- */

#define ROWS_EWM                                                                                             \
    [X] = ROW_X("values"),                                                                                   \
    [ALPHA] = {.name = "alpha",                                                                              \
               .kind = KILN_FLOAT,                                                                           \
               .flags = KILN_OPEN_MIN,                                                                       \
               .min = 0,                                                                                     \
               .max = 1,                                                                                     \
               .unit = "fraction",                                                                           \
               .help = "part of a new value"},                                                               \
    [SPAN] = {.name = "span",                                                                                \
              .kind = KILN_FLOAT,                                                                            \
              .min = 1,                                                                                      \
              .max = HUGE_VAL,                                                                               \
              .unit = "values",                                                                              \
              .help = "alpha = 2 / (span + 1)"},                                                             \
    [HALFLIFE] = {.name = "halflife",                                                                        \
                  .kind = KILN_FLOAT,                                                                        \
                  .flags = KILN_OPEN_MIN,                                                                    \
                  .min = 0,                                                                                  \
                  .max = HUGE_VAL,                                                                           \
                  .unit = "values",                                                                          \
                  .help = "number of values after which a weight has halved"},                               \
    [COM] = {.name = "com",                                                                                  \
             .kind = KILN_FLOAT,                                                                             \
             .min = 0,                                                                                       \
             .max = HUGE_VAL,                                                                                \
             .unit = "values",                                                                               \
             .help = "centre of mass: alpha = 1 / (com + 1)"},                                               \
    [ADJUST] = {.name = "adjust",                                                                            \
                .kind = KILN_BOOL,                                                                           \
                .fallback = "true",                                                                          \
                .help = "divide by the sum of the weights, so that the beginning is not overweighted"},      \
    [IGNORE_NA] = {.name = "ignore_na",                                                                      \
                   .kind = KILN_BOOL,                                                                        \
                   .fallback = "false",                                                                      \
                   .help = "count values only, not places, between two values"},                             \
    [MIN_PERIODS] = {.name = "min_periods",                                                                  \
                     .kind = KILN_INT,                                                                       \
                     .min = 0,                                                                               \
                     .max = HUGE_VAL,                                                                        \
                     .unit = "values",                                                                       \
                     .fallback = "0",                                                                        \
                     .help = "least number of values for a result"},                                         \
    [NAN_POLICY] = {.name = "nan_policy",                                                                    \
                    .kind = KILN_STRING,                                                                     \
                    .choices = "propagate|omit|raise",                                                       \
                    .fallback = "\"omit\"",                                                                  \
                    .help = "what a NaN does: make all further results NaN, be passed over, or be refused"}

#define ROW_BIAS                                                                                             \
    [BIAS] = {.name = "bias",                                                                                \
              .kind = KILN_BOOL,                                                                             \
              .fallback = "false",                                                                           \
              .help = "leave out the correction for the mean being estimated"}

#define EWM_FUNCTION(id, what, text, result_text)                                                            \
    static const struct kiln_row id##_results[] = {                                                          \
        {.name = #id, .kind = KILN_ARRAY, .shape = "n", .help = result_text},                                \
    };                                                                                                       \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return run(call, args, what, results[0].array.data);                                                 \
    }                                                                                                        \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = #id,     .summary = text,                            \
        .help = id##_help,  TABLES(id),         .run = id##_run,                                             \
    };

static const char ewm_mean_help[] =
    "Exponentially weighted mean up to and with each value, as pandas.Series.ewm().mean().\n" HELP_EWM;

static const struct kiln_row ewm_mean_params[] = {ROWS_EWM};

static const struct kiln_golden ewm_mean_goldens[] = {
    {.title = "weights 1, 1/2, 1/4",
     .args = "{\"x\":[1,2,4],\"alpha\":0.5}",
     .result = "{\"ewm_mean\":[1,1.6666666666666667,3]}",
     .rtol = 1e-15},
    {.title = "the recursion, by span",
     .args = "{\"x\":[1,2,4],\"span\":3,\"adjust\":false}",
     .result = "{\"ewm_mean\":[1,1.5,2.75]}"},
    {.title = "a missing value",
     .args = "{\"x\":[0,null,3],\"com\":1}",
     .result = "{\"ewm_mean\":[0,0,2.4]}",
     .rtol = 1e-15},
    {.title = "two rates",
     .args = "{\"x\":[1],\"alpha\":0.5,\"span\":3}",
     .status = KILN_INVALID,
     .result = "2 of alpha, span, halflife and com were given, expected one"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"span\":20}"},
};

EWM_FUNCTION(ewm_mean, ROLLING_MEAN, "exponentially weighted mean", "weighted mean up to and with each value")

static const char ewm_var_help[] =
    "Exponentially weighted variance up to and with each value, as pandas.Series.ewm().var(): the weighted "
    "mean of squared deviations from the weighted mean, times W^2 / (W^2 - V), where W is the sum of the "
    "weights and V that of their squares; bias leaves this factor out. One value has no variance (NaN), with "
    "bias 0.\n" HELP_EWM;

static const struct kiln_row ewm_var_params[] = {ROWS_EWM, ROW_BIAS};

static const struct kiln_golden ewm_var_goldens[] = {
    {.title = "weights 1, 1/2, 1/4",
     .args = "{\"x\":[1,2,4],\"alpha\":0.5}",
     .result = "{\"ewm_var\":[null,0.5,2.5]}",
     .rtol = 1e-14},
    {.title = "biased",
     .args = "{\"x\":[1,3],\"alpha\":0.5,\"bias\":true,\"adjust\":false}",
     .result = "{\"ewm_var\":[0,1]}"},
    {.title = "no rate",
     .args = "{\"x\":[1]}",
     .status = KILN_INVALID,
     .result = "0 of alpha, span, halflife and com were given, expected one"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"span\":20}"},
};

EWM_FUNCTION(ewm_var, ROLLING_VAR, "exponentially weighted variance",
             "weighted variance up to and with each value, in the squared unit of x")

static const char ewm_std_help[] =
    "Exponentially weighted standard deviation up to and with each value, as pandas.Series.ewm().std(): the "
    "square root of ewm_var.\n" HELP_EWM;

static const struct kiln_row ewm_std_params[] = {ROWS_EWM, ROW_BIAS};

static const struct kiln_golden ewm_std_goldens[] = {
    {.title = "weights 1, 1/2, 1/4",
     .args = "{\"x\":[1,2,4],\"halflife\":1}",
     .result = "{\"ewm_std\":[null,0.7071067811865476,1.5811388300841898]}",
     .rtol = 1e-14},
    {.title = "a rate above 1",
     .args = "{\"x\":[1,2],\"alpha\":1.5}",
     .status = KILN_INVALID,
     .result = "alpha"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"span\":20}"},
};

EWM_FUNCTION(ewm_std, ROLLING_STD, "exponentially weighted standard deviation",
             "weighted standard deviation up to and with each value")
