/* SPDX-License-Identifier: MPL-2.0 */
/* hang_warm - never comes back from its first example. */
#include <unistd.h>

#include "bad.h"

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    (void) args;
    (void) results;
    for (volatile int forever = 1; forever;) {
        pause();
    }
    return KILN_OK;
}

static const struct kiln_function function = {BAD_FUNCTION, BAD_GOLDENS, .run = run};
BAD_PLUGIN("hang_warm");
