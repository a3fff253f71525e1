/* SPDX-License-Identifier: MPL-2.0 */
/* wrong_golden - its example promises what its function does not give. */
#include "bad.h"

static const struct kiln_golden goldens[] = {
    {.title = "two", .args = "{\"x\":2}", .result = "{\"y\":4.78}", .rtol = 1e-12},
};

static const struct kiln_function function = {BAD_FUNCTION, .goldens = goldens, .n_goldens = 1,
                                              .run = bad_run};
BAD_PLUGIN("wrong_golden");
