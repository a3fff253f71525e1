/* SPDX-License-Identifier: MPL-2.0 */
/* plugin_store - the plugins this node shall run, each with the generation that runs it.
 *
 * The place where the configuration meets generations: it stages files, numbers generations, and asks each of them
 * in turn. A plugin that cannot be staged has a generation too: a failed one, which says why. */
#ifndef PLUGIN_STORE_H
#define PLUGIN_STORE_H

#include "generation.h"

struct plugin_store {
    struct site *site; /* borrowed */
    char staged_dir[1100];
    int lock_fd;
    struct generation **generations; /* one a plugin of the configuration, in its order */
    size_t n;
    uint64_t number; /* of the last generation */
};

/* Opens the folder of staged files below run_dir. */
int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err);
void plugin_store_done(struct plugin_store *s);

/* Stages every plugin of the configuration; their workers start with the next tend. */
void plugin_store_load(struct plugin_store *s);

/* Each is that of every generation; see there. */
int64_t plugin_store_tend(struct plugin_store *s, int64_t now_ns);
void plugin_store_reap(struct plugin_store *s, int64_t now_ns);
void plugin_store_drain(struct plugin_store *s, int64_t drain_ms, int64_t now_ns);
void plugin_store_hasten(struct plugin_store *s, int64_t ms, int64_t now_ns);

/* The name of a required plugin that failed, so that the daemon cannot become ready; or NULL. */
const char *plugin_store_blocked(const struct plugin_store *s);

size_t plugin_store_members(const struct plugin_store *s);
bool plugin_store_ready(const struct plugin_store *s); /* every required plugin serves */
/* "3 of 4 plugins serve; stats failed: ..." */
void plugin_store_sentence(const struct plugin_store *s, char *out, size_t bytes);
/* The pair `plugins` of a beat. */
enum { PLUGIN_STORE_PAIRS = 1 };
void plugin_store_put(const struct plugin_store *s, struct buf *b);

#endif
