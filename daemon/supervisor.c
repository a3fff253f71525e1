/* SPDX-License-Identifier: MPL-2.0 */
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <kiln/version.h>

#include "clock.h"
#include "data_files.h"
#include "log.h"
#include "mem.h"
#include "notify.h"
#include "plugin_store.h"
#include "reloads.h"
#include "watch.h"

enum {
    HASTEN_MS = 500,
    LINGER_MS = 500,
    FIXED_FDS = 4,
    SLOTS_LEAST = 1024,
    PATIENCE_S = 6, /* what the service manager is asked for while we wait, every third of it */
    DRAINED_S = 15, /* and for the end, beyond drain_ms */
};

struct supervisor {
    const char *config_path;
    struct daemon_config *config;
    struct site site;
    struct plugin_store store;
    struct link link;
    struct reloads reloads;
    struct watch watch;
    int signals;
    int64_t begun_ns;
    unsigned stops; /* SIGTERM and SIGINT so far */
    bool was_ready;
    uint64_t ended_told;              /* attempts of the store that the broker was told of */
    bool changed;                     /* something of the plugins may have */
    char refusal[512];                /* why the last reload changed nothing; "" when it did */
    char said[256];                   /* the last STATUS */
    bool unsaid_status, unsaid_ready; /* the service manager has not taken it yet */
    bool reloading;                   /* it was told so, and is to be told the end */
    int64_t watchdog_ns, next_watchdog_ns, next_patience_ns;

    struct pollfd *fds; /* signals, link, monitor of the link, watch, then two of each member */
    struct generation **fd_generation;
    struct member **fd_member;
    size_t n_fds, room_fds;
};

/* ---- start ---- */

static int open_signals(struct supervisor *s, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 ? 0
                           : err_set(err, KILN_INTERNAL, NULL, "signals cannot be read: %s", strerror(errno));
}

static int stay_on(const struct conf_ints *cpus, struct err *err)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < cpus->n; i++) {
        CPU_SET((size_t) cpus->items[i], &set);
    }
    if (cpus->n && sched_setaffinity(0, sizeof set, &set) < 0) {
        return err_set(err, KILN_INVALID, "cpus",
                       "daemon.cpus names no processor that this process may use: %s", strerror(errno));
    }
    return 0;
}

/* Room for what is configured and as much again for recycling, twice that for swapping, and for what a reload adds. The
 * board is memory that is not there before it is written to. */
static size_t slots_for(const struct daemon_config *config)
{
    size_t seats = 0;
    for (size_t i = 0; i < config->n_plugins; i++) {
        seats += (size_t) config->plugins[i].workers;
    }
    return 8 * seats < SLOTS_LEAST ? SLOTS_LEAST : 8 * seats;
}

/* Before the files are looked at: what changes from then on is told. */
static void watch_files(struct supervisor *s, const struct daemon_config *config)
{
    if (!s->config->watch) {
        watch_close(&s->watch);
        return;
    }
    if (s->watch.fd < 0) {
        watch_open(&s->watch);
    }
    for (size_t i = 0; i < config->n_plugins; i++) {
        watch_folder_of(&s->watch, config->plugins[i].file);
        data_files_watch(&config->plugins[i].data, &s->watch);
    }
}

static const struct store_order everything;
static void on_ask(void *arg, const char *op, size_t op_bytes, const msgpack_object_map *map);

