/* SPDX-License-Identifier: MPL-2.0 */
#include "timers.h"

#include "mem.h"

static void put(struct timers *ts, size_t place, struct timer *t)
{
    ts->heap[place] = t;
    t->place = place;
}

static void sift_up(struct timers *ts, size_t place, struct timer *t)
{
    while (place > 1 && ts->heap[place / 2]->at_ns > t->at_ns) {
        put(ts, place, ts->heap[place / 2]);
        place /= 2;
    }
    put(ts, place, t);
}

static void sift_down(struct timers *ts, size_t place, struct timer *t)
{
    for (;;) {
        size_t child = place * 2;
        if (child > ts->n) {
            break;
        }
        if (child < ts->n && ts->heap[child + 1]->at_ns < ts->heap[child]->at_ns) {
            child++;
        }
        if (ts->heap[child]->at_ns >= t->at_ns) {
            break;
        }
        put(ts, place, ts->heap[child]);
        place = child;
    }
    put(ts, place, t);
}

void timers_done(struct timers *ts)
{
    for (size_t i = 1; i <= ts->n; i++) {
        ts->heap[i]->place = 0;
    }
    mem_free(ts->heap);
    *ts = (struct timers){0};
}

void timers_set(struct timers *ts, struct timer *t, int64_t at_ns)
{
    if (t->place) {
        int64_t was = t->at_ns;
        t->at_ns = at_ns;
        if (at_ns < was) {
            sift_up(ts, t->place, t);
        } else {
            sift_down(ts, t->place, t);
        }
        return;
    }
    t->at_ns = at_ns;
    if (ts->n + 1 >= ts->room) {
        ts->room = ts->room ? ts->room * 2 : 16;
        ts->heap = mem_grow(ts->heap, ts->room * sizeof *ts->heap);
    }
    sift_up(ts, ++ts->n, t);
}

void timers_clear(struct timers *ts, struct timer *t)
{
    size_t place = t->place;
    if (!place) {
        return;
    }
    t->place = 0;
    struct timer *last = ts->heap[ts->n--];
    if (last != t) {
        if (place > 1 && ts->heap[place / 2]->at_ns > last->at_ns) {
            sift_up(ts, place, last);
        } else {
            sift_down(ts, place, last);
        }
    }
}

void timers_fire(struct timers *ts, int64_t now_ns, void *arg)
{
    while (ts->n && ts->heap[1]->at_ns <= now_ns) {
        struct timer *t = ts->heap[1];
        timers_clear(ts, t);
        t->fire(arg, t);
    }
}

int64_t timers_next(const struct timers *ts)
{
    return ts->n ? ts->heap[1]->at_ns : INT64_MAX;
}
