/* SPDX-License-Identifier: MPL-2.0 */
/* robust - figures that a few wild values do not move: median, deviations from it, quartile range, mode,
 * trimmed mean. */
#include <math.h>
#include <string.h>

#include "along.h"
#include "order.h"
#include "quantile.h"
#include "sorting.h"

static const char median_help[] = "Median: the middle one of the values in order, or the mean of the two in "
                                  "the middle, as numpy.median, found by "
                                  "selection instead of a full sort.\n"
                                  "A NaN makes it NaN unless nan_policy says otherwise.";

static const char median_abs_deviation_help[] =
    "MAD: median of the absolute deviations from the median, divided "
    "by scale, as scipy.stats.median_abs_deviation. With "
    "scale 1 it is not comparable with a standard deviation; "
    "0.6744897501960817 makes it so for normal values "
    "(scipy's \"normal\").";

static const char iqr_help[] =
    "Difference of the upper and the lower quartile, as scipy.stats.iqr: rng gives other percentages, method "
    "another "
    "kind of quantile, and scale a divisor (1.3489795003921634 for that of a normal distribution).";

static const char mode_help[] = "The most frequent value, of equally frequent ones the smallest, and how "
                                "often it occurs, as scipy.stats.mode. "
                                "0 and -0 are one value.\n"
                                "A NaN makes it null unless nan_policy says otherwise.";

static const char trim_mean_help[] = "Mean of the values that are left when floor(proportiontocut n) of them "
                                     "have been cut off at each end of their "
                                     "order, as scipy.stats.trim_mean.";

/* ---- median -------------------------------------------------------------------------------------------- */

static const struct kiln_row median_params[] = {ROWS_ALONG("values", HELP_NAN_POLICY)};

static const struct kiln_row median_results[] = {
    {.name = "median", .kind = KILN_FLOAT, .help = "median"},
    ROW_ALONG_VALUES("median"),
};

static const struct kiln_golden median_goldens[] = {
    {.title = "four values", .args = "{\"x\":[7,1,3,2]}", .result = "{\"median\":2.5}"},
    {.title = "columns", .args = "{\"data\":[[7,1],[3,2],[5,null]]}", .result = "{\"values\":[5,null]}"},
    {.title = "missing values only",
     .args = "{\"x\":[null,null],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "all 2 values are NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int median_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                         double *ret)
{
    (void) args;
    return order_median(call, slice->s.x, slice->s.n, ret);
}

static const struct reducer median_reducer = {.outputs = 1, .orders = true, .of_values = median_values};

ALONG_FUNCTION(median, "median")

/* ---- median_abs_deviation ------------------------------------------------------------------------------ */

enum { MAD_SCALE = ALONG_PARAMS };

static const struct kiln_row median_abs_deviation_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    {.name = "scale",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE | KILN_OPEN_MIN,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "1.0",
     .help = "the result is divided by it"},
};

static const struct kiln_row median_abs_deviation_results[] = {
    {.name = "median_abs_deviation",
     .kind = KILN_FLOAT,
     .help = "median absolute deviation, in the unit of x"},
    ROW_ALONG_VALUES("median absolute deviation"),
};

