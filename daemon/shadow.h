/* SPDX-License-Identifier: MPL-2.0 */
/* shadow - a worker on trial runs copies of jobs that were answered by the generation that serves, and tells its supervisor, job by
 * job, in what its own answer differs and how long it ran. Nobody gets its answers.
 *
 *     shadow_init(&s, engine, slot, run_limit_ns, impure)
 *     shadow_run(&s, &link)       the message in link->frames; each copy is told of by CHANNEL_COMPARED
 *     shadow_done(&s) */
#ifndef SHADOW_H
#define SHADOW_H

#include "engine.h"
#include "scoreboard.h"
#include "worker_link.h"

enum { SHADOW_WINDOW = 64 }; /* copies that may be on their way */

struct shadow {
    struct engine *engine; /* borrowed, like slot */
    struct slot *slot;
    int64_t run_limit_ns;
    bool impure;
    struct engine_job jobs[SHADOW_WINDOW];
};

void shadow_init(struct shadow *s, struct engine *engine, struct slot *slot, int64_t run_limit_ns,
                 bool impure);

/* Functions a shadow may run. */
size_t shadow_eligible(const struct engine *e, bool impure);
bool shadow_runs(const struct engine *e, size_t fn, bool impure);

/* False when the supervisor is gone. */
bool shadow_run(struct shadow *s, struct worker_link *link);

#endif
