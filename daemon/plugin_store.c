/* SPDX-License-Identifier: MPL-2.0 */
#include "plugin_store.h"

#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"

int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err)
{
    *s = (struct plugin_store){.site = site, .lock_fd = -1};
    snprintf(s->staged_dir, sizeof s->staged_dir, "%s/staged", site->config->run_dir);
    return staging_open(s->staged_dir, &s->lock_fd, err);
}

void plugin_store_done(struct plugin_store *s)
{
    for (size_t i = 0; i < s->n; i++) {
        generation_free(&s->generations[i], s->site);
    }
    mem_free(s->generations);
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    *s = (struct plugin_store){.lock_fd = -1};
}

void plugin_store_load(struct plugin_store *s)
{
    const struct daemon_config *c = s->site->config;
    s->n = c->n_plugins;
    s->generations = mem_alloc(s->n * sizeof(struct generation *));
    for (size_t i = 0; i < s->n; i++) {
        const struct plugin_config *p = &c->plugins[i];
        struct staged staged;
        struct err err;
        if (staging_copy(s->staged_dir, p->file, &staged, &err)) {
            log_error("plugin_failed", "plugin=%s why=%s", p->name, log_quote(err.text));
            s->generations[i] = generation_failed(p, err.text);
        } else {
            s->generations[i] = generation_new(p, &staged, ++s->number);
        }
    }
}

int64_t plugin_store_tend(struct plugin_store *s, int64_t now_ns)
{
    int64_t until_ns = INT64_MAX;
    for (size_t i = 0; i < s->n; i++) {
        int64_t next_ns = generation_tend(s->generations[i], s->site, now_ns);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    return until_ns;
}

void plugin_store_reap(struct plugin_store *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->n; i++) {
        generation_reap(s->generations[i], s->site, now_ns);
    }
}

void plugin_store_drain(struct plugin_store *s, int64_t drain_ms, int64_t now_ns)
{
    for (size_t i = 0; i < s->n; i++) {
        generation_drain(s->generations[i], drain_ms, now_ns);
    }
}

void plugin_store_hasten(struct plugin_store *s, int64_t ms, int64_t now_ns)
{
    for (size_t i = 0; i < s->n; i++) {
        generation_hasten(s->generations[i], ms, now_ns);
    }
}

size_t plugin_store_members(const struct plugin_store *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        n += s->generations[i]->n_members;
    }
    return n;
}

bool plugin_store_ready(const struct plugin_store *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->generations[i]->plugin->required && !generation_serves(s->generations[i])) {
            return false;
        }
    }
    return true;
}

const char *plugin_store_blocked(const struct plugin_store *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->generations[i]->state == GENERATION_FAILED && s->generations[i]->plugin->required) {
            return s->generations[i]->plugin->name;
        }
    }
    return NULL;
}

void plugin_store_sentence(const struct plugin_store *s, char *out, size_t bytes)
{
    size_t serving = 0, workers = 0;
    const struct generation *failed = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct generation *g = s->generations[i];
        serving += generation_serves(g);
        workers += generation_working(g);
        failed = g->state == GENERATION_FAILED ? g : failed;
    }
    int n = snprintf(out, bytes, "%zu of %zu plugins serve with %zu workers", serving, s->n, workers);
    if (failed && n > 0 && (size_t) n < bytes) {
        snprintf(out + n, bytes - (size_t) n, "; %s failed: %s", failed->plugin->name, failed->why);
    }
}

void plugin_store_put(const struct plugin_store *s, struct buf *b)
{
    buf_put_str_const(b, "plugins");
    buf_put_list(b, (uint32_t) s->n);
    for (size_t i = 0; i < s->n; i++) {
        generation_put(s->generations[i], b);
    }
}
