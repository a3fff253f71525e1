/* SPDX-License-Identifier: MPL-2.0 */
/* oom - whom the kernel ends when memory runs out: a worker before its supervisor, and that before the broker; and whether it has.
 *
 *     oom_offer(OOM_WORKER)                  once, by each
 *     oom_watch(&o)  ...  oom_struck(&o)     by the supervisor */
#ifndef OOM_H
#define OOM_H

#include <stdbool.h>
#include <stdint.h>

/* Added to the score that the process was started with; the broker's stays. A worker inherits its supervisor's. */
enum { OOM_SUPERVISOR = 100, OOM_WORKER = 200 };

/* Raising one's own score is always permitted. */
void oom_offer(int more);

/* The counter of victims in our control group, else of the whole machine. */
struct oom {
    int fd; /* -1: there is none to be read */
    uint64_t seen;
    int64_t grown_ns; /* when it was seen to have grown; 0: never */
};

void oom_watch(struct oom *o);
void oom_done(struct oom *o);

/* Whether it has grown within the last second. Asked for each process that somebody killed, and about once a second, so that an old
 * victim does not explain a new death. */
bool oom_struck(struct oom *o, int64_t now_ns);

#endif
