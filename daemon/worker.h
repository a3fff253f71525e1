/* SPDX-License-Identifier: MPL-2.0 */
/* worker - the worker process: one plugin, one thread of ours.
 *
 * Its order comes from the supervisor over CHANNEL_FD. It enters its sandbox, loads, warms and proves the plugin, tells
 * the supervisor, says hello to the broker, and then runs jobs until it is told to leave or the supervisor is gone. */
#ifndef WORKER_H
#define WORKER_H

/* Exit status of a worker that refused its plugin: trying again would give the same. */
enum { WORKER_EXIT_REFUSED = 3, WORKER_EXIT_NO_SUPERVISOR = 4, WORKER_EXIT_DAMAGED = 5 };

int worker_main(void);

#endif