static int begin(struct supervisor *s, struct err *err)
{
    size_t slots = slots_for(s->config);
    s->signals = -1;
    s->watch = (struct watch){.fd = -1, .due_ns = INT64_MAX};
    s->store.lock_fd = -1;
    s->begun_ns = clock_ns();
    s->site = (struct site){.config = s->config, .link = &s->link};
    oom_offer(OOM_SUPERVISOR);
    oom_watch(&s->site.oom);
    s->site.slot_used = mem_alloc(slots * sizeof *s->site.slot_used);
    s->watchdog_ns = notify_watchdog_ns();
    int status = open_signals(s, err);
    status = status ? status : stay_on(&s->config->cpus, err);
    status = status ? status : scoreboard_new(slots, &s->site.board, err);
    status = status ? status : plugin_store_init(&s->store, &s->site, err);
    /* Before any worker: they are told its session. */
    status = status ? status : link_init(&s->link, s->config->broker, &s->config->keys, s->config->name, err);
    if (status) {
        return status;
    }
    s->link.on_ask = on_ask;
    s->link.arg = s;
    s->store.watch = (struct store_watch){reloads_begun, reloads_ended, &s->reloads};
    watch_files(s, s->config);
    plugin_store_apply(&s->store, s->config, &everything, clock_ns());
    plugin_store_tend(&s->store, clock_ns());
    s->changed = true;
    if (curve_wanted(s->config->broker) && !s->config->keys.server_key[0]) {
        log_warning("tcp_is_open", "broker=%s why=%s", s->config->broker,
                    log_quote("daemon.key is not set: jobs and results can be read and changed on the way"));
    }
    log_info("started", "version=%s node=%s plugins=%zu broker=%s run_dir=%s", KILN_VERSION, s->config->name,
             s->config->n_plugins, s->config->broker, s->config->run_dir);
    return 0;
}

/* Workers left here die with us (their parent-death signal). */
static void end(struct supervisor *s)
{
    plugin_store_done(&s->store);
    reloads_done(&s->reloads);
    if (s->link.dealer.context) {
        link_done(&s->link, s->link.welcome ? LINGER_MS : 0);
    }
    scoreboard_free(&s->site.board);
    oom_done(&s->site.oom);
    watch_close(&s->watch);
    if (s->signals >= 0) {
        close(s->signals);
    }
    mem_free(s->site.slot_used);
    mem_free(s->fds);
    mem_free(s->fd_generation);
    mem_free(s->fd_member);
    daemon_config_free(&s->config);
}

/* ---- what happens ---- */

static void stop(struct supervisor *s)
{
    int64_t now_ns = clock_ns();
    if (s->stops++ == 0) {
        log_info("stopping", "drain_ms=%lld workers=%zu", (long long) s->config->drain_ms,
                 plugin_store_members(&s->store));
        s->unsaid_status = s->unsaid_ready = false;
        notify_send("STOPPING=1\nSTATUS=finishing running jobs\nEXTEND_TIMEOUT_USEC=%lld",
                    (long long) (s->config->drain_ms + DRAINED_S * 1000) * 1000);
        plugin_store_drain(&s->store, s->config->drain_ms, now_ns);
    } else {
        log_warning("stopping_now", "workers=%zu", plugin_store_members(&s->store));
        plugin_store_hasten(&s->store, HASTEN_MS, now_ns);
    }
}

/* What a running daemon cannot change: who it is, where it lives, whom it serves. */
static int check_unchanged(const struct daemon_config *old, const struct daemon_config *new, struct err *err)
{
    const char *const rows[][3] = {{"broker", old->broker, new->broker},
                                   {"key", old->key, new->key},
                                   {"broker_key", old->broker_key, new->broker_key},
                                   {"run_dir", old->run_dir, new->run_dir},
                                   {"name", old->name, new->name}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i][1], rows[i][2]) != 0) {
            return err_set(
                err, KILN_INVALID, rows[i][0],
                "daemon.%s is \"%s\" now and was \"%s\": a reload cannot change it, restart the daemon",
                rows[i][0], rows[i][2], rows[i][1]);
        }
    }
    return 0;
}

static int read_config(const struct supervisor *s, const struct store_order *order,
                       struct daemon_config **ret, struct err *err)
{
    struct daemon_config *config = NULL;
    int status = daemon_config_load(s->config_path, &config, err);
    status = status ? status : check_unchanged(s->config, config, err);
    status = status ? status : plugin_store_check(&s->store, config, order, err);
    if (!status && order->n == 0) {
        status = stay_on(&config->cpus, err);
    }
    if (status) {
        daemon_config_free(&config);
        return status;
    }
    *ret = config;
    return 0;
}

/* Reads the configuration again and makes what runs what it says, as far as the order goes: one for some plugins leaves all
 * other settings alone. A wrong one changes nothing. */
