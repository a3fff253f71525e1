/* SPDX-License-Identifier: MPL-2.0 */
/* law_function - the function dist_<name> of a law: rows that all share, and how they are run.
 *
 * A file of such functions defines for each the array <name>_params (ROWS_LAW around the rows of its shape
 * parameters, in the order in which the law reads them), <name>_goldens and <name>_help, and then
 * LAW_FUNCTION(name, "summary"). */
#ifndef LAW_FUNCTION_H
#define LAW_FUNCTION_H

#include <math.h>

#include "functions.h"
#include "laws.h"
#include "sample.h"

/* Counts on the parameters being x, of, shapes, loc, nan_policy, and for continuous laws scale at the end. */
int law_run(const struct law *law, struct kiln_call *call, const struct kiln_slot *args,
            struct kiln_slot *results);

/* The same with a kernel that answers for at most LAW_BLOCK places, or says false. */
#define LAW_BLOCK 65536
typedef bool law_kernel(const struct kernels *k, const char *of, double loc, double scale, const double *x,
                        size_t n, double *values);
int law_run_with(const struct law *law, law_kernel *kernel, struct kiln_call *call,
                 const struct kiln_slot *args, struct kiln_slot *results);

extern const struct kiln_row law_results[3];

#define ROW_SHAPE(id, from, to, bounds, ...)                                                                 \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_REQUIRED | KILN_FINITE | (bounds), .min = from,        \
        .max = to, __VA_ARGS__                                                                               \
    }
#define ROW_WHOLE(id, to, text)                                                                              \
    {                                                                                                        \
        .name = id, .kind = KILN_INT, .flags = KILN_REQUIRED, .min = 0, .max = to, .help = text              \
    }

#define OF_OTHERS "|cdf|logcdf|sf|logsf|ppf|isf"
#define ROW_LAW_X                                                                                            \
    {                                                                                                        \
        .name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n",                               \
        .help = "places; for ppf and isf probabilities, 0..1"                                                \
    }
#define ROW_OF(choice, standard)                                                                             \
    {                                                                                                        \
        .name = "of", .kind = KILN_STRING, .choices = choice, .fallback = standard,                          \
        .help = "which function: density or mass, P(X <= x), sf = P(X > x), their logarithms, or the "       \
                "inverses ppf of cdf and isf of sf"                                                          \
    }
#define ROW_LOC                                                                                              \
    {                                                                                                        \
        .name = "loc", .kind = KILN_FLOAT, .flags = KILN_FINITE, .fallback = "0",                            \
        .help = "what is added to a variable in standard position, in the unit of x"                         \
    }
#define ROW_LAW_NAN_POLICY                                                                                   \
    ROW_NAN_POLICY("what a NaN in x does: give NaN in its place (propagate and omit), or be refused")
#define ROW_SCALE                                                                                            \
    {                                                                                                        \
        .name = "scale", .kind = KILN_FLOAT, .flags = KILN_FINITE | KILN_OPEN_MIN, .min = 0,                 \
        .max = HUGE_VAL, .fallback = "1",                                                                    \
        .help = "what a variable in standard position is multiplied by before loc is added, in the unit "    \
                "of x"                                                                                       \
    }
#define ROWS_CONTINUOUS(...)                                                                                 \
    {                                                                                                        \
        ROW_LAW_X, ROW_OF("pdf|logpdf" OF_OTHERS, "\"pdf\""), __VA_ARGS__ ROW_LOC, ROW_LAW_NAN_POLICY,       \
            ROW_SCALE                                                                                        \
    }
#define ROWS_DISCRETE(...)                                                                                   \
    {                                                                                                        \
        ROW_LAW_X, ROW_OF("pmf|logpmf" OF_OTHERS, "\"pmf\""), __VA_ARGS__ ROW_LOC, ROW_LAW_NAN_POLICY        \
    }

#define HELP_TAILS                                                                                           \
    "\ncdf, sf, their logarithms and the inverses are right to 1e-13 relative, also far out: sf is not "     \
    "1 - cdf. A NaN in x gives NaN in its place; for ppf and isf an x outside of 0..1 is refused. mean and " \
    "var are null where they are not defined, and may be infinite."
#define HELP_WHOLE                                                                                           \
    " The mass is 0 where x - loc is not a whole number. ppf is the least k with cdf(k) >= x, isf the "      \
    "least with sf(k) <= x; where every k has that, one less than the least value, as SciPy has it."

#define LAW_FUNCTION(id, text)                                                                               \
    static int id##_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)     \
    {                                                                                                        \
        return law_run(&law_##id, call, args, results);                                                      \
    }                                                                                                        \
    LAW_DESCRIPTOR(id, text)

/* For one that defines <name>_run itself. */
#define LAW_DESCRIPTOR(id, text)                                                                             \
    const struct kiln_function stats_dist_##id = {                                                           \
        KILN_FUNCTION_HEAD,                                                                                  \
        .flags = KILN_PURE,                                                                                  \
        .name = "dist_" #id,                                                                                 \
        .summary = text,                                                                                     \
        .help = id##_help,                                                                                   \
        .params = id##_params,                                                                               \
        .n_params = KILN_COUNT(id##_params),                                                                 \
        .results = law_results,                                                                              \
        .n_results = KILN_COUNT(law_results),                                                                \
        .goldens = id##_goldens,                                                                             \
        .n_goldens = KILN_COUNT(id##_goldens),                                                               \
        .run = id##_run,                                                                                     \
    }

#endif
