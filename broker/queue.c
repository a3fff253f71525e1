/* SPDX-License-Identifier: MPL-2.0 */
#include "queue.h"

#include <stddef.h>

#include "job.h"

void queue_push(struct queue *q, struct job **job)
{
    struct job *j = *job;
    *job = NULL;
    j->next = NULL;
    j->prev = q->of[j->priority].last;
    if (j->prev) {
        j->prev->next = j;
    } else {
        q->of[j->priority].first = j;
    }
    q->of[j->priority].last = j;
    q->held |= 1u << j->priority;
    q->count++;
}

void queue_push_front(struct queue *q, struct job **job)
{
    struct job *j = *job;
    *job = NULL;
    j->prev = NULL;
    j->next = q->of[j->priority].first;
    if (j->next) {
        j->next->prev = j;
    } else {
        q->of[j->priority].last = j;
    }
    q->of[j->priority].first = j;
    q->held |= 1u << j->priority;
    q->count++;
}

struct job *queue_first(const struct queue *q)
{
    return q->held ? q->of[31 - __builtin_clz(q->held)].first : NULL;
}

void queue_remove(struct queue *q, struct job *j)
{
    if (j->prev) {
        j->prev->next = j->next;
    } else {
        q->of[j->priority].first = j->next;
    }
    if (j->next) {
        j->next->prev = j->prev;
    } else {
        q->of[j->priority].last = j->prev;
    }
    if (!q->of[j->priority].first) {
        q->held &= ~(1u << j->priority);
    }
    j->next = j->prev = NULL;
    q->count--;
}

struct job *queue_pop(struct queue *q)
{
    struct job *j = queue_first(q);
    if (j) {
        queue_remove(q, j);
    }
    return j;
}
