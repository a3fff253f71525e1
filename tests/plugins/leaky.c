/* SPDX-License-Identifier: MPL-2.0 */
/* leaky - right answers, and a little memory lost with each. */
#include <stdlib.h>

#include "bad.h"

static void *volatile kept;

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    kept = malloc(200);
    return bad_run(call, args, results);
}

static const struct kiln_function function = {BAD_FUNCTION, BAD_GOLDENS, .run = run};
BAD_PLUGIN("leaky");
