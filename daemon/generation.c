/* SPDX-License-Identifier: MPL-2.0 */
#include "generation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "trial.h"

enum {
    TRIES = 3,
    PAUSE_FIRST_MS = 100,
    OUTDATED_MS = 10000,
    /* meanwhile the plugin is loaded anew */ PAUSE_MOST_MS = 60000,
    PAUSE_JOB_MS = 1000,
    WELL_MS = 60000
};

const char *generation_state_name(enum generation_state state)
{
    static const char *const names[] = {"staged",   "loading", "warming", "ready",
                                        "draining", "retired", "failed"};
    return names[state];
}

struct generation *generation_new(struct plugin_config **plugin, const struct staged *staged, uint64_t number)
{
    struct generation *g = mem_alloc(sizeof *g);
    *g = (struct generation){
        .plugin = *plugin, .staged = *staged, .number = number, .n_seats = (size_t) (*plugin)->workers};
    *plugin = NULL;
    g->seats = mem_alloc(g->n_seats * sizeof *g->seats);
    g->members = mem_alloc(2 * g->n_seats *
                           sizeof(struct member *)); /* each seat's, and its successor or predecessor */
    return g;
}

struct generation *generation_failed(struct plugin_config **plugin, const char *why)
{
    struct generation *g = mem_alloc(sizeof *g);
    *g = (struct generation){.plugin = *plugin, .state = GENERATION_FAILED};
    *plugin = NULL;
    snprintf(g->why, sizeof g->why, "%s", why);
    return g;
}

void generation_free(struct generation **generation, struct site *site)
{
    struct generation *g = *generation;
    if (g) {
        for (size_t i = 0; i < g->n_members; i++) {
            member_free(&g->members[i], site);
        }
        plugin_config_free(&g->plugin);
        mem_free(g->members);
        mem_free(g->seats);
        mem_free(g);
        *generation = NULL;
    }
}

/* ---- members ---- */

static struct member *find(const struct generation *g, size_t seat, enum member_role role)
{
    for (size_t i = 0; i < g->n_members; i++) {
        if (g->members[i]->seat == seat && g->members[i]->role == role) {
            return g->members[i];
        }
    }
    return NULL;
}

static bool well(const struct member *m)
{
    return m->proven_ns && m->registered && m->role != MEMBER_LEAVING && !m->kill_kind;
}

size_t generation_working(const struct generation *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_members; i++) {
        n += well(g->members[i]) && !g->members[i]->on_trial;
    }
    return n;
}

bool generation_proven(const struct generation *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_members; i++) {
        n += g->members[i]->proven_ns && g->members[i]->role == MEMBER_CURRENT && !g->members[i]->kill_kind;
    }
    return g->state == GENERATION_READY && n == g->n_seats;
}

void generation_go(struct generation *g)
{
    g->held = false;
    for (size_t i = 0; i < g->n_members; i++) {
        member_go(g->members[i]);
    }
}

void generation_serve(struct generation *g)
{
    g->terms.kind = TRIAL_NONE;
    for (size_t i = 0; i < g->n_members; i++) {
        member_serve(g->members[i]);
    }
}

/* What a member does counts for the trial. */
static void enlist(const struct generation *g, struct member *m)
{
    m->trial = g->trial;
    atomic_store(&m->slot->counting, g->trial ? trial_number(g->trial) : 0);
}

void generation_try(struct generation *g, struct trial *trial)
{
    g->trial = trial;
    for (size_t i = 0; i < g->n_members; i++) {
        enlist(g, g->members[i]);
    }
}

bool generation_serves(const struct generation *g)
{
    return g->state == GENERATION_READY && generation_working(g) > 0;
}

static void fail(struct generation *g, const char *why)
{
    g->state = GENERATION_FAILED;
    snprintf(g->why, sizeof g->why, "%s", why);
    log_error("plugin_failed", "plugin=%s build=%s why=%s", g->plugin->name, g->staged.digest,
              log_quote(g->why));
    for (size_t i = 0; i < g->n_seats; i++) {
        g->seats[i].retry_ns = INT64_MAX;
    }
    for (size_t i = 0; i < g->n_members; i++) {
        member_kill(g->members[i], "stop", "the plugin failed");
    }
}

