/* SPDX-License-Identifier: MPL-2.0 */
/* shape - central moments, skewness and kurtosis. */
#include <math.h>

#include "along.h"
#include "shape.h"

/* ---- from moments -------------------------------------------------------------------------------------- */

double shape_skewness(const struct moments *m, bool biased)
{
    const double n = m->n, m2 = m->m2 / n;
    if (m->m2 == 0 || (!biased && n < 3)) {
        return (double) NAN;
    }
    const double g1 = m->m3 / n / (m2 * sqrt(m2));
    return biased ? g1 : g1 * sqrt(n * (n - 1)) / (n - 2);
}

double shape_kurtosis(const struct moments *m, bool biased)
{
    const double n = m->n, m2 = m->m2 / n;
    if (m->m2 == 0 || (!biased && n < 4)) {
        return (double) NAN;
    }
    const double g2 = m->m4 / n / (m2 * m2) - 3;
    return biased ? g2 : (n - 1) * ((n + 1) * g2 + 6) / ((n - 2) * (n - 3));
}

/* ---- skew, kurtosis ------------------------------------------------------------------------------------ */

static const char skew_help[] = "Skewness g1 = m3 / m2^1.5 with central moments mk = sum((x - mean)^k) / n, "
                                "as scipy.stats.skew; with bias "
                                "false G1 = g1 sqrt(n (n - 1)) / (n - 2) (Joanes and Gill 1998).\n"
                                "Null when all values are equal, and where G1 has fewer than 3 values "
                                "(scipy: then g1). Values that differ by "
                                "little from a large mean are not taken for equal ones.";

static const char kurtosis_help[] =
    "Excess kurtosis g2 = m4 / m2^2 - 3 with central moments mk = sum((x - mean)^k) / n, as "
    "scipy.stats.kurtosis; with bias false G2 = (n - 1) ((n + 1) g2 + 6) / ((n - 2) (n - 3)) (Joanes and "
    "Gill "
    "1998). With fisher false, Pearson's, which is 3 more: 3 for a normal distribution.\n"
    "Null when all values are equal, and where G2 has fewer than 4 values (scipy: then g2).";

enum { BIAS = ALONG_PARAMS, FISHER };

#define ROW_BIAS(text)                                                                                       \
    {                                                                                                        \
        .name = "bias", .kind = KILN_BOOL, .fallback = "true", .help = text                                  \
    }

static const struct kiln_row skew_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    ROW_BIAS("skewness as it is; false corrects it for the bias of small samples"),
};

static const struct kiln_row skew_results[] = {
    {.name = "skew", .kind = KILN_FLOAT, .help = "third standardised moment; null without spread"},
    ROW_ALONG_VALUES("skewness"),
};

static const struct kiln_golden skew_goldens[] = {
    {.title = "a symmetric sample", .args = "{\"x\":[1,2,3]}", .result = "{\"skew\":0}"},
    {.title = "corrected for bias",
     .args = "{\"x\":[1,2,4,8,16],\"bias\":false}",
     .result = "{\"skew\":1.3253147098134046}",
     .rtol = 1e-14},
    {.title = "columns, one without spread",
     .args = "{\"data\":[[0,7],[0,7],[3,7]]}",
     .result = "{\"values\":[0.7071067811865476,null]}",
     .rtol = 1e-15},
    {.title = "an unknown axis",
     .args = "{\"data\":[[1,2]],\"axis\":2}",
     .status = KILN_INVALID,
     .result = "axis"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int skew_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                   const struct reduction *r, double *ret)
{
    (void) call, (void) slice;
    *ret = shape_skewness(&r->m, args[BIAS].i64);
    return KILN_OK;
}

static const struct reducer skew_reducer = {.outputs = 1, .powers = 4, .of_moments = skew_of};

ALONG_FUNCTION(skew, "skewness")

static const struct kiln_row kurtosis_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    ROW_BIAS("kurtosis as it is; false corrects it for the bias of small samples"),
    {.name = "fisher",
     .kind = KILN_BOOL,
     .fallback = "true",
     .help = "0 for a normal distribution; false: 3"},
};

static const struct kiln_row kurtosis_results[] = {
    {.name = "kurtosis",
     .kind = KILN_FLOAT,
     .help = "fourth standardised moment, less 3; null without spread"},
    ROW_ALONG_VALUES("kurtosis"),
};

static const struct kiln_golden kurtosis_goldens[] = {
    {.title = "two equal halves", .args = "{\"x\":[-1,1,1,-1]}", .result = "{\"kurtosis\":-2}"},
    {.title = "Pearson's", .args = "{\"x\":[-1,1,1,-1],\"fisher\":false}", .result = "{\"kurtosis\":1}"},
    {.title = "corrected for bias",
     .args = "{\"x\":[1,2,4,8,16],\"bias\":false}",
     .result = "{\"kurtosis\":1.3037634408602106}",
     .rtol = 1e-13},
    {.title = "too few for the correction",
     .args = "{\"x\":[1,2,4],\"bias\":false}",
     .result = "{\"kurtosis\":null}"},
    {.title = "neither form", .args = "{\"bias\":false}", .status = KILN_INVALID, .result = "x is missing"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int kurtosis_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                       const struct reduction *r, double *ret)
{
    (void) call, (void) slice;
    *ret = shape_kurtosis(&r->m, args[BIAS].i64) + (args[FISHER].i64 ? 0 : 3);
    return KILN_OK;
}

static const struct reducer kurtosis_reducer = {.outputs = 1, .powers = 4, .of_moments = kurtosis_of};

ALONG_FUNCTION(kurtosis, "kurtosis")

/* ---- moment -------------------------------------------------------------------------------------------- */

static const char moment_help[] = "Central moment of the given order, sum((x - mean)^order) / n, as "
                                  "scipy.stats.moment. Order 0 is 1 and order 1 "
                                  "is 0; order 2 is the variance with ddof 0.\n"
                                  "orders asks for several at once of x; the answer is then moments.";

enum { ORDER = ALONG_PARAMS, ORDERS };
enum { MOST_ORDER = 16 };

static const struct kiln_row moment_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    {.name = "order", .kind = KILN_INT, .min = 0, .max = MOST_ORDER, .fallback = "2", .help = "the power"},
    {.name = "orders",
     .kind = KILN_ARRAY,
     .dtype = KILN_I64,
     .shape = "q",
     .min = 0,
     .max = MOST_ORDER,
     .help = "instead of order, with x: several powers"},
};

