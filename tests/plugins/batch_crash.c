/* SPDX-License-Identifier: MPL-2.0 */
/* batch_crash - computes jobs together, and dies in the middle of them when one asks for it. */
#include <stdlib.h>

#include "bad.h"

enum { X, DIE };

static const struct kiln_row params[] = {
    [X] = {.name = "x", .kind = KILN_FLOAT, .flags = KILN_REQUIRED},
    [DIE] = {.name = "die", .kind = KILN_BOOL, .fallback = "false"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    if (args[DIE].i64) {
        abort();
    }
    return bad_run(call, args, results);
}

static int run_batch(struct kiln_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        items[i].status = run(items[i].call, items[i].args, items[i].results);
    }
    return KILN_OK;
}

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "f",
                                              .summary = "y = 2.385 x, or the end",
                                              .max_batch = 64,
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = bad_results,
                                              .n_results = KILN_COUNT(bad_results),
                                              BAD_GOLDENS,
                                              .run = run,
                                              .run_batch = run_batch};
BAD_PLUGIN("batch_crash");
