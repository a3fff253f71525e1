/* SPDX-License-Identifier: MPL-2.0 */
/* sandbox - what a worker process may do, set by itself before any plugin code is mapped. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "channel.h"
#include "err.h"

/* Dies with the supervisor, gains no privileges, has the limits, processors and priority of its order, and is the
 * first the kernel takes when memory runs out. */
int sandbox_enter(const struct order *order, struct err *err);

/* A worker that is held back warms on low priority, where it may return from it: the two calls are before and after. */
void sandbox_stand_back(const struct order *order);
void sandbox_step_forward(const struct order *order);

#endif
