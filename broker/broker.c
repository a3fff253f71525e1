/* SPDX-License-Identifier: MPL-2.0 */
#include "broker.h"

#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "backend.h"
#include "clock.h"
#include "errand.h"
#include "lifecycle.h"
#include "log.h"
#include "mem.h"
#include "outbox.h"
#include "schedule.h"
#include "trial.h"

enum {
    TURN_MESSAGES = 256, /* taken from each side in one turn, so that neither starves the other */
    WORKER_FRAME_BYTES =
        8 << 20, /* workers may send frames so large, however small max_bytes: contracts, packed results */
    SILENCE_MS = 50,     /* of workers, after which a broker that stops expects nothing more from them */
    LAST_WORDS_MS = 500, /* and if they are never silent */
};

/* ---- what happens by itself ---- */

static void sweep(void *arg, struct timer *t)
{
    struct broker *b = arg;
    backend_sweep(b);
    timers_set(&b->timers, t, b->now_ns + b->config.beat_ms * CLOCK_MS);
}

/* The time to announce functions is over: what was asked of those that nobody has is refused. */
static void settle(void *arg, struct timer *t)
{
    (void) t;
    struct broker *b = arg;
    b->settling = false;
    size_t n;
    struct function **all = catalogue_sorted(&b->catalogue, &n);
    for (size_t i = 0; i < n; i++) {
        while (!all[i]->announced && !all[i]->retired && all[i]->queue.count) {
            char text[300];
            snprintf(text, sizeof text, "fn is \"%s\", which no plugin offers", all[i]->name);
            job_end(b, queue_first(&all[i]->queue), KILN_UNKNOWN_FUNCTION, text, "fn", NULL, NULL);
        }
        if (!all[i]->announced && !all[i]->retired && !all[i]->delayed) {
            catalogue_drop(&b->catalogue, all[i]);
        }
    }
    mem_free(all);
}

/* ---- sockets ---- */

/* libzmq takes an ipc path from whoever listens there, without a word. So ask first whether someone answers. */
static int check_path(const char *endpoint, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strncmp(endpoint, "ipc://", 6) != 0 || endpoint[6] == '@' || endpoint[6] == '*') {
        return 0;
    }
    if (strlen(endpoint + 6) >= sizeof to.sun_path) {
        return err_set(err, KILN_INVALID, NULL, "%s is longer than a socket path may be (%zu bytes)",
                       endpoint, sizeof to.sun_path - 1);
    }
    memcpy(to.sun_path, endpoint + 6, strlen(endpoint + 6));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int there = fd >= 0 && connect(fd, (const struct sockaddr *) &to, sizeof to) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return there ? err_set(err, KILN_UNAVAILABLE, NULL, "%s is served by another process already", endpoint)
                 : 0;
}

static int bind_one(zsock_t *sock, const char *endpoint, struct err *err)
{
    if (check_path(endpoint, err)) {
        return err ? err->status : KILN_UNAVAILABLE;
    }
    if (zsock_bind(sock, "%s", endpoint) < 0) {
        return err_set(err, KILN_UNAVAILABLE, NULL, "cannot bind %s: %s", endpoint,
                       zmq_strerror(zmq_errno()));
    }
    return 0;
}

/* One of the broker's two sockets: what differs. */
struct side {
    const char *name;
    int64_t out_hwm, least_frame_bytes;
    const struct conf_texts *endpoints;
    const char *mode; /* of its socket files */
};

/* First the socket files, then, guarded, tcp: libzmq gives each endpoint the options of the moment it is bound. */
static int bind_all(struct broker *b, zsock_t *sock, const struct side *side, struct err *err)
{
    int status = 0;
    size_t n_tcp = 0;
    mode_t before = umask(0777 & ~config_mode(side->mode));
    for (size_t i = 0; !status && i < side->endpoints->n; i++) {
        bool tcp = curve_wanted(side->endpoints->items[i]);
        n_tcp += tcp;
        if (strncmp(side->endpoints->items[i], "ipc://@", 7) == 0) {
            log_warning(
                "ipc_is_open", "socket=%s why=%s", side->name,
                log_quote("a name without a file has no mode: every user of this machine may connect"));
        }
        status = tcp ? 0 : bind_one(sock, side->endpoints->items[i], err);
    }
    umask(before);
    status = status || !n_tcp ? status : gate_guard(b, sock, side->name, err);
    for (size_t i = 0; !status && i < side->endpoints->n; i++) {
        status = curve_wanted(side->endpoints->items[i]) ? bind_one(sock, side->endpoints->items[i], err) : 0;
    }
    return status;
}

