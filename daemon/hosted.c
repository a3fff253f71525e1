/* SPDX-License-Identifier: MPL-2.0 */
#include "hosted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "plugin_store.h"
#include "trial.h"

/* A generation let go to the broker takes over when all its workers are welcomed; or when some are, after this long. */
enum { WELCOME_MS = 1000 };

/* ---- how it ends ---- */

static void begin(struct plugin_store *s, struct hosted *h, const struct swap_terms *terms, int64_t now_ns)
{
    h->attempt = ++s->attempts;
    h->terms = *terms;
    h->begun_ns = now_ns;
    h->go_ns = h->serve_ns = 0;
    plugin_store_tell_begun(s, h);
}

/* The attempt under way is over. g: the generation it was about, or NULL. */
static void end(struct plugin_store *s, struct hosted *h, enum swap_result result, const struct generation *g,
                const char *why, int64_t now_ns)
{
    swap_done(&h->last);
    h->last = (struct swap){.attempt = h->attempt,
                            .result = result,
                            .generation = g ? g->number : 0,
                            .took_ns = now_ns - h->begun_ns,
                            .ended_ns = now_ns};
    snprintf(h->last.why, sizeof h->last.why, "%s", why);
    if (g) {
        swap_label(h->last.label, sizeof h->last.label, h->name, g->version, g->staged.digest);
    }
    if (h->trial) {
        trial_put(h->trial, &h->last.trial);
    }
    h->swaps[result]++;
    plugin_store_tell_ended(s, h);
}

static void refuse(struct plugin_store *s, struct hosted *h, enum swap_result result,
                   const struct generation *g, const char *build, const char *why, int64_t now_ns)
{
    snprintf(h->refusal, sizeof h->refusal, "%s", why);
    log_error("swap_refused", "plugin=%s build=%s result=%s why=%s still=%s", h->name, build,
              swap_result_name(result), log_quote(why), h->serving->staged.digest);
    end(s, h, result, g, why, now_ns);
}

static void end_trial(struct hosted *h)
{
    if (h->trial) {
        generation_try(h->serving, NULL);
        if (h->coming) {
            generation_try(h->coming, NULL);
        }
        trial_free(&h->trial);
    }
}

/* Nobody's any more: it is freed when its workers are gone. */
static void dismiss(const struct plugin_store *s, struct generation **generation, int64_t now_ns)
{
    if (*generation) {
        generation_drain(*generation, s->site->config->drain_ms, now_ns);
        *generation = NULL;
    }
}

/* What was on its way is not wanted any more. */
static void supersede(struct plugin_store *s, struct hosted *h, const char *why, int64_t now_ns)
{
    if (h->coming) {
        end(s, h, SWAP_SUPERSEDED, h->coming, why, now_ns);
        end_trial(h);
        dismiss(s, &h->coming, now_ns);
    } else if (h->loading) {
        end(s, h, SWAP_SUPERSEDED, h->serving, why, now_ns);
        h->loading = false;
    }
}

/* ---- pins and what served before ---- */

static void pin(struct hosted *h, const struct generation *g, const char *why)
{
    pin_set(&h->pin, g->staged.digest, g->plugin, why);
}

static void forget_standby(const struct plugin_store *s, struct hosted *h)
{
    plugin_config_free(&h->standby.plugin);
    struct staged old = h->standby.staged;
    h->standby = (struct standby){0};
    plugin_store_release(s, &old);
}

static void keep(const struct plugin_store *s, struct hosted *h, const struct generation *g)
{
    struct standby made = {.plugin = plugin_config_copy(g->plugin), .staged = g->staged};
    forget_standby(s, h);
    h->standby = made;
}

/* ---- loading ---- */

static void load_first(struct plugin_store *s, struct hosted *h, struct generation *g, int64_t now_ns)
{
    dismiss(s, &h->serving, now_ns);
    h->serving = g;
    h->loading = true;
}

static void come(struct hosted *h, struct generation *g)
{
    generation_hold(g, &h->terms.trial);
    h->coming = g;
    log_info("swap_begun", "plugin=%s build=%s generation=%" PRIu64 " from=%s", h->name, g->staged.digest,
             g->number, h->serving->staged.digest);
}

