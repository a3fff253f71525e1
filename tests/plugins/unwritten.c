/* SPDX-License-Identifier: MPL-2.0 */
/* unwritten - leaves the first element of its result as it found it, where the right answer is 0. */
#include "bad.h"

static const struct kiln_row params[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n", .flags = KILN_REQUIRED},
};

static const struct kiln_row results[] = {
    {.name = "step", .kind = KILN_ARRAY, .shape = "n"},
};

static const struct kiln_golden goldens[] = {
    {.title = "steps", .args = "{\"x\":[2.5,4,3]}", .result = "{\"step\":[0,1.5,-1]}"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double *x = args[0].array.data;
    double *step = out[0].array.data;
    for (int64_t i = 1; i < args[0].array.count; i++) {
        step[i] = x[i] - x[i - 1];
    }
    return KILN_OK;
}

static const struct kiln_function function = {
    KILN_FUNCTION_HEAD, .name = "f",    .summary = "differences", .params = params, .n_params = 1,
    .results = results, .n_results = 1, .goldens = goldens,       .n_goldens = 1,   .run = run,
};
BAD_PLUGIN("unwritten");
