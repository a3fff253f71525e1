/* SPDX-License-Identifier: MPL-2.0 */
/* generation - one plugin file, staged, with the workers that run it.
 *
 *     STAGED -> LOADING -> WARMING -> READY -> DRAINING -> RETIRED
 *                     \-> FAILED        (warming includes proving: the engine does both in one pass)
 *
 * Each seat is a worker that should be there: a member that dies is replaced, at once the first time, then after
 * pauses that double from 0.1 s to 60 s (to 1 s when a job was running), until one has been well for 60 s. A generation of which nothing was ever ready
 * FAILS, for good and with the reason, when a worker refuses the plugin, when warming takes too long, or at the third
 * death. Every call takes the time it is made at. */
#ifndef GENERATION_H
#define GENERATION_H

#include "buf.h"
#include "member.h"

enum generation_state {
    GENERATION_STAGED,
    GENERATION_LOADING,
    GENERATION_WARMING,
    GENERATION_READY,
    GENERATION_DRAINING,
    GENERATION_RETIRED,
    GENERATION_FAILED,
};

struct seat {
    unsigned failures; /* since the last time it was well */
    int64_t retry_ns;  /* when to fill it; INT64_MAX: it is filled, or shall stay empty */
};

struct generation {
    struct plugin_config *plugin; /* owned */
    struct staged staged;
    uint64_t number;
    enum generation_state state;
    bool held;                /* its workers wait, once proven, for generation_go */
    struct trial_terms terms; /* on which its workers are started; kind NONE: to serve */
    struct trial *trial;      /* what its workers do counts for it; NULL: none. Borrowed */
    bool was_ready;           /* some worker was proven once */
    unsigned deaths;          /* before that */
    bool
        outdated; /* it wants a worker, but its data have changed: who sees this takes it back and loads the plugin anew */
    uint32_t eligible; /* functions a shadow may run */
    uint64_t restarts;
    uint64_t denied;      /* system calls that its workers were refused */
    int denied_call;      /* the last kind of them; when denied */
    int64_t drain_end_ns; /* DRAINING: when those still there are killed */
    char version[64];
    char why[512]; /* FAILED */
    struct seat *seats;
    size_t n_seats;
    struct member **members;
    size_t n_members;
};

const char *generation_state_name(enum generation_state state);

/* Takes over the configuration; the staged file is its owner's to drop. */
struct generation *generation_new(struct plugin_config **plugin, const struct staged *staged,
                                  uint64_t number);
/* Before its first tend: another generation serves, and this one shall not before generation_go; then on trial, if the terms
 * say so. */
static inline void generation_hold(struct generation *g, const struct trial_terms *terms)
{
    g->held = true;
    g->terms = *terms;
}
void generation_go(struct generation *g);
void generation_serve(struct generation *g); /* the trial was passed */
/* What its workers do counts for this trial from now on; NULL: for none. */
void generation_try(struct generation *g, struct trial *trial);
bool generation_proven(const struct generation *g); /* every seat has a proven worker */

/* One that cannot be: its file could not be staged. */
struct generation *generation_failed(struct plugin_config **plugin, const char *why);
void generation_free(struct generation **generation, struct site *site);

/* Does all that is due: fills seats, watches members, recycles. Returns when to be called again. */
int64_t generation_tend(struct generation *g, struct site *site, int64_t now_ns);

/* One of its members' channels is readable. */
void generation_hear(struct generation *g, struct member *m);

/* After SIGCHLD: buries the dead. */
void generation_reap(struct generation *g, struct site *site, int64_t now_ns);

/* Members stop asking, finish and leave; those that do not within drain_ms are killed. */
void generation_drain(struct generation *g, int64_t drain_ms, int64_t now_ns);
/* Nobody wants to wait: running jobs are told so, and have `ms` left. */
void generation_hasten(struct generation *g, int64_t ms, int64_t now_ns);

/* Some worker is proven and welcomed by the broker. */
bool generation_serves(const struct generation *g);
size_t generation_working(const struct generation *g); /* how many are, and not on trial */

/* Pairs of an item of `plugins` in a beat, and how many they are. */
uint32_t generation_pairs(const struct generation *g);
void generation_put(const struct generation *g, struct buf *b);

#endif
