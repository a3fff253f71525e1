/* SPDX-License-Identifier: MPL-2.0 */
/* schedule - credit met with work: which job goes to which worker, and how many together.
 *
 * A worker that is idle gets a share of what waits, at once. A worker that is busy is given work ahead only while what it
 * holds is expected to take less than ahead_us, and only one message ahead: while it computes one batch the next piles up here, where
 * any worker that becomes free can take it. So short jobs travel in large batches under load, long ones one by one, and
 * nothing is hoarded.
 *
 * Functions have turns, a message each. A job that takes long fits into no gap that is left ahead of a busy worker, and under a flood of
 * short ones no worker is ever idle: when others have been given PASSED_MOST messages for each of its workers since its turn passed,
 * it may stand behind what a worker has, and waits there for at most ahead_us. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "broker.h"

/* Sends what can be sent. */
void schedule_run(struct broker *b);

#endif
