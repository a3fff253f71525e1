/* SPDX-License-Identifier: MPL-2.0 */
/* broker - the whole of it in one struct, and who does what.
 *
 *   frontend*   producers' messages in          backend*   workers' messages in
 *   lifecycle   what becomes of a job           schedule   which job goes to which worker, how many together
 *   reply       answers to calls, gathered      results    submitted jobs by id, and who waits for them
 *   outbox      messages out
 *
 * One thread. Each turn of the loop: take what arrived (bounded), let time act, commit the journal, send what was
 * promised, schedule, sleep. `now_ns` is read when a message is taken, and is the only clock the rooms use. */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

#include "catalogue.h"
#include "config.h"
#include "gate.h"
#include "job.h"
#include "journal/journal.h"
#include "lease.h"
#include "peers.h"
#include "reply.h"
#include "results.h"
#include "service.h"
#include "tenant.h"
#include "timers.h"
#include "wire.h"

struct counters {
#define X(name, help) uint64_t name;
#include "counters.def"
#undef X
};

struct broker {
    struct config config;
    zsock_t *frontend, *backend;
    void *front, *back; /* the same, as libzmq knows them */
    struct frames frames;
    struct header header;

    int64_t now_ns, started_ns;
    uint64_t epoch; /* random; names this life of the broker */
    struct timers timers;
    struct timer settle, sweep;
    struct service service;
    bool settling; /* unknown functions may still be announced */

    struct job_pool pool;
    struct catalogue catalogue;
    struct function *ready; /* ring of functions with waiting jobs, and where to go on */
    struct tenants tenants;
    struct peers peers;
    struct leases leases;
    struct results results;
    struct reply reply;
    struct errand *errands; /* under way */
    size_t n_errands;
    uint32_t errand_serial;
    struct copies *copies;  /* for shadows, being gathered */
    struct held *held;      /* answers that wait for the journal */
    struct buf out;         /* scratch for one header */
    struct buf pack, sizes; /* scratch for the payloads of one packed message, and their sizes */
    zmq_msg_t *parts;       /* scratch for the payloads of one message */
    size_t parts_room;
    uint64_t memory_bytes; /* payloads of jobs that are not done */

    const struct journal_driver *journal_driver;
    struct journal *journal;
    uint64_t journal_seq, committed_seq; /* appended; durable */
    struct counters counters;
    struct gate gate;
    struct refusals refusals; /* messages of workers, for the log */
};

/* Binds the sockets. On failure nothing is left. */
int broker_open(struct broker *b, struct config *config, struct err *err);
void broker_close(struct broker *b);

/* Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
void broker_run(struct broker *b, int signal_fd);

/* One message each; false: none was waiting. */
bool frontend_take(struct broker *b);
bool backend_take(struct broker *b);

#endif
