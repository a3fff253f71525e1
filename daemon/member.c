/* SPDX-License-Identifier: MPL-2.0 */
#include "member.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "trial.h"
#include "worker.h"

/* How often to look while jobs are in plugin code, and while none is; how long a worker may do nothing at all. */
enum { LOOK_BUSY_MS = 20, LOOK_IDLE_MS = 100, STUCK_MS = 30000 };

/* ---- start ---- */

static int take_slot(struct site *site, size_t *ret_slot, struct err *err)
{
    size_t i = 0;
    while (i < site->board->n && site->slot_used[i]) {
        i++;
    }
    if (i == site->board->n) {
        return err_set(err, KILN_RESOURCE, NULL, "all %zu slots for worker processes are taken", i);
    }
    site->slot_used[i] = true;
    scoreboard_reset(&site->board->slots[i]);
    *ret_slot = i;
    return 0;
}

static void fill_order(struct order *o, const struct site *site, const struct member *m,
                       const struct posting *at)
{
    const struct daemon_config *c = site->config;
    const struct plugin_config *p = m->plugin;
    const struct conf_ints *cpus = p->cpus.n ? &p->cpus : &c->cpus;
    *o = (struct order){.kind = CHANNEL_ORDER,
                        .slot = (uint32_t) m->slot_index,
                        .slots_of_board = (uint32_t) site->board->n,
                        .log_level = (uint32_t) log_level_parse(c->log_level),
                        .supervisor_pid = getpid(),
                        .nice = (int32_t) p->nice,
                        .held = m->held,
                        .sandbox = p->sandbox,
                        .generation = at->generation,
                        .job_slots = c->slots,
                        .limits = p->limits,
                        .keys = c->keys,
                        .options_bytes = (uint32_t) p->options_bytes};
    snprintf(o->plugin, sizeof o->plugin, "%s", p->name);
    snprintf(o->wid, sizeof o->wid, "%s", m->wid);
    snprintf(o->node, sizeof o->node, "%s", c->name);
    snprintf(o->node_session, sizeof o->node_session, "%s", site->link->session);
    snprintf(o->broker, sizeof o->broker, "%s", c->broker);
    snprintf(o->build, sizeof o->build, "%s", at->staged->digest);
    snprintf(o->path, sizeof o->path, "%s", at->staged->path);
    if (at->trial) {
        o->trial = at->trial->kind;
        o->impure = at->trial->impure;
        o->share_permille = at->trial->share_permille;
        o->copies = (at->trial->jobs + at->n_seats - 1) / at->n_seats;
    }
    for (size_t i = 0; i < cpus->n; i++) {
        o->cpus[cpus->items[i] / 8] |= (uint8_t) (1 << (cpus->items[i] % 8));
    }
}

int member_start(struct site *site, const struct posting *posting, struct member **ret_member,
                 struct err *err)
{
    const struct plugin_config *plugin = posting->plugin;
    struct process process;
    size_t slot_index = 0;
    int status = take_slot(site, &slot_index, err);
    if (!status && (status = process_start(site->board->fd, plugin->name, &process, err))) {
        site->slot_used[slot_index] = false;
    }
    if (status) {
        return status;
    }
    struct member *m = mem_alloc(sizeof *m);
    *m = (struct member){.process = process,
                         .plugin = plugin,
                         .slot_index = slot_index,
                         .seat = posting->seat,
                         .held = posting->held,
                         .on_trial = posting->trial != NULL,
                         .denials = {.fd = -1},
                         .started_ns = clock_ns()};
    m->slot = &site->board->slots[m->slot_index];
    atomic_store(&m->slot->heartbeat_ns, m->started_ns);
    snprintf(m->wid, sizeof m->wid, "%s.%s.%" PRIu64, site->config->name, plugin->name, ++site->serial);
    struct order order;
    fill_order(&order, site, m, posting);
    if (!channel_send_order(m->process.channel, &order, plugin->options)) {
        /* It is dead already; its end will be seen like any other. */
        process_kill(&m->process);
    }
    curve_wipe(&order, sizeof order);
    *ret_member = m;
    return 0;
}

void member_free(struct member **member, struct site *site)
{
    struct member *m = *member;
    if (m) {
        process_close(&m->process);
        denials_done(&m->denials);
        site->slot_used[m->slot_index] = false;
        mem_free(m);
        *member = NULL;
    }
}

/* ---- what it says ---- */