static int reload(struct supervisor *s, const struct store_order *order, struct err *err)
{
    struct daemon_config *config = NULL;
    int status = read_config(s, order, &config, err);
    s->changed = true;
    if (status) {
        log_error("reload_refused", "why=%s", log_quote(err->text));
        snprintf(s->refusal, sizeof s->refusal, "%s", err->text);
        return status;
    }
    s->refusal[0] = '\0';
    log_info("reload", "plugins=%zu", order->n ? order->n : config->n_plugins);
    if (order->n == 0) {
        log_open("kilnd", (enum log_level) log_level_parse(config->log_level));
        s->site.config = config;
        daemon_config_free(&s->config);
        s->config = config;
    }
    watch_files(s, config);
    plugin_store_apply(&s->store, config, order, clock_ns());
    if (order->n) {
        daemon_config_free(&config);
    }
    return 0;
}

/* SIGHUP: all of it, and the service manager waits for the end. */
static void reload_all(struct supervisor *s)
{
    struct err err;
    if (!s->stops) {
        notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long) (clock_ns() / CLOCK_US));
        s->reloading = true;
        reload(s, &everything, &err);
    }
}

/* ---- what the broker asks ---- */

static int carry_out(struct supervisor *s, bool back, const msgpack_object_map *map, struct err *err)
{
    struct store_order order = {0};
    if (s->stops) {
        return err_set(err, KILN_UNAVAILABLE, NULL, "the daemon is stopping");
    }
    if (s->reloads.n == RELOADS_MOST) {
        return err_set(err, KILN_BUSY, NULL, "%d reloads are under way already", RELOADS_MOST);
    }
    if (reloads_read(map, back, &order, err)) {
        return KILN_INVALID;
    }
    if (!back) {
        return reload(s, &order, err);
    }
    int status = plugin_store_check(&s->store, NULL, &order, err);
    if (!status) {
        plugin_store_rollback(&s->store, &order, clock_ns());
        s->changed = true;
    }
    return status;
}

static void on_ask(void *arg, const char *op, size_t op_bytes, const msgpack_object_map *map)
{
    struct supervisor *s = arg;
    struct err err = {0};
    uint64_t number = 0;
    bool back = text_is(op, op_bytes, "rollback");
    if ((!back && !text_is(op, op_bytes, "reload")) ||
        header_uint(map, "number", 1, UINT64_MAX, &number, NULL) || number == 0 ||
        !reloads_open(&s->reloads, number)) {
        return;
    }
    int status = carry_out(s, back, map, &err);
    reloads_close(&s->reloads, status ? &err : NULL);
    if (s->reloads.n > RELOADS_MOST) {
        reloads_answer(
            &s->reloads,
            &s->link); /* the others behind the next beat: who is answered finds the figures right */
    }
}

/* A worker has nothing to say by signals: its plugin would end or reload us. */
static bool from_a_worker(const struct supervisor *s, const struct signalfd_siginfo *got)
{
    for (size_t i = 0; i < s->store.n_generations; i++) {
        const struct generation *g = s->store.generations[i];
        for (size_t k = 0; k < g->n_members; k++) {
            if ((uint32_t) g->members[k]->process.pid == got->ssi_pid && got->ssi_pid) {
                log_warning("signal_ignored", "wid=%s signal=%u", g->members[k]->wid, got->ssi_signo);
                return true;
            }
        }
    }
    return false;
}

static void hear_signals(struct supervisor *s)
{
    struct signalfd_siginfo got;
    while (read(s->signals, &got, sizeof got) == (ssize_t) sizeof got) {
        if (got.ssi_signo != SIGCHLD && from_a_worker(s, &got)) {
            continue;
        }
        switch (got.ssi_signo) {
        case SIGCHLD:
            plugin_store_reap(&s->store, clock_ns());
            s->changed = true;
            break;
        case SIGHUP:
            reload_all(s);
            break;
        default:
            stop(s);
        }
    }
}

