/* SPDX-License-Identifier: MPL-2.0 */
/* plugin - staking: what staking a part of an index fund costs and earns.
 *
 * One function a file, named as the function; what several share is beside them:
 *
 *     calculate   the two-asset closed form with its sensitivities (rows: calculate.def; request, echo)
 *     market      covariance to cost of an overweight        solve   small definite systems
 *     point       the closed form at one pair of levels      grid    the same over lines and planes
 *     levels      at which levels */
#include <kiln/plugin.h>

#include "calculate.h"

static const struct kiln_function *const functions[] = {
    &calculate_function,
};

const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "staking",
    .version = "1.0.0",     .summary = "tracking error, yield and optimal levels of staking in an index fund",
    .functions = functions, .n_functions = KILN_COUNT(functions),
};
