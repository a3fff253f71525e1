/* SPDX-License-Identifier: MPL-2.0 */
/* extremes - sum, smallest and largest value. */
#include <math.h>

#include "along.h"

static const char sum_help[] =
    "Sum of all values, as numpy.sum. Made from blocks that are joined in pairs, so that its error grows "
    "with the "
    "logarithm of n; finite values whose sum leaves the range of a double on the way only still have it.\n"
    "A NaN in x makes the sum NaN unless nan_policy says otherwise.";

static const char min_help[] =
    "Smallest value, as numpy.min. A NaN makes it NaN unless nan_policy says otherwise.";

static const char max_help[] =
    "Largest value, as numpy.max. A NaN makes it NaN unless nan_policy says otherwise.";

static const char ptp_help[] = "Range (peak to peak), the largest value less the smallest, as numpy.ptp, "
                               "with both of them, from one pass.\n"
                               "A NaN makes them NaN unless nan_policy says otherwise.";

#define PARAMS(name) static const struct kiln_row name##_params[] = {ROWS_ALONG("values", HELP_NAN_POLICY)}

/* ---- sum ----------------------------------------------------------------------------------------------- */

PARAMS(sum);

static const struct kiln_row sum_results[] = {
    {.name = "sum", .kind = KILN_FLOAT, .help = "sum, in the unit of x"},
    ROW_ALONG_VALUES("sum"),
};

static const struct kiln_golden sum_goldens[] = {
    {.title = "a few values", .args = "{\"x\":[1,2.5,-4]}", .result = "{\"sum\":-0.5}"},
    {.title = "columns", .args = "{\"data\":[[1,2],[3,4.5]]}", .result = "{\"sum\":null,\"values\":[4,6.5]}"},
    {.title = "in range in the end",
     .args = "{\"x\":[1.5e308,1.5e308,-1.5e308]}",
     .result = "{\"sum\":1.5e308}"},
    {.title = "both forms at once",
     .args = "{\"x\":[1],\"data\":[[1]]}",
     .status = KILN_INVALID,
     .result = "data is given beside x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int sum_of(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                  const struct reduction *r, double *ret)
{
    (void) call, (void) args, (void) slice;
    *ret = reduction_sum(r);
    return KILN_OK;
}

static const struct reducer sum_reducer = {.outputs = 1, .powers = 1, .of_moments = sum_of};

ALONG_FUNCTION(sum, "sum")

/* ---- min, max, ptp: what they share is found together -------------------------------------------------- */

struct extremes {
    double min, max;
};

static struct extremes extremes_of(const struct kernels *k, const struct slice *slice)
{
    struct extremes e = {(double) NAN, (double) NAN};
    if (k->extremes(slice->s.x, slice->s.n, &e.min, &e.max)) {
        e.min = e.max = (double) NAN;
    }
    return e;
}

static void give_min(struct extremes e, double *ret)
{
    ret[0] = e.min;
}

static void give_max(struct extremes e, double *ret)
{
    ret[0] = e.max;
}

static void give_ptp(struct extremes e, double *ret)
{
    ret[0] = e.max - e.min;
    ret[1] = e.min;
    ret[2] = e.max;
}

#define REDUCER(name, n_outputs)                                                                             \
    static int name##_values(struct kiln_call *call, const struct kiln_slot *args,                           \
                             const struct slice *slice, double *ret)                                         \
    {                                                                                                        \
        (void) args;                                                                                         \
        give_##name(extremes_of(call->state, slice), ret);                                                   \
        return KILN_OK;                                                                                      \
    }                                                                                                        \
    static int name##_moments(struct kiln_call *call, const struct kiln_slot *args,                          \
                              const struct slice *slice, const struct reduction *r, double *ret)             \
    {                                                                                                        \
        (void) call, (void) args, (void) slice;                                                              \
        give_##name((struct extremes){r->m.min, r->m.max}, ret);                                             \
        return KILN_OK;                                                                                      \
    }                                                                                                        \
    static const struct reducer name##_reducer = {                                                           \
        .outputs = n_outputs, .of_values = name##_values, .of_moments = name##_moments}

PARAMS(min);

static const struct kiln_row min_results[] = {
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value"},
    ROW_ALONG_VALUES("smallest value"),
};

static const struct kiln_golden min_goldens[] = {
    {.title = "a few values", .args = "{\"x\":[3,-2.385,7]}", .result = "{\"min\":-2.385}"},
    {.title = "rows", .args = "{\"data\":[[3,1],[2,null]],\"axis\":1}", .result = "{\"values\":[1,null]}"},
    {.title = "of nothing", .args = "{\"x\":[]}", .status = KILN_INVALID},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

REDUCER(min, 1);
ALONG_FUNCTION(min, "smallest value")

PARAMS(max);

static const struct kiln_row max_results[] = {
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value"},
    ROW_ALONG_VALUES("largest value"),
};

static const struct kiln_golden max_goldens[] = {
    {.title = "a few values", .args = "{\"x\":[3,-2.385,7]}", .result = "{\"max\":7}"},
    {.title = "columns, without missing values",
     .args = "{\"data\":[[3,null],[2,null]],\"nan_policy\":\"omit\"}",
     .result = "{\"values\":[3,null]}"},
    {.title = "a missing value refused",
     .args = "{\"data\":[[3,1],[2,null]],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element [1,1] of data is NaN"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

REDUCER(max, 1);
ALONG_FUNCTION(max, "largest value")

PARAMS(ptp);

static const struct kiln_row ptp_results[] = {
    {.name = "ptp", .kind = KILN_FLOAT, .help = "largest value less the smallest"},
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value"},
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value"},
    ROW_ALONG_VALUES("range"),
    ROW_ALONG_ARRAY("min_values", "smallest value"),
    ROW_ALONG_ARRAY("max_values", "largest value"),
};

static const struct kiln_golden ptp_goldens[] = {
    {.title = "a few values", .args = "{\"x\":[3,-2.5,7]}", .result = "{\"ptp\":9.5,\"min\":-2.5,\"max\":7}"},
    {.title = "columns",
     .args = "{\"data\":[[3,1],[2,6]]}",
     .result = "{\"ptp\":null,\"values\":[1,5],\"min_values\":[2,1],\"max_values\":[3,6]}"},
    {.title = "missing values only",
     .args = "{\"x\":[null],\"nan_policy\":\"omit\"}",
     .status = KILN_INVALID,
     .result = "all 1 values are NaN"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

REDUCER(ptp, 3);
ALONG_FUNCTION(ptp, "range of the values, with smallest and largest")
