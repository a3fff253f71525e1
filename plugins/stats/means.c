/* SPDX-License-Identifier: MPL-2.0 */
/* means - weighted and power means. */
#include <math.h>

#include "along.h"

static const char average_help[] = "Weighted mean sum(w x) / sum(w), as numpy.average, with the sum of the "
                                   "weights; without weights the arithmetic "
                                   "mean and n. Weights may be negative, but their sum must not be 0. With "
                                   "data there is one weight for each value "
                                   "of a column (axis 0) or row (axis 1).\n"
                                   "nan_policy omit leaves out a value together with its weight.";

static const char gmean_help[] = "Geometric mean, exp(sum(w log(x)) / sum(w)), as scipy.stats.gmean. 0 where "
                                 "a value with a weight is 0; negative "
                                 "values are refused (scipy: NaN). The logarithms are taken in parts of the "
                                 "largest value, so that the size of the "
                                 "values costs no digits.";

static const char hmean_help[] = "Harmonic mean, sum(w) / sum(w / x), as scipy.stats.hmean. 0 where a value "
                                 "with a weight is 0; negative values "
                                 "are refused.";

static const char pmean_help[] =
    "Power mean, (sum(w x^p) / sum(w))^(1 / p), as scipy.stats.pmean: p 1 is the arithmetic, 0 the "
    "geometric, -1 the "
    "harmonic and 2 the quadratic mean. 0 where p < 0 and a value with a weight is 0; negative values are "
    "refused. "
    "Powers are those of parts of the largest value, so that large values do not overflow.";

#define ROW_WEIGHTS(more_flags, least, most)                                                                 \
    {                                                                                                        \
        .name = "weights", .kind = KILN_ARRAY, .flags = KILN_FINITE | (more_flags), .shape = "w",            \
        .min = least, .max = most, .help = "weight of each value; all alike when not given"                  \
    }

/* ---- sums of products ---------------------------------------------------------------------------------- */

/* The sum of f(x[i], p) times its weight, in blocks joined in pairs. */
typedef double transform(double x, double p);

struct terms {
    const struct kernels *k;
    transform *f;
    double p;
};

static double sum_terms(const struct terms *t, const double *x, const double *w, size_t n)
{
    double terms[KERNEL_BLOCK];
    if (n > KERNEL_BLOCK) {
        const size_t left = (n / KERNEL_BLOCK + 1) / 2 * KERNEL_BLOCK;
        return sum_terms(t, x, w, left) + sum_terms(t, x + left, w ? w + left : NULL, n - left);
    }
    for (size_t i = 0; i < n; i++) {
        terms[i] = w && w[i] == 0 ? 0 * x[i] : t->f(x[i], t->p) * (w ? w[i] : 1);
    }
    return t->k->sum(terms, n);
}

static double sum_weights(const struct kernels *k, const struct slice *slice)
{
    struct reduction r;
    if (!slice->companion) {
        return (double) slice->s.n;
    }
    reduce_sum(k, slice->companion, slice->s.n, &r);
    return reduction_sum(&r);
}

static int refuse_weights(struct kiln_call *call, double sum)
{
    return call->host->fail(call, KILN_INVALID, "weights",
                            "the sum of weights is %.15g, expected another number", sum);
}

/* ---- average ------------------------------------------------------------------------------------------- */

static const struct kiln_row average_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    ROW_WEIGHTS(0, 0, 0),
};

static const struct kiln_row average_results[] = {
    {.name = "average", .kind = KILN_FLOAT, .help = "weighted mean"},
    {.name = "sum_of_weights", .kind = KILN_FLOAT, .help = "sum of the weights, or n"},
    ROW_ALONG_VALUES("weighted mean"),
    ROW_ALONG_ARRAY("sums_of_weights", "sum of the weights"),
};

static const struct kiln_golden average_goldens[] = {
    {.title = "weighted",
     .args = "{\"x\":[1,2,4],\"weights\":[1,1,2]}",
     .result = "{\"average\":2.75,\"sum_of_weights\":4}"},
    {.title = "columns, a missing value with its weight left out",
     .args = "{\"data\":[[1,2],[3,null]],\"weights\":[3,1],\"nan_policy\":\"omit\"}",
     .result = "{\"values\":[1.5,2],\"sums_of_weights\":[4,3]}"},
    {.title = "weights that cancel",
     .args = "{\"x\":[1,2],\"weights\":[1,-1]}",
     .status = KILN_INVALID,
     .result = "the sum of weights is 0"},
    {.title = "weights of another length",
     .args = "{\"x\":[1,2],\"weights\":[1,1,1]}",
     .status = KILN_INVALID,
     .result = "weights has 3 values, expected 2"},
    {.title = "1,000 values",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"weights\":{\"$linspace\":[1,2,1000]}}"},
};

