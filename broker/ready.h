/* SPDX-License-Identifier: MPL-2.0 */
/* ready - the ring of functions that have jobs waiting, in the order in which they get their turn. b->ready is whose turn
 * is next; the scheduler goes round. */
#ifndef READY_H
#define READY_H

#include "broker.h"

void ready_add(
    struct broker *b,
    struct function *fn); /* its queue is not empty; behind all others, unless it is there or paused */
void ready_drop(
    struct broker *b,
    struct function *fn); /* a job left its queue, or it was paused: out of the ring if it must be */

#endif
