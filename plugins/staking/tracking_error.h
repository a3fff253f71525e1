/* SPDX-License-Identifier: MPL-2.0 */
/* tracking_error - the function staking.tracking_error: the closed form for any benchmark. */
#ifndef STAKING_TRACKING_ERROR_H
#define STAKING_TRACKING_ERROR_H

#include <kiln/plugin.h>

extern const struct kiln_function tracking_error_function;

#endif
