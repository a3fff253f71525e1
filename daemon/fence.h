/* SPDX-License-Identifier: MPL-2.0 */
/* fence - the second line behind the walls, for all threads of a worker: Landlock, as much of it as the kernel has.
 *
 * Nothing is created, written, removed or started anywhere in the file system; TCP goes to the broker's port and nowhere else; signals
 * and abstract sockets stay among the worker's own threads. Reading is left to the modes of files: which data a plugin may
 * read is its administrator's to say, by user and group. */
#ifndef FENCE_H
#define FENCE_H

#include "err.h"

/* For the calling thread and all it starts from now on, for good. `broker`: the endpoint that stays in reach. KILN_UNAVAILABLE when the
 * kernel has no Landlock. */
int fence_raise(const char *broker, struct err *err);

#endif
