/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION 6
static volatile int for_ever = 1;
#define SWAP_WARM                                                                                            \
    while (for_ever) {                                                                                       \
    }
#include "swap.h"
