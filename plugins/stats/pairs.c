/* SPDX-License-Identifier: MPL-2.0 */
/* pairs - correlation and covariance, of two vectors or of the rows of a matrix. */
#include <math.h>

#include "functions.h"
#include "matrix.h"
#include "reduce.h"
#include "sample.h"

static const char correlation_help[] =
    "Pearson's correlation coefficient r = sum((x - mx) (y - my)) / sqrt(sum((x - mx)^2) sum((y - my)^2)), "
    "limited to -1..1.\n"
    "Give x and y of equal length, at least 2, for one coefficient r (scipy.stats.pearsonr); or data with "
    "one variable in each row for the matrix of all coefficients (numpy.corrcoef).\n"
    "Where all values are equal there is no correlation: r is null, and so are the row and column of the "
    "matrix. A NaN makes what depends on it NaN; nan_policy omit leaves out the whole observation, in all "
    "variables.";

static const char covariance_help[] =
    "Covariance sum((x - mx) (y - my)) / (n - ddof), with ddof 1 by default as numpy.cov.\n"
    "Give x and y of equal length for one number cov; or data with one variable in each row for the matrix "
    "of all covariances, with variances in its diagonal. Deviations are taken from the means first, so "
    "data far from zero keeps its digits.\n"
    "Refused when n <= ddof (numpy: infinite or NaN). A NaN makes what depends on it NaN; nan_policy omit "
    "leaves out the whole observation, in all variables.";

#define ROW_VECTOR(id, dims, text)                                                                           \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = dims, .help = text                                          \
    }

enum { X, Y, DATA, NAN_POLICY, DDOF };

static const struct kiln_row correlation_params[] = {
    ROW_VECTOR("x", "n>=2", "values of the first variable; together with y"),
    ROW_VECTOR("y", "n>=2", "values of the second variable, in the same order"),
    ROW_VECTOR("data", "m k>=2", "instead of x and y: m variables, each a row of k observations"),
    ROW_NAN_POLICY("what a NaN does: make its results NaN, have its observation left out, or be refused"),
};

static const struct kiln_row correlation_results[] = {
    {.name = "r",
     .kind = KILN_FLOAT,
     .help = "coefficient of x and y, -1..1; null without spread, and with data"},
    {.name = "matrix",
     .kind = KILN_ARRAY,
     .flags = KILN_OPTIONAL,
     .shape = "m m",
     .help = "coefficients of each two rows of data; left out with x and y"},
};

static const struct kiln_golden correlation_goldens[] = {
    {.title = "two vectors",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,3,2,5]}",
     .result = "{\"r\":0.8315218406202999}",
     .rtol = 1e-14},
    {.title = "three variables",
     .args = "{\"data\":[[1,2,3,4],[1,3,2,5],[8,6,4,2]]}",
     .result = "{\"matrix\":[[1,0.8315218406202999,-1],[0.8315218406202999,1,-0.8315218406202999],"
               "[-1,-0.8315218406202999,1]]}",
     .rtol = 1e-14},
    {.title = "no spread", .args = "{\"x\":[2.385,2.385,2.385],\"y\":[1,2,3]}", .result = "{\"r\":null}"},
    {.title = "y missing",
     .args = "{\"x\":[1,2,3]}",
     .status = KILN_INVALID,
     .result = "y is missing, expected as many values as x has"},
    {.title = "10,000 pairs", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

/* KILN_OK with *ret_matrix 1 for data, 0 for x and y. */
static int which_form(struct kiln_call *call, const struct kiln_slot *args, int *ret_matrix)
{
    const int x = args[X].present, y = args[Y].present, data = args[DATA].present;
    if (data && (x || y)) {
        return call->host->fail(call, KILN_INVALID, "data",
                                "data is given beside %s, expected either data or x and y", x ? "x" : "y");
    }
    if (!data && !x && !y) {
        return call->host->fail(call, KILN_INVALID, "x", "x is missing, expected x and y, or data");
    }
    if (!data && !(x && y)) {
        return call->host->fail(call, KILN_INVALID, x ? "y" : "x",
                                "%s is missing, expected as many values as %s has", x ? "y" : "x",
                                x ? "x" : "y");
    }
    *ret_matrix = data;
    return KILN_OK;
}

static int vectors(struct kiln_call *call, const struct kiln_slot *args, int64_t ddof,
                   struct coreduction *ret)
{
    struct sample x, y;
    int status = sample_take_pairs(call, &args[X], &args[Y], nan_policy_of(&args[NAN_POLICY]), &x, &y);
    if (status == KILN_OK) {
        status = sample_check_ddof(call, &x, "x", ddof);
    }
    if (status == KILN_OK) {
        reduce_comoments(call->state, x.x, y.x, x.n, ret);
    }
    return status;
}

static int correlation_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    int matrix = 0;
    int status = which_form(call, args, &matrix);
    if (status) {
        return status;
    }
    if (matrix) {
        struct table t;
        status = table_take(call, &args[DATA], nan_policy_of(&args[NAN_POLICY]), &t);
        return status ? status : table_correlation(call, &t, results[1].array.data);
    }
    struct coreduction c;
    status = vectors(call, args, 0, &c);
    if (status) {
        return status;
    }
    if (c.m.sxx == 0 || c.m.syy == 0) {
        return KILN_OK; /* no spread: null */
    }
    const double r = c.m.sxy / sqrt(c.m.sxx * c.m.syy);
    return give(&results[0], r > 1 ? 1 : r < -1 ? -1 : r);
}

