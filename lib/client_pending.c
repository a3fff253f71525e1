/* SPDX-License-Identifier: MPL-2.0 */
#include "client_pending.h"

#include "clock.h"
#include "mem.h"

static size_t home(const struct pending *p, uint64_t rid)
{
    return (size_t) (rid * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (p->room - 1);
}

static size_t slot_of(const struct pending *p, uint64_t rid)
{
    size_t i = home(p, rid);
    while (p->slots[i] && p->slots[i]->rid != rid) {
        i = (i + 1) & (p->room - 1);
    }
    return i;
}

static void widen(struct pending *p)
{
    struct entry **old = p->slots;
    size_t old_room = p->room;
    p->room = old_room ? 2 * old_room : 16;
    p->slots = mem_alloc(p->room * sizeof(struct entry *));
    for (size_t i = 0; i < old_room; i++) {
        if (old[i]) {
            p->slots[slot_of(p, old[i]->rid)] = old[i];
        }
    }
    mem_free(old);
}

struct entry *pending_add(struct pending *p, uint64_t rid, enum request_op op, size_t n, int64_t deadline_ns)
{
    if (2 * (p->count + 1) > p->room) {
        widen(p);
    }
    struct entry *e = mem_alloc(sizeof *e);
    e->rid = rid;
    e->op = op;
    e->n = e->left = n;
    e->seen = mem_alloc(n * sizeof *e->seen);
    /* Given up to 10 ms late: so the table is walked at most a hundred times a second, however many are due. */
    e->deadline_ns = (deadline_ns / (10 * CLOCK_MS) + 1) * (10 * CLOCK_MS);
    p->slots[slot_of(p, rid)] = e;
    p->soonest_ns = !p->count || e->deadline_ns < p->soonest_ns ? e->deadline_ns : p->soonest_ns;
    p->count++;
    p->jobs += n;
    return e;
}

struct entry *pending_find(const struct pending *p, uint64_t rid)
{
    return p->room ? p->slots[slot_of(p, rid)] : NULL;
}

static void entry_free(struct entry *e)
{
    for (size_t i = 0; e->ids && i < e->n; i++) {
        mem_free(e->ids[i]);
    }
    mem_free(e->ids);
    mem_free(e->seen);
    answer_free(&e->answer);
    mem_free(e);
}

void pending_remove(struct pending *p, struct entry **entry)
{
    struct entry *e = *entry;
    *entry = NULL;
    size_t hole = slot_of(p, e->rid), mask = p->room - 1;
    p->slots[hole] = NULL;
    p->count--;
    p->jobs -= e->left;
    /* Close the gap: whoever probed past the hole moves into it. */
    for (size_t i = (hole + 1) & mask; p->slots[i]; i = (i + 1) & mask) {
        if (((i - home(p, p->slots[i]->rid)) & mask) >= ((i - hole) & mask)) {
            p->slots[hole] = p->slots[i];
            p->slots[i] = NULL;
            hole = i;
        }
    }
    if (!p->count) {
        p->soonest_ns = INT64_MAX;
    }
    entry_free(e);
}

struct entry *pending_due(struct pending *p, int64_t now_ns)
{
    if (!p->count || now_ns < p->soonest_ns) {
        return NULL;
    }
    p->soonest_ns = INT64_MAX;
    struct entry *due = NULL;
    for (size_t i = 0; i < p->room; i++) {
        struct entry *e = p->slots[i];
        if (!e || e->done) {
            continue;
        }
        if (!due && e->deadline_ns <= now_ns) {
            due = e;
        } else if (e->deadline_ns < p->soonest_ns) {
            p->soonest_ns = e->deadline_ns;
        }
    }
    return due;
}

struct answer *pending_take(struct pending *p)
{
    struct answer *a = p->first;
    if (a) {
        p->first = a->next;
        a->next = NULL;
    }
    return a;
}

void pending_done(struct pending *p)
{
    struct answer *a;
    while ((a = pending_take(p)) != NULL) {
        answer_free(&a);
    }
    for (size_t i = 0; i < p->room; i++) {
        if (p->slots[i]) {
            entry_free(p->slots[i]);
        }
    }
    mem_free(p->slots);
    *p = (struct pending){.soonest_ns = INT64_MAX};
}
