/* SPDX-License-Identifier: MPL-2.0 */
/* queue - the waiting jobs of one function: ten priorities, 9 first; within a priority a fair share for each tenant, and
 * within a tenant first in first out.
 *
 * Shares are kept in virtual time (start-time fair queueing): each tenant that has jobs waiting is a flow with a turn, the
 * least turn is served, and serving a job moves its flow's turn on by the job's cost divided by the tenant's weight. Who begins to
 * wait begins at the present turn: neither punished for what it had before nor owed anything for its absence. So a flood waits
 * behind itself only, and another tenant's job waits for at most one job of each flow. Jobs without a key are one flow, which
 * needs no memory of its own; any other flow is there while it holds jobs.
 *
 * queue_push takes the job (the pointer is nulled); queue_pop gives it back. Bounded by whoever pushes. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdint.h>

#include <czmq.h>

struct job;
struct queue_level;
struct flow;

enum { QUEUE_PRIORITIES = 10 };

struct queue {
    struct queue_level *of[QUEUE_PRIORITIES]; /* NULL until the first job of that priority */
    zhashx_t *keyed;                          /* flows by tenant and priority; NULL until there was one */
    struct flow *latest;                      /* the last of them pushed to: jobs come in runs */
    uint32_t held;                            /* bit p: of[p] is not empty */
    uint32_t count;
};

void queue_push(struct queue *q, struct job **job);
void queue_push_front(struct queue *q,
                      struct job **job);             /* what was handed back goes first again, uncharged */
struct job *queue_first(const struct queue *q);      /* borrowed; NULL when empty */
struct job *queue_pop(struct queue *q);              /* served: its tenant's turn moves on; NULL when empty */
void queue_remove(struct queue *q, struct job *job); /* not served; job must be in q */
void queue_done(struct queue *q);                    /* it must be empty */

#endif