static const struct kiln_golden median_abs_deviation_goldens[] = {
    {.title = "a wild value", .args = "{\"x\":[1,2,3,4,1000]}", .result = "{\"median_abs_deviation\":1}"},
    {.title = "scaled, rows",
     .args = "{\"data\":[[1,2,6],[4,4,4]],\"axis\":1,\"scale\":0.5}",
     .result = "{\"values\":[2,0]}"},
    {.title = "no scale", .args = "{\"x\":[1],\"scale\":0}", .status = KILN_INVALID, .result = "scale"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int median_abs_deviation_values(struct kiln_call *call, const struct kiln_slot *args,
                                       const struct slice *slice, double *ret)
{
    double median;
    int status = order_median(call, slice->s.x, slice->s.n, &median);
    if (status == KILN_OK) {
        status = order_deviation(call, slice->s.x, slice->s.n, median, ret);
    }
    if (status == KILN_OK) {
        *ret /= args[MAD_SCALE].f64;
    }
    return status;
}

static const struct reducer median_abs_deviation_reducer = {
    .outputs = 1, .orders = true, .of_values = median_abs_deviation_values};

ALONG_FUNCTION(median_abs_deviation, "median absolute deviation")

/* ---- iqr ----------------------------------------------------------------------------------------------- */

enum { RNG = ALONG_PARAMS, IQR_METHOD, IQR_SCALE };

static const struct kiln_row iqr_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    {.name = "rng",
     .kind = KILN_ARRAY,
     .flags = KILN_FINITE,
     .shape = "2",
     .unit = "percent",
     .min = 0,
     .max = 100,
     .fallback = "[25,75]",
     .help = "the lower and the upper percentage"},
    {.name = "method",
     .kind = KILN_STRING,
     .choices = "linear|lower|higher|nearest|midpoint|inverted_cdf|averaged_inverted_cdf|closest_observation|"
                "interpolated_inverted_cdf|hazen|weibull|median_unbiased|normal_unbiased",
     .fallback = "\"linear\"",
     .help = "what a quantile between two values is, as of quantile"},
    {.name = "scale",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE | KILN_OPEN_MIN,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "1.0",
     .help = "the result is divided by it"},
};

static const struct kiln_row iqr_results[] = {
    {.name = "iqr", .kind = KILN_FLOAT, .help = "quantile range, in the unit of x"},
    ROW_ALONG_VALUES("quantile range"),
};

static const struct kiln_golden iqr_goldens[] = {
    {.title = "1..5", .args = "{\"x\":[5,4,3,2,1]}", .result = "{\"iqr\":2}"},
    {.title = "from the tenth to the ninetieth percent",
     .args = "{\"x\":[0,10,20,30,40,50,60,70,80,90,100],\"rng\":[10,90]}",
     .result = "{\"iqr\":80}"},
    {.title = "columns", .args = "{\"data\":[[1,1],[2,1],[3,1]]}", .result = "{\"values\":[1,0]}"},
    {.title = "the wrong way round",
     .args = "{\"x\":[1,2],\"rng\":[75,25]}",
     .status = KILN_INVALID,
     .result = "rng is 75, 25, expected ascending"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int iqr_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                      double *ret)
{
    const double *rng = args[RNG].array.data, q[] = {rng[0] / 100, rng[1] / 100};
    double values[2];
    if (rng[0] > rng[1]) {
        return call->host->fail(call, KILN_INVALID, "rng",
                                "rng is %.15g, %.15g, expected ascending percentages", rng[0], rng[1]);
    }
    int status =
        quantiles(call, slice->s.x, slice->s.n, quantile_method_of(args[IQR_METHOD].text), q, 2, values);
    if (status == KILN_OK) {
        *ret = (values[1] - values[0]) / args[IQR_SCALE].f64;
    }
    return status;
}

static const struct reducer iqr_reducer = {.outputs = 1, .orders = true, .of_values = iqr_values};

ALONG_FUNCTION(iqr, "interquartile range")

/* ---- mode ---------------------------------------------------------------------------------------------- */

static const struct kiln_row mode_params[] = {ROWS_ALONG("values", HELP_NAN_POLICY)};

static const struct kiln_row mode_results[] = {
    {.name = "mode", .kind = KILN_FLOAT, .help = "most frequent value"},
    {.name = "count", .kind = KILN_INT, .help = "how often it occurs"},
    ROW_ALONG_VALUES("most frequent value"),
    ROW_ALONG_ARRAY("counts", "number of occurrences of the most frequent value"),
};

static const struct kiln_golden mode_goldens[] = {
    {.title = "the smaller of two", .args = "{\"x\":[3,1,3,1,2]}", .result = "{\"mode\":1,\"count\":2}"},
    {.title = "rows",
     .args = "{\"data\":[[3,1,3],[1,2,4]],\"axis\":1}",
     .result = "{\"values\":[3,1],\"counts\":[2,1]}"},
    {.title = "a missing value", .args = "{\"x\":[3,null,3]}", .result = "{\"mode\":null,\"count\":null}"},
    {.title = "of nothing", .args = "{\"x\":[]}", .status = KILN_INVALID},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int mode_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                       double *ret)
{
    (void) args;
    const size_t n = slice->s.n;
    if (n > SORT_MOST) {
        return call->host->fail(call, KILN_INVALID, slice_field(slice),
                                "%s has %zu values, expected at most %zu", slice_name(slice).text, n,
                                SORT_MOST);
    }
    double *sorted = call->host->alloc(call, n * sizeof *sorted);
    void *scratch = call->host->alloc(call, sort_scratch_bytes(n));
    if (!sorted || !scratch) {
        return KILN_RESOURCE;
    }
    memcpy(sorted, slice->s.x, n * sizeof *sorted);
    int status = sort_values(call, sorted, n, scratch);
    if (status) {
        return status;
    }
    size_t most = 0;
    for (size_t i = 0, start = 0; i < n; i++) {
        start = sorted[i] == sorted[start] ? start : i;
        if (i - start + 1 > most) {
            most = i - start + 1;
            ret[0] = sorted[start];
        }
    }
    ret[1] = (double) most;
    return KILN_OK;
}

static const struct reducer mode_reducer = {.outputs = 2, .orders = true, .of_values = mode_values};

ALONG_FUNCTION(mode, "most frequent value")

/* ---- trim_mean ----------------------------------------------------------------------------------------- */

enum { PROPORTION = ALONG_PARAMS };

static const struct kiln_row trim_mean_params[] = {
    ROWS_ALONG("values", HELP_NAN_POLICY),
    {.name = "proportiontocut",
     .kind = KILN_FLOAT,
     .flags = KILN_REQUIRED | KILN_OPEN_MAX,
     .unit = "fraction",
     .min = 0,
     .max = 0.5,
     .help = "the part of the values that is cut off at each end"},
};

static const struct kiln_row trim_mean_results[] = {
    {.name = "trim_mean", .kind = KILN_FLOAT, .help = "trimmed mean"},
    ROW_ALONG_VALUES("trimmed mean"),
};

static const struct kiln_golden trim_mean_goldens[] = {
    {.title = "one at each end",
     .args = "{\"x\":[5,-1000,4,3,1000],\"proportiontocut\":0.2}",
     .result = "{\"trim_mean\":4}"},
    {.title = "not a whole one",
     .args = "{\"x\":[1,2,6],\"proportiontocut\":0.3}",
     .result = "{\"trim_mean\":3}"},
    {.title = "columns",
     .args = "{\"data\":[[9,1],[1,2],[2,3],[3,4]],\"proportiontocut\":0.25}",
     .result = "{\"values\":[2.5,2.5]}"},
    {.title = "half",
     .args = "{\"x\":[1,2],\"proportiontocut\":0.5}",
     .status = KILN_INVALID,
     .result = "proportiontocut"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]},\"proportiontocut\":0.1}"},
};

