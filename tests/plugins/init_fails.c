/* SPDX-License-Identifier: MPL-2.0 */
/* init_fails - init says no, with a reason, after it took memory that fini must give back. */
#include <stdlib.h>

#include "bad.h"

static int init(struct kiln_call *call, void **ret_state)
{
    *ret_state = malloc(100);
    return call->host->fail(call, KILN_FAILED, NULL, "the table of %d coefficients is not there", 2385);
}

static const struct kiln_function function = {BAD_FUNCTION, BAD_GOLDENS, .run = bad_run};
BAD_PLUGIN("init_fails", .init = init, .fini = free);
