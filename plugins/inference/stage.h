/* SPDX-License-Identifier: MPL-2.0 */
/* stage - a part of a graph that can be planned at once: nodes become steps, or are computed while
 * planning. */
#ifndef INFERENCE_STAGE_H
#define INFERENCE_STAGE_H

#include "plan.h"

/* Plans what comes after the stage `before` (NULL: from the first node), as far as it can. */
int stage_plan(struct plan *p, struct stage *before);
/* Frees the stages after `last` (NULL: all) and forgets what they knew. */
void stage_drop(struct plan *p, struct stage *last);
/* Computes the nodes that depend on constants only into the model's memory, and takes them out of the
 * graph. */
int stage_fold(struct plan *p);

#endif
