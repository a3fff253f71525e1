/* SPDX-License-Identifier: MPL-2.0 */
/* wrong_batch - gives another answer in company than alone. */
#include "bad.h"

/* Warm only, no result to compare: nothing but the comparison of company and alone can find it. */
static const struct kiln_golden goldens[] = {{.title = "two", .args = "{\"x\":2}", .rtol = 1e-12}};

static int run_batch(struct kiln_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        items[i].status = bad_run(items[i].call, items[i].args, items[i].results);
        items[i].results[0].f64 += (double) i * 1e-6; /* the first item is right */
    }
    return KILN_OK;
}

static const struct kiln_function function = {BAD_FUNCTION, .goldens = goldens, .n_goldens = 1,
                                              .run = bad_run, .run_batch = run_batch};
BAD_PLUGIN("wrong_batch");