static bool runs(const struct generation *g, const struct staged *staged, const struct plugin_config *config)
{
    return g && g->state != GENERATION_FAILED && strcmp(g->staged.digest, staged->digest) == 0 &&
           plugin_config_equal(g->plugin, config);
}

/* True when the pin says that this does not come; with other settings the file that serves takes the place of the pinned one. */
static bool pinned(const struct plugin_store *s, struct hosted *h, struct staged *staged,
                   const struct plugin_config *config, const struct swap_terms *terms)
{
    enum pin_verdict verdict = pin_judge(&h->pin, staged->digest, config, h->serving->staged.digest, terms);
    if (verdict == PIN_BUILD && !staging_has_its_data(&h->serving->staged, &config->data)) {
        verdict = PIN_HOLDS; /* it would read what the pinned one reads */
    }
    if (verdict == PIN_BUILD) {
        plugin_store_release(s, staged);
        *staged = h->serving->staged;
    }
    return verdict == PIN_HOLDS;
}

static void fail_first(struct plugin_store *s, struct hosted *h, struct plugin_config **config,
                       const char *why, int64_t now_ns)
{
    log_error("plugin_failed", "plugin=%s why=%s", h->name, log_quote(why));
    dismiss(s, &h->serving, now_ns);
    h->serving = plugin_store_add(s, generation_failed(config, why));
    end(s, h, SWAP_FAILED, h->serving, why, now_ns);
}

/* There is nothing to come; what is on its way has nothing to do with that, and goes on. */
static void refuse_file(struct plugin_store *s, struct hosted *h, const struct swap_terms *terms,
                        const char *why, int64_t now_ns)
{
    struct hosted under_way = *h;
    h->trial = NULL;
    begin(s, h, terms, now_ns);
    refuse(s, h, SWAP_REFUSED, NULL, "-", why, now_ns);
    h->attempt = under_way.attempt;
    h->terms = under_way.terms;
    h->begun_ns = under_way.begun_ns;
    h->go_ns = under_way.go_ns;
    h->serve_ns = under_way.serve_ns;
    h->trial = under_way.trial;
}

void hosted_load(struct plugin_store *s, struct hosted *h, struct plugin_config **config,
                 const struct swap_terms *terms, int64_t now_ns)
{
    struct staged staged = {0};
    struct err err;
    bool works = h->serving && h->serving->state != GENERATION_FAILED;
    int status = staging_copy(s->staged_dir, (*config)->file, &s->site->config->trusted_keys,
                              &(*config)->data, &staged, &err);
    const struct generation *newest = h->coming ? h->coming : h->serving;
    if (!status && runs(newest, &staged, *config) && hosted_moving(h)) {
        plugin_store_tell_begun(s, h); /* it is on its way already: whoever asks waits for the same end */
        plugin_config_free(config);
        return;
    }
    if (status && !works) {
        supersede(s, h, err.text, now_ns);
        begin(s, h, terms, now_ns);
        fail_first(s, h, config, err.text, now_ns);
        return;
    }
    if (status) {
        plugin_config_free(config);
        refuse_file(s, h, terms, err.text, now_ns);
        return;
    }
    if (works && pinned(s, h, &staged, *config, terms)) {
        supersede(s, h, "another reload came", now_ns);
        begin(s, h, terms, now_ns);
        plugin_store_release(s, &staged);
        plugin_config_free(config);
        char why[400];
        snprintf(why, sizeof why, "build %.8s is pinned: %s; change the file or its settings, or --force it",
                 h->pin.digest, h->pin.why);
        end(s, h, SWAP_UNCHANGED, h->serving, why, now_ns);
        return;
    }
    supersede(s, h, "another reload came", now_ns);
    begin(s, h, terms, now_ns);
    if (runs(h->serving, &staged, *config)) {
        plugin_store_release(s, &staged);
        plugin_config_free(config);
        h->refusal[0] = '\0'; /* what was refused is not there any more */
        end(s, h, SWAP_UNCHANGED, h->serving, "", now_ns);
        return;
    }
    struct generation *g = plugin_store_add(s, generation_new(config, &staged, ++s->number));
    works ? come(h, g) : load_first(s, h, g, now_ns);
}

