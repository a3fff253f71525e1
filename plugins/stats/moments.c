/* SPDX-License-Identifier: MPL-2.0 */
/* moments - mean, variance and standard deviation, and the two that follow from them: the error of the mean
 * and the coefficient of variation. */
#include "along.h"

static const char mean_help[] =
    "Arithmetic mean, sum(x) / n, as numpy.mean. The sum is made from blocks joined in pairs, so its error "
    "grows with the logarithm of n. Values whose sum overflows still have their mean.\n"
    "An empty x is refused. A NaN in x makes the mean NaN unless nan_policy says otherwise.";

static const char var_help[] =
    "Variance, sum((x - mean)^2) / (n - ddof), as numpy.var: ddof 0 gives that of a whole population, ddof "
    "1 the unbiased estimate from a sample.\n"
    "Deviations are taken from the mean in a second pass, never from raw squares: 1e9 + noise keeps the "
    "digits of the noise. Equal values have variance 0 exactly. Refused when n <= ddof (numpy: NaN).";

static const char std_help[] =
    "Standard deviation, the square root of the variance sum((x - mean)^2) / (n - ddof), as numpy.std with "
    "ddof 0 by default.\n"
    "Found also where the variance itself would leave the range of a double. Equal values have deviation 0 "
    "exactly. Refused when n <= ddof (numpy: NaN).";

static const char sem_help[] =
    "Standard error of the mean, std / sqrt(n) with std's divisor n - ddof and ddof 1 by default, as "
    "scipy.stats.sem. Refused when n <= ddof (scipy: NaN).";

static const char variation_help[] =
    "Coefficient of variation, std / mean with ddof 0 by default and the sign of the mean, as "
    "scipy.stats.variation. Where the mean is 0 it is infinite, or null when all values are 0.";

/* ---- mean ---------------------------------------------------------------------------------------------- */

static const struct kiln_row mean_params[] = {ROWS_ALONG("values", HELP_NAN_POLICY)};

static const struct kiln_row mean_results[] = {
    {.name = "mean", .kind = KILN_FLOAT, .help = "arithmetic mean"},
    ROW_ALONG_VALUES("mean"),
};

static const struct kiln_golden mean_goldens[] = {
    {.title = "mean of 1..10", .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}", .result = "{\"mean\":5.5}"},
    {.title = "a missing value left out",
     .args = "{\"x\":[2.385,null,7.615],\"nan_policy\":\"omit\"}",
     .result = "{\"mean\":5.0}",
     .rtol = 1e-15},
    {.title = "a missing value makes it missing",
     .args = "{\"x\":[2.385,null]}",
     .result = "{\"mean\":null}"},
    {.title = "a missing value refused",
     .args = "{\"x\":[1,null,3],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "columns of a matrix",
     .args = "{\"data\":[[1,2.5,4],[2,3.5,null]]}",
     .result = "{\"mean\":null,\"values\":[1.5,3,null]}"},
    {.title = "rows of a matrix, without missing values",
     .args = "{\"data\":[[1,2.5,4],[2,3.5,null]],\"axis\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"values\":[2.5,2.75]}"},
    {.title = "nothing to take the mean of",
     .args = "{}",
     .status = KILN_INVALID,
     .result = "x is missing, expected x or data"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int mean_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                   const struct reduction *r, double *ret)
{
    (void) call, (void) args, (void) slice;
    *ret = reduction_mean(r);
    return KILN_OK;
}

static const struct reducer mean_reducer = {.outputs = 1, .powers = 1, .of_moments = mean_of};

ALONG_FUNCTION(mean, "arithmetic mean")

/* ---- var, std, sem, variation -------------------------------------------------------------------------- */

enum { SPREAD_DDOF = ALONG_PARAMS };

static const struct kiln_row spread_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    ROW_DDOF("0", HELP_DDOF),
};

static const struct kiln_row sem_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    ROW_DDOF("1", HELP_DDOF),
};

#define var_params       spread_params
#define std_params       spread_params
#define variation_params spread_params

static const struct kiln_row var_results[] = {
    {.name = "var", .kind = KILN_FLOAT, .help = "variance, in the square of the unit of x"},
    ROW_ALONG_VALUES("variance"),
};

