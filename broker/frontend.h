/* SPDX-License-Identifier: MPL-2.0 */
/* frontend - what producers ask. One file per group of operations:
 *
 *   frontend.c        takes a message and hands it to the operation; ping, describe, stats
 *   frontend_jobs.c   call, submit: headers into jobs, or into refusals
 *   frontend_ids.c    result, status, cancel, forget
 *   frontend_flow.c   pause, resume, drain: an operator's
 *   frontend_keys.c   keys
 */
#ifndef FRONTEND_H
#define FRONTEND_H

#include "broker.h"

/* One message of a producer, as its operation sees it. */
struct ask {
    struct frames *frames;
    const msgpack_object_map *map;
    struct wire_id rid; /* size 0: none */
    struct route route;
    const char *user; /* the name its key was authenticated by; "": none */
};

/* Each answers by itself, or returns a status with err filled, and the caller answers `error`. */
int frontend_jobs(struct broker *b, struct ask *a, bool submit, struct err *err);
int frontend_result(struct broker *b, struct ask *a, struct err *err);
int frontend_status(struct broker *b, struct ask *a, struct err *err);
int frontend_cancel(struct broker *b, struct ask *a, struct err *err);
int frontend_forget(struct broker *b, struct ask *a, struct err *err);
int frontend_pause(struct broker *b, struct ask *a, struct err *err);
int frontend_resume(struct broker *b, struct ask *a, struct err *err);
int frontend_drain(struct broker *b, struct ask *a, struct err *err);
int frontend_keys(struct broker *b, struct ask *a, struct err *err);

/* Begins an answer in b->out: a map of `pairs` pairs beside op and rid. */
struct buf *answer_begin(struct broker *b, const struct ask *a, const char *op, uint32_t pairs);
/* Sends it with n payloads of outbox_parts(). */
void answer_send(struct broker *b, const struct ask *a, size_t n);

#endif