/* Sees whether what changed is worth telling. */
static void judge(struct supervisor *s, int64_t now_ns)
{
    char now[sizeof s->said];
    plugin_store_sentence(&s->store, now, sizeof now);
    if (s->link.quiet) {
        size_t n = strlen(now);
        snprintf(now + n, sizeof now - n, "; drained: takes no new jobs");
    }
    if (s->refusal[0]) {
        size_t n = strlen(now);
        snprintf(now + n, sizeof now - n, "; reload refused: %s", s->refusal);
    }
    if (strcmp(now, s->said) != 0) {
        memcpy(s->said, now, sizeof now);
        s->unsaid_status = true;
        s->link.next_beat_ns = 0; /* the broker shall know too, now */
        const char *blocked = s->was_ready ? NULL : plugin_store_blocked(&s->store);
        if (blocked) {
            log_error("not_ready", "required=%s status=%s", blocked, log_quote(now));
        }
    }
    if (s->reloading && s->was_ready && !plugin_store_swapping(&s->store)) {
        s->reloading = false;
        s->unsaid_ready = true;
        if (!s->refusal[0]) {
            log_info("reloaded", "status=%s", log_quote(now));
        }
    }
    if (!s->was_ready && plugin_store_ready(&s->store)) {
        s->was_ready = s->unsaid_ready = true;
        log_info("ready", "after_us=%lld status=%s", (long long) ((now_ns - s->begun_ns) / CLOCK_US),
                 log_quote(now));
    }
}

/* Waiting for a broker and warming are no failure to start, however long they take; a hung loop, or a required plugin that
 * failed, are: then the manager's own limit holds. Returns when it is due again. */
static int64_t ask_patience(struct supervisor *s, int64_t now_ns)
{
    bool waits = !s->was_ready && !s->stops && !plugin_store_blocked(&s->store);
    if (!waits && !s->reloading) {
        return INT64_MAX;
    }
    if (now_ns >= s->next_patience_ns) {
        notify_send("EXTEND_TIMEOUT_USEC=%lld", (long long) PATIENCE_S * 1000000);
        s->next_patience_ns = now_ns + PATIENCE_S * CLOCK_S / 3;
    }
    return s->next_patience_ns;
}

/* Tells the service manager what is new; what it does not take is offered again with the next turn of the loop. */
static void announce(struct supervisor *s, int64_t now_ns)
{
    if (s->watchdog_ns && now_ns >= s->next_watchdog_ns) {
        notify_send("WATCHDOG=1");
        s->next_watchdog_ns = now_ns + s->watchdog_ns;
    }
    if (s->changed && !s->stops) {
        s->changed = false;
        judge(s, now_ns);
    }
    s->unsaid_ready = s->unsaid_ready && !notify_send("READY=1");
    s->unsaid_status = s->unsaid_status && !notify_send("STATUS=%s", s->said);
}

static void beat(struct supervisor *s, int64_t now_ns)
{
    if (link_beat_due(&s->link, now_ns)) {
        struct buf pairs = {0};
        oom_struck(&s->site.oom, now_ns);
        plugin_store_put(&s->store, &pairs);
        link_beat(&s->link, &pairs, PLUGIN_STORE_PAIRS, now_ns);
        buf_done(&pairs);
    }
}

/* ---- the loop ---- */

static void make_room(struct supervisor *s, size_t fds)
{
    if (fds > s->room_fds) {
        s->room_fds = 2 * fds;
        s->fds = mem_grow(s->fds, s->room_fds * sizeof *s->fds);
        s->fd_generation = mem_grow(s->fd_generation, s->room_fds * sizeof(struct generation *));
        s->fd_member = mem_grow(s->fd_member, s->room_fds * sizeof(struct member *));
    }
}

/* A closed one is -1, which poll ignores. */
static void add_fd(struct supervisor *s, int fd, struct generation *g, struct member *m)
{
    s->fds[s->n_fds] = (struct pollfd){.fd = fd, .events = POLLIN};
    s->fd_generation[s->n_fds] = g;
    s->fd_member[s->n_fds++] = m;
}

