/* SPDX-License-Identifier: MPL-2.0 */
/* calculate - the function staking.calculate: its descriptor and the indices of its rows. */
#ifndef STAKING_CALCULATE_H
#define STAKING_CALCULATE_H

#include <stddef.h>

#include <kiln/plugin.h>

#include "request.h"

/* After those of request.h. */
enum calculate_param {
    P_BEFORE_OWN = P_REQUEST_COUNT - 1,
#define PARAM(id, ...) P_##id,
#include "calculate.def"
};

enum calculate_result {
#define RESULT(id, ...) R_##id,
#include "calculate.def"
    R_COUNT
};

extern const struct kiln_function calculate_function;

/* All results but the echo of the request: those of the plane into the memory that their slots point at,
 * those of the line into what grow() gives. For batch.c. */
int calculate_numbers(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out,
                      struct request *ret_request);

#endif
