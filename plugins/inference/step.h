/* SPDX-License-Identifier: MPL-2.0 */
/* What passes between step.c and plan.c only. */
#ifndef INFERENCE_STEP_H
#define INFERENCE_STEP_H

enum { STEP_NEEDS = -1 }; /* what step_needs() returns: no status */

#endif
