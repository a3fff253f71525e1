/* SPDX-License-Identifier: MPL-2.0 */
/* hosted - one plugin of the configuration: the generation that serves, the one that is coming, and the one that served before.
 *
 * A coming generation is warmed and proven beside the serving one and held back from the broker until all its workers are;
 * perhaps it is then put on trial; then it takes over and the old one drains. One that fails on the way leaves the old
 * one serving, and says why. What served before is kept, as file and settings, so that a rollback needs nothing else.
 *
 * A build that was rolled back from, or that failed its trial, is pinned down: as long as the file and the settings are the same, it
 * does not come again by a mere reload (SIGHUP, or a watch), only when forced or put on trial anew. */
#ifndef HOSTED_H
#define HOSTED_H

#include "generation.h"
#include "pin.h"
#include "swap.h"

struct plugin_store;

/* A generation that is not running, but could be. */
struct standby {
    struct plugin_config *plugin; /* NULL: there is none */
    struct staged staged;
};

struct hosted {
    char name[CONFIG_NAME_BYTES];
    bool required;
    struct generation *serving; /* or about to, at the start */
    struct generation *coming;  /* shall take over; NULL: none */
    bool loading;               /* the serving one is the first, and not there yet */
    uint64_t attempt;           /* number of the swap or loading under way */
    struct swap_terms terms;    /* of that */
    int64_t begun_ns, go_ns;    /* when it began; when it was let go to the broker, 0: not yet */
    int64_t serve_ns;           /* its trial was passed: when it was told to serve */
    struct trial *trial;        /* NULL: none runs */
    struct standby standby;     /* served before */
    struct pin pin;
    char refusal[512]; /* why the last swap did not happen; "" when it did */
    struct swap last;
    uint64_t swaps[SWAP_RESULT_COUNT];
};

/* Stages the file and does what is needed to run it with this configuration, which it takes. */
void hosted_load(struct plugin_store *s, struct hosted *h, struct plugin_config **config,
                 const struct swap_terms *terms, int64_t now_ns);
void hosted_rollback(struct plugin_store *s, struct hosted *h, int64_t now_ns);
void hosted_remove(struct plugin_store *s, struct hosted *h,
                   int64_t now_ns); /* all of it drains; h is empty after */
void hosted_done(struct hosted *h);

/* Moves what is under way on. Returns when to be called again. */
int64_t hosted_tend(struct plugin_store *s, struct hosted *h, int64_t now_ns);

bool hosted_moving(const struct hosted *h); /* something is under way */

/* As an item of `plugins` in a beat. */
void hosted_put(const struct hosted *h, struct buf *b);

#endif
