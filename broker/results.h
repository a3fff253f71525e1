/* SPDX-License-Identifier: MPL-2.0 */
/* results - submitted jobs by their id, from acceptance until their result is dropped, and the requests that wait for them.
 *
 * A result is dropped when it was kept for keep_ms, when it is forgotten, or when all results together are over their
 * budget: the oldest first. */
#ifndef RESULTS_H
#define RESULTS_H

#include <czmq.h>

#include "job.h"

struct broker;
struct watch;

struct results {
    zhashx_t *by_id;             /* struct job, not owned by the table */
    struct job *oldest, *newest; /* done jobs in the order they ended */
    uint64_t bytes;              /* that they hold */
    struct watch *watches;
    size_t n_watched; /* ids watched in all */
};

enum { RESULTS_WATCHED_MOST = 1000000 };

void results_init(struct results *rs);
void results_done(struct broker *b); /* drops all jobs and watches */

struct job *results_find(struct results *rs, const struct wire_id *id);
void results_enter(struct broker *b, struct job *job); /* accepted; its id must be unknown */

/* The job is done, its payload the result: keep it, and answer who waited. */
void results_keep(struct broker *b, struct job *job);

/* Whether the results are over their budget: the oldest has to go. */
bool results_over(const struct broker *b);

/* Forgets a done job. */
void results_drop(struct broker *b, struct job *job);

/* Answers the request for n results now if all are done or unknown or wait_ms is 0, else when they are, or after wait_ms. */
void results_answer(struct broker *b, const struct route *to, const struct wire_id *rid,
                    const struct wire_id *ids, size_t n, uint64_t wait_ms);

/* {id, state, status?, ...} of a job; job NULL: unknown. */
void results_put(struct buf *out, const struct wire_id *id, const struct job *job);

#endif
