/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for every processor of the architecture. */
#define KERNELS          kernels_baseline
#define KERNELS_NAME     "baseline"
#define KERNELS_RUN_HERE true
#include "kernels_body.h"
