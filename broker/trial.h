/* SPDX-License-Identifier: MPL-2.0 */
/* trial - workers of a generation that is not to serve yet. A shadow is sent copies of jobs that a worker of its node has answered: behind
 * the answer, as its credit allows, never kept for later and never repeated; nobody hears what it makes of them. A canary gets its
 * share of the jobs, counted for each function. Neither changes what is known of a function before it serves.
 *
 *     trial_join(b, w)             after its hello: w->trial and w->offers are set
 *     trial_copy(b, ...)           a worker has ended a job of a function that has shadows
 *     trial_flush(b)               what was gathered leaves
 *     trial_serve(b, w)            passed: it is a worker like any other
 *     trial_leave(b, w)            */
#ifndef BROKER_TRIAL_H
#define BROKER_TRIAL_H

#include "broker.h"

void trial_join(struct broker *b, struct worker *w);
void trial_leave(struct broker *b, struct worker *w);
void trial_serve(struct broker *b, struct worker *w);

/* The payload of `job` is its arguments still; `result` is what `from` made of it. */
void trial_copy(struct broker *b, const struct worker *from, struct job *job, int status, uint64_t run_ns,
                uint64_t batch, const struct payload *result);
void trial_flush(struct broker *b);
void trial_done(struct broker *b);

/* ---- shares ---- */

/* The next job of `fn` is a canary's. */
bool trial_due(const struct function *fn);
/* `n` jobs of it were given to w. */
void trial_count(struct broker *b, struct function *fn, const struct worker *w, size_t n);

#endif
