/* SPDX-License-Identifier: MPL-2.0 */
/* catalogue - the functions the broker has heard of, each with its queue, its workers and its figures.
 *
 * A function enters when a worker announces it, or, in the first moments after a start, when a producer asks for one that
 * no worker has announced yet. Its queue outlives its workers: a node that went away may come back. But when the node that offered it
 * last is here and says that it does so no more, the function is retired: new jobs are refused, and when nothing of it is
 * left it is forgotten (retire.c). */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <czmq.h>

#include "histogram.h"
#include "job.h"
#include "queue.h"

struct worker;

struct function_times {
    struct histogram queue, run, total;
};

struct function_stats {
    uint64_t statuses[KILN_STATUS_COUNT]; /* ended jobs by status */
    uint64_t retries, crashes;
    uint64_t batched; /* jobs that were computed */
    double batches;   /* in so many batches: each of a batch of k counts 1/k */
    struct function_times
        *times; /* from the first job that ended; NULL before: most functions are never called */
};

struct function {
    char *name;     /* "stats.mean" */
    char *plugin;   /* "stats/1.0.0", of the newest worker */
    bool announced; /* by some worker, since the broker started, and not retired */
    bool retired;
    struct orphan
        *orphan; /* who offered it last, when nobody does; NULL: somebody does, or nobody ever did */
    bool ready;  /* in the scheduler's list */
    bool paused; /* by an operator: its jobs wait; until the function is forgotten */
    struct function *next_ready, *prev_ready;
    uint64_t passed_from; /* deliveries when its turn first passed without one, and 1; 0: it did not */
    struct queue queue;
    uint32_t delayed, running;
    int64_t cost_ns; /* expected worker time of one job: a moving average, first the warm-up's figure */
    struct worker **workers; /* canaries too */
    size_t n_workers;
    struct worker **shadows; /* on trial: they take copies of its jobs */
    size_t n_shadows;
    uint32_t canaries;       /* of its workers */
    uint32_t share_permille; /* theirs together */
    double due;              /* jobs that canaries should have had by now, and had not */
    zmq_msg_t contract;      /* msgpack, as the newest worker sent it */
    bool described;
    struct function_stats stats;
};

struct orphan {
    char *node, *session; /* wid and session of the node */
    uint64_t generation;
};

struct catalogue {
    zhashx_t *by_name;
    size_t announced, orphans, retired; /* of them */
    struct function *last;              /* the last found: jobs come in runs */
};

enum { CATALOGUE_MOST = 10000, CATALOGUE_NAME_BYTES = 128 };

void catalogue_init(struct catalogue *c);
void catalogue_done(struct catalogue *c); /* queues must be empty */

struct function *catalogue_find(struct catalogue *c, const char *name, size_t name_bytes); /* or NULL */

/* The function of that name, made if need be; NULL when there are too many or the name is not "plugin.function". */
struct function *catalogue_make(struct catalogue *c, const char *name, size_t name_bytes);

/* True when catalogue_make would give a function for each of `n` such names. */
bool catalogue_accepts(struct catalogue *c, const char *name, size_t name_bytes, size_t n);

/* Forgets a function that nobody announced and nothing waits for. */
void catalogue_drop(struct catalogue *c, struct function *f);

/* In the order of their names; the list is the caller's (mem_free). */
struct function **catalogue_sorted(struct catalogue *c, size_t *ret_n);

void catalogue_announce(struct catalogue *c, struct function *f, struct worker *w); /* w offers f */
static inline size_t catalogue_unannounced(const struct catalogue *c)
{
    return zhashx_size(c->by_name) - c->announced;
}
void function_leave(struct function *f, struct worker *w);

/* After its last worker has left, which belonged to a node; NULL node: somebody offers it again. */
void catalogue_orphan(struct catalogue *c, struct function *f, const char *node, const char *session,
                      uint64_t generation);
void catalogue_retire(struct catalogue *c, struct function *f);

/* w takes copies of its jobs; no more. */
void function_shadow(struct function *f, struct worker *w);
void function_unshadow(struct function *f, const struct worker *w);

#endif