static const struct kiln_golden var_goldens[] = {
    {.title = "variance of 1..10", .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}", .result = "{\"var\":8.25}"},
    {.title = "of a sample",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10],\"ddof\":1}",
     .result = "{\"var\":9.166666666666666}",
     .rtol = 1e-15},
    {.title = "far from zero",
     .args = "{\"x\":[1000000004,1000000007,1000000013,1000000016],\"ddof\":1}",
     .result = "{\"var\":30}"},
    {.title = "one value of a sample",
     .args = "{\"x\":[2.385],\"ddof\":1}",
     .status = KILN_INVALID,
     .result = "ddof is 1, expected less than the 1 values of x"},
    {.title = "columns far from zero",
     .args = "{\"data\":[[1000000004,1],[1000000007,2],[1000000013,4],[1000000016,8]],\"ddof\":1}",
     .result = "{\"values\":[30,9.583333333333334]}",
     .rtol = 1e-15},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int var_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                  const struct reduction *r, double *ret)
{
    const int64_t ddof = args[SPREAD_DDOF].i64;
    *ret = reduction_var(r, (double) ddof);
    return slice_check_ddof(call, slice, ddof);
}

static const struct reducer var_reducer = {.outputs = 1, .powers = 2, .of_moments = var_of};

ALONG_FUNCTION(var, "variance")

static const struct kiln_row std_results[] = {
    {.name = "std", .kind = KILN_FLOAT, .help = "standard deviation, in the unit of x"},
    ROW_ALONG_VALUES("standard deviation"),
};

static const struct kiln_golden std_goldens[] = {
    {.title = "deviation of 1..10",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}",
     .result = "{\"std\":2.8722813232690143}",
     .rtol = 1e-15},
    {.title = "of equal values", .args = "{\"x\":[0.1,0.1,0.1,0.1,0.1,0.1]}", .result = "{\"std\":0}"},
    {.title = "as many values as ddof",
     .args = "{\"x\":[3,null,5],\"ddof\":2,\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "ddof is 2, expected less than the 2 values of x that are not NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"ddof\":1}"},
};

static int std_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                  const struct reduction *r, double *ret)
{
    const int64_t ddof = args[SPREAD_DDOF].i64;
    *ret = reduction_std(r, (double) ddof);
    return slice_check_ddof(call, slice, ddof);
}

static const struct reducer std_reducer = {.outputs = 1, .powers = 2, .of_moments = std_of};

ALONG_FUNCTION(std, "standard deviation")

static const struct kiln_row sem_results[] = {
    {.name = "sem", .kind = KILN_FLOAT, .help = "standard error of the mean, in the unit of x"},
    ROW_ALONG_VALUES("standard error of the mean"),
};

static const struct kiln_golden sem_goldens[] = {
    {.title = "1, 2, 3, 4",
     .args = "{\"x\":[1,2,3,4]}",
     .result = "{\"sem\":0.6454972243679028}",
     .rtol = 1e-15},
    {.title = "rows, in one of them a single value",
     .args = "{\"data\":[[1,5,null],[2,null,null]],\"axis\":1,\"nan_policy\":\"omit\"}",
     .result = "{\"values\":[2,null]}"},
    {.title = "one value",
     .args = "{\"x\":[2.385]}",
     .status = KILN_INVALID,
     .result = "ddof is 1, expected less than the 1 values of x"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int sem_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                  const struct reduction *r, double *ret)
{
    const int64_t ddof = args[SPREAD_DDOF].i64;
    *ret = reduction_std(r, (double) ddof) / sqrt(r->m.n);
    return slice_check_ddof(call, slice, ddof);
}

static const struct reducer sem_reducer = {.outputs = 1, .powers = 2, .of_moments = sem_of};

ALONG_FUNCTION(sem, "standard error of the mean")

static const struct kiln_row variation_results[] = {
    {.name = "variation", .kind = KILN_FLOAT, .help = "standard deviation in parts of the mean"},
    ROW_ALONG_VALUES("coefficient of variation"),
};

static const struct kiln_golden variation_goldens[] = {
    {.title = "1..10",
     .args = "{\"x\":[1,2,3,4,5,6,7,8,9,10]}",
     .result = "{\"variation\":0.5222329678670935}",
     .rtol = 1e-15},
    {.title = "a negative mean", .args = "{\"x\":[-1,-3]}", .result = "{\"variation\":-0.5}"},
    {.title = "nothing but zeros", .args = "{\"x\":[0,0]}", .result = "{\"variation\":null}"},
    {.title = "not one value more than ddof",
     .args = "{\"x\":[4,2],\"ddof\":2}",
     .status = KILN_INVALID,
     .result = "ddof is 2"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int variation_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                        const struct reduction *r, double *ret)
{
    const int64_t ddof = args[SPREAD_DDOF].i64;
    *ret = reduction_std(r, (double) ddof) / reduction_mean(r);
    return slice_check_ddof(call, slice, ddof);
}

static const struct reducer variation_reducer = {.outputs = 1, .powers = 2, .of_moments = variation_of};

ALONG_FUNCTION(variation, "coefficient of variation")
