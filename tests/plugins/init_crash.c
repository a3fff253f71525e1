/* SPDX-License-Identifier: MPL-2.0 */
/* init_crash - writes through a wild pointer before it serves anything. */
#include "bad.h"

static volatile uintptr_t nowhere = 8;

static int init(struct kiln_call *call, void **ret_state)
{
    (void) call;
    (void) ret_state;
    *(volatile int *) nowhere = 1;
    return KILN_OK;
}

static const struct kiln_function function = {BAD_FUNCTION, BAD_GOLDENS, .run = bad_run};
BAD_PLUGIN("init_crash", .init = init);
