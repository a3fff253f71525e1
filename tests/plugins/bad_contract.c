/* SPDX-License-Identifier: MPL-2.0 */
/* bad_contract - a shape that is none. */
#include "bad.h"

static const struct kiln_row params[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n>", .flags = KILN_REQUIRED},
};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "f",
                                              .summary = "y = 2.385 x",
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = bad_results,
                                              .n_results = KILN_COUNT(bad_results),
                                              BAD_GOLDENS,
                                              .run = bad_run};

BAD_PLUGIN("bad_contract");