void hosted_rollback(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    static const struct swap_terms terms = {.back = true};
    static const char why[] = "it was rolled back from";
    if (h->coming) { /* the serving one is what it goes back to */
        pin(h, h->coming, why);
        supersede(s, h, "rolled back by command", now_ns);
        begin(s, h, &terms, now_ns);
        end(s, h, SWAP_ROLLED_BACK, h->serving, "the new generation did not serve yet", now_ns);
        return;
    }
    supersede(s, h, "rolled back by command", now_ns);
    begin(s, h, &terms, now_ns);
    if (!h->standby.plugin) {
        end(s, h, SWAP_UNCHANGED, h->serving, "no generation served before this one", now_ns);
        return;
    }
    if (!staging_has_its_data(&h->standby.staged, &h->standby.plugin->data)) {
        refuse(s, h, SWAP_REFUSED, NULL, h->standby.staged.digest,
               "its data (plugin.data) have changed since it served: put them back and reload", now_ns);
        return;
    }
    struct plugin_config *config = plugin_config_copy(h->standby.plugin);
    struct generation *g = plugin_store_add(s, generation_new(&config, &h->standby.staged, ++s->number));
    if (h->serving->state == GENERATION_FAILED) {
        load_first(s, h, g, now_ns);
    } else {
        come(h, g);
    }
}

void hosted_remove(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    supersede(s, h, "the plugin was taken out of the configuration", now_ns);
    begin(s, h, &(struct swap_terms){0}, now_ns);
    end(s, h, SWAP_REMOVED, h->serving, "", now_ns);
    dismiss(s, &h->serving, now_ns);
    forget_standby(s, h);
    hosted_done(h);
}

void hosted_done(struct hosted *h)
{
    trial_free(&h->trial);
    plugin_config_free(&h->standby.plugin);
    pin_clear(&h->pin);
    swap_done(&h->last);
}

/* ---- what is due ---- */

static void take_over(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    struct generation *new = h->coming;
    log_info("swapped",
             "plugin=%s version=%s build=%s generation=%" PRIu64 " from=%s after_ms=%" PRId64
             " welcome_ms=%" PRId64,
             h->name, new->version, new->staged.digest, new->number, h->serving->staged.digest,
             (now_ns - h->begun_ns) / CLOCK_MS, (now_ns - h->go_ns) / CLOCK_MS);
    if (h->terms.back) {
        pin(h, h->serving, "it was rolled back from");
        forget_standby(s, h);
    } else {
        keep(s, h, h->serving);
    }
    h->refusal[0] = '\0';
    end(s, h, h->terms.back ? SWAP_ROLLED_BACK : SWAP_PROMOTED, new, "", now_ns);
    end_trial(h);
    dismiss(s, &h->serving, now_ns);
    h->serving = new;
    h->coming = NULL;
}

static int64_t tend_trial(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    char why[512] = "";
    int64_t until_ns = INT64_MAX;
    switch (trial_judge(h->trial, now_ns, why, sizeof why, &until_ns)) {
    case TRIAL_GOES_ON:
        break;
    case TRIAL_PASSED:
        generation_serve(h->coming);
        h->serve_ns = now_ns;
        until_ns = now_ns;
        break;
    case TRIAL_FAILED:
        pin(h, h->coming, why);
        refuse(s, h, h->terms.trial.kind == TRIAL_CANARY ? SWAP_REVERTED : SWAP_REFUSED, h->coming,
               h->coming->staged.digest, why, now_ns);
        end_trial(h);
        dismiss(s, &h->coming, now_ns);
        break;
    }
    return until_ns;
}

/* All of `n` seats, or some of them when the others had a while. */
static bool enough(const struct generation *g, size_t n, int64_t since_ns, int64_t now_ns,
                   int64_t *ret_until_ns)
{
    int64_t patience_ns = since_ns + WELCOME_MS * CLOCK_MS;
    *ret_until_ns = now_ns < patience_ns ? patience_ns : INT64_MAX;
    return n == g->n_seats || (n && now_ns >= patience_ns);
}

