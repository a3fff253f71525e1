/* SPDX-License-Identifier: MPL-2.0 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "sandbox.h"
#include "shadow.h"
#include "stall.h"
#include "swap.h"
#include "worker_jobs.h"

/* When leaving: how long results may wait for a broker that is away; and to be sent to one that is there, or seems to be.
 * A mere bye is not worth such patience. */
enum { LEAVE_MS = 1000, LINGER_MS = 3000, BYE_MS = 500 };

struct worker {
    struct order order;
    void *options;
    struct scoreboard *board;
    struct slot *slot;
    struct engine *engine;
    struct worker_link link;
    struct worker_jobs jobs;
    struct shadow shadow;
    enum trial_kind trial; /* how the broker knows it */
    bool serve_told;       /* it was on trial, and its supervisor knows that it serves */
    int statm_fd;
    int64_t next_look_ns;

    struct buf hello; /* pairs of the hello map */
    uint32_t hello_pairs;
    struct buf *hello_frames; /* contracts, then the report: views of the engine's memory */
    const struct buf **hello_list;
    bool told_registered;
    bool leaving;
    int64_t leaving_ns;
};

static void tell(enum channel_kind kind)
{
    struct note note = {.kind = kind};
    if (!channel_send(CHANNEL_FD, &note)) {
        _exit(WORKER_EXIT_NO_SUPERVISOR);
    }
}

static _Noreturn void refuse(const struct err *why)
{
    struct note note = {.kind = CHANNEL_REFUSED, .status = why->status};
    snprintf(note.text, sizeof note.text, "%s", why->text);
    channel_send(CHANNEL_FD, &note);
    _exit(WORKER_EXIT_REFUSED);
}

static void phase(struct worker *w, enum phase phase)
{
    atomic_store_explicit(&w->slot->phase, phase, memory_order_release);
    atomic_store_explicit(&w->slot->heartbeat_ns, clock_ns(), memory_order_relaxed);
}

/* ---- the plugin ---- */

static void on_step(void *arg, const char *what)
{
    struct slot *s = arg;
    snprintf(s->step, sizeof s->step, "%s", what);
}

static void load(struct worker *w)
{
    struct err err;
    const struct order *o = &w->order;
    const struct engine_limits limits = {.job_bytes = (size_t) o->limits.job_mb << 20,
                                         .payload_bytes = (size_t) o->limits.job_mb << 20,
                                         .max_batch = MAX_BATCH};
    int64_t begun_ns = clock_ns();
    phase(w, PHASE_LOADING);
    engine_on_step(on_step, w->slot);
    if (engine_load(o->path, w->options, o->options_bytes, &limits, &w->engine, &err)) {
        refuse(&err);
    }
    if (strcmp(engine_name(w->engine), o->plugin) != 0) {
        err_set(&err, KILN_INVALID, "name",
                "the plugin calls itself \"%s\", expected \"%s\" as in the configuration",
                engine_name(w->engine), o->plugin);
        refuse(&err);
    }
    int64_t loaded_ns = clock_ns();
    phase(w, PHASE_WARMING);
    if (engine_prove(w->engine, true, &err)) {
        refuse(&err);
    }
    struct note note = {.kind = CHANNEL_PROVEN,
                        .load_ns = loaded_ns - begun_ns,
                        .prove_ns = clock_ns() - loaded_ns,
                        .functions = (uint32_t) engine_functions(w->engine),
                        .eligible = (uint32_t) shadow_eligible(w->engine, o->impure != 0)};
    snprintf(note.version, sizeof note.version, "%s", engine_version(w->engine));
    engine_on_step(NULL, NULL);
    w->slot->step[0] = '\0';
    if (!channel_send(CHANNEL_FD, &note)) {
        _exit(WORKER_EXIT_NO_SUPERVISOR);
    }
}

/* Proven, but another generation serves: waits until the supervisor says that it is this one's turn. False: it never is. */
static bool wait_for_turn(void)
{
    for (;;) {
        struct note note;
        struct pollfd p = {.fd = CHANNEL_FD, .events = POLLIN};
        poll(&p, 1, -1);
        int got = channel_recv(CHANNEL_FD, &note);
        if (got < 0) {
            _exit(WORKER_EXIT_NO_SUPERVISOR);
        }
        if (got > 0 && note.kind == CHANNEL_GO) {
            return true;
        }
        if (got > 0 && note.kind == CHANNEL_DRAIN) {
            return false;
        }
    }
}

