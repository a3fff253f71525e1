/* SPDX-License-Identifier: MPL-2.0 */
/* sample - the values of an argument after the caller's word on NaN.
 *
 * nan_policy, as in SciPy:
 *   propagate  nothing is looked at: a NaN makes what depends on it NaN
 *   omit       results are those of the other values
 *   raise      a NaN is refused
 *
 * Borrowed memory: the argument itself, or a copy without NaN in the call's arena. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <kiln/plugin.h>
#include <math.h>

#include "kernels.h"

enum nan_policy { NAN_PROPAGATE, NAN_OMIT, NAN_RAISE };

struct sample {
    const double *x;
    size_t n;
    size_t omitted; /* NaN left out */
};

enum nan_policy nan_policy_of(const struct kiln_slot *slot);

/* The sample of the array `slot`, whose name is `field`. Fails when NaN is refused, or nothing would be
 * left. */
int sample_take(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                enum nan_policy policy, struct sample *ret);

/* The same for two arrays of equal length: a pair with a NaN is left out as a whole. */
int sample_take_pairs(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *y,
                      enum nan_policy policy, struct sample *ret_x, struct sample *ret_y);

/* Refuses NaN when the slot of nan_policy says so; for functions in which a NaN reaches what it reaches. */
int sample_check_nan(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                     const struct kiln_slot *policy);

/* Refuses a ddof that is not less than the number of values. */
int sample_check_ddof(struct kiln_call *call, const struct sample *s, const char *field, int64_t ddof);

/* The rows that functions share, in the order of their parameters. */
#define ROW_X(text)                                                                                          \
    {                                                                                                        \
        .name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .help = text                  \
    }
#define ROW_DDOF(standard, text)                                                                             \
    {                                                                                                        \
        .name = "ddof", .kind = KILN_INT, .min = 0, .max = HUGE_VAL, .fallback = standard, .help = text      \
    }
#define ROW_NAN_POLICY(text)                                                                                 \
    {                                                                                                        \
        .name = "nan_policy", .kind = KILN_STRING, .choices = "propagate|omit|raise",                        \
        .fallback = "\"propagate\"", .help = text                                                            \
    }

#define ROW_NAN_RAISE(text)                                                                                  \
    {                                                                                                        \
        .name = "nan_policy", .kind = KILN_STRING, .choices = "propagate|raise",                             \
        .fallback = "\"propagate\"", .help = text                                                            \
    }

#define HELP_DDOF       "delta degrees of freedom: the divisor is n - ddof"
#define HELP_NAN_POLICY "what a NaN in x does: make the result NaN, be left out, or be refused"

#endif
