/* SPDX-License-Identifier: MPL-2.0 */
/* worker_jobs - what a worker does with one jobs message: decode, run in slices, report.
 *
 * Jobs of a message run in order. A slice is what goes into one engine_run(): a single job, or as many as the function
 * computes together. Results are reported in one done message for all, unless the first of them would wait longer than
 * REPORT_NS for it: a quick job is not held back by a slow one behind it. */
#ifndef WORKER_JOBS_H
#define WORKER_JOBS_H

#include "engine.h"
#include "scoreboard.h"
#include "worker_link.h"

enum { MAX_BATCH = 64 };           /* jobs together, when the function does not say less */
#define REPORT_NS INT64_C(2000000) /* the oldest unreported result waits no longer, if we can help it */

struct worker_jobs {
    struct engine *engine; /* borrowed, like link and slot */
    struct worker_link *link;
    struct slot *slot;
    int64_t run_limit_ns; /* of a job that does not say otherwise */

    struct job_room *room; /* jobs of the message at hand; grows to the largest seen */
    size_t n_room;
    struct engine_job *jobs;
    struct done_job *done;
    zmq_msg_t *results;
    bool packed;     /* results of the next report go into the pack: */
    struct buf pack; /* results of jobs that came packed, one after the other */
    uint64_t *tokens;
    int64_t *longest_ns; /* for each function: longest recent slice */
    size_t slice_first;  /* of the slice at hand */
};

void worker_jobs_init(struct worker_jobs *w, struct engine *engine, struct worker_link *link,
                      struct slot *slot, int64_t run_limit_ns);
void worker_jobs_done(struct worker_jobs *w);

/* Runs the jobs of the message in link->frames and reports every one of them: done, or released when the slot says drain. */
void worker_jobs_run(struct worker_jobs *w);

/* Releases every job of that message unstarted. */
void worker_jobs_refuse(struct worker_jobs *w);

#endif
