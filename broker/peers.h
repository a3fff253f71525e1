/* SPDX-License-Identifier: MPL-2.0 */
/* peers - the workers and nodes that have said hello.
 *
 * A worker is found by its route (the address ZeroMQ gave its connection) and by its wid (the name it chose). A node is a
 * supervisor: it speaks for the workers that name it, and its silence is theirs. */
#ifndef PEERS_H
#define PEERS_H

#include <czmq.h>

#include "curve.h"
#include "job.h"
#include "lease.h"

struct node;

enum { PEER_DELIVERIES = 2, PEERS_MOST = 10000 };

struct peer_route {
    uint8_t size;
    uint8_t bytes[WIRE_ROUTE_BYTES];
};

enum worker_trial { WORKER_SERVES, WORKER_SHADOW, WORKER_CANARY };

struct worker {
    struct peer_route route;
    char *wid, *node_name, *node_session, *session, *host, *plugin, *version, *build;
    char key[CURVE_TEXT]; /* it came with; "" by ipc */
    char *label;          /* "stats/1.0.0+5f3a90c1": name, version, the beginning of the build */
    uint64_t pid, generation;
    struct node *node; /* NULL: beats for itself */
    struct function **functions;
    size_t n_functions;
    struct lease *leases;
    uint32_t running;                     /* open leases */
    int64_t running_ns;                   /* and what they are expected to cost */
    uint64_t credit, delivered;           /* both counted since its hello */
    uint32_t deliveries[PEER_DELIVERIES]; /* open leases of each message on its way */
    uint64_t done_seq, stored_seq;        /* heard, told */
    uint64_t done;                        /* jobs ended */
    bool quiet;                           /* takes no more */
    bool deaf;                            /* a message to it was refused by ZeroMQ; until it is heard again */
    bool packed;                          /* understands packed payloads */
    enum worker_trial trial;
    uint64_t share_permille; /* canary */
    struct offer *offers;    /* on trial: what it will announce when it serves */
    size_t n_offers;
    int64_t heard_ns;
    zmq_msg_t report; /* warm-up report, msgpack */
    bool reported;
};

struct node {
    struct peer_route route;
    char key[CURVE_TEXT];
    char *wid, *session, *host;
    uint64_t pid;
    int64_t heard_ns;
    bool quiet;         /* its workers take no more */
    struct buf plugins; /* msgpack list of its plugins' states; empty until its first beat */
};

/* Is it this process of the node that answers for the worker? One that does not know which says its name alone. */
bool peers_belongs(const struct worker *w, const struct node *n);

struct peers {
    zhashx_t *by_route; /* struct peer_entry: worker or node */
    zhashx_t *workers;  /* by wid */
    zhashx_t *nodes;    /* by wid */
    zhashx_t *drained;  /* names of nodes and workers that shall take nothing new: they outlive connections */
};

struct peer_entry {
    struct worker *worker; /* exactly one is set */
    struct node *node;
};

void peers_init(struct peers *ps);
void peers_done(struct peers *ps);

struct peer_entry *peers_find(struct peers *ps, zmq_msg_t *route);

/* Enters a peer under its route and wid, which must be free. The peers own it from then on. */
void peers_add_worker(struct peers *ps, struct worker *w);
void peers_add_node(struct peers *ps, struct node *n);

/* Takes it out of the tables and frees it. A worker's leases and functions must have been left before; the workers
 * of a node lose it. */
void peers_drop_worker(struct peers *ps, struct worker *w);
void peers_drop_node(struct peers *ps, struct node *n);

/* The same worker on another connection. */
void peers_reroute(struct peers *ps, struct worker *w, zmq_msg_t *route);

/* Says that whoever has this name takes nothing new, or may again; KILN_BUSY when too many names are said. Workers of a node
 * go with it. Kept by name: who comes back on another connection is still drained. */
int peers_drain(struct peers *ps, const char *name, bool quiet);

/* All of a table, as they are now: losing one changes the table. The list is the caller's (mem_free). */
void **peers_all(zhashx_t *table, size_t *ret_n);

/* A lease of that delivery was closed. */
void worker_settle(struct worker *w, uint8_t delivery);
/* The delivery to use for the next message, or -1 when enough are on their way. */
int worker_slot(const struct worker *w);

void route_take(struct peer_route *to, zmq_msg_t *frame);

#endif
