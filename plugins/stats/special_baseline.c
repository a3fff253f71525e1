/* SPDX-License-Identifier: MPL-2.0 */
/* The special functions for every processor of the architecture. */
#define SPECIAL      special_baseline
#define SPECIAL_NAME "baseline"
#include "special_body.h"