static double itself(double x, double p)
{
    return x * p;
}

/* Products or their sum may leave the range where the mean does not: then of parts of x. */
static int average_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                          double *ret)
{
    (void) args;
    const struct kernels *k = call->state;
    const struct sample *s = &slice->s;
    const double *w = slice->companion, weights = sum_weights(k, slice);
    if (weights == 0 || !isfinite(weights)) {
        return refuse_weights(call, weights);
    }
    ret[1] = weights;
    if (!w) {
        ret[0] = reduce_mean(k, s->x, s->n);
        return KILN_OK;
    }
    ret[0] = sum_terms(&(struct terms){k, itself, 1}, s->x, w, s->n) / weights;
    if (!isfinite(ret[0])) {
        double most = fabs(w[0]);
        for (size_t i = 1; i < s->n; i++) {
            most = fabs(w[i]) > most ? fabs(w[i]) : most;
        }
        const double part = ldexp(1, -64 - ilogb(most)); /* the products are then far below those of x */
        ret[0] = sum_terms(&(struct terms){k, itself, part}, s->x, w, s->n) / weights / part;
    }
    return KILN_OK;
}

static const struct reducer average_reducer = {
    .outputs = 2, .companion = "weights", .of_values = average_values};

ALONG_FUNCTION(average, "weighted mean")

/* ---- power means --------------------------------------------------------------------------------------- */

static const struct kiln_row gmean_params[] = {
    ROWS_ALONG("values, none negative", HELP_NAN_POLICY),
    ROW_WEIGHTS(0, 0, HUGE_VAL),
};

#define hmean_params gmean_params

enum { P = ALONG_COMPANION + 1 };

static const struct kiln_row pmean_params[] = {
    ROWS_ALONG("values, none negative", HELP_NAN_POLICY),
    ROW_WEIGHTS(0, 0, HUGE_VAL),
    {.name = "p",
     .kind = KILN_FLOAT,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .help = "exponent: 2 for the quadratic mean, 1 arithmetic, 0 geometric, -1 harmonic"},
};

static double log_part(double x, double most)
{
    return log(x / most);
}

static double power_part(double x, double p)
{
    return p == 2 ? x * x : p == -1 ? 1 / x : pow(x, p);
}

/* The mean of power p of values 0..infinity in parts of the largest one; a NaN makes it NaN. */
static double power_mean(const struct terms *t, const struct slice *slice, double weights, double most)
{
    const struct sample *s = &slice->s;
    if (t->p == 0) {
        return most *
               exp(sum_terms(&(struct terms){t->k, log_part, most}, s->x, slice->companion, s->n) / weights);
    }
    const double mean = sum_terms(t, s->x, slice->companion, s->n) / weights;
    return t->p == 2 ? sqrt(mean) : t->p == -1 ? 1 / mean : pow(mean, 1 / t->p);
}

struct spread_of_values {
    double least, most; /* of values that have a weight */
    bool nan;
};

static int look_at_values(struct kiln_call *call, const struct slice *slice, struct spread_of_values *ret)
{
    *ret = (struct spread_of_values){HUGE_VAL, 0, false};
    for (size_t i = 0; i < slice->s.n; i++) {
        const double v = slice->s.x[i];
        if (v < 0) {
            return call->host->fail(call, KILN_INVALID, slice_field(slice),
                                    "%s has the value %.15g, expected >= 0", slice_name(slice).text, v);
        }
        ret->nan |= isnan(v);
        if (!slice->companion || slice->companion[i] > 0) {
            ret->least = v < ret->least ? v : ret->least;
            ret->most = v > ret->most ? v : ret->most;
        }
    }
    return KILN_OK;
}