/* The values of ranks first..last, in any order, in `to`: those between the two at the ends, and as many of
 * their equals as there are places left. */
static size_t take_middle(const struct sample *s, size_t first, size_t last, const double ends[2], double *to)
{
    size_t count = 0, least = 0, below = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double v = s->x[i];
        to[count] = v;
        count += v > ends[0] && v < ends[1];
        below += v < ends[0];
        least += v == ends[0];
    }
    const size_t wanted = last - first + 1;
    const size_t lower = ends[0] == ends[1] || below + least > last ? wanted : below + least - first;
    for (size_t i = 0; i < lower && count < wanted; i++) {
        to[count++] = ends[0];
    }
    while (count < wanted) {
        to[count++] = ends[1];
    }
    return count;
}

static int trim_mean_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                            double *ret)
{
    const struct sample *s = &slice->s;
    const size_t cut = (size_t) (args[PROPORTION].f64 * (double) s->n), ranks[] = {cut, s->n - 1 - cut};
    if (cut == 0) {
        *ret = reduce_mean(call->state, s->x, s->n);
        return KILN_OK;
    }
    double ends[2], *middle = call->host->alloc(call, (s->n + 1) * sizeof *middle);
    if (!middle) {
        return KILN_RESOURCE;
    }
    int status = order_values(call, s->x, s->n, ranks, 2, ends);
    if (status == KILN_OK) {
        *ret = reduce_mean(call->state, middle, take_middle(s, ranks[0], ranks[1], ends, middle));
    }
    return status;
}

static const struct reducer trim_mean_reducer = {.outputs = 1, .orders = true, .of_values = trim_mean_values};

ALONG_FUNCTION(trim_mean, "mean without the values at both ends")
