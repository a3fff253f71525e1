/* SPDX-License-Identifier: MPL-2.0 */
/* predict - running a model for one caller. */
#ifndef INFERENCE_PREDICT_H
#define INFERENCE_PREDICT_H

#include "functions.h"
#include "request.h"

struct memory predict_memory(struct kiln_call *call);
/* The model's outputs for a request that is bound and filled: n_outputs tensors in the call's memory. */
int predict_outputs(struct kiln_call *call, struct model *m, const struct request *r,
                    struct tensor **ret_outputs, struct refusal *why);
/* From what was sent to outputs, for the model that was taken. */
int predict_values(struct kiln_call *call, struct served *s, const struct kiln_value *inputs,
                   struct tensor **ret_outputs, struct refusal *why);

#endif
