/* SPDX-License-Identifier: MPL-2.0 */
/* predict - running a model for one caller. */
#ifndef INFERENCE_PREDICT_H
#define INFERENCE_PREDICT_H

#include "functions.h"
#include "request.h"

/* Rows of its contract. */
enum { PREDICT_MODEL, PREDICT_VERSION, PREDICT_INPUTS, PREDICT_LABELS };
enum { PREDICT_TOGETHER = 64 }; /* most jobs in one run */

struct memory predict_memory(struct kiln_call *call);
/* The model's outputs for a request that is bound and filled: n_outputs tensors in the call's memory. */
int predict_outputs(struct kiln_call *call, struct model *m, const struct request *r,
                    struct tensor **ret_outputs, struct refusal *why);
/* From what was sent to outputs, for the model that was taken. */
int predict_values(struct kiln_call *call, struct served *s, const struct kiln_value *inputs,
                   struct tensor **ret_outputs, struct refusal *why);
/* The same, when the request is bound already. */
int predict_bound(struct kiln_call *call, struct served *s, struct request *r, struct tensor **ret_outputs,
                  struct refusal *why);
int predict_take(struct kiln_call *call, const struct kiln_slot *args, struct served **ret,
                 struct refusal *why);
/* Outputs as results. */
int predict_answer(struct kiln_call *call, const struct served *m, const struct kiln_slot *args,
                   const struct tensor *outputs, struct kiln_slot *slots, struct refusal *why);
/* The argument that a refusal of a model or of its inputs is about. */
const char *predict_field(const struct refusal *why);
int predict_no_room(struct refusal *why);
int predict_batch(struct kiln_item *items, size_t n); /* predict_batch.c */

#endif
