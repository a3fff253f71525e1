/* SPDX-License-Identifier: MPL-2.0 */
/* walls - the system calls that a worker may make: an allow-list held by the kernel (seccomp).
 *
 * Two lists, because a worker has two kinds of threads. The inner one is for the thread that runs plugin code: it computes, reads
 * files and speaks with its supervisor. It opens nothing for writing, starts nothing, connects to nothing, signals nobody else. The
 * outer one is for the threads of libzmq, which connect to the broker again whenever they must. A thread hands its list to the
 * threads it starts, so libzmq is started by a thread of its own that has the outer list (sandbox.c).
 *
 * What the inner list does not have is answered EPERM by whoever holds its listener: the supervisor, which counts (denials.h). A signal
 * (SECCOMP_RET_TRAP) would not do: the C library blocks all signals while it starts threads and processes, and a blocked one
 * kills. What the outer list does not have is EPERM at once; only our own libraries meet it.
 *
 * Plugin code shares its memory with libzmq's threads: who writes there on purpose can make them speak. These walls stop what a
 * plugin does by mistake, by a library's habit, and by injected code that calls the system; not one that was written to climb. */
#ifndef WALLS_H
#define WALLS_H

#include "err.h"

/* Both for the calling thread, and for good. KILN_UNAVAILABLE when the kernel cannot. The listener is the caller's to hand over
 * and to close; -1 when the kernel has none left to give (a container runtime may hold one): then nobody counts. */
int walls_inner(int *ret_listener, struct err *err);
int walls_outer(struct err *err);

#endif
