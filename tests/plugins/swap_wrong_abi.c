/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION 7
#define SWAP_HEAD                                                                                            \
    .magic = KILN_PLUGIN_MAGIC, .struct_size = sizeof(struct kiln_plugin), .abi_major = 99,                  \
    .pointer_size = 8, .row_size = sizeof(struct kiln_row)
#include "swap.h"
