/* SPDX-License-Identifier: MPL-2.0 */
/* sandbox - what a worker process may do, set by itself before any plugin code is mapped.
 *
 *     sandbox_enter(&order, &err)          limits, priority, no capabilities; nothing of the file system can be changed
 *     sandbox_outside(&order, run, arg)    starts what must connect later on: libzmq
 *     listener = sandbox_close(...)        from here on this thread makes the calls that plugin code may make
 *
 * What is to be written to, connected to or started must be open before sandbox_close. Under sanitizers, whose reports need calls
 * that are forbidden, there are no walls (walls.h); the log says so. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

#include "channel.h"
#include "err.h"

/* Dies with the supervisor, gains no privileges and keeps none, has the limits, processors and priority of its order, and is the
 * first the kernel takes when memory runs out. */
int sandbox_enter(const struct order *order, struct err *err);

/* Runs `run` in a thread of its own, whose threads may connect. Returns what it returned. */
int sandbox_outside(const struct order *order, int (*run)(void *arg), void *arg);

/* Returns the listener of refused calls (denials.h), or -1. */
int sandbox_close(bool wanted);

/* A worker that is held back warms on low priority, where it may return from it: the two calls are before and after. */
void sandbox_stand_back(const struct order *order);
void sandbox_step_forward(const struct order *order);

#endif
