/* SPDX-License-Identifier: MPL-2.0 */
/* rolling - a value for each window that ends at a value of x, for any length, gaps included.
 *
 * Clean series go to the kernels. What has NaN, infinities, two series, or windows that need not be full goes
 * through sums that count what they hold; extremes with gaps through the kernels again, with the gaps filled by
 * what never is one. Values that are too large or small to be squared are multiplied by a power of two
 * meanwhile. */
#ifndef ROLLING_H
#define ROLLING_H

#include "kernels.h"
#include "sample.h"

/* Arguments that all rolling functions share, at the same places in their rows. */
enum { ROLLING_ARG_X, ROLLING_ARG_WINDOW, ROLLING_ARG_MIN_PERIODS, ROLLING_ARG_NAN_POLICY, ROLLING_ARGS };

/* Reads and judges the shared arguments; `y` is the slot of the second series, or NULL. */
int windows_take(struct kiln_call *call, const struct kiln_slot *args, const struct kiln_slot *y,
                 struct windows *ret);

/* out[i] belongs to the window that ends at x[i]; NaN where it has too few values. */
int rolling_values(struct kiln_call *call, enum rolling what, const struct windows *w, double *out);

/* Replaces x by a copy multiplied by a power of two when sums or squares of its n values would leave the range of
 * a double, and divides what was computed from it again. magnitude is what that kernel says of x. */
int rolling_scaled(struct kiln_call *call, enum rolling what, size_t n, double magnitude, const double **x,
                   double *ret_scale);
void rolling_unscale(enum rolling what, double *out, size_t n, double scale_x, double scale_y);

#define ROWS_ROLLING(text)                                                                                   \
    [ROLLING_ARG_X] = {.name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .help = text}, \
    [ROLLING_ARG_WINDOW] = {.name = "window",                                                                \
                            .kind = KILN_INT,                                                                \
                            .flags = KILN_REQUIRED,                                                          \
                            .min = 1,                                                                        \
                            .max = HUGE_VAL,                                                                 \
                            .unit = "values",                                                                \
                            .help = "length of the window, which ends at the value it is given for"},        \
    [ROLLING_ARG_MIN_PERIODS] = {.name = "min_periods",                                                      \
                                 .kind = KILN_INT,                                                           \
                                 .min = 1,                                                                   \
                                 .max = HUGE_VAL,                                                            \
                                 .unit = "values",                                                           \
                                 .help = "least number of values for a result; window unless given"},        \
    [ROLLING_ARG_NAN_POLICY] =                                                                               \
        ROW_NAN_POLICY("what a NaN does: make the windows it is in NaN, be left out of them, or be refused")

#define HELP_ROLLING                                                                                         \
    "Result i belongs to the window x[i - window + 1] .. x[i]; the first window - 1 results are NaN. With "  \
    "min_periods, shorter windows at the start count once they have so many values, and window may exceed "  \
    "n. A NaN makes the windows that contain it NaN and no others; with nan_policy omit it is left out, "    \
    "and "                                                                                                   \
    "min_periods counts the values that remain (pandas.Series.rolling, bottleneck)."

#endif