/* ---- states ---- */

/* Where it stands is how far its best member is. */
static void settle(struct generation *g)
{
    if (g->state >= GENERATION_DRAINING) {
        return;
    }
    enum generation_state best = GENERATION_STAGED;
    for (size_t i = 0; i < g->n_members; i++) {
        const struct member *m = g->members[i];
        uint32_t phase = atomic_load(&m->slot->phase);
        enum generation_state is = m->proven_ns             ? GENERATION_READY
                                   : phase == PHASE_WARMING ? GENERATION_WARMING
                                                            : GENERATION_LOADING;
        best = m->role != MEMBER_LEAVING && is > best ? is : best;
    }
    g->state = best;
}

static void count_denials(struct generation *g, struct member *m)
{
    if (m->denials.n > m->denials_counted && m->denials.n_calls) {
        g->denied += m->denials.n - m->denials_counted;
        g->denied_call = m->denials.calls[m->denials.n_calls - 1].call;
        m->denials_counted = m->denials.n;
    }
}

void generation_hear(struct generation *g, struct member *m)
{
    bool was_proven = m->proven_ns != 0, was_registered = m->registered;
    if (!member_hear(m)) {
        return;
    }
    count_denials(g, m);
    if (m->proven_ns && !was_proven) {
        g->was_ready = true;
        g->eligible = m->proven.eligible;
        snprintf(g->version, sizeof g->version, "%s", m->proven.version);
        log_info("worker_proven",
                 "wid=%s plugin=%s version=%s build=%s functions=%u start_us=%" PRId64 " load_us=%" PRId64
                 " prove_us=%" PRId64,
                 m->wid, g->plugin->name, g->version, g->staged.digest, m->proven.functions,
                 (m->proven_ns - m->started_ns) / CLOCK_US, m->proven.load_ns / CLOCK_US,
                 m->proven.prove_ns / CLOCK_US);
    }
    if (m->registered && !was_registered && m->role == MEMBER_NEXT) {
        struct member *old = find(g, m->seat, MEMBER_CURRENT);
        m->role = MEMBER_CURRENT;
        if (old) {
            member_drain(old);
        }
    }
    settle(g);
}

/* ---- deaths ---- */

static int64_t pause_ns(unsigned failures, int64_t most_ms)
{
    int64_t ms = failures == 0 ? 0 : PAUSE_FIRST_MS;
    for (unsigned i = 1; i < failures && ms < most_ms; i++) {
        ms *= 2;
    }
    return (ms < most_ms ? ms : most_ms) * CLOCK_MS;
}

/* A seat is empty and should not be: decides when it is filled again. */
static void bereave(struct generation *g, const struct member *m, const struct member_ending *e,
                    int64_t now_ns)
{
    struct seat *s = &g->seats[m->seat];
    bool blameless = e->kind && strcmp(e->kind, "deadline") == 0; /* it was the job's fault: no pause */
    if (m->proven_ns && now_ns - m->proven_ns >= WELL_MS * CLOCK_MS) {
        s->failures = 0;
    }
    /* A job that kills its worker is the broker's to stop (poison); others must not wait a minute for what it did. */
    int64_t wait_ns = blameless ? 0 : pause_ns(s->failures, e->running ? PAUSE_JOB_MS : PAUSE_MOST_MS);
    s->failures += !blameless;
    s->retry_ns = now_ns + wait_ns;
    g->restarts++;
    log_warning("worker_died", "wid=%s plugin=%s kind=%s cause=%s running=%zu restart_ms=%" PRId64, m->wid,
                g->plugin->name, e->kind ? e->kind : "left", log_quote(e->cause), e->running,
                wait_ns / CLOCK_MS);
}