static void gather(struct supervisor *s)
{
    make_room(s, FIXED_FDS + 2 * plugin_store_members(&s->store));
    s->fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    s->fds[1] = (struct pollfd){.fd = dealer_fd(&s->link.dealer), .events = POLLIN};
    s->fds[2] = (struct pollfd){.fd = dealer_monitor_fd(&s->link.dealer), .events = POLLIN};
    s->fds[3] = (struct pollfd){.fd = s->watch.fd, .events = POLLIN};
    s->n_fds = FIXED_FDS;
    for (size_t i = 0; i < s->store.n_generations; i++) {
        struct generation *g = s->store.generations[i];
        for (size_t k = 0; k < g->n_members; k++) {
            struct member *m = g->members[k];
            add_fd(s, m->process.channel, g, m);
            add_fd(s, m->denials.fd, g, m);
        }
    }
}

/* True when the connection to the broker has ended. */
static bool hear_connection(struct supervisor *s)
{
    bool ended = dealer_ended(&s->link.dealer);
    const char *why = dealer_refusal(&s->link.dealer);
    if (why) {
        char text[300];
        snprintf(text, sizeof text, "the broker %s", why);
        log_error("broker_refused", "broker=%s why=%s", s->config->broker, log_quote(text));
    }
    return ended;
}

/* In this order: what a member said before it died is heard before it is buried. */
static void deal(struct supervisor *s)
{
    for (size_t i = FIXED_FDS; i < s->n_fds; i++) {
        if (s->fds[i].revents) {
            generation_hear(s->fd_generation[i], s->fd_member[i]);
            s->changed = true;
        }
    }
    if (s->fds[2].revents && hear_connection(s)) {
        link_ended(&s->link, clock_ns());
    }
    if (s->fds[3].revents) {
        watch_hear(&s->watch, clock_ns());
    }
    if (s->fds[0].revents) {
        hear_signals(s);
    }
}

static int wait_ms(int64_t until_ns, int64_t now_ns)
{
    int64_t left_ns = until_ns - now_ns;
    if (left_ns <= 0) {
        return 0;
    }
    return left_ns > 3600 * CLOCK_S ? 3600000 : (int) ((left_ns + CLOCK_MS - 1) / CLOCK_MS);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

static void loop(struct supervisor *s)
{
    while (!s->stops || plugin_store_members(&s->store) > 0) {
        s->link.spoke = false;
        bool quiet = s->link.quiet;
        while (link_recv(&s->link)) {
        }
        s->changed = s->changed || quiet != s->link.quiet;
        int64_t now_ns = clock_ns();
        if (watch_due(&s->watch, now_ns) && !s->stops) {
            plugin_store_watch(&s->store, &s->watch); /* there may be new folders of data */
            plugin_store_refresh(&s->store, now_ns);
            s->changed = true;
        }
        bool swapping = plugin_store_swapping(&s->store);
        int64_t until_ns = plugin_store_tend(&s->store, now_ns);
        s->changed = s->changed || swapping != plugin_store_swapping(&s->store);
        if (s->ended_told != s->store.ended) { /* the broker shall know how, now */
            s->ended_told = s->store.ended;
            s->link.next_beat_ns = 0;
        }
        announce(s, now_ns);
        beat(s, now_ns);
        reloads_answer(&s->reloads, &s->link);
        until_ns = earlier(until_ns, link_tend(&s->link, now_ns));
        until_ns = earlier(until_ns, s->watch.due_ns);
        until_ns = earlier(until_ns, ask_patience(s, now_ns));
        until_ns = s->watchdog_ns ? earlier(until_ns, s->next_watchdog_ns) : until_ns;
        gather(s);
        /* Having sent something, look into the socket once more: its descriptor is edge-triggered. */
        if (poll(s->fds, s->n_fds, s->link.spoke ? 0 : wait_ms(until_ns, now_ns)) > 0) {
            deal(s);
        }
    }
}

int supervisor_run(const char *config_path, struct daemon_config **config, struct err *err)
{
    struct supervisor s = {.config_path = config_path, .config = *config};
    *config = NULL;
    int status = begin(&s, err);
    if (!status) {
        loop(&s);
        if (s.link.welcome) {
            link_bye(&s.link);
        }
        log_info("stopped", "after_ms=%lld", (long long) ((clock_ns() - s.begun_ns) / CLOCK_MS));
    }
    end(&s);
    return status;
}
