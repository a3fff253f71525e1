/* SPDX-License-Identifier: MPL-2.0 */
/* journal - where the broker's state outlives the broker.
 *
 * The broker is an in-memory state machine. What it promised to a producer (a submitted job, its result) it first appends
 * here; the promise is made after journal_commit() said that it is durable. One commit a turn of the loop, however many
 * records: that is the group commit.
 *
 * A driver is a constant struct of functions. `memory`, the one there is, keeps nothing: the state machine's own memory is the only
 * copy, and `name` says so to producers and workers. A driver that writes to disk or to a replicated log takes the same
 * place; to make replay meaningful it must hand back, in order, every record since the last snapshot.
 *
 * Calls in order: open, replay (all records before the first append), then append and commit in turns, snapshot and rotate
 * when the driver says it is due, close.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What may happen to a submitted job, and all that must be known to make it again. Numbers are for ever. */
enum record_kind {
    RECORD_SUBMIT = 1,  /* header: the job's own header map with id and fn; payload: its arguments */
    RECORD_ATTEMPT = 2, /* header: {id, attempt, crashes}; after a run that did not end the job */
    RECORD_DONE = 3,    /* header: {id, status, error?, field?, timing}; payload: the result */
    RECORD_FORGET = 4,  /* header: {id}; forgotten, expired or evicted */
};

struct record {
    enum record_kind kind;
    const void *id; /* the job's id as encoded; borrowed during append */
    size_t id_bytes;
    const void *header;
    size_t header_bytes;
    const void *payload;
    size_t payload_bytes;
};

struct journal;

struct journal_driver {
    const char *name; /* told to peers: "memory" */
    bool durable;     /* false: header and payload of records need not be filled */
    int (*open)(const char *where, struct journal **ret, struct err *err);
    void (*close)(struct journal **journal);
    int (*replay)(struct journal *j, int (*take)(void *arg, uint64_t seq, const struct record *r), void *arg,
                  struct err *err);
    /* Appends n records behind record number expect_seq; another writer having appended meanwhile is KILN_CONFLICT. */
    int (*append)(struct journal *j, const struct record *records, size_t n, uint64_t expect_seq,
                  uint64_t *ret_seq, struct err *err);
    int (*commit)(struct journal *j, uint64_t *ret_durable_seq, struct err *err);
    /* Replaces everything up to seq by the records that `next` yields (false: no more). */
    int (*snapshot)(struct journal *j, uint64_t seq, bool (*next)(void *arg, struct record *ret), void *arg,
                    struct err *err);
    int (*rotate)(struct journal *j, struct err *err);
};

extern const struct journal_driver journal_memory;

#endif
