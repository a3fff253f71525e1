/* SPDX-License-Identifier: MPL-2.0 */
/* plugin_store - the plugins this node shall run, and the generations that run them.
 *
 * The place where the configuration meets generations: it stages files, numbers generations, and swaps them. Of each plugin
 * one generation serves; another may be coming: it is warmed and proven beside the serving one and held back from the broker
 * until all its workers are, then it takes over and the old one drains. A generation that fails on the way leaves the old one
 * serving, and says why. A plugin that cannot be staged has a generation too: a failed one.
 *
 *     plugin_store_init(&s, &site, &err)
 *     plugin_store_apply(&s, config)       at the start, and again for every reload
 *     until = plugin_store_tend(&s, now)   ... reap, drain, hasten
 *     plugin_store_done(&s) */
#ifndef PLUGIN_STORE_H
#define PLUGIN_STORE_H

#include "generation.h"
#include "watch.h"

/* One plugin of the configuration. */
struct hosted {
    char name[CONFIG_NAME_BYTES];
    bool required;
    struct generation
        *serving; /* or about to, at the start; NULL: it was taken out of the configuration and is leaving */
    struct generation *coming; /* shall take over; NULL: none */
    int64_t coming_ns;         /* since when */
    int64_t go_ns;             /* when it was let go to the broker; 0: not yet */
    char refusal[512];         /* why the last swap did not happen; "" when it did */
};

struct plugin_store {
    struct site *site; /* borrowed */
    char staged_dir[1100];
    int lock_fd;
    struct hosted *hosted; /* in the order of the configuration; those that are leaving last */
    size_t n_hosted;
    struct generation **generations; /* all there are, those that drain too */
    size_t n_generations;
    uint64_t number; /* of the last generation */
};

/* Opens the folder of staged files below run_dir. */
int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err);
void plugin_store_done(struct plugin_store *s);

/* Makes what runs what the configuration says: new plugins are loaded; those whose file or settings changed get a generation that
 * comes; those that are gone drain. What did not change is left alone. The plugins' configurations are taken out of it. */
void plugin_store_apply(struct plugin_store *s, struct daemon_config *config, int64_t now_ns);

/* Watches the folders of data of what there is; again after each change. */
void plugin_store_watch(const struct plugin_store *s, const struct watch *watch);

/* Only looks whether files changed; settings stay. */
void plugin_store_refresh(struct plugin_store *s, int64_t now_ns);

/* Does what is due. Returns when to be called again. */
int64_t plugin_store_tend(struct plugin_store *s, int64_t now_ns);
void plugin_store_reap(struct plugin_store *s, int64_t now_ns);
void plugin_store_drain(struct plugin_store *s, int64_t drain_ms, int64_t now_ns);
void plugin_store_hasten(struct plugin_store *s, int64_t ms, int64_t now_ns);

/* The name of a required plugin that failed, so that the daemon cannot become ready; or NULL. */
const char *plugin_store_blocked(const struct plugin_store *s);

size_t plugin_store_members(const struct plugin_store *s);
bool plugin_store_ready(const struct plugin_store *s);    /* every required plugin serves */
bool plugin_store_swapping(const struct plugin_store *s); /* some generation is coming */
/* "3 of 4 plugins serve; stats failed: ..." */
void plugin_store_sentence(const struct plugin_store *s, char *out, size_t bytes);
/* The pair `plugins` of a beat. */
enum { PLUGIN_STORE_PAIRS = 1 };
void plugin_store_put(const struct plugin_store *s, struct buf *b);

#endif