static int mean_of_power(struct kiln_call *call, const struct slice *slice, double p, double *ret)
{
    const struct kernels *k = call->state;
    const double weights = sum_weights(k, slice);
    struct spread_of_values v;
    int status = look_at_values(call, slice, &v);
    if (status) {
        return status;
    }
    if (weights == 0 || !isfinite(weights)) {
        return refuse_weights(call, weights);
    }
    if (v.nan) {
        return ALONG_NO_ANSWER;
    }
    if (v.most == 0 || (p <= 0 && v.least == 0) || v.least == HUGE_VAL || (p >= 0 && v.most == HUGE_VAL)) {
        *ret = p <= 0 && v.least == 0 ? (p == 0 && v.most == HUGE_VAL ? (double) NAN : 0) : v.most;
        return KILN_OK;
    }
    *ret = power_mean(&(struct terms){k, power_part, p}, slice, weights, v.most);
    if (p != 0 && !(*ret > 0x1p-200 && *ret < 0x1p200 && v.least > 0x1p-200 && v.most < 0x1p200)) {
        /* powers may have left the range: in parts of the value that counts most, by logarithms */
        const double unit = p > 0 ? v.most : v.least;
        double sum = 0;
        for (size_t i = 0; i < slice->s.n; i++) {
            const double w = slice->companion ? slice->companion[i] : 1;
            sum += w > 0 ? w / weights * pow(slice->s.x[i] / unit, p) : 0;
        }
        *ret = unit * pow(sum, 1 / p);
    }
    return KILN_OK;
}

#define POWER_MEAN(name, power, summary)                                                                     \
    static int name##_values(struct kiln_call *call, const struct kiln_slot *args,                           \
                             const struct slice *slice, double *ret)                                         \
    {                                                                                                        \
        (void) args;                                                                                         \
        return mean_of_power(call, slice, power, ret);                                                       \
    }                                                                                                        \
    static const struct reducer name##_reducer = {                                                           \
        .outputs = 1, .companion = "weights", .of_values = name##_values};                                   \
    ALONG_FUNCTION(name, summary)

static const struct kiln_row gmean_results[] = {
    {.name = "gmean", .kind = KILN_FLOAT, .help = "geometric mean"},
    ROW_ALONG_VALUES("geometric mean"),
};

static const struct kiln_golden gmean_goldens[] = {
    {.title = "1, 3, 9", .args = "{\"x\":[1,3,9]}", .result = "{\"gmean\":3}", .rtol = 1e-15},
    {.title = "weighted",
     .args = "{\"x\":[2,16],\"weights\":[2,1]}",
     .result = "{\"gmean\":4}",
     .rtol = 1e-15},
    {.title = "columns, a zero in one",
     .args = "{\"data\":[[1,0],[4,5]]}",
     .result = "{\"values\":[2,0]}",
     .rtol = 1e-15},
    {.title = "a negative value",
     .args = "{\"data\":[[1,2],[3,-4]]}",
     .status = KILN_INVALID,
     .result = "column 1 of data has the value -4, expected >= 0"},
    {.title = "1,000 values", .args = "{\"x\":{\"$linspace\":[1,2,1000]}}"},
};

POWER_MEAN(gmean, 0, "geometric mean")

static const struct kiln_row hmean_results[] = {
    {.name = "hmean", .kind = KILN_FLOAT, .help = "harmonic mean"},
    ROW_ALONG_VALUES("harmonic mean"),
};

static const struct kiln_golden hmean_goldens[] = {
    {.title = "60 there and 30 back", .args = "{\"x\":[60,30]}", .result = "{\"hmean\":40}", .rtol = 1e-15},
    {.title = "with a zero", .args = "{\"x\":[60,0]}", .result = "{\"hmean\":0}"},
    {.title = "a negative value",
     .args = "{\"x\":[-1]}",
     .status = KILN_INVALID,
     .result = "x has the value -1"},
    {.title = "1,000 values", .args = "{\"x\":{\"$linspace\":[1,2,1000]}}"},
};

POWER_MEAN(hmean, -1, "harmonic mean")

static const struct kiln_row pmean_results[] = {
    {.name = "pmean", .kind = KILN_FLOAT, .help = "power mean"},
    ROW_ALONG_VALUES("power mean"),
};

static const struct kiln_golden pmean_goldens[] = {
    {.title = "quadratic", .args = "{\"x\":[1,7],\"p\":2}", .result = "{\"pmean\":5}", .rtol = 1e-15},
    {.title = "large values",
     .args = "{\"x\":[1e200,7e200],\"p\":2}",
     .result = "{\"pmean\":5e200}",
     .rtol = 1e-14},
    {.title = "without p", .args = "{\"x\":[1,7]}", .status = KILN_INVALID, .result = "p"},
    {.title = "1,000 values", .args = "{\"x\":{\"$linspace\":[1,2,1000]},\"p\":2}"},
};

POWER_MEAN(pmean, args[P].f64, "power mean of any exponent")
