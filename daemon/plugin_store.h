/* SPDX-License-Identifier: MPL-2.0 */
/* plugin_store - the plugins this node shall run, and the generations that run them.
 *
 * The place where the configuration meets generations: it numbers them, knows all of them, and owns the folder of staged
 * files, in which of each plugin the serving and the last one before lie. How one plugin goes from generation to
 * generation is hosted.c's. A plugin that cannot be staged has a generation too: a failed one.
 *
 *     plugin_store_init(&s, &site, &err)
 *     plugin_store_apply(&s, config, ...)  at the start, and again for every reload
 *     until = plugin_store_tend(&s, now)   ... reap, drain, hasten
 *     plugin_store_done(&s) */
#ifndef PLUGIN_STORE_H
#define PLUGIN_STORE_H

#include "hosted.h"
#include "watch.h"

/* Told of every attempt to change what a plugin runs: that it began, under which number, and how it ended (h->last). */
struct store_watch {
    void (*begun)(void *arg, const struct hosted *h);
    void (*ended)(void *arg, const struct hosted *h);
    void *arg;
};

struct plugin_store {
    struct site *site; /* borrowed */
    struct store_watch watch;
    char staged_dir[1100];
    int lock_fd;
    struct hosted *hosted; /* in the order of the configuration */
    size_t n_hosted;
    struct generation **generations; /* all there are, those that drain too */
    size_t n_generations;
    uint64_t number;   /* of the last generation */
    uint64_t attempts; /* number of the last attempt */
    uint64_t ended;    /* attempts that came to an end */
};

/* Opens the folder of staged files below run_dir. */
int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err);
void plugin_store_done(struct plugin_store *s);

/* What a reload is about: the plugins named, or with n 0 all of them, on these terms. */
struct store_order {
    const char (*names)[CONFIG_NAME_BYTES];
    size_t n;
    struct swap_terms terms;
};

/* KILN_INVALID when a plugin is named that neither is here nor in the configuration. */
int plugin_store_check(const struct plugin_store *s, const struct daemon_config *config,
                       const struct store_order *order, struct err *err);

/* Makes what runs what the configuration says: new plugins are loaded; those whose file or settings changed get a generation that
 * comes; those that are gone drain. What did not change is left alone. The plugins' configurations are taken out of it. */
void plugin_store_apply(struct plugin_store *s, struct daemon_config *config, const struct store_order *order,
                        int64_t now_ns);
void plugin_store_rollback(struct plugin_store *s, const struct store_order *order, int64_t now_ns);

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

/* For hosted plugins. */
struct generation *plugin_store_add(struct plugin_store *s, struct generation *g); /* returns it */
void plugin_store_release(const struct plugin_store *s,
                          struct staged *staged); /* dropped, unless it is in use */
void plugin_store_tell_begun(const struct plugin_store *s, const struct hosted *h);
void plugin_store_tell_ended(struct plugin_store *s, const struct hosted *h);

#endif