static const struct kiln_row moment_results[] = {
    {.name = "moment", .kind = KILN_FLOAT, .help = "central moment, in the unit of x to the power of order"},
    ROW_ALONG_VALUES("central moment"),
    {.name = "moments", .kind = KILN_ARRAY, .shape = "q", .help = "one moment for each of orders; else null"},
};

static const struct kiln_golden moment_goldens[] = {
    {.title = "third moment",
     .args = "{\"x\":[1,2,6],\"order\":3}",
     .result = "{\"moment\":6}",
     .rtol = 1e-15},
    {.title = "several at once",
     .args = "{\"x\":[1,2,6],\"orders\":[0,1,2,4]}",
     .result = "{\"moment\":null,\"moments\":[1,0,4.666666666666667,32.666666666666664]}",
     .rtol = 1e-15},
    {.title = "rows",
     .args = "{\"data\":[[1,3],[2,8]],\"axis\":1}",
     .result = "{\"values\":[1,9],\"moments\":null}"},
    {.title = "orders of a matrix",
     .args = "{\"data\":[[1,2]],\"orders\":[2]}",
     .status = KILN_INVALID,
     .result = "orders is given with data"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"orders\":[2,3,4,5,6]}"},
};

static double power_of(double d, int64_t order)
{
    double p = order & 1 ? d : 1;
    while (order >>= 1) {
        d *= d;
        p *= order & 1 ? d : 1;
    }
    return p;
}

/* Sum of the powers of deviations, in blocks joined in pairs. */
static double sum_of_powers(const struct kernels *k, const double *x, size_t n, const struct reduction *r,
                            int64_t order)
{
    double powers[KERNEL_BLOCK];
    if (n > KERNEL_BLOCK) {
        const size_t left = (n / KERNEL_BLOCK + 1) / 2 * KERNEL_BLOCK;
        return sum_of_powers(k, x, left, r, order) + sum_of_powers(k, x + left, n - left, r, order);
    }
    for (size_t i = 0; i < n; i++) {
        powers[i] = power_of((x[i] * r->scale - r->m.mean.hi) - r->m.mean.lo, order);
    }
    return k->sum(powers, n);
}

/* r holds the second moments of the sample. */
static double central_moment(const struct kernels *k, const struct sample *s, const struct reduction *r,
                             int64_t order)
{
    if (isnan(r->m.sum)) {
        return (double) NAN;
    }
    switch (order) {
    case 0:
        return 1;
    case 1:
        return isfinite(r->m.sum) ? 0 : (double) NAN;
    case 2:
        return reduction_var(r, 0);
    default:
        break;
    }
    double moment = r->m.m2 == 0 ? 0 : sum_of_powers(k, s->x, s->n, r, order) / r->m.n;
    for (int64_t i = 0; i < order; i++) { /* one at a time: the scale's power may be out of range */
        moment /= r->scale;
    }
    return moment;
}

static int moment_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                         double *ret)
{
    struct reduction r;
    reduce_moments2(call->state, slice->s.x, slice->s.n, &r);
    *ret = central_moment(call->state, &slice->s, &r, args[ORDER].i64);
    return KILN_OK;
}

static const struct reducer moment_reducer = {.outputs = 1, .of_values = moment_values};

static int moment_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    if (!args[ORDERS].present) {
        return along_run(call, args, results, &moment_reducer);
    }
    if (args[ALONG_DATA].present) {
        return call->host->fail(call, KILN_INVALID, "orders", "orders is given with data, expected order");
    }
    if (args[ORDER].present) {
        return call->host->fail(call, KILN_INVALID, "orders",
                                "orders is given beside order, expected one of them");
    }
    if (!args[ALONG_X].present) {
        return call->host->fail(call, KILN_INVALID, "x", "x is missing, expected x or data");
    }
    struct sample s;
    int status = sample_take(call, &args[ALONG_X], "x", nan_policy_of(&args[ALONG_NAN_POLICY]), &s);
    if (status) {
        return status;
    }
    struct reduction r;
    reduce_moments2(call->state, s.x, s.n, &r);
    const int64_t *orders = args[ORDERS].array.data;
    double *ret = results[2].array.data;
    for (int64_t i = 0; i < args[ORDERS].array.count; i++) {
        ret[i] = central_moment(call->state, &s, &r, orders[i]);
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

const struct kiln_function stats_moment = {
    KILN_FUNCTION_HEAD,  .flags = KILN_PURE, .name = "moment",  .summary = "central moments of any order",
    .help = moment_help, TABLES(moment),     .run = moment_run,
};