/* ---- hello ---- */

static void put_text(struct buf *b, const char *key, const char *value)
{
    buf_put_text(b, key);
    buf_put_text(b, value);
}

static void put_function(struct buf *b, const struct engine *e, size_t i, bool copies)
{
    buf_put_map(b, 4u + !copies);
    if (!copies) {
        buf_put_str_const(b, "copies");
        buf_put_bool(b, false);
    }
    put_text(b, "name", engine_function_name(e, i));
    buf_put_str_const(b, "flags");
    buf_put_u64(b, engine_function_flags(e, i));
    buf_put_str_const(b, "max_batch");
    buf_put_u64(b, engine_function_max_batch(e, i));
    buf_put_str_const(b, "warm_us");
    buf_put_u64(b, (uint64_t) (engine_function_warm_ns(e, i) / CLOCK_US));
}

static struct buf view(const void *data, size_t bytes)
{
    return (struct buf){.data = (uint8_t *) (uintptr_t) data, .bytes = bytes, .room = bytes};
}

static void make_hello(struct worker *w)
{
    struct buf *b = &w->hello;
    const struct order *o = &w->order;
    const struct engine *e = w->engine;
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    buf_clear(b);
    put_text(b, "role", "worker");
    put_text(b, "wid", o->wid);
    put_text(b, "node", o->node);
    put_text(b, "node_session", o->node_session);
    buf_put_str_const(b, "pid");
    buf_put_u64(b, (uint64_t) getpid());
    put_text(b, "host", host);
    put_text(b, "plugin", o->plugin);
    put_text(b, "version", engine_version(e));
    put_text(b, "build", o->build);
    buf_put_str_const(b, "generation");
    buf_put_u64(b, o->generation);
    buf_put_str_const(b, "packed");
    buf_put_bool(b, true);
    bool shadow = w->trial == TRIAL_SHADOW, canary = w->trial == TRIAL_CANARY;
    if (shadow || canary) {
        put_text(b, "trial", shadow ? "shadow" : "canary");
    }
    if (canary) {
        buf_put_str_const(b, "share_permille");
        buf_put_u64(b, o->share_permille);
    }
    buf_put_str_const(b, "functions");
    size_t n = engine_functions(e);
    buf_put_list(b, (uint32_t) n);
    w->hello_frames = mem_grow(w->hello_frames, (n + 1) * sizeof *w->hello_frames);
    w->hello_list = mem_grow(w->hello_list, (n + 1) * sizeof *w->hello_list);
    for (size_t i = 0; i <= n; i++) {
        size_t bytes = 0;
        const void *data;
        if (i < n) {
            put_function(b, e, i, !shadow || shadow_runs(e, i, o->impure != 0));
            data = engine_contract(e, i, &bytes);
        } else {
            data = engine_report(e, &bytes);
        }
        w->hello_frames[i] = view(data, bytes);
        w->hello_list[i] = &w->hello_frames[i];
    }
    enum { PAIRS = 12 };
    w->hello_pairs = PAIRS + (shadow || canary) + canary;
}

/* ---- serving ---- */

static void leave(struct worker *w)
{
    if (!w->leaving) {
        w->leaving = true;
        w->leaving_ns = clock_ns();
        w->link.draining = true;
        phase(w, PHASE_LEAVING);
    }
}

/* The trial was passed: from the next hello on it is a worker like any other, and the broker is told at once. */
static void serve_from_now(struct worker *w)
{
    if (w->trial == TRIAL_NONE) {
        return;
    }
    w->trial = TRIAL_NONE;
    make_hello(w);
    w->link.hello_pairs = w->hello_pairs;
    sandbox_step_forward(&w->order);
    worker_link_serve(&w->link, w->order.job_slots);
}

static void hear_supervisor(struct worker *w)
{
    struct note note;
    int got = channel_recv(CHANNEL_FD, &note);
    if (got < 0) {
        _exit(WORKER_EXIT_NO_SUPERVISOR); /* nobody would watch over us */
    }
    if (got > 0 && note.kind == CHANNEL_DRAIN) {
        leave(w);
    } else if (got > 0 && note.kind == CHANNEL_SERVE) {
        serve_from_now(w);
    }
}

