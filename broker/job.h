/* SPDX-License-Identifier: MPL-2.0 */
/* job - one unit of work, and the request it came in.
 *
 * A job is at every moment in exactly one place, named by its state: delayed (only its timer holds it), queued (in its
 * function's queue), running (held by a lease), or done (in the results). Called jobs vanish when answered; submitted ones stay
 * until their result is dropped. Jobs and requests come from free lists, so that the job path does not visit the allocator. */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <zmq.h>

#include "timers.h"
#include "wire.h"

struct flow;
struct function;
struct lease;
struct tenant;
struct watcher;

/* Where a producer's answers go. Lives as long as jobs of it are to be answered. */
struct route {
    uint8_t size;
    bool delimited;
    uint8_t bytes[WIRE_ROUTE_BYTES];
};

struct request {
    struct request *next_free;
    struct wire_id rid;
    bool list;          /* came with `jobs`: answers are lists */
    bool packed;        /* came with `sizes`: answers are packed */
    uint32_t open;      /* jobs not answered yet */
    struct route route; /* last: only its used bytes are ever touched */
};

enum job_state { JOB_DELAYED, JOB_QUEUED, JOB_RUNNING, JOB_DONE };

struct job {
    struct job *next, *prev; /* in the queue, in the results, or in the free list */
    struct timer timer;      /* the next thing that time does to this job */
    struct function *fn;
    struct tenant *tenant;   /* whose it is */
    struct flow *flow;       /* while queued */
    struct request *request; /* calls: who waits; NULL for submitted jobs */
    struct lease *lease;     /* while running */
    zmq_msg_t payload;       /* arguments; once done the result */

    enum job_state state;
    uint32_t load; /* what its payload adds to the cost of a turn: queue.h */
    uint8_t priority, crashes;
    bool submitted, solo;
    bool shy; /* a worker on trial died of it, perhaps: it goes to none again */
    uint16_t attempt, max_attempts;
    int32_t status; /* once done */
    uint32_t batch;
    uint32_t run_ms, backoff_ms; /* run_ms 0: the daemon's limit */
    int64_t keep_ns;
    int64_t arrived_ns, ready_ns;         /* ready: may be started */
    int64_t start_by_ns, deadline_ns;     /* 0: none */
    int64_t started_ns;                   /* last given to a worker */
    int64_t decode_ns, run_ns, encode_ns; /* as the worker measured */
    int64_t total_ns;                     /* arrival to the end */
    char *error, *field, *worker;         /* once done; NULL when there is nothing to say */
    struct watcher *watchers;             /* results that wait for this job */
    struct wire_id id;                    /* last, as route in request */
};

struct job_pool {
    struct job *jobs;
    struct request *requests;
};

struct job *job_new(struct job_pool *pool);
void job_free(struct job_pool *pool,
              struct job **job); /* closes the payload; timer and lists must be left before */
struct request *request_new(struct job_pool *pool);
void request_free(struct job_pool *pool, struct request **request);
void job_pool_done(struct job_pool *pool);

#endif