/* What a worker passes later, or again, is not its own doing but its plugin's. */
static void take_listener(struct member *m, const struct note *n, int passed)
{
    if (passed >= 0 && n->kind == CHANNEL_WALLED && !m->walled && !m->proven_ns) {
        m->walled = true;
        m->denials.fd = passed;
    } else if (passed >= 0) {
        close(passed);
    }
}

static void take_note(struct member *m, const struct note *n)
{
    switch (n->kind) {
    case CHANNEL_PROVEN:
        m->proven = *n;
        m->proven_ns = clock_ns();
        break;
    case CHANNEL_REGISTERED:
        m->registered = m->known = true;
        break;
    case CHANNEL_LOST:
        m->registered = false;
        break;
    case CHANNEL_REFUSED:
        err_set(&m->refused, n->status ? n->status : KILN_INTERNAL, NULL, "%.*s", (int) sizeof n->text - 1,
                n->text);
        break;
    case CHANNEL_SERVING:
        m->on_trial = false;
        break;
    case CHANNEL_COMPARED:
        if (m->trial) {
            trial_compared(m->trial, n);
        }
        break;
    case CHANNEL_LEAVING:
        m->told_to_leave = true;
        log_warning("worker_told_to_stop", "wid=%s by=broker", m->wid);
        m->registered = false;
        break;
    default:
        break;
    }
}

/* Each kind of call is logged once; how often, kiln plugins shows. */
static bool hear_denials(struct member *m)
{
    uint64_t before = m->denials.n;
    size_t new = denials_take(&m->denials);
    for (size_t i = m->denials.n_calls - new; i < m->denials.n_calls; i++) {
        char name[DENIALS_NAME_BYTES];
        log_warning("plugin_denied", "wid=%s plugin=%s call=%s", m->wid, m->plugin->name,
                    denials_name(m->denials.calls[i].call, name));
    }
    if (before < DENIALS_MOST && m->denials.n >= DENIALS_MOST) {
        log_warning("plugin_denied_uncounted", "wid=%s plugin=%s after=%d", m->wid, m->plugin->name,
                    DENIALS_MOST);
    }
    return m->denials.n > before;
}

bool member_hear(struct member *m)
{
    bool changed = false;
    struct note note;
    int got = 0, passed = -1;
    while (m->process.channel >= 0 && (got = channel_recv_fd(m->process.channel, &note, &passed)) > 0) {
        take_listener(m, &note, passed);
        take_note(m, &note);
        changed = true;
    }
    if (got < 0) {
        if (passed >= 0) {
            close(passed);
        }
        process_close(&m->process); /* the process has ended or is about to: SIGCHLD tells */
    }
    return hear_denials(m) || changed;
}

/* ---- limits ---- */

static int64_t watch_start(struct member *m, int64_t now_ns)
{
    int64_t until_ns = m->started_ns + m->plugin->limits.warm_ms * CLOCK_MS;
    if (now_ns < until_ns) {
        return until_ns;
    }
    bool warming = atomic_load(&m->slot->phase) >= PHASE_WARMING;
    char step[SCOREBOARD_STEP_BYTES];
    scoreboard_step(m->slot, step, sizeof step);
    err_set(&m->refused, KILN_DEADLINE, "warm_ms", "%s took longer than limits.warm_ms = %" PRId64 "%s%s",
            warming ? "warming and proving the plugin" : "loading the plugin", m->plugin->limits.warm_ms,
            step[0] ? ", and hangs at " : "", step);
    member_kill(m, "stop", "%s", m->refused.text);
    return INT64_MAX;
}

static int64_t watch_work(struct member *m, int64_t now_ns)
{
    struct running r;
    if (!scoreboard_busy(m->slot)) {
        if (now_ns - atomic_load(&m->slot->heartbeat_ns) > STUCK_MS * CLOCK_MS) {
            member_kill(m, "crash", "made no progress outside plugin code for %d ms", STUCK_MS);
            return INT64_MAX;
        }
        return now_ns + LOOK_IDLE_MS * CLOCK_MS;
    }
    if (!scoreboard_look(m->slot, false, &r) || r.n == 0) {
        return now_ns + LOOK_BUSY_MS * CLOCK_MS;
    }
    int64_t end_ns = r.started_ns + r.limit_ns;
    if (now_ns >= end_ns) {
        m->kill_started_ns = r.started_ns;
        member_kill(m, "deadline", "the job ran longer than its limit of %" PRId64 " ms",
                    r.limit_ns / CLOCK_MS);
        return INT64_MAX;
    }
    return end_ns < now_ns + LOOK_BUSY_MS * CLOCK_MS ? end_ns : now_ns + LOOK_BUSY_MS * CLOCK_MS;
}

