/* SPDX-License-Identifier: MPL-2.0 */
/* queue - the waiting jobs of one function: first in first out within each of ten priorities, 9 first.
 *
 * queue_push takes the job (the pointer is nulled); queue_pop gives it back. Bounded by whoever pushes. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdint.h>

struct job;

enum { QUEUE_PRIORITIES = 10 };

struct queue {
    struct {
        struct job *first, *last;
    } of[QUEUE_PRIORITIES];
    uint32_t held; /* bit p: of[p] is not empty */
    uint32_t count;
};

void queue_push(struct queue *q, struct job **job);
void queue_push_front(struct queue *q, struct job **job); /* what was handed back goes first again */
struct job *queue_first(const struct queue *q);           /* borrowed; NULL when empty */
struct job *queue_pop(struct queue *q);                   /* NULL when empty */
void queue_remove(struct queue *q, struct job *job);      /* job must be in q */

#endif