static zsock_t *open_router(struct broker *b, const struct side *side, struct err *err)
{
    zsock_t *sock = zsock_new(ZMQ_ROUTER);
    if (!sock) {
        err_set(err, KILN_RESOURCE, NULL, "no socket: %s", zmq_strerror(zmq_errno()));
        return NULL;
    }
    zsock_set_router_mandatory(sock, 1);
    zsock_set_router_handover(sock, 1);
    zsock_set_sndhwm(sock, (int) side->out_hwm);
    zsock_set_rcvhwm(sock, 1000);
    zsock_set_linger(sock, 0);
    /* Up to twice the limit a payload is refused in words; beyond, the connection is closed before it fills memory. */
    int64_t most = 2 * b->config.max_bytes;
    most = most > side->least_frame_bytes ? most : side->least_frame_bytes;
    zmq_setsockopt(zsock_resolve(sock), ZMQ_MAXMSGSIZE, &most, sizeof most);
    zsock_set_heartbeat_ivl(sock, 5000);
    zsock_set_heartbeat_timeout(sock, 15000);
    zsock_set_handshake_ivl(sock, (int) b->config.handshake_ms);
    if (bind_all(b, sock, side, err)) {
        zsock_destroy(&sock);
    }
    return sock;
}

int broker_open(struct broker *b, struct config *config, struct err *err)
{
    *b = (struct broker){.config = *config, .journal_driver = &journal_memory};
    *config = (struct config){0};
    const struct side front = {GATE_FRONT, b->config.out_hwm, WIRE_HEADER_BYTES, &b->config.frontend,
                               b->config.frontend_mode};
    const struct side back = {"backend", 100000, WORKER_FRAME_BYTES, &b->config.backend,
                              b->config.backend_mode};
    int status = gate_open(b, err);
    b->frontend = status ? NULL : open_router(b, &front, err);
    b->backend = b->frontend ? open_router(b, &back, err) : NULL;
    status = status || b->backend ? status : KILN_UNAVAILABLE;
    if (!status) {
        b->front = zsock_resolve(b->frontend);
        b->back = zsock_resolve(b->backend);
        status = gate_watch(b, err);
    }
    status = status ? status : b->journal_driver->open("", &b->journal, err);
    if (status) {
        zsock_destroy(&b->frontend);
        zsock_destroy(&b->backend);
        gate_close(b);
        config_done(&b->config);
        return status;
    }
    b->now_ns = b->started_ns = clock_ns();
    if (getrandom(&b->epoch, sizeof b->epoch, 0) != sizeof b->epoch) {
        b->epoch = (uint64_t) b->started_ns;
    }
    b->epoch >>= 12; /* exact in a double, for languages that have nothing else */
    catalogue_init(&b->catalogue);
    tenants_init(&b->tenants, &b->config.quotas);
    peers_init(&b->peers);
    leases_init(&b->leases);
    results_init(&b->results);
    b->sweep.fire = sweep;
    timers_set(&b->timers, &b->sweep, b->now_ns + b->config.beat_ms * CLOCK_MS);
    b->settling = b->config.settle_ms > 0;
    b->settle.fire = settle;
    if (b->settling) {
        timers_set(&b->timers, &b->settle, b->now_ns + b->config.settle_ms * CLOCK_MS);
    }
    return 0;
}

/* ---- running ---- */

static void commit(struct broker *b)
{
    if (b->journal_seq == b->committed_seq) {
        outbox_release(b); /* nothing new to make durable: refusals, duplicates */
        return;
    }
    uint64_t durable = 0;
    struct err err = {0};
    if (b->journal_driver->commit(b->journal, &durable, &err) || durable < b->journal_seq) {
        log_error("journal_failed", "error=%s", log_quote(err.text));
        abort();
    }
    b->committed_seq = b->journal_seq;
    outbox_release(b);
}

/* What came, and what is due. */
static void take(struct broker *b)
{
    bool more = true;
    for (int i = 0; more && i < TURN_MESSAGES; i++) {
        more = backend_take(b); /* first: it makes room */
    }
    more = true;
    for (int i = 0; more && i < TURN_MESSAGES; i++) {
        more = frontend_take(b);
    }
    b->now_ns = clock_ns();
    timers_fire(&b->timers, b->now_ns, b);
    reply_flush(b);
    commit(b);
}