static void bury(struct generation *g, const struct member *m, const struct member_ending *e, int64_t now_ns)
{
    if (g->state >= GENERATION_DRAINING || m->role == MEMBER_LEAVING) {
        if (e->kind && g->state != GENERATION_FAILED) {
            log_warning("worker_did_not_drain", "wid=%s cause=%s running=%zu", m->wid, log_quote(e->cause),
                        e->running);
        } else {
            log_debug("worker_left", "wid=%s", m->wid);
        }
        return;
    }
    if (!g->was_ready && m->refused.status) {
        fail(g, m->refused.text);
        return;
    }
    if (!g->was_ready && ++g->deaths >= TRIES) {
        char why[400];
        snprintf(why, sizeof why, "%u workers in a row died before they were ready, the last by %s%s%s",
                 g->deaths, e->cause, e->step[0] ? " at " : "", e->step);
        fail(g, why);
        return;
    }
    if (m->refused.status) {
        log_error("worker_refused", "wid=%s plugin=%s why=%s", m->wid, g->plugin->name,
                  log_quote(m->refused.text));
    }
    bereave(g, m, e, now_ns);
}

void generation_reap(struct generation *g, struct site *site, int64_t now_ns)
{
    for (size_t i = 0; i < g->n_members;) {
        struct member *m = g->members[i];
        struct member_ending e;
        if (!member_ended(m, site, &e)) {
            i++;
            continue;
        }
        g->members[i] = g->members[--g->n_members];
        count_denials(g, m);
        if (g->trial) {
            trial_lost(g->trial, g, m->slot, &e);
        }
        bury(g, m, &e, now_ns);
        member_free(&m, site);
    }
    settle(g);
    if (g->state == GENERATION_DRAINING && g->n_members == 0) {
        g->state = GENERATION_RETIRED;
    }
}

/* ---- what is due ---- */

static void start(struct generation *g, struct site *site, size_t seat, enum member_role role, int64_t now_ns)
{
    struct err err;
    struct member *m;
    const struct posting posting = {.plugin = g->plugin,
                                    .staged = &g->staged,
                                    .generation = g->number,
                                    .seat = seat,
                                    .n_seats = g->n_seats,
                                    .held = g->held,
                                    .trial = g->terms.kind ? &g->terms : NULL};
    if (member_start(site, &posting, &m, &err)) {
        /* No memory or no processes for now: like a death, but with nobody to bury. */
        struct seat *s = &g->seats[seat];
        int64_t wait_ns = pause_ns(++s->failures, PAUSE_MOST_MS);
        log_error("worker_not_started", "plugin=%s why=%s retry_ms=%" PRId64, g->plugin->name,
                  log_quote(err.text), wait_ns / CLOCK_MS);
        s->retry_ns = now_ns + wait_ns;
        return;
    }
    m->role = role;
    enlist(g, m);
    g->members[g->n_members++] = m;
    g->seats[seat].retry_ns = INT64_MAX;
}

static bool worn(const struct generation *g, const struct member *m, int64_t now_ns)
{
    const struct plugin_recycle *r = &g->plugin->recycle;
    return (r->age_s && now_ns - m->proven_ns >= r->age_s * CLOCK_S) ||
           (r->jobs && atomic_load_explicit(&m->slot->jobs, memory_order_relaxed) >= (uint64_t) r->jobs) ||
           (r->resident_mb && atomic_load_explicit(&m->slot->resident_bytes, memory_order_relaxed) >
                                  (uint64_t) r->resident_mb << 20);
}

/* A worker that started now would read other data than those before it: another build under this one's id. */
static bool is_outdated(const struct generation *g)
{
    return g->was_ready && g->plugin->data.n && !staging_has_its_data(&g->staged, &g->plugin->data);
}

