/* SPDX-License-Identifier: MPL-2.0 */
/* wrong_abi - claims a version of the ABI that does not exist yet. init must never be called. */
#include <stdlib.h>

#include "bad.h"

static int init(struct kiln_call *call, void **ret_state)
{
    (void) call;
    (void) ret_state;
    abort();
}

static const struct kiln_function function = {BAD_FUNCTION, BAD_GOLDENS, .run = bad_run};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {.magic = KILN_PLUGIN_MAGIC,
                                        .struct_size = sizeof(struct kiln_plugin),
                                        .abi_major = 99,
                                        .abi_minor = 0,
                                        .pointer_size = sizeof(void *),
                                        .row_size = sizeof(struct kiln_row),
                                        .name = "wrong_abi",
                                        .version = "0.1.0",
                                        .functions = functions,
                                        .n_functions = 1,
                                        .init = init};
