/* SPDX-License-Identifier: MPL-2.0 */
/* place - where the values of a plan lie: see buffers in plan.h. */
#ifndef INFERENCE_PLACE_H
#define INFERENCE_PLACE_H

#include "plan.h"

int place_input(struct plan *p, int input); /* the buffer of a graph input */
/* Gives the outputs of a step their buffers, as node n is planned. true: the step needs no run. */
bool place_step(struct plan *p, struct step *s, int n);
/* All steps of the stage are there: offsets in the workspace, tensors of callers' arrays. */
int place_stage(struct plan *p, struct stage *stage);
/* Before a run: every tensor's data. */
int place_bind(struct plan *p, void *const *inputs, void *const *outputs, struct refusal *why);
/* After a run: outputs that could not be computed in the caller's array. */
void place_copy_out(struct plan *p, void *const *outputs);

#endif
