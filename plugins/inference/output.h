/* SPDX-License-Identifier: MPL-2.0 */
/* output - tensors made into what callers get, in the call's memory. */
#ifndef INFERENCE_OUTPUT_H
#define INFERENCE_OUTPUT_H

#include <kiln/plugin.h>

#include "tensor.h"

/* The elements are used where they are, when callers know their type, else widened: t->data must live as
 * long as the call. */
int output_value(struct kiln_call *call, const struct tensor *t, struct kiln_value *ret);
/* Rows first .. first + n - 1 of t, or all of it when it has no dimensions, into the call's memory. */
int output_copy(struct kiln_call *call, const struct tensor *t, int64_t first, int64_t n, struct tensor *ret);

#endif
