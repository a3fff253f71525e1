/* SPDX-License-Identifier: MPL-2.0 */
/* member - one worker process as its supervisor sees it: the process, its slot of the scoreboard, its name at the broker,
 * and how it came to its end. Members belong to a generation.
 *
 *     member_start(site, seat, ..., &m, &err)
 *     member_hear(m)            when m->process.channel or m->denials.fd is readable
 *     member_watch(m, now)      kills it when it is over a limit
 *     member_drain(m), member_kill(m, ...)
 *     member_ended(m, site, &ending)   true once; tells the broker when it must know
 *     member_free(&m, site) */
#ifndef MEMBER_H
#define MEMBER_H

#include "channel.h"
#include "config.h"
#include "denials.h"
#include "link.h"
#include "oom.h"
#include "process.h"
#include "scoreboard.h"
#include "staging.h"
#include "swap.h"

struct trial;

/* What members need of their surroundings. One for the whole supervisor. */
struct site {
    const struct daemon_config *config;
    struct scoreboard *board;
    bool *slot_used;
    struct link *link;
    struct oom oom;
    uint64_t serial; /* of the last member: names are never used twice */
};

enum member_role {
    MEMBER_CURRENT,
    MEMBER_NEXT,
    MEMBER_LEAVING
}; /* NEXT: warms beside the CURRENT one it will replace */

struct member {
    struct process process;
    const struct plugin_config *plugin;
    struct slot *slot;
    size_t slot_index, seat;
    enum member_role role;
    char wid[3 * CONFIG_NAME_BYTES];
    int64_t started_ns, proven_ns; /* proven_ns 0: not yet */
    bool held;                     /* proven or not, it may not serve yet */
    bool registered;               /* at the broker now */
    bool on_trial;                 /* it offers itself to the broker as such */
    struct trial *trial;           /* who wants to know what it compared; NULL: nobody */
    bool known;                    /* the broker has ever known it */
    struct note proven;            /* what it told when proven */
    struct err refused;            /* status 0: it has not refused */
    bool walled;                   /* it has handed over the listener of its walls, once */
    bool told_to_leave;            /* by us or by the broker: then it may */
    struct denials denials;
    uint64_t denials_counted; /* of them, by its generation */
    /* Set when we killed it. */
    const char *kill_kind; /* as `kind` of gone; NULL: we did not */
    char kill_cause[128];
    int64_t kill_started_ns; /* kind deadline: which stay in plugin code was too long */
};

/* Where a member is put. */
struct posting {
    const struct plugin_config *plugin; /* borrowed for as long as it lives */
    const struct staged *staged;
    uint64_t generation;
    size_t seat, n_seats;
    bool held;                       /* once proven it waits for member_go */
    const struct trial_terms *trial; /* NULL: none */
};

int member_start(struct site *site, const struct posting *posting, struct member **ret_member,
                 struct err *err);
void member_free(struct member **member, struct site *site);

/* Takes in what it says. True when anything changed. */
bool member_hear(struct member *m);

/* Looks after one that should be loading or working. Returns when to look again. */
int64_t member_watch(struct member *m, int64_t now_ns);

void member_go(struct member *m);    /* it may offer itself to the broker */
void member_serve(struct member *m); /* the trial is passed */
void member_drain(struct member *m);
void member_hasten(struct member *m); /* the running job is told that it is cancelled */
void member_kill(struct member *m, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct member_ending {
    const char *kind; /* "crash", "deadline", "memory", "stop"; NULL: it left by itself, in order */
    char cause[128];
    char step[SCOREBOARD_STEP_BYTES]; /* of warming at which it crashed; "" otherwise */
    size_t running;                   /* jobs that were in plugin code */
};

/* True once: the process is over, and the broker was told if it had to be. */
bool member_ended(struct member *m, struct site *site, struct member_ending *ret_ending);

#endif