static int64_t tend_coming(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    struct generation *g = h->coming;
    int64_t until_ns = INT64_MAX;
    if (g->state == GENERATION_FAILED) {
        refuse(s, h, SWAP_REFUSED, g, g->staged.digest, g->why, now_ns);
        end_trial(h);
        h->coming = NULL;
        return INT64_MAX;
    }
    if (h->go_ns == 0 && generation_proven(g)) {
        if (h->terms.trial.kind == TRIAL_SHADOW && g->eligible == 0) {
            refuse(s, h, SWAP_REFUSED, g, g->staged.digest,
                   "shadow: none of its functions says that it is pure, so none could be run twice; --impure "
                   "runs them",
                   now_ns);
            dismiss(s, &h->coming, now_ns);
            return INT64_MAX;
        }
        if (h->terms.trial.kind) { /* before its workers have anything to tell */
            h->trial = trial_new(&h->terms.trial, h->serving, g, now_ns);
            generation_try(h->serving, h->trial);
            generation_try(g, h->trial);
        }
        generation_go(g);
        h->go_ns = now_ns;
    }
    if (h->go_ns == 0) {
        return INT64_MAX;
    }
    if (h->trial && !h->serve_ns) {
        return tend_trial(s, h, now_ns);
    }
    if (enough(g, generation_working(g), h->serve_ns ? h->serve_ns : h->go_ns, now_ns, &until_ns)) {
        take_over(s, h, now_ns);
        return INT64_MAX;
    }
    return until_ns;
}

static void tend_loading(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    bool failed = h->serving->state == GENERATION_FAILED;
    if (failed || generation_serves(h->serving)) {
        h->loading = false;
        end(s, h, failed ? SWAP_FAILED : SWAP_LOADED, h->serving, h->serving->why, now_ns);
    }
}

int64_t hosted_tend(struct plugin_store *s, struct hosted *h, int64_t now_ns)
{
    if (h->loading) {
        tend_loading(s, h, now_ns);
    }
    return h->coming ? tend_coming(s, h, now_ns) : INT64_MAX;
}

bool hosted_moving(const struct hosted *h)
{
    return h->coming || h->loading;
}

/* ---- telling ---- */

static void put_text(struct buf *b, const char *key, const char *value)
{
    buf_put_text(b, key);
    buf_put_text(b, value);
}

static uint32_t put_swaps(const struct hosted *h, struct buf *b)
{
    uint32_t n = 0;
    for (size_t i = 0; i < SWAP_RESULT_COUNT; i++) {
        n += h->swaps[i] != 0;
    }
    buf_put_map(b, n);
    for (size_t i = 0; i < SWAP_RESULT_COUNT; i++) {
        if (h->swaps[i]) {
            buf_put_text(b, swap_result_name((enum swap_result) i));
            buf_put_u64(b, h->swaps[i]);
        }
    }
    return n;
}

void hosted_put(const struct hosted *h, struct buf *b)
{
    const char *why = h->serving->why[0] ? h->serving->why : h->refusal;
    bool standby = h->standby.plugin, last = h->last.attempt != 0;
    buf_put_map(b, generation_pairs(h->serving) + 1u + (why[0] != '\0') + (h->coming ? 2u : 0) + standby +
                       (last ? 1u : 0));
    generation_put(h->serving, b);
    if (why[0]) {
        put_text(b, "why", why);
    }
    if (h->coming) {
        char state[64];
        snprintf(state, sizeof state, "%s", generation_state_name(h->coming->state));
        if (h->trial) {
            trial_progress(h->trial, state, sizeof state);
        }
        put_text(b, "coming_build", h->coming->staged.digest);
        put_text(b, "coming_state", state);
    }
    if (standby) {
        put_text(b, "before_build", h->standby.staged.digest);
    }
    if (last) {
        buf_put_str_const(b, "last_swap");
        buf_put_map(b, swap_pairs(&h->last) + 1u);
        swap_put(&h->last, b);
        buf_put_str_const(b, "ago_ms");
        buf_put_u64(b, (uint64_t) ((clock_ns() - h->last.ended_ns) / CLOCK_MS));
    }
    buf_put_str_const(b, "swaps");
    put_swaps(h, b);
}
