/* SPDX-License-Identifier: MPL-2.0 */
/* sensitivity - the functions staking.sensitivity_1d and staking.sensitivity_2d: the closed form over
 * levels of the caller's choice. */
#ifndef STAKING_SENSITIVITY_H
#define STAKING_SENSITIVITY_H

#include <kiln/plugin.h>

extern const struct kiln_function sensitivity_1d_function;
extern const struct kiln_function sensitivity_2d_function;

#endif
