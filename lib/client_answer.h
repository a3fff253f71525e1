/* SPDX-License-Identifier: MPL-2.0 */
/* client_answer - the broker's messages, read into outcomes.
 *
 *     part_recv()    one message off the socket, kept whole: outcomes point into its payload frames
 *     part_read()    its header: which request it answers, and what it says
 *     answer_add()   one outcome more; answer_keep() ties the part's life to the answer's
 *
 * The headers come from a peer: lib/scan bounds them first, and whatever does not make sense is dropped. */
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include <stdbool.h>

#include <kiln/client.h>
#include <zmq.h>

#include "scan.h"

struct part {
    struct part *next;
    zmq_msg_t *frames; /* the header first */
    size_t n, room;
    size_t *offsets; /* of a packed answer: where payload k begins in frame 1, and one more for the end */
    size_t n_packed;
    char *texts; /* NUL-terminated copies of the header's strings */
    size_t texts_used;
};

/* 1 and *ret_part, the caller's; 0 when there is no message; -1 with zmq_errno(). Never waits. */
int part_recv(void *socket, struct part **ret_part);
void part_free(struct part **part);

/* What a header says. Texts live in the part. */
struct heading {
    const char *op;
    uint64_t rid;                /* 0: none */
    struct kiln_outcome outcome; /* of the message as a whole, or of its only job */
    bool listed;                 /* `jobs` is there: iterate with heading_job */
    struct scan jobs;
    uint32_t n_jobs;
    struct scan functions; /* names, of describe: heading_name */
    uint32_t n_functions;
};

bool part_read(struct part *part, struct heading *ret_heading);

/* The next of the jobs; those keys it does not have are taken from the whole. Its index is SIZE_MAX when it has
 * no number as id. */
bool heading_job(struct part *part, struct heading *h, struct kiln_outcome *ret_outcome);
bool heading_name(struct part *part, struct heading *h, const char **ret_name);

/* Gives the outcome the part's payload number k (from 0), or a failure when there is none although it is OK. */
void part_result(const struct part *part, size_t k, struct kiln_outcome *o);

struct answer {
    struct kiln_answer shown; /* first: what the caller sees */
    struct kiln_outcome *rows;
    size_t room;
    struct part *parts;
    struct answer *next; /* in the client's inbox */
};

struct answer *answer_new(uint64_t request);
void answer_free(struct answer **answer);
void answer_add(struct answer *a, const struct kiln_outcome *o);
void answer_keep(struct answer *a, struct part **part);
void answer_sort(struct answer *a); /* by index */

#endif
