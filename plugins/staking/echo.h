/* SPDX-License-Identifier: MPL-2.0 */
/* echo - the request as it was understood, as a tree in the call's arena: the result "parameters_used". */
#ifndef STAKING_ECHO_H
#define STAKING_ECHO_H

#include "request.h"

/* NULL when the job's memory is spent. Nothing in the tree points into the arguments. */
const struct kiln_value *echo_request(struct kiln_call *call, const struct request *request);

#endif
