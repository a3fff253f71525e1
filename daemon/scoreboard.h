/* SPDX-License-Identifier: MPL-2.0 */
/* scoreboard - what every worker is doing, in memory shared by the supervisor and its workers.
 *
 * The supervisor makes it (an anonymous memory file, inherited by each worker) and gives each worker one slot. The
 * worker writes its slot, the supervisor reads it, also after the worker was killed: that is how it knows which jobs
 * died with it. Nothing blocks: every member is a lock-free atomic, and a change of the running jobs is
 * bracketed by `turn`, which is odd during the change.
 *
 *     supervisor                               worker
 *     scoreboard_new(slots, &board, &err)      scoreboard_map(fd, slots, &board, &err)
 *     scoreboard_reset(slot)                   scoreboard_enter(slot, tokens, n, now, limit)  ... scoreboard_leave(slot)
 *                                              scoreboard_settle(slot)     their results are handed over
 *     scoreboard_look(slot, &seen)             slot->jobs, ->heartbeat_ns, ->resident_bytes
 *     scoreboard_free(&board)                  */
#ifndef SCOREBOARD_H
#define SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "histogram.h"

/* Most jobs that one call of plugin code computes together; room for the name of a step of warming. */
enum { SCOREBOARD_TOKENS = 256, SCOREBOARD_STEP_BYTES = 128 };

enum phase { PHASE_STARTING, PHASE_LOADING, PHASE_WARMING, PHASE_SERVING, PHASE_LEAVING };

/* How a worker's jobs ended and how long they ran, while somebody wants to know. */
struct tally {
    _Atomic uint32_t of; /* which counting this is of; see slot.counting */
    _Atomic uint64_t ok, bad;
    _Atomic uint64_t run
        [HISTOGRAM_BUCKETS]; /* as histogram_bucket has it: time without that spent waiting for a processor */
};

struct slot {
    /* Written by the worker. */
    _Alignas(64) _Atomic uint32_t turn;
    _Atomic uint32_t
        unsent; /* jobs that have left plugin code, and whose results are still here: tokens[0..unsent-1] */
    _Atomic uint32_t running; /* jobs inside plugin code: the next ones of tokens */
    _Atomic int64_t started_ns;
    _Atomic int64_t limit_ns;
    _Atomic uint64_t jobs; /* done since the start */
    _Atomic int64_t heartbeat_ns;
    _Atomic uint64_t resident_bytes;
    _Atomic uint32_t phase; /* enum phase */
    /* Written by the supervisor. */
    _Alignas(64) _Atomic uint32_t cancelled; /* the running job should stop: nobody waits any more */
    _Atomic uint32_t draining;               /* start no further job */
    _Atomic uint32_t counting; /* not 0: endings are counted in `tally`, from zero for each new number */
    _Alignas(64) _Atomic uint64_t tokens[SCOREBOARD_TOKENS];
    /* Written by the worker while it loads and warms: the step it is at. Read only when it died or hangs there. */
    char step[SCOREBOARD_STEP_BYTES];
    struct tally tally;
};

struct scoreboard {
    int fd;
    size_t n;
    struct slot *slots;
};

int scoreboard_new(size_t slots, struct scoreboard **ret_board, struct err *err);
int scoreboard_map(int fd, size_t slots, struct scoreboard **ret_board, struct err *err);
void scoreboard_free(struct scoreboard **board);

/* Everything zero: before a slot is given to a process. */
void scoreboard_reset(struct slot *s);

/* The jobs of these tokens enter plugin code at `now_ns` and may stay for limit_ns. At most SCOREBOARD_TOKENS with those that are
 * unsent. What left plugin code may have done damage that ends the process a little later, on the way to the broker: so it is
 * remembered until scoreboard_settle. */
void scoreboard_enter(struct slot *s, const uint64_t *tokens, size_t n, int64_t now_ns, int64_t limit_ns);
void scoreboard_leave(struct slot *s);
void scoreboard_settle(struct slot *s);
size_t scoreboard_room(const struct slot *s); /* for how many jobs, before results must be handed over */

/* A consistent copy of what runs. Of the dead: what ran; if nothing did, what had run and was still unsent. */
struct running {
    int64_t started_ns, limit_ns;
    bool inside; /* plugin code, and not behind it */
    size_t n;
    uint64_t tokens[SCOREBOARD_TOKENS];
};

/* False when the worker was changing it all the while (then look again later). `dead`: the owner is gone, so what is
 * there is final, even if it died in the middle of a change. */
bool scoreboard_look(const struct slot *s, bool dead, struct running *ret_running);

/* The step, cut to fit; "" when there is none. Returns out. */
const char *scoreboard_step(const struct slot *s, char *out, size_t bytes);

/* One job ended: `counting` is the number that stands in the slot, and not 0. */
void scoreboard_count(struct slot *s, uint32_t counting, bool ok, int64_t run_ns);

/* Adds what was counted under that number. */
void scoreboard_sum(const struct slot *s, uint32_t counting, uint64_t *ok, uint64_t *bad,
                    struct histogram *run);

/* Cheap test before scoreboard_look: some job is inside plugin code. */
static inline bool scoreboard_busy(const struct slot *s)
{
    return atomic_load_explicit(&s->running, memory_order_relaxed) > 0;
}

#endif