/* Fills an empty seat when it is time; puts a successor beside a worn member. */
static int64_t tend_seat(struct generation *g, struct site *site, size_t seat, int64_t now_ns)
{
    struct seat *s = &g->seats[seat];
    struct member *current = find(g, seat, MEMBER_CURRENT), *next = find(g, seat, MEMBER_NEXT);
    if (!current && next) {
        next->role = MEMBER_CURRENT; /* the one it was to replace died first */
        s->retry_ns = INT64_MAX;
        return INT64_MAX;
    }
    bool due = now_ns >= s->retry_ns;
    bool recycle = current && !next && !find(g, seat, MEMBER_LEAVING) && well(current) &&
                   worn(g, current, now_ns) && (due || s->retry_ns == INT64_MAX);
    if (recycle || (!current && due)) {
        if (is_outdated(g)) {
            log_warning("data_changed", "plugin=%s build=%s", g->plugin->name, g->staged.digest);
            g->outdated = true;
            s->retry_ns = now_ns + OUTDATED_MS * CLOCK_MS;
            return s->retry_ns;
        }
        if (recycle) {
            log_info("worker_recycled", "wid=%s jobs=%" PRIu64 " resident_bytes=%" PRIu64, current->wid,
                     atomic_load(&current->slot->jobs), atomic_load(&current->slot->resident_bytes));
        }
        start(g, site, seat, recycle ? MEMBER_NEXT : MEMBER_CURRENT, now_ns);
    }
    return s->retry_ns;
}

int64_t generation_tend(struct generation *g, struct site *site, int64_t now_ns)
{
    int64_t until_ns = INT64_MAX;
    settle(g); /* a worker that goes from loading to warming wakes nobody */
    if (g->state == GENERATION_DRAINING && now_ns >= g->drain_end_ns) {
        for (size_t i = 0; i < g->n_members; i++) {
            member_kill(g->members[i], "stop", "the worker did not finish within the drain time");
        }
    } else if (g->state == GENERATION_DRAINING) {
        until_ns = g->drain_end_ns;
    }
    for (size_t i = 0; i < g->n_members; i++) {
        int64_t next_ns = member_watch(g->members[i], now_ns);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    for (size_t i = 0; i < g->n_seats && g->state < GENERATION_DRAINING; i++) {
        int64_t next_ns = tend_seat(g, site, i, now_ns);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    return until_ns;
}

void generation_drain(struct generation *g, int64_t drain_ms, int64_t now_ns)
{
    if (g->state == GENERATION_FAILED && g->n_members == 0) {
        return;
    }
    g->state = g->n_members ? GENERATION_DRAINING : GENERATION_RETIRED;
    g->drain_end_ns = now_ns + drain_ms * CLOCK_MS;
    for (size_t i = 0; i < g->n_members; i++) {
        struct member *m = g->members[i];
        if (m->proven_ns) {
            member_drain(m);
        } else {
            m->role = MEMBER_LEAVING;
            member_kill(m, "stop", "the daemon stops");
        }
    }
}

void generation_hasten(struct generation *g, int64_t ms, int64_t now_ns)
{
    int64_t end_ns = now_ns + ms * CLOCK_MS;
    g->drain_end_ns = end_ns < g->drain_end_ns ? end_ns : g->drain_end_ns;
    for (size_t i = 0; i < g->n_members; i++) {
        member_hasten(g->members[i]);
    }
}

/* ---- telling ---- */

static void put_text(struct buf *b, const char *key, const char *value)
{
    buf_put_text(b, key);
    buf_put_text(b, value);
}

uint32_t generation_pairs(const struct generation *g)
{
    return 5u + (g->denied ? 2u : 0) + (g->version[0] != '\0') + (g->staged.digest[0] != '\0');
}

void generation_put(const struct generation *g, struct buf *b)
{
    put_text(b, "name", g->plugin->name);
    put_text(b, "state", generation_state_name(g->state));
    buf_put_str_const(b, "generation");
    buf_put_u64(b, g->number);
    buf_put_str_const(b, "workers");
    buf_put_u64(b, generation_working(g));
    buf_put_str_const(b, "restarts");
    buf_put_u64(b, g->restarts);
    if (g->denied) {
        char name[DENIALS_NAME_BYTES];
        buf_put_str_const(b, "denied");
        buf_put_u64(b, g->denied);
        put_text(b, "denied_call", denials_name(g->denied_call, name));
    }
    if (g->version[0]) {
        put_text(b, "version", g->version);
    }
    if (g->staged.digest[0]) {
        put_text(b, "build", g->staged.digest);
    }
}
