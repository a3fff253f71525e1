/* SPDX-License-Identifier: MPL-2.0 */
/* input - what callers send, made into tensors of the type that a model declares.
 *
 * First the shape is found and compared with the declaration, then, when there is a place for them,
 * elements are converted one by one: exactly or not at all, but for doubles that become floats, which are
 * rounded. */
#ifndef INFERENCE_INPUT_H
#define INFERENCE_INPUT_H

#include <kiln/plugin.h>

#include "graph.h"
#include "refusal.h"

/* What `v` is as an input like `declared`: dtype and dims; data is NULL. One row is taken as a batch of
 * one; a plain list as a column where rows have one element. `field` is named in refusals: inputs.x. */
int input_shape(const struct kiln_value *v, const struct tensor *declared, const char *field,
                struct tensor *ret, struct refusal *why);
/* The elements, into room for tensor_bytes(t). */
int input_fill(const struct kiln_value *v, const struct tensor *t, const char *field, void *data,
               struct refusal *why);
/* When they can be used where they are: that place; else NULL. */
void *input_in_place(const struct kiln_value *v, const struct tensor *t);

#endif
