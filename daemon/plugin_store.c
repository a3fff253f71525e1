/* SPDX-License-Identifier: MPL-2.0 */
#include "plugin_store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data_files.h"
#include "log.h"
#include "mem.h"

int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err)
{
    *s = (struct plugin_store){.site = site, .lock_fd = -1};
    snprintf(s->staged_dir, sizeof s->staged_dir, "%s/staged", site->config->run_dir);
    return staging_open(s->staged_dir, &s->lock_fd, err);
}

/* ---- generations and their files ---- */

struct generation *plugin_store_add(struct plugin_store *s, struct generation *g)
{
    s->generations = mem_grow(s->generations, (s->n_generations + 1) * sizeof(struct generation *));
    s->generations[s->n_generations++] = g;
    return g;
}

/* The same file may serve with several settings, and be what a rollback would go to. */
static bool uses(const struct plugin_store *s, const char *path)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        if (strcmp(s->generations[i]->staged.path, path) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (s->hosted[i].standby.plugin && strcmp(s->hosted[i].standby.staged.path, path) == 0) {
            return true;
        }
    }
    return false;
}

void plugin_store_release(const struct plugin_store *s, struct staged *staged)
{
    if (!uses(s, staged->path)) {
        staging_drop(staged);
    }
    *staged = (struct staged){0};
}

static void drop(struct plugin_store *s, size_t i)
{
    struct generation *g = s->generations[i];
    struct staged staged = g->staged;
    s->generations[i] = s->generations[--s->n_generations];
    generation_free(&g, s->site);
    plugin_store_release(s, &staged);
}

void plugin_store_done(struct plugin_store *s)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        struct staged *kept = &s->hosted[i].standby.staged;
        hosted_done(&s->hosted[i]);
        plugin_store_release(s, kept);
    }
    s->n_hosted = 0;
    while (s->n_generations) {
        drop(s, s->n_generations - 1);
    }
    mem_free(s->generations);
    mem_free(s->hosted);
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    *s = (struct plugin_store){.lock_fd = -1};
}

void plugin_store_tell_begun(const struct plugin_store *s, const struct hosted *h)
{
    if (s->watch.begun) {
        s->watch.begun(s->watch.arg, h);
    }
}

void plugin_store_tell_ended(struct plugin_store *s, const struct hosted *h)
{
    s->ended++;
    if (s->watch.ended) {
        s->watch.ended(s->watch.arg, h);
    }
}

/* ---- the configuration ---- */

static struct hosted *find(const struct plugin_store *s, const char *name)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (strcmp(s->hosted[i].name, name) == 0) {
            return &s->hosted[i];
        }
    }
    return NULL;
}

static struct hosted *enlist(struct plugin_store *s, const char *name)
{
    struct hosted *h = find(s, name);
    if (!h) {
        s->hosted = mem_grow(s->hosted, (s->n_hosted + 1) * sizeof *s->hosted);
        h = &s->hosted[s->n_hosted++];
        *h = (struct hosted){0};
        snprintf(h->name, sizeof h->name, "%s", name);
    }
    return h;
}

static bool lists(const struct daemon_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_plugins; i++) {
        if (strcmp(config->plugins[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool concerns(const struct store_order *order, const char *name)
{
    for (size_t i = 0; i < order->n; i++) {
        if (strcmp(order->names[i], name) == 0) {
            return true;
        }
    }
    return order->n == 0;
}

int plugin_store_check(const struct plugin_store *s, const struct daemon_config *config,
                       const struct store_order *order, struct err *err)
{
    for (size_t i = 0; i < order->n; i++) {
        if (!find(s, order->names[i]) && !(config && lists(config, order->names[i]))) {
            return err_set(err, KILN_INVALID, "plugins", "there is no plugin \"%s\" here%s", order->names[i],
                           config ? ", nor in the configuration" : "");
        }
    }
    for (size_t i = 0; config && i < config->n_plugins;
         i++) { /* a name that is misspelt is a new plugin without a file */
        const struct plugin_config *p = &config->plugins[i];
        if (p->required && !find(s, p->name) && concerns(order, p->name) &&
            daemon_config_check_file(p, err)) {
            return KILN_INVALID;
        }
    }
    return 0;
}

void plugin_store_apply(struct plugin_store *s, struct daemon_config *config, const struct store_order *order,
                        int64_t now_ns)
{
    for (size_t i = 0; i < s->n_hosted;) {
        struct hosted *h = &s->hosted[i];
        if (lists(config, h->name) || !concerns(order, h->name)) {
            i++;
            continue;
        }
        log_info("plugin_removed", "plugin=%s", h->name);
        hosted_remove(s, h, now_ns);
        memmove(h, h + 1, (--s->n_hosted - i) * sizeof *h);
    }
    for (size_t i = 0; i < config->n_plugins; i++) {
        if (!concerns(order, config->plugins[i].name)) {
            continue;
        }
        struct plugin_config *p = daemon_config_take(config, i);
        struct hosted *h = enlist(s, p->name);
        h->required = p->required;
        hosted_load(s, h, &p, &order->terms, now_ns);
    }
}

void plugin_store_rollback(struct plugin_store *s, const struct store_order *order, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (concerns(order, s->hosted[i].name)) {
            hosted_rollback(s, &s->hosted[i], now_ns);
        }
    }
}

void plugin_store_watch(const struct plugin_store *s, const struct watch *watch)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        data_files_watch(&s->generations[i]->plugin->data, watch);
    }
}

static struct generation *newest(const struct hosted *h)
{
    return h->coming ? h->coming : h->serving;
}

/* Its file and its data may have changed; its settings have not. */
static void refresh(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    static const struct swap_terms plain;
    struct plugin_config *p = plugin_config_copy(newest(h)->plugin);
    hosted_load(s, h, &p, &plain, now_ns);
}

void plugin_store_refresh(struct plugin_store *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        refresh(s, &s->hosted[i], now_ns);
    }
}