/* Once a second: what the supervisor wants to know and cannot see. */
static void look_at_self(struct worker *w, int64_t now_ns)
{
    char text[64] = "";
    unsigned long long pages = 0;
    w->next_look_ns = now_ns + CLOCK_S;
    engine_rest(w->engine);
    if (w->statm_fd >= 0 && pread(w->statm_fd, text, sizeof text - 1, 0) > 0 &&
        sscanf(text, "%*u %llu", &pages) == 1) {
        atomic_store_explicit(&w->slot->resident_bytes, pages * (uint64_t) sysconf(_SC_PAGESIZE),
                              memory_order_relaxed);
    }
}

static void note_registration(struct worker *w)
{
    bool registered = w->link.state == LINK_WELCOME;
    if (registered != w->told_registered) {
        w->told_registered = registered;
        tell(registered ? CHANNEL_REGISTERED : CHANNEL_LOST);
        w->link.serving |= registered && w->trial == TRIAL_NONE; /* its hello has said so */
    }
    if (w->link.serving && !w->serve_told) {
        w->serve_told = true;
        tell(CHANNEL_SERVING);
    }
}

static int wait_ms(int64_t until_ns, int64_t now_ns)
{
    int64_t left_ns = until_ns - now_ns;
    return left_ns <= 0 ? 0 : (int) ((left_ns + CLOCK_MS - 1) / CLOCK_MS);
}

/* Once the trial is over nobody wants to know. */
static void run_copies(struct worker *w)
{
    size_t n = w->link.frames.n_payloads / 2;
    if (w->trial == TRIAL_SHADOW && !w->leaving && !shadow_run(&w->shadow, &w->link)) {
        _exit(WORKER_EXIT_NO_SUPERVISOR);
    }
    worker_link_copied(&w->link, n);
}

/* One message, if there is one. */
static enum link_event receive(struct worker *w)
{
    enum link_event event = worker_link_recv(&w->link);
    if (event == LINK_JOBS && w->leaving) {
        worker_jobs_refuse(&w->jobs);
    } else if (event == LINK_JOBS) {
        worker_jobs_run(&w->jobs);
    } else if (event == LINK_SHADOW) {
        run_copies(w);
    }
    return event;
}

/* What is to be looked at between two messages. Plain loads and compares, but for once in a while. */
static int64_t tend(struct worker *w, int64_t now_ns)
{
    atomic_store_explicit(&w->slot->heartbeat_ns, now_ns, memory_order_relaxed);
    if (now_ns >= w->next_look_ns) {
        look_at_self(w, now_ns);
    }
    if (w->link.stop && !w->leaving) {
        tell(CHANNEL_LEAVING);
        leave(w);
    }
    if (atomic_load_explicit(&w->slot->draining, memory_order_relaxed) && !w->leaving) {
        leave(w);
    }
    if (engine_damaged(w->engine) && !w->leaving) {
        log_error("plugin_wrote_out_of_bounds", "wid=%s plugin=%s build=%s", w->order.wid, w->order.plugin,
                  w->order.build);
        leave(w);
    }
    int64_t until_ns = worker_link_tend(&w->link, now_ns);
    note_registration(w);
    int64_t left_ns = w->leaving_ns + LEAVE_MS * CLOCK_MS;
    return w->leaving && left_ns < until_ns ? left_ns : until_ns;
}

/* What was sent to a broker that is there will reach it. Results that have no broker to go to wait a little for one. */
static bool may_go(const struct worker *w, int64_t now_ns)
{
    return w->link.state == LINK_WELCOME || w->link.kept.n == 0 ||
           now_ns - w->leaving_ns > LEAVE_MS * CLOCK_MS;
}

