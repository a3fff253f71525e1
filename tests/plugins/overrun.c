/* SPDX-License-Identifier: MPL-2.0 */
/* overrun - writes past the end of its result, or before its beginning, when asked to. */
#include "bad.h"

enum { X, BY };

static const struct kiln_row params[] = {
    [X] = {.name = "x", .kind = KILN_ARRAY, .shape = "n", .flags = KILN_REQUIRED},
    [BY] =
        {.name = "by", .kind = KILN_INT, .fallback = "0", .min = -8, .max = 8, .help = "Elements too many"},
};

static const struct kiln_row results[] = {
    {.name = "y", .kind = KILN_ARRAY, .shape = "n"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double *x = args[X].array.data;
    double *y = out[0].array.data;
    int64_t n = args[X].array.count, by = args[BY].i64;
    for (int64_t i = by < 0 ? by : 0; i < n + (by > 0 ? by : 0); i++) {
        y[i] = i >= 0 && i < n ? 2.385 * x[i] : 2.385;
    }
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "within", .args = "{\"x\":[1,2]}", .result = "{\"y\":[2.385,4.77]}", .rtol = 1e-12},
};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "f",
                                              .summary = "y = 2.385 x, and more",
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = results,
                                              .n_results = KILN_COUNT(results),
                                              .goldens = goldens,
                                              .n_goldens = KILN_COUNT(goldens),
                                              .run = run};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {KILN_PLUGIN_HEAD,       .name = "overrun",
                                        .version = "0.1.0",     .summary = "Writes out of bounds on command",
                                        .functions = functions, .n_functions = 1};
