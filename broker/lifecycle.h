/* SPDX-License-Identifier: MPL-2.0 */
/* lifecycle - what becomes of a job: every change of its state is made here.
 *
 *     new -> delayed -> queued -> running -> done
 *                ^         ^---------|  given back, crashed
 *                '-------------------'  to be tried again after a pause
 *
 * All of them take a job that is in the state named and put it where it goes next, with its timer. */
#ifndef LIFECYCLE_H
#define LIFECYCLE_H

#include "broker.h"

enum { CRASHES_MOST = 3 }; /* a job that killed so many workers is poison */

/* A new job: into its queue, or delayed until ready_ns. */
void job_start(struct broker *b, struct job *job);

/* Ends a job in any state but done. result (moved out) and worker may be NULL; texts are copied. */
void job_end(struct broker *b, struct job *job, int status, const char *error, const char *field,
             struct payload *result, const struct worker *worker);

/* Drops a done job, and says so to the journal. */
void job_forget(struct broker *b, struct job *job);

/* A job whose lease has just been closed: */
void job_give_back(struct broker *b, struct job *job); /* uncharged, to the head of its queue */
void job_crashed(struct broker *b, struct job *job, const char *cause); /* charged a crash; perhaps poison */
void job_retry(struct broker *b, struct job *job);                      /* after its back-off */

#endif