int64_t member_watch(struct member *m, int64_t now_ns)
{
    if (m->kill_kind || (m->held && m->proven_ns)) {
        return INT64_MAX;
    }
    return m->proven_ns ? watch_work(m, now_ns) : watch_start(m, now_ns);
}

/* ---- end ---- */

void member_go(struct member *m)
{
    struct note note = {.kind = CHANNEL_GO};
    if (m->held) {
        m->held = false;
        atomic_store(&m->slot->heartbeat_ns, clock_ns());
        if (m->process.channel >= 0 && !channel_send(m->process.channel, &note)) {
            process_kill(&m->process); /* its end will be seen */
        }
    }
}

void member_serve(struct member *m)
{
    struct note note = {.kind = CHANNEL_SERVE};
    if (m->on_trial && m->process.channel >= 0 && !channel_send(m->process.channel, &note)) {
        process_kill(&m->process); /* its end will be seen */
    }
}

void member_drain(struct member *m)
{
    struct note note = {.kind = CHANNEL_DRAIN};
    m->role = MEMBER_LEAVING;
    m->told_to_leave = true;
    atomic_store(&m->slot->draining, 1);
    if (m->process.channel >= 0) {
        channel_send(m->process.channel,
                     &note); /* wakes it; if it cannot be told, the drain's time limit ends it */
    }
}

void member_hasten(struct member *m)
{
    atomic_store(&m->slot->cancelled, 1);
}

void member_kill(struct member *m, const char *kind, const char *format, ...)
{
    if (m->kill_kind) {
        return;
    }
    va_list ap;
    va_start(ap, format);
    vsnprintf(m->kill_cause, sizeof m->kill_cause, format, ap);
    va_end(ap);
    m->kill_kind = kind;
    process_kill(&m->process);
}

/* Why a process ended that neither we nor itself has explained. */
static void judge_ending(const struct member *m, struct site *site, const struct ending *how, size_t running,
                         struct member_ending *e)
{
    if (how->code == WORKER_EXIT_DAMAGED) {
        snprintf(e->cause, sizeof e->cause, "the plugin wrote outside its memory");
    } else if (how->signal == SIGKILL && oom_struck(&site->oom, clock_ns())) {
        e->kind = "memory";
        snprintf(e->cause, sizeof e->cause, "the kernel ended it: memory ran out");
    } else if (how->code == 0) {
        /* Left in the middle of its work, without being asked to: exit() in plugin code. */
        snprintf(e->cause, sizeof e->cause, "the plugin ended its process");
    }
    if (!e->kind) {
        e->kind = how->code == 0 && running == 0 && m->told_to_leave ? NULL : "crash";
    }
}

bool member_ended(struct member *m, struct site *site, struct member_ending *ret_ending)
{
    struct ending how;
    if (!process_ended(&m->process, &how)) {
        return false;
    }
    if (how.stopped) {
        /* By a signal: from outside, or raised by plugin code. It would hold its jobs for as long as it likes. */
        member_kill(m, scoreboard_busy(m->slot) ? "crash" : "stop", "%s", how.cause);
        return false;
    }
    member_hear(m); /* its last words are still in the channel */
    struct running r;
    scoreboard_look(m->slot, true, &r);
    struct member_ending e = {.running = r.n};
    snprintf(e.cause, sizeof e.cause, "%s", how.cause);
    if (m->kill_kind && how.signal == SIGKILL) {
        e.kind = m->kill_kind;
        snprintf(e.cause, sizeof e.cause, "%s", m->kill_cause);
        if (strcmp(e.kind, "deadline") == 0 && (!r.inside || r.started_ns != m->kill_started_ns)) {
            e.kind =
                "stop"; /* the slow job ended just before the blow fell, which hit another or none: nobody's fault */
        }
    } else if (m->refused.status) {
        e.kind = "stop";
        snprintf(e.cause, sizeof e.cause, "%.*s", (int) sizeof e.cause - 1, m->refused.text);
    } else {
        judge_ending(m, site, &how, r.n, &e);
        if (e.kind) {
            scoreboard_step(m->slot, e.step, sizeof e.step);
        }
    }
    if (e.kind && m->known) {
        link_gone(site->link, m->wid, e.cause, e.kind, r.tokens, r.n);
    }
    *ret_ending = e;
    return true;
}