static void serve(struct worker *w)
{
    struct pollfd fds[3] = {{.events = POLLIN}, {.events = POLLIN}, {.fd = CHANNEL_FD, .events = POLLIN}};
    uint64_t opened = 0;
    for (;;) {
        enum link_event event = receive(w);
        int64_t now_ns = clock_ns();
        w->link.spoke = false;
        int64_t until_ns = tend(w, now_ns);
        if (w->leaving && event == LINK_NOTHING && may_go(w, now_ns)) {
            return;
        }
        /* The descriptor is edge-triggered, and sending may have taken the edge: wait only when the last thing
         * done with the socket was to find nothing in it. */
        if (event != LINK_NOTHING || w->link.spoke) {
            continue;
        }
        if (opened != w->link.dealer.opened) {
            opened = w->link.dealer.opened;
            fds[0].fd = dealer_fd(&w->link.dealer);
            fds[1].fd = dealer_monitor_fd(&w->link.dealer);
        }
        if (poll(fds, 3, wait_ms(until_ns, now_ns)) <= 0) {
            continue;
        }
        if (fds[2].revents) {
            hear_supervisor(w);
        }
        if (fds[1].revents && dealer_ended(&w->link.dealer)) {
            worker_link_ended(&w->link, clock_ns());
        }
    }
}

/* Done outside: libzmq's threads, which may connect, come from the thread that makes the first socket. */
static int open_link(void *arg)
{
    struct worker *w = arg;
    struct err err;
    if (worker_link_init(&w->link, w->order.broker, &w->order.keys, w->order.job_slots, &err)) {
        refuse(&err);
    }
    curve_wipe(&w->order.keys, sizeof w->order.keys); /* the link has them */
    return 0;
}

/* The supervisor gets the listener of the walls before plugin code could ask for anything. */
static void close_sandbox(const struct worker *w)
{
    struct note note = {.kind = CHANNEL_WALLED};
    int listener = sandbox_close(w->order.sandbox);
    if (listener >= 0 && !channel_send_fd(CHANNEL_FD, &note, listener)) {
        _exit(WORKER_EXIT_NO_SUPERVISOR);
    }
    if (listener >= 0) {
        close(listener);
    }
}

int worker_main(void)
{
    static struct worker w; /* large, and zero */
    struct err err;
    fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
    fcntl(CHANNEL_BOARD_FD, F_SETFD, FD_CLOEXEC);
    if (!channel_recv_order(CHANNEL_FD, &w.order, &w.options)) {
        fprintf(stderr, "kilnd --worker is started by kilnd itself\n");
        return WORKER_EXIT_NO_SUPERVISOR;
    }
    log_open("kilnd-worker", (enum log_level) w.order.log_level);
    if (sandbox_enter(&w.order, &err) ||
        scoreboard_map(CHANNEL_BOARD_FD, w.order.slots_of_board, &w.board, &err)) {
        refuse(&err);
    }
    w.slot = &w.board->slots[w.order.slot];
    w.statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    stall_open();
    /* The socket first: it connects while the plugin is warmed. */
    sandbox_outside(&w.order, open_link, &w);
    if (w.order.held || w.order.trial == TRIAL_SHADOW) {
        sandbox_stand_back(&w.order);
    }
    close_sandbox(&w);
    load(&w);
    if (w.order.held && !wait_for_turn()) {
        worker_link_finish(&w.link, 0);
        engine_free(&w.engine);
        return 0;
    }
    w.trial = w.order.trial;
    if (w.trial == TRIAL_SHADOW) {
        w.link.slots = w.link.slots < SHADOW_WINDOW ? w.link.slots : SHADOW_WINDOW;
        w.link.most = w.order.copies;
        shadow_init(&w.shadow, w.engine, w.slot, w.order.limits.run_ms * CLOCK_MS, w.order.impure != 0);
    } else {
        sandbox_step_forward(&w.order);
    }
    phase(&w, PHASE_SERVING);
    make_hello(&w);
    worker_link_hello(&w.link, &w.hello, w.hello_pairs, w.hello_list, engine_functions(w.engine) + 1);
    worker_jobs_init(&w.jobs, w.engine, &w.link, w.slot, w.order.limits.run_ms * CLOCK_MS);
    serve(&w);
    bool joined = w.link.state != LINK_SILENT; /* a hello on its way makes us known, too */
    if (joined) {
        worker_link_bye(&w.link);
    }
    worker_link_finish(&w.link, !joined ? 0 : w.link.kept.n ? LINGER_MS : BYE_MS);
    if (engine_damaged(w.engine)) {
        _exit(WORKER_EXIT_DAMAGED); /* its memory is not to be trusted, not even to be freed */
    }
    worker_jobs_done(&w.jobs);
    engine_free(&w.engine);
    buf_done(&w.hello);
    mem_free(w.hello_frames);
    mem_free(w.hello_list);
    mem_free(w.options);
    scoreboard_free(&w.board);
    return 0;
}
