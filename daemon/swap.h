/* SPDX-License-Identifier: MPL-2.0 */
/* swap - the change of a plugin from one generation to the next: on what terms it was asked for, and how it ended. */
#ifndef SWAP_H
#define SWAP_H

#include "buf.h"
#include "staging.h"

/* What a new generation has to show, beside its examples, before it takes over. */
enum trial_kind {
    TRIAL_NONE,
    TRIAL_SHADOW, /* runs copies of live jobs; its answers are compared, and go to nobody */
    TRIAL_CANARY, /* answers a share of the live jobs */
};

struct trial_terms {
    enum trial_kind kind;
    uint64_t jobs;           /* shadow: so many copies; canary: so many jobs at most, 0: only time counts */
    uint64_t share_permille; /* canary */
    uint64_t for_ms;         /* canary: so long; shadow: the copies must have come by then */
    uint64_t allow;          /* shadow: differences that are allowed */
    uint64_t slower_percent; /* how much of the serving generation's p95 the new one may take */
    bool impure;             /* shadow: functions that are not pure too */
};

struct swap_terms {
    bool force; /* a build that was rolled back from or failed its trial may come again */
    bool back;  /* to what served before */
    struct trial_terms trial;
};

/* X(NAME, "name", whether all is as it was asked for) */
#define SWAP_RESULTS(X)                                                                                      \
    X(PROMOTED, "promoted", 1)       /* the new generation serves */                                         \
    X(LOADED, "loaded", 1)           /* the first generation of the plugin serves */                         \
    X(UNCHANGED, "unchanged", 1)     /* file and settings are those that serve, or pinned */                 \
    X(REMOVED, "removed", 1)         /* taken out of the configuration */                                    \
    X(ROLLED_BACK, "rolled_back", 1) /* what served before serves again, by command */                       \
    X(REFUSED, "refused", 0)         /* the new generation never served: the old one does */                 \
    X(REVERTED, "reverted", 0)       /* it was a canary and was taken back: the old one serves */            \
    X(SUPERSEDED, "superseded", 0)   /* another reload or a rollback came before it was through */           \
    X(FAILED, "failed", 0)           /* the first generation of the plugin cannot serve */

enum swap_result {
#define X(NAME, name, good) SWAP_##NAME,
    SWAP_RESULTS(X)
#undef X
        SWAP_RESULT_COUNT
};

const char *swap_result_name(enum swap_result result);
bool swap_result_good(enum swap_result result);

struct swap {
    uint64_t attempt; /* its number, at this node; 0: there was none yet */
    enum swap_result result;
    uint64_t generation; /* the one that was to serve */
    char label[160];     /* name/version+build of it, as replies name it */
    char why[512];
    int64_t took_ns, ended_ns;
    struct buf trial; /* its report, a msgpack map; empty when there was none */
};

void swap_done(struct swap *s);

/* As pairs of a map: attempt excepted. Returns nothing; `swap_pairs` says how many there are. */
uint32_t swap_pairs(const struct swap *s);
void swap_put(const struct swap *s, struct buf *b);

/* "stats/1.2.0+5f3a90c1" */
void swap_label(char *out, size_t bytes, const char *name, const char *version, const char *build);

/* The keys of a reload as they came, checked. KILN_INVALID names the key. */
struct msgpack_object_map;
int swap_terms_read(const msgpack_object_map *map, struct swap_terms *ret_terms, struct err *err);

#endif
