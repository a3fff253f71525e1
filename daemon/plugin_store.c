/* SPDX-License-Identifier: MPL-2.0 */
#include "plugin_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data_files.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* A generation let go to the broker takes over when all its workers are welcomed; or when some are, after this long. */
enum { WELCOME_MS = 1000 };

int plugin_store_init(struct plugin_store *s, struct site *site, struct err *err)
{
    *s = (struct plugin_store){.site = site, .lock_fd = -1};
    snprintf(s->staged_dir, sizeof s->staged_dir, "%s/staged", site->config->run_dir);
    return staging_open(s->staged_dir, &s->lock_fd, err);
}

/* ---- generations ---- */

static struct generation *add(struct plugin_store *s, struct generation *g)
{
    s->generations = mem_grow(s->generations, (s->n_generations + 1) * sizeof(struct generation *));
    s->generations[s->n_generations++] = g;
    return g;
}

static void drop(struct plugin_store *s, size_t i)
{
    struct generation *g = s->generations[i];
    s->generations[i] = s->generations[--s->n_generations];
    for (size_t k = 0; k < s->n_generations; k++) {
        if (strcmp(s->generations[k]->staged.path, g->staged.path) == 0) {
            g->staged.path[0] = '\0'; /* the same file, with other settings: it is still needed */
        }
    }
    generation_free(&g, s->site);
}

void plugin_store_done(struct plugin_store *s)
{
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

/* ---- the configuration ---- */

static struct hosted *find(struct plugin_store *s, const char *name)
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

static void refuse(struct hosted *h, const char *build, const char *why)
{
    snprintf(h->refusal, sizeof h->refusal, "%s", why);
    log_error("swap_refused", "plugin=%s build=%s why=%s still=%s", h->name, build, log_quote(why),
              h->serving->staged.digest);
}

/* Nobody's any more: it is freed when its workers are gone. */
static void dismiss(const struct plugin_store *s, struct generation **generation, int64_t now_ns)
{
    if (*generation) {
        generation_drain(*generation, s->site->config->drain_ms, now_ns);
        *generation = NULL;
    }
}

static void load(struct plugin_store *s, struct hosted *h, struct plugin_config *config, int64_t now_ns)
{
    struct staged staged = {0};
    struct err err;
    bool works = h->serving && h->serving->state != GENERATION_FAILED;
    const struct generation *newest = h->coming ? h->coming : h->serving;
    if (staging_copy(s->staged_dir, config->file, &s->site->config->trusted_keys, &config->data, &staged,
                     &err)) {
        if (works) {
            refuse(h, "-", err.text);
            plugin_config_free(&config);
            return;
        }
        log_error("plugin_failed", "plugin=%s why=%s", h->name, log_quote(err.text));
        dismiss(s, &h->serving, now_ns);
        h->serving = add(s, generation_failed(&config, err.text));
        return;
    }
    bool same = newest && newest->state != GENERATION_FAILED &&
                strcmp(newest->staged.path, staged.path) == 0 && plugin_config_equal(newest->plugin, config);
    if (same) {
        plugin_config_free(&config);
        return;
    }
    struct generation *g = add(s, generation_new(&config, &staged, ++s->number));
    if (!works) {
        dismiss(s, &h->serving, now_ns);
        h->serving = g;
        return;
    }
    dismiss(s, &h->coming, now_ns);
    generation_hold(g);
    h->coming = g;
    h->coming_ns = now_ns;
    h->go_ns = 0;
    log_info("swap_begun", "plugin=%s build=%s generation=%" PRIu64 " from=%s", h->name, g->staged.digest,
             g->number, h->serving->staged.digest);
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

void plugin_store_apply(struct plugin_store *s, struct daemon_config *config, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_hosted;) {
        struct hosted *h = &s->hosted[i];
        if (lists(config, h->name)) {
            i++;
            continue;
        }
        log_info("plugin_removed", "plugin=%s", h->name);
        dismiss(s, &h->coming, now_ns);
        dismiss(s, &h->serving, now_ns);
        memmove(h, h + 1, (--s->n_hosted - i) * sizeof *h);
    }
    for (size_t i = 0; i < config->n_plugins; i++) {
        struct plugin_config *p = daemon_config_take(config, i);
        struct hosted *h = enlist(s, p->name);
        h->required = p->required;
        load(s, h, p, now_ns);
    }
}

void plugin_store_watch(const struct plugin_store *s, const struct watch *watch)
{
    for (size_t i = 0; i < s->n_generations; i++) {
        data_files_watch(&s->generations[i]->plugin->data, watch);
    }
}

void plugin_store_refresh(struct plugin_store *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->n_hosted; i++) {
        struct hosted *h = &s->hosted[i];
        load(s, h, plugin_config_copy((h->coming ? h->coming : h->serving)->plugin), now_ns);
    }
}

/* ---- what is due ---- */

static void take_over(const struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    log_info("swapped",
             "plugin=%s version=%s build=%s generation=%" PRIu64 " from=%s after_ms=%" PRId64
             " welcome_ms=%" PRId64,
             h->name, h->coming->version, h->coming->staged.digest, h->coming->number,
             h->serving->staged.digest, (now_ns - h->coming_ns) / CLOCK_MS, (now_ns - h->go_ns) / CLOCK_MS);
    dismiss(s, &h->serving, now_ns);
    h->serving = h->coming;
    h->coming = NULL;
    h->refusal[0] = '\0';
}

static int64_t tend_coming(const struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    if (h->coming->state == GENERATION_FAILED) {
        refuse(h, h->coming->staged.digest, h->coming->why);
        h->coming = NULL;
        return INT64_MAX;
    }
    if (h->go_ns == 0 && generation_proven(h->coming)) {
        generation_go(h->coming);
        h->go_ns = now_ns;
    }
    if (h->go_ns == 0) {
        return INT64_MAX;
    }
    size_t working = generation_working(h->coming);
    int64_t patience_ns = h->go_ns + WELCOME_MS * CLOCK_MS;
    if (working == h->coming->n_seats || (working && now_ns >= patience_ns)) {
        take_over(s, h, now_ns);
        return INT64_MAX;
    }
    return now_ns < patience_ns ? patience_ns : INT64_MAX;
}

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
        if (s->hosted[i].coming) {
            int64_t next_ns = tend_coming(s, &s->hosted[i], now_ns);
            until_ns = next_ns < until_ns ? next_ns : until_ns;
        }
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
        const struct hosted *h = &s->hosted[i];
        generation_put(h->serving, h->coming, h->refusal, b);
    }
}
