/* SPDX-License-Identifier: MPL-2.0 */
/* along - functions that make a number, or a few, of many values: of all of x, or of each column (axis 0) or
 * row (axis 1) of the matrix data.
 *
 * A family says what it makes of one slice; taking x or data apart, nan_policy, and columns of a matrix a
 * block at a time are done here:
 *
 *     static const struct kiln_row mean_params[] = {ROWS_ALONG("values", HELP_NAN_POLICY)};
 *     static const struct kiln_row mean_results[] = {{.name = "mean", ...}, ROW_ALONG_VALUES("mean")};
 *     static const struct reducer mean_reducer = {.outputs = 1, .powers = 1, .of_moments = mean_of};
 *     ALONG_FUNCTION(mean, "arithmetic mean")
 *
 * Results come in the order of outputs: first one number for each (set for x), then one array for each (set
 * for data). A slice of data without values after nan_policy omit, or with too few, has NaN; x is refused
 * then. */
#ifndef ALONG_H
#define ALONG_H

#include "functions.h"
#include "reduce.h"
#include "sample.h"

enum { ALONG_X, ALONG_DATA, ALONG_AXIS, ALONG_NAN_POLICY, ALONG_PARAMS, ALONG_COMPANION = ALONG_PARAMS };

enum { ALONG_OUTPUTS = 4 };       /* most numbers that a reducer makes */
enum { ALONG_NO_ANSWER = -1000 }; /* what a reducer returns for NaN in all outputs */

struct slice {
    struct sample s;
    const double *companion; /* of the same length: weights and the like; NULL when not given */
    int64_t at, axis;        /* which row or column of data; at is -1 for x */
};

typedef int reduce_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                          double *ret);
typedef int reduce_powers(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                          const struct reduction *r, double *ret);

/* of_moments is given sums up to `powers`: 1 (n and sum only), 2 or 4. A reducer without it takes the values
 * themselves. One with both is asked by values, but by moments for the columns of a matrix; then powers may
 * also be 0 for n, sum, min and max. */
struct reducer {
    int outputs;
    int powers;
    bool orders;           /* puts values in order: a NaN among them makes all outputs NaN unasked */
    const char *companion; /* the name of the row at ALONG_COMPANION */
    reduce_values *of_values;
    reduce_powers *of_moments;
};

int along_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results,
              const struct reducer *r);

/* "x" or "column 3 of data". */
struct slice_name {
    char text[48];
};
struct slice_name slice_name(const struct slice *slice);
const char *slice_field(const struct slice *slice); /* "x" or "data" */

/* KILN_OK when there are more than ddof values. */
int slice_check_ddof(struct kiln_call *call, const struct slice *slice, int64_t ddof);

#define ROWS_ALONG(text, nan_text)                                                                           \
    {.name = "x", .kind = KILN_ARRAY, .shape = "n", .help = text},                                           \
        {.name = "data",                                                                                     \
         .kind = KILN_ARRAY,                                                                                 \
         .shape = "m k",                                                                                     \
         .help = "instead of x: a matrix, of whose columns or rows each is taken by itself"},                \
        {.name = "axis",                                                                                     \
         .kind = KILN_INT,                                                                                   \
         .min = 0,                                                                                           \
         .max = 1,                                                                                           \
         .fallback = "0",                                                                                    \
         .help = "with data: 0 goes down each column, 1 along each row"},                                    \
        ROW_NAN_POLICY(nan_text)

#define ROW_ALONG_ARRAY(id, text)                                                                            \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_OPTIONAL, .shape = "r",                                \
        .help = text " of each column or row of data; left out with x"                                       \
    }
#define ROW_ALONG_VALUES(text) ROW_ALONG_ARRAY("values", text)

#define ALONG_FUNCTION(id, text)                                                                             \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return along_run(call, args, results, &id##_reducer);                                                \
    }                                                                                                        \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = #id,     .summary = text,                            \
        .help = id##_help,  TABLES(id),         .run = id##_run,                                             \
    };

#endif