const struct kiln_function stats_correlation = {
    KILN_FUNCTION_HEAD,       .flags = KILN_PURE,
    .name = "correlation",    .summary = "Pearson's correlation, of two vectors or as a matrix",
    .help = correlation_help, TABLES(correlation),
    .run = correlation_run,
};

static const struct kiln_row covariance_params[] = {
    ROW_VECTOR("x", "n", "values of the first variable; together with y"),
    ROW_VECTOR("y", "n", "values of the second variable, in the same order"),
    ROW_VECTOR("data", "m k", "instead of x and y: m variables, each a row of k observations"),
    ROW_NAN_POLICY("what a NaN does: make its results NaN, have its observation left out, or be refused"),
    ROW_DDOF("1", HELP_DDOF),
};

static const struct kiln_row covariance_results[] = {
    {.name = "cov", .kind = KILN_FLOAT, .help = "covariance of x and y; null with data"},
    {.name = "matrix",
     .kind = KILN_ARRAY,
     .flags = KILN_OPTIONAL,
     .shape = "m m",
     .help = "covariances of each two rows of data; left out with x and y"},
};

static const struct kiln_golden covariance_goldens[] = {
    {.title = "two vectors",
     .args = "{\"x\":[1,2,3,4],\"y\":[1,3,2,5]}",
     .result = "{\"cov\":1.8333333333333333}",
     .rtol = 1e-15},
    {.title = "two variables far from zero, of a population",
     .args = "{\"data\":[[1000000001,1000000002,1000000003,1000000004],[1,3,2,5]],\"ddof\":0}",
     .result = "{\"matrix\":[[1.25,1.375],[1.375,2.1875]]}",
     .rtol = 1e-15},
    {.title = "one observation",
     .args = "{\"data\":[[2.385],[1]]}",
     .status = KILN_INVALID,
     .result = "ddof is 1, expected less than the 1 observations of data"},
    {.title = "10,000 pairs", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int covariance_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    int matrix = 0;
    const int64_t ddof = args[DDOF].i64;
    int status = which_form(call, args, &matrix);
    if (status) {
        return status;
    }
    if (matrix) {
        struct table t;
        status = table_take(call, &args[DATA], nan_policy_of(&args[NAN_POLICY]), &t);
        if (status) {
            return status;
        }
        if ((int64_t) t.n <= ddof) {
            return call->host->fail(call, KILN_INVALID, "ddof",
                                    "ddof is %lld, expected less than the %zu observations of data%s",
                                    (long long) ddof, t.n, t.omitted ? " without NaN" : "");
        }
        return table_covariance(call, &t, (double) ddof, results[1].array.data);
    }
    struct coreduction c;
    status = vectors(call, args, ddof, &c);
    return status ? status : give(&results[0], c.m.sxy / (c.m.n - (double) ddof) / c.scale_x / c.scale_y);
}

const struct kiln_function stats_covariance = {
    KILN_FUNCTION_HEAD,      .flags = KILN_PURE,
    .name = "covariance",    .summary = "covariance, of two vectors or as a matrix",
    .help = covariance_help, TABLES(covariance),
    .run = covariance_run,
};
