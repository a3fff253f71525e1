/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION   5
#define SWAP_INIT abort()
#include "swap.h"