/* A worker that left has sent its last results, and a manager that waits for its end stops the broker at once: they
 * may still be on their way, and whoever waits for them is not to be told that they are lost. Nothing is handed out any
 * more; calls are taken as in any turn, and refused in words when the broker closes. */
static void hear_last_words(struct broker *b)
{
    zmq_pollitem_t back = {.socket = b->back, .events = ZMQ_POLLIN};
    const int64_t end_ns = clock_ns() + LAST_WORDS_MS * CLOCK_MS;
    do {
        take(b);
    } while (b->leases.open > 0 && clock_ns() < end_ns && zmq_poll(&back, 1, SILENCE_MS) > 0);
}

static long wait_ms(const struct broker *b)
{
    int64_t left_ns = timers_next(&b->timers) - clock_ns();
    if (left_ns <= 0) {
        return 0;
    }
    return left_ns / CLOCK_MS > 60000 ? 60000 : (long) (left_ns / CLOCK_MS) + 1;
}

void broker_run(struct broker *b, int signal_fd)
{
    zmq_pollitem_t items[3 + GATE_POLL_ITEMS] = {
        {.socket = b->back, .events = ZMQ_POLLIN},
        {.socket = b->front, .events = ZMQ_POLLIN},
        {.fd = signal_fd, .events = ZMQ_POLLIN},
    };
    int n = 3 + (int) gate_poll(b, items + 3);
    for (;;) {
        if (zmq_poll(items, n, wait_ms(b)) < 0 && zmq_errno() != EINTR) {
            log_error("poll_failed", "error=%s", log_quote(zmq_strerror(zmq_errno())));
            abort();
        }
        if (items[2].revents & ZMQ_POLLIN) {
            struct signalfd_siginfo info;
            if (read(signal_fd, &info, sizeof info) == sizeof info) {
                log_info("signal", "signal=%s", strsignal((int) info.ssi_signo));
                if (info.ssi_signo != SIGHUP) {
                    hear_last_words(b);
                    return;
                }
                service_reload(b);
            }
        }
        for (int i = 3; i < n; i++) {
            if (items[i].revents & ZMQ_POLLIN) {
                gate_hear(b);
                break;
            }
        }
        take(b);
        schedule_run(b);
    }
}

/* ---- the end ---- */

static const char stopping[] = "the broker is stopping";

static void answer_all(struct broker *b, struct function *f)
{
    while (f->queue.count) {
        job_end(b, queue_first(&f->queue), KILN_UNAVAILABLE, stopping, NULL, NULL, NULL);
    }
}

void broker_close(struct broker *b)
{
    b->now_ns = clock_ns();
    /* Waiting callers learn it now; what runs is answered likewise, since no result can come back. */
    size_t n;
    struct worker **workers = (struct worker **) peers_all(b->peers.workers, &n);
    for (size_t i = 0; i < n; i++) {
        backend_lose(b, workers[i], NULL);
    }
    mem_free(workers);
    struct function **all = catalogue_sorted(&b->catalogue, &n);
    for (size_t i = 0; i < n; i++) {
        answer_all(b, all[i]);
    }
    mem_free(all);
    struct job **jobs = (struct job **) peers_all(b->results.by_id, &n);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->state == JOB_DELAYED) {
            job_end(b, jobs[i], KILN_UNAVAILABLE, stopping, NULL, NULL, NULL);
        }
    }
    mem_free(jobs);
    errands_close(b);
    reply_flush(b);
    outbox_release(b);
    results_done(b);
    zsock_set_linger(b->frontend, 200);
    zsock_destroy(&b->frontend);
    zsock_destroy(&b->backend);
    gate_close(b); /* after them: without a handler every key would be let in */
    timers_clear(&b->timers, &b->sweep);
    timers_clear(&b->timers, &b->settle);
    timers_done(&b->timers);
    catalogue_done(&b->catalogue);
    tenants_done(&b->tenants);
    peers_done(&b->peers);
    leases_done(&b->leases);
    reply_done(&b->reply);
    frames_done(&b->frames);
    header_done(&b->header);
    trial_done(b);
    buf_done(&b->out);
    buf_done(&b->pack);
    buf_done(&b->sizes);
    mem_free(b->parts);
    job_pool_done(&b->pool);
    b->journal_driver->close(&b->journal);
    config_done(&b->config);
}
