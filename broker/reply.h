/* SPDX-License-Identifier: MPL-2.0 */
/* reply - answers to calls, gathered.
 *
 * The answer to a packed request is packed: one frame of payloads, and jobs that say only in what they differ from
 * the message around them.
 *
 * Outcomes of the same request that come one after the other leave in one message. reply_add() may send what was
 * gathered for another request before; reply_flush() sends what is left and is called before the loop sleeps. */
#ifndef REPLY_H
#define REPLY_H

#include "job.h"

struct broker;
struct worker;

/* A gathered answer is sent when it has grown so far: its packed payloads, or what its header says of the jobs, which
 * must stay well below the limit of a header (sizes and common keys come on top). */
enum { REPLY_PACK_BYTES = 256 << 10, REPLY_ITEMS_BYTES = WIRE_HEADER_BYTES / 2 };

/* What is the same for all jobs of a batch that came in one message. */
struct said {
    bool ran; /* it was a job, and what follows is set */
    int status;
    uint32_t batch, attempt;
    uint64_t queue_us, decode_us, run_us, encode_us, total_us;
};

struct reply {
    struct request *request; /* being gathered for; NULL: nothing */
    const struct worker *worker;
    struct buf items; /* the msgpack of each job's map, one after the other */
    uint32_t n;
    zmq_msg_t *payloads; /* n of them; of a packed request none: */
    size_t room;
    struct buf pack, sizes; /* the payloads one after the other, and the msgpack of their sizes */
    struct said common;     /* what the first job says, and the others need not repeat */
};

struct outcome {
    const struct wire_id *id;
    int status;
    const char *error, *field;   /* NULL: nothing to say */
    const struct job *job;       /* its timing; NULL: it never was a job */
    const struct worker *worker; /* NULL: none had a hand in it */
    struct payload *result;      /* taken; NULL: nil */
};

/* One of the request's open jobs has ended. Frees the request with the last (after it was sent). */
void reply_add(struct broker *b, struct request *request, const struct outcome *o);
void reply_flush(struct broker *b);
void reply_done(struct reply *r);

/* {queue_us, decode_us, ...} of a job, as a msgpack map. */
void reply_timing(struct buf *out, const struct job *job);

#endif
