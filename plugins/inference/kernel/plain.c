/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for every processor of the architecture. */
#define KERNELS          kernels_plain
#define KERNELS_NAME     "plain"
#define KERNELS_RUN_HERE true
#include "body.h"
