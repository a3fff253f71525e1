/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION     3
#define SWAP_GOLDEN 4
#include "swap.h"
