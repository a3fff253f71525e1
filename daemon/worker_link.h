/* SPDX-License-Identifier: MPL-2.0 */
/* worker_link - a worker's side of the conversation with the broker: hello, credit, done, stored, beat, release, bye.
 *
 * It keeps every done message until the broker says `stored`, and sends it again after a new hello; it opens a new socket
 * when the broker is silent or the connection ended. It knows nothing of plugins: the hello is handed to it ready made,
 * and jobs messages are handed out as they came.
 *
 *     worker_link_init(&l, endpoint, keys, slots, &err)
 *     worker_link_hello(&l, &pairs, n_pairs, payloads, n)   from now on it is said whenever needed
 *     for (;;) {
 *         while (worker_link_recv(&l) != LINK_NOTHING) { jobs: worker_link_done() or worker_link_release() for each }
 *         until_ns = worker_link_tend(&l, now_ns)           beats, silence
 *         poll dealer_fd and dealer_monitor_fd until then
 *     }
 *     worker_link_bye(&l)  worker_link_finish(&l) */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "dealer.h"
#include "kept.h"
#include "wire.h"

enum link_state { LINK_SILENT, LINK_GREETED, LINK_WELCOME }; /* no hello said; hello said; welcomed */
enum link_event { LINK_NOTHING, LINK_JOBS, LINK_SHADOW, LINK_OTHER };

struct worker_link {
    struct dealer dealer;
    struct frames frames;     /* the message at hand */
    struct payload *payloads; /* of its jobs */
    struct header header;
    struct buf out;
    char session[33];

    const struct buf *hello; /* the pairs of the hello map after op and session; borrowed */
    uint32_t hello_pairs;
    const struct buf *const *hello_payloads;
    size_t n_hello_payloads;

    enum link_state state;
    bool quiet;    /* the broker wants us to take no more */
    bool stop;     /* the broker wants us to leave */
    bool draining; /* we want to leave */
    bool spoke;    /* something was sent since the owner cleared this */
    int64_t beat_ns;
    size_t max_bytes; /* largest payload the broker takes */
    int64_t asked_ns; /* when the unanswered hello or beat was sent; 0: none is */
    int64_t next_beat_ns;

    int64_t slots;
    uint64_t most;      /* no more than so many in all; UINT64_MAX: no such limit */
    bool serving;       /* the broker has heard that the trial is over */
    uint64_t delivered; /* jobs received since the welcome */
    uint64_t limit;     /* credit given */
    size_t held;        /* jobs received and not yet reported */

    uint64_t seq; /* of the last done message */
    struct kept kept;
};

int worker_link_init(struct worker_link *l, const char *endpoint, const struct curve_keys *keys,
                     int64_t slots, struct err *err);
void worker_link_finish(struct worker_link *l, int linger_ms);

void worker_link_hello(struct worker_link *l, const struct buf *pairs, uint32_t n_pairs,
                       const struct buf *const *payloads, size_t n_payloads);

/* Receives one message and deals with it, unless it brings jobs, or copies of jobs (SHADOW: two payloads for each): then it is in
 * l->frames and l->header until the next call, and is counted as delivered. */
enum link_event worker_link_recv(struct worker_link *l);

/* Says what is due: beats, credit, and after a silence hello on a new socket. Returns when to be called again. */
int64_t worker_link_tend(struct worker_link *l, int64_t now_ns);
/* The connection was seen to end: a new socket and a hello, unless that was done a moment ago. */
void worker_link_ended(struct worker_link *l, int64_t now_ns);

/* How a job ended, for a done message. */
struct done_job {
    uint64_t token;
    int status;
    const char *error, *field; /* NULL or "": none */
    int64_t decode_ns, run_ns, encode_ns;
    uint32_t batch;
    zmq_msg_t *payload; /* initialised; taken over; NULL when packed: */
    size_t bytes;       /* its share of the pack */
};
/* pack: the payloads one after the other, copied; NULL: each job has its own frame. n >= 1. The message carries credit. */
void worker_link_done(struct worker_link *l, const struct done_job *jobs, size_t n, const struct buf *pack);

/* The trial is over: answered by the broker, after which l->serving is set. Then it may hold `slots` jobs. */
void worker_link_serve(struct worker_link *l, int64_t slots);
/* As many copies have been run. */
void worker_link_copied(struct worker_link *l, size_t n);

/* Hands jobs back unstarted. */
void worker_link_release(struct worker_link *l, const uint64_t *tokens, size_t n);
void worker_link_bye(struct worker_link *l);

#endif
