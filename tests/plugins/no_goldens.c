/* SPDX-License-Identifier: MPL-2.0 */
/* no_goldens - proves nothing. */
#include "bad.h"

static const struct kiln_function function = {BAD_FUNCTION, .goldens = NULL, .n_goldens = 0, .run = bad_run};
BAD_PLUGIN("no_goldens");
