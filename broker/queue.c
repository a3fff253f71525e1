/* SPDX-License-Identifier: MPL-2.0 */
#include "queue.h"

#include <assert.h>
#include <stddef.h>

#include "job.h"
#include "mem.h"
#include "tenant.h"

/* Virtual time that a job of cost 1 takes a tenant of weight 1. Small enough that a level would have to stay busy for
 * decades to wrap; it begins at 0 again whenever it runs empty. */
enum { TURN = 1 << 12 };

struct flow {
    struct timer turn; /* in its level's order while it holds jobs; at_ns is virtual time */
    struct tenant *tenant;
    struct job *first, *last;
    uint8_t priority;
};

struct queue_level {
    struct timers order; /* a heap is a heap: what is due next is the flow with the least turn */
    int64_t now;         /* turn of what was served last */
    struct flow plain;   /* of jobs without a key */
};

/* ---- flows ---- */

static size_t flow_hash(const void *key)
{
    const struct flow *f = key;
    return (size_t) (((uintptr_t) f->tenant >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) + f->priority;
}

static int flow_compare(const void *a, const void *b)
{
    const struct flow *x = a, *y = b;
    return x->tenant != y->tenant || x->priority != y->priority;
}

static void flow_free(void **item)
{
    mem_free(*item);
    *item = NULL;
}

static struct queue_level *level_of(struct queue *q, uint8_t priority)
{
    if (!q->of[priority]) {
        q->of[priority] = mem_alloc(sizeof *q->of[priority]);
        q->of[priority]->plain.priority = priority;
    }
    return q->of[priority];
}

static struct flow *keyed_flow(struct queue *q, const struct job *j)
{
    struct flow wanted = {.tenant = j->tenant, .priority = j->priority}, *f = q->latest;
    if (f && flow_compare(f, &wanted) == 0) {
        return f;
    }
    if (!q->keyed) {
        q->keyed = zhashx_new();
        assert(q->keyed);
        zhashx_set_key_hasher(q->keyed, flow_hash);
        zhashx_set_key_comparator(q->keyed, flow_compare);
        zhashx_set_key_duplicator(q->keyed, NULL); /* a flow is its own key */
        zhashx_set_key_destructor(q->keyed, NULL);
        zhashx_set_destructor(q->keyed, flow_free);
    }
    f = zhashx_lookup(q->keyed, &wanted);
    if (!f) {
        f = mem_alloc(sizeof *f);
        *f = wanted;
        zhashx_insert(q->keyed, f, f);
    }
    return q->latest = f;
}

/* The flow a job belongs to, in its level's order. */
static struct flow *join(struct queue *q, struct job *j)
{
    struct queue_level *level = level_of(q, j->priority);
    struct flow *f = tenant_plain(j->tenant) ? &level->plain : keyed_flow(q, j);
    if (!f->turn.place) {
        timers_set(&level->order, &f->turn, level->now);
        q->held |= 1u << j->priority;
    }
    j->flow = f;
    q->count++;
    return f;
}

/* A flow that ran empty. */
static void part(struct queue *q, struct flow *f)
{
    struct queue_level *level = q->of[f->priority];
    timers_clear(&level->order, &f->turn);
    if (!level->order.n) {
        q->held &= ~(1u << f->priority);
        level->now = 0;
    }
    if (f != &level->plain) {
        q->latest = q->latest == f ? NULL : q->latest;
        zhashx_delete(q->keyed, f);
    }
}

static int64_t cost(const struct job *j)
{
    return TURN * (1 + (int64_t) j->load) / tenant_weight(j->tenant);
}

static struct flow *first_flow(const struct queue *q)
{
    /* The turn is a flow's first member. */
    return q->held ? (struct flow *) (void *) q->of[31 - __builtin_clz(q->held)]->order.heap[1] : NULL;
}

/* ---- jobs ---- */

void queue_push(struct queue *q, struct job **job)
{
    struct job *j = *job;
    *job = NULL;
    struct flow *f = join(q, j);
    j->next = NULL;
    j->prev = f->last;
    *(f->last ? &f->last->next : &f->first) = j;
    f->last = j;
}

void queue_push_front(struct queue *q, struct job **job)
{
    struct job *j = *job;
    *job = NULL;
    struct flow *f = join(q, j);
    j->prev = NULL;
    j->next = f->first;
    *(f->first ? &f->first->prev : &f->last) = j;
    if (f->first) { /* it was there: it gets its turn back */
        timers_set(&q->of[j->priority]->order, &f->turn, f->turn.at_ns - cost(j));
    }
    f->first = j;
}

struct job *queue_first(const struct queue *q)
{
    const struct flow *f = first_flow(q);
    return f ? f->first : NULL;
}

void queue_remove(struct queue *q, struct job *j)
{
    struct flow *f = j->flow;
    *(j->prev ? &j->prev->next : &f->first) = j->next;
    *(j->next ? &j->next->prev : &f->last) = j->prev;
    j->next = j->prev = NULL;
    j->flow = NULL;
    q->count--;
    if (!f->first) {
        part(q, f);
    }
}

struct job *queue_pop(struct queue *q)
{
    struct flow *f = first_flow(q);
    if (!f) {
        return NULL;
    }
    struct job *j = f->first;
    struct queue_level *level = q->of[f->priority];
    level->now = f->turn.at_ns > level->now ? f->turn.at_ns : level->now;
    if (j->next) {
        timers_set(&level->order, &f->turn, f->turn.at_ns + cost(j));
    }
    queue_remove(q, j);
    return j;
}

void queue_done(struct queue *q)
{
    assert(q->count == 0);
    for (size_t i = 0; i < QUEUE_PRIORITIES; i++) {
        if (q->of[i]) {
            timers_done(&q->of[i]->order);
            mem_free(q->of[i]);
        }
    }
    zhashx_destroy(&q->keyed);
    *q = (struct queue){0};
}