/* ---- what is due ---- */

static bool listed(const struct plugin_store *s, const struct generation *g)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (s->hosted[i].serving == g || s->hosted[i].coming == g) {
            return true;
        }
    }
    return false;
}

int64_t plugin_store_tend(struct plugin_store *s, int64_t now_ns)
{
    int64_t until_ns = INT64_MAX;
    for (size_t i = 0; i < s->n_hosted; i++) {
        struct hosted *h = &s->hosted[i];
        if (newest(h)->outdated) {
            newest(h)->outdated = false;
            refresh(s, h, now_ns);
        }
        int64_t next_ns = hosted_tend(s, h, now_ns);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    for (size_t i = 0; i < s->n_generations;) {
        struct generation *g = s->generations[i];
        if (g->n_members == 0 && !listed(s, g)) {
            drop(s, i);
            continue;
        }
        int64_t next_ns = generation_tend(g, s->site, now_ns);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
        i++;
    }
    return until_ns;
}

void plugin_store_reap(struct plugin_store *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        generation_reap(s->generations[i], s->site, now_ns);
    }
}

void plugin_store_drain(struct plugin_store *s, int64_t drain_ms, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        generation_drain(s->generations[i], drain_ms, now_ns);
    }
}

void plugin_store_hasten(struct plugin_store *s, int64_t ms, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        generation_hasten(s->generations[i], ms, now_ns);
    }
}

/* ---- telling ---- */

size_t plugin_store_members(const struct plugin_store *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_generations; i++) {
        n += s->generations[i]->n_members;
    }
    return n;
}

bool plugin_store_ready(const struct plugin_store *s)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (s->hosted[i].required && !generation_serves(s->hosted[i].serving)) {
            return false;
        }
    }
    return true;
}

bool plugin_store_swapping(const struct plugin_store *s)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (s->hosted[i].coming) {
            return true;
        }
    }
    return false;
}

const char *plugin_store_blocked(const struct plugin_store *s)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        if (s->hosted[i].required && s->hosted[i].serving->state == GENERATION_FAILED) {
            return s->hosted[i].name;
        }
    }
    return NULL;
}

void plugin_store_sentence(const struct plugin_store *s, char *out, size_t bytes)
{
    size_t serving = 0, workers = 0;
    const struct hosted *failed = NULL, *refused = NULL;
    for (size_t i = 0; i < s->n_hosted; i++) {
        const struct hosted *h = &s->hosted[i];
        serving += generation_serves(h->serving);
        workers += generation_working(h->serving);
        failed = h->serving->state == GENERATION_FAILED ? h : failed;
        refused = h->refusal[0] ? h : refused;
    }
    int n = snprintf(out, bytes, "%zu of %zu plugins serve with %zu workers", serving, s->n_hosted, workers);
    if (failed && n > 0 && (size_t) n < bytes) {
        snprintf(out + n, bytes - (size_t) n, "; %s failed: %s", failed->name, failed->serving->why);
    } else if (refused && n > 0 && (size_t) n < bytes) {
        snprintf(out + n, bytes - (size_t) n, "; new %s refused: %s", refused->name, refused->refusal);
    }
}

void plugin_store_put(const struct plugin_store *s, struct buf *b)
{
    buf_put_str_const(b, "plugins");
    buf_put_list(b, (uint32_t) s->n_hosted);
    for (size_t i = 0; i < s->n_hosted; i++) {
        hosted_put(&s->hosted[i], b);
    }
}
