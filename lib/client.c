/* SPDX-License-Identifier: MPL-2.0 */
/* The client: one DEALER socket, the requests under way, and the answers nobody has asked for yet. */
#include <kiln/client.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "client_answer.h"
#include "client_pending.h"
#include "client_request.h"
#include "clock.h"
#include "curve.h"
#include "handshake.h"
#include "mem.h"
#include "status.h"

enum {
    CONNECT_MS = 5000,
    ANSWER_MS = 10000,
    GRACE_MS = 1000,
    TIMEOUT_MS = 30000, /* the broker's default for calls */
    RECONNECT_MS = 20,
    RECONNECT_MOST_MS = 1000,
    PACK_KEEP_BYTES = 1 << 20, /* a larger buffer is not kept for the next request */
    HEARTBEAT_MS = 5000,       /* so that a peer that vanished without a word is noticed on tcp */
};

struct kiln_client {
    void *context, *socket;
    struct handshake handshake; /* on tcp */
    bool keyed;
    char *endpoint;
    int64_t connect_ms, answer_ms, grace_ms;
    uint64_t last_rid;
    struct pending pending;
    struct buf header; /* of the request being made */
    struct buf pack;   /* and its payloads, when packed */
};

/* ---- life ---- */

static int publish(struct kiln_error *to, const struct err *from, int status)
{
    if (to && status != KILN_OK) {
        to->status = status;
        snprintf(to->field, sizeof to->field, "%s", from->field);
        snprintf(to->text, sizeof to->text, "%s", from->text);
    }
    return status;
}

static int64_t choose_ms(int64_t given, int64_t fallback)
{
    return given < 0 ? 0 : given ? given : fallback;
}

static void set_int(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

/* On tcp a broker may refuse us; what it says is heard on the way. */
static int use_keys(struct kiln_client *c, const struct kiln_client_keys *keys, struct err *err)
{
    struct curve_keys read = {0};
    if (!curve_wanted(c->endpoint)) {
        return KILN_OK;
    }
    if (keys && curve_client_keys(keys->key_file, keys->server_key, "key_file", "server_key", &read, err)) {
        return err->status;
    }
    c->keyed = read.server_key[0] != '\0';
    int failed = curve_use(c->socket, &read) ||
                 handshake_watch(&c->handshake, c->context, c->socket, "inproc://handshake");
    curve_wipe(&read, sizeof read);
    return failed ? err_set(err, KILN_INTERNAL, NULL, "libzmq does not take the keys: %s",
                            zmq_strerror(zmq_errno()))
                  : KILN_OK;
}

static int open_socket(struct kiln_client *c, const struct kiln_client_keys *keys, struct err *err)
{
    c->context = zmq_ctx_new();
    c->socket = c->context ? zmq_socket(c->context, ZMQ_DEALER) : NULL;
    if (!c->socket) {
        return err_set(err, KILN_RESOURCE, NULL, "cannot make a ZeroMQ socket: %s",
                       zmq_strerror(zmq_errno()));
    }
    set_int(c->socket, ZMQ_LINGER, 0);
    /* A request goes to a broker that is there, or is refused: it never waits in a pipe for one that comes later,
     * when its sender may have given up long ago. */
    set_int(c->socket, ZMQ_IMMEDIATE, 1);
    set_int(c->socket, ZMQ_RCVHWM, 0); /* bounded by what was asked */
    set_int(c->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set_int(c->socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MOST_MS);
    set_int(c->socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS);
    set_int(c->socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * HEARTBEAT_MS);
    int status = use_keys(c, keys, err);
    if (status != KILN_OK) {
        return status;
    }
    if (zmq_connect(c->socket, c->endpoint) != 0) {
        return err_set(
            err, KILN_INVALID, "endpoint",
            "endpoint is \"%.200s\", expected such as ipc:///run/kiln/kiln.sock or tcp://host:port: %s",
            c->endpoint, zmq_strerror(zmq_errno()));
    }
    return KILN_OK;
}

int kiln_client_open(const char *endpoint, const struct kiln_client_options *options,
                     struct kiln_client **ret_client, struct kiln_error *ret_err)
{
    return kiln_client_open_with_keys(endpoint, options, NULL, ret_client, ret_err);
}

int kiln_client_open_with_keys(const char *endpoint, const struct kiln_client_options *options,
                               const struct kiln_client_keys *keys, struct kiln_client **ret_client,
                               struct kiln_error *ret_err)
{
    struct err err = {0};
    if (!endpoint) {
        return publish(ret_err, &err, err_set(&err, KILN_INVALID, "endpoint", "endpoint is missing"));
    }
    static const struct kiln_client_options defaults;
    const struct kiln_client_options *o = options ? options : &defaults;
    struct kiln_client *c = mem_alloc(sizeof *c);
    c->endpoint = mem_text(endpoint);
    c->connect_ms = choose_ms(o->connect_ms, CONNECT_MS);
    c->answer_ms = choose_ms(o->answer_ms, ANSWER_MS);
    c->grace_ms = choose_ms(o->grace_ms, GRACE_MS);
    c->pending.soonest_ns = INT64_MAX;
    int rc = open_socket(c, keys, &err);
    if (rc != KILN_OK) {
        kiln_client_close(&c);
        return publish(ret_err, &err, rc);
    }
    *ret_client = c;
    return KILN_OK;
}

void kiln_client_close(struct kiln_client **client)
{
    struct kiln_client *c = client ? *client : NULL;
    if (!c) {
        return;
    }
    pending_done(&c->pending);
    /* Answers that outlive the client hold frames of their own: ZeroMQ counts references, the context does not matter. */
    if (c->socket) {
        handshake_done(&c->handshake, c->socket);
        zmq_close(c->socket);
    }
    while (c->context && zmq_ctx_term(c->context) != 0 && zmq_errno() == EINTR) {
    }
    buf_done(&c->header);
    buf_done(&c->pack);
    mem_free(c->endpoint);
    mem_free(c);
    *client = NULL;
}

void kiln_client_answer_free(struct kiln_answer **answer)
{
    if (answer && *answer) {
        struct answer *a = (struct answer *) *answer;
        answer_free(&a);
        *answer = NULL;
    }
}

/* ---- receiving ---- */

/* One message, waited for until until_ns at most, and no longer than until something is given up. 1 when one came. */
static int pump(struct kiln_client *c, int64_t until_ns, struct err *err)
{
    for (;;) {
        int64_t now_ns = clock_ns();
        struct entry *due = pending_due(&c->pending, now_ns);
        if (due) {
            pending_lose(&c->pending, due);
            return 0;
        }
        struct part *part = NULL;
        int got = part_recv(c->socket, &part);
        if (got < 0) {
            err_set(err, KILN_INTERNAL, NULL, "the socket of the client failed: %s",
                    zmq_strerror(zmq_errno()));
            return -1;
        }
        if (got > 0) {
            pending_dispatch(&c->pending, &part);
            return 1;
        }
        if (now_ns >= until_ns) {
            return 0;
        }
        int64_t wake_ns = until_ns < c->pending.soonest_ns ? until_ns : c->pending.soonest_ns;
        /* Rounded up, so as not to spin through the last millisecond. */
        int64_t wait_ms =
            wake_ns - now_ns < 3600 * CLOCK_S ? (wake_ns - now_ns + CLOCK_MS - 1) / CLOCK_MS : 3600 * 1000;
        handshake_hear(&c->handshake); /* so that it does not pile up */
        zmq_pollitem_t item = {.socket = c->socket, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, (long) wait_ms);
    }
}

/* ---- sending ---- */

static int refuse_send(const struct kiln_client *c, struct err *err)
{
    const char *reason = handshake_reason(&c->handshake, c->keyed);
    if (reason) {
        return err_set(err, handshake_refused(&c->handshake) ? KILN_DENIED : KILN_UNAVAILABLE, NULL,
                       "the broker at %.200s %s; nothing was sent", c->endpoint, reason);
    }
    return err_set(err, KILN_UNAVAILABLE, NULL,
                   "no broker takes requests at %.200s (waited %lld ms); nothing was sent", c->endpoint,
                   (long long) c->connect_ms);
}

/* libzmq gives up an endpoint that refused it. The next request shall find out anew. */
static void knock_again(struct kiln_client *c)
{
    if (handshake_refused(&c->handshake)) {
        zmq_disconnect(c->socket, c->endpoint);
        zmq_connect(c->socket, c->endpoint);
        c->handshake.state = HANDSHAKE_NONE;
    }
}

/* The first frame waits for a connection; the others then have a place. */
static int send_frame(struct kiln_client *c, const void *data, size_t bytes, bool first, bool more,
                      struct err *err)
{
    int64_t until_ns = first ? clock_ns() + c->connect_ms * CLOCK_MS : 0;
    while (zmq_send(c->socket, data, bytes, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
        if (zmq_errno() == EINTR) {
            continue;
        }
        if (zmq_errno() != EAGAIN) {
            return err_set(err, KILN_INTERNAL, NULL, "cannot send: %s", zmq_strerror(zmq_errno()));
        }
        handshake_hear(&c->handshake);
        int64_t left_ns = first ? until_ns - clock_ns() : 0;
        if (left_ns <= 0 || handshake_refused(&c->handshake)) {
            int status = refuse_send(c, err);
            knock_again(c);
            return status;
        }
        zmq_pollitem_t items[] = {{.socket = c->socket, .events = ZMQ_POLLOUT},
                                  {.socket = c->handshake.monitor, .events = ZMQ_POLLIN}};
        zmq_poll(items, c->handshake.monitor ? 2 : 1, (long) (left_ns / CLOCK_MS + 1));
    }
    return KILN_OK;
}

static bool pack(struct buf *b, const struct kiln_job *jobs, size_t n)
{
    buf_shrink(b, PACK_KEEP_BYTES);
    for (size_t i = 0; i < n; i++) {
        const void *data;
        size_t bytes = request_args(&jobs[i], &data);
        buf_put_raw(b, data, bytes);
    }
    return !b->failed;
}

/* Sends the header in c->header and the jobs' arguments, and opens the request's entry. */
static int start(struct kiln_client *c, enum request_op op, const struct kiln_job *jobs,
                 const char *const *ids, size_t n, int64_t limit_ms, bool waited, struct entry **ret_entry,
                 struct err *err)
{
    bool packed = jobs && request_packs(jobs, n);
    if (packed && !pack(&c->pack, jobs, n)) {
        return err_set(err, KILN_RESOURCE, NULL, "no memory for the payloads of the request");
    }
    int rc = send_frame(c, c->header.data, c->header.bytes, true, jobs != NULL, err);
    if (rc == KILN_OK && packed) {
        rc = send_frame(c, c->pack.data, c->pack.bytes, false, false, err);
    }
    for (size_t i = 0; rc == KILN_OK && jobs && !packed && i < n; i++) {
        const void *data;
        size_t bytes = request_args(&jobs[i], &data);
        rc = send_frame(c, data, bytes, false, i + 1 < n, err);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    struct entry *e = pending_add(&c->pending, ++c->last_rid, op, n, clock_ns() + limit_ms * CLOCK_MS);
    e->waited = waited;
    if (ids || op == REQUEST_SUBMIT) {
        e->ids = mem_alloc(n * sizeof *e->ids);
        for (size_t i = 0; i < n; i++) {
            e->ids[i] = mem_text(ids ? ids[i] : jobs[i].id);
        }
    }
    *ret_entry = e;
    return KILN_OK;
}

static int start_jobs(struct kiln_client *c, enum request_op op, const struct kiln_job *jobs, size_t n,
                      bool waited, struct entry **ret_entry, struct err *err)
{
    int rc = request_jobs(&c->header, op, c->last_rid + 1, jobs, n, err);
    if (rc != KILN_OK) {
        return rc;
    }
    int64_t limit_ms = op == REQUEST_CALL ? 0 : c->answer_ms;
    for (size_t i = 0; op == REQUEST_CALL && i < n; i++) {
        int64_t ms = choose_ms(jobs[i].timeout_ms, TIMEOUT_MS) + c->grace_ms;
        limit_ms = ms > limit_ms ? ms : limit_ms;
    }
    return start(c, op, jobs, NULL, n, limit_ms, waited, ret_entry, err);
}

static int start_ids(struct kiln_client *c, enum request_op op, const char *const *ids, size_t n,
                     int64_t wait_ms, bool waited, struct entry **ret_entry, struct err *err)
{
    int rc = request_ids(&c->header, op, c->last_rid + 1, ids, n, wait_ms, err);
    return rc == KILN_OK ? start(c, op, NULL, ids, n, wait_ms + c->answer_ms, waited, ret_entry, err) : rc;
}

/* ---- waiting ---- */

static int await(struct kiln_client *c, struct entry *e, struct kiln_answer **ret_answer, struct err *err)
{
    while (!e->done) {
        if (pump(c, INT64_MAX, err) < 0) {
            pending_remove(&c->pending, &e);
            return KILN_INTERNAL;
        }
    }
    struct answer *a = e->answer;
    e->answer = NULL;
    pending_remove(&c->pending, &e);
    a->shown.complete = 1;
    answer_sort(a);
    *ret_answer = &a->shown;
    return KILN_OK;
}

static int wait_jobs(struct kiln_client *c, enum request_op op, const struct kiln_job *jobs, size_t n,
                     struct kiln_answer **ret_answer, struct kiln_error *ret_err)
{
    struct err err = {0};
    struct entry *e = NULL;
    int rc = start_jobs(c, op, jobs, n, true, &e, &err);
    return publish(ret_err, &err, rc == KILN_OK ? await(c, e, ret_answer, &err) : rc);
}

static int wait_ids(struct kiln_client *c, enum request_op op, const char *const *ids, size_t n,
                    int64_t wait_ms, struct kiln_answer **ret_answer, struct kiln_error *ret_err)
{
    struct err err = {0};
    struct entry *e = NULL;
    int rc = start_ids(c, op, ids, n, wait_ms, true, &e, &err);
    return publish(ret_err, &err, rc == KILN_OK ? await(c, e, ret_answer, &err) : rc);
}

/* The request is in c->header, unless rc says why not. */
static int await_document(struct kiln_client *c, enum request_op op, int64_t wait_ms, int rc,
                          struct kiln_answer **ret_answer, struct err *err)
{
    struct entry *e = NULL;
    struct kiln_answer *answer = NULL;
    rc = rc == KILN_OK ? start(c, op, NULL, NULL, 1, wait_ms, true, &e, err) : rc;
    rc = rc == KILN_OK ? await(c, e, &answer, err) : rc;
    if (rc == KILN_OK && answer->count && answer->outcomes[0].status != KILN_OK) {
        const struct kiln_outcome *o = &answer->outcomes[0];
        rc = err_set(err, o->status, o->field, "%s", o->error);
        kiln_client_answer_free(&answer);
    }
    if (rc == KILN_OK) {
        *ret_answer = answer;
    }
    return rc;
}

static int wait_document(struct kiln_client *c, enum request_op op, const char *fn,
                         struct kiln_answer **ret_answer, struct kiln_error *ret_err)
{
    struct err err = {0};
    int rc = request_plain(&c->header, op, c->last_rid + 1, fn, &err);
    return publish(ret_err, &err, await_document(c, op, c->answer_ms, rc, ret_answer, &err));
}

int kiln_client_call(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                     struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_jobs(client, REQUEST_CALL, jobs, count, ret_answer, err);
}

int kiln_client_submit(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_jobs(client, REQUEST_SUBMIT, jobs, count, ret_answer, err);
}

int kiln_client_result(struct kiln_client *client, const char *const *ids, size_t count, int64_t wait_ms,
                       struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_ids(client, REQUEST_RESULT, ids, count, wait_ms, ret_answer, err);
}

int kiln_client_status(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_ids(client, REQUEST_STATUS, ids, count, 0, ret_answer, err);
}

int kiln_client_cancel(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_ids(client, REQUEST_CANCEL, ids, count, 0, ret_answer, err);
}

int kiln_client_forget(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_ids(client, REQUEST_FORGET, ids, count, 0, ret_answer, err);
}

int kiln_client_describe(struct kiln_client *client, const char *fn, struct kiln_answer **ret_answer,
                         struct kiln_error *err)
{
    return wait_document(client, REQUEST_DESCRIBE, fn, ret_answer, err);
}

int kiln_client_stats(struct kiln_client *client, struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_document(client, REQUEST_STATS, NULL, ret_answer, err);
}

int kiln_client_ping(struct kiln_client *client, struct kiln_answer **ret_answer, struct kiln_error *err)
{
    return wait_document(client, REQUEST_PING, NULL, ret_answer, err);
}

int kiln_client_pause(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                      struct kiln_error *err)
{
    return wait_document(client, REQUEST_PAUSE, name, ret_answer, err);
}

int kiln_client_resume(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                       struct kiln_error *err)
{
    return wait_document(client, REQUEST_RESUME, name, ret_answer, err);
}

int kiln_client_drain(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                      struct kiln_error *err)
{
    return wait_document(client, REQUEST_DRAIN, name, ret_answer, err);
}

int kiln_client_admin(struct kiln_client *client, const char *op, const void *keys, size_t keys_bytes,
                      int64_t wait_ms, struct kiln_answer **ret_answer, struct kiln_error *ret_err)
{
    struct err err = {0};
    enum request_op which = request_admin_op(op);
    if (which == REQUEST_COUNT) {
        return publish(
            ret_err, &err,
            err_set(&err, KILN_INVALID, "op", "op is \"%s\", which is no operation of administrators", op));
    }
    int rc = request_admin(&client->header, which, client->last_rid + 1, keys, keys_bytes, &err);
    int64_t limit_ms = wait_ms > 0 ? wait_ms : client->answer_ms;
    return publish(ret_err, &err, await_document(client, which, limit_ms, rc, ret_answer, &err));
}

/* ---- not waiting ---- */

static int sent(struct kiln_client *c, int rc, const struct err *err, uint64_t *ret_request,
                struct kiln_error *ret_err)
{
    if (rc == KILN_OK && ret_request) {
        *ret_request = c->last_rid;
    }
    return publish(ret_err, err, rc);
}

int kiln_client_call_send(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                          uint64_t *ret_request, struct kiln_error *ret_err)
{
    struct err err = {0};
    struct entry *e = NULL;
    return sent(client, start_jobs(client, REQUEST_CALL, jobs, count, false, &e, &err), &err, ret_request,
                ret_err);
}

int kiln_client_submit_send(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                            uint64_t *ret_request, struct kiln_error *ret_err)
{
    struct err err = {0};
    struct entry *e = NULL;
    return sent(client, start_jobs(client, REQUEST_SUBMIT, jobs, count, false, &e, &err), &err, ret_request,
                ret_err);
}

int kiln_client_result_send(struct kiln_client *client, const char *const *ids, size_t count, int64_t wait_ms,
                            uint64_t *ret_request, struct kiln_error *ret_err)
{
    struct err err = {0};
    struct entry *e = NULL;
    return sent(client, start_ids(client, REQUEST_RESULT, ids, count, wait_ms, false, &e, &err), &err,
                ret_request, ret_err);
}

int kiln_client_receive(struct kiln_client *client, int64_t timeout_ms, struct kiln_answer **ret_answer,
                        struct kiln_error *ret_err)
{
    struct err err = {0};
    bool forever = timeout_ms < 0 || timeout_ms > INT64_MAX / CLOCK_MS / 4;
    int64_t until_ns = forever ? INT64_MAX : clock_ns() + timeout_ms * CLOCK_MS;
    while (!client->pending.first && client->pending.count) {
        int got = pump(client, until_ns, &err);
        if (got < 0) {
            return publish(ret_err, &err, KILN_INTERNAL);
        }
        if (got == 0 && !client->pending.first && clock_ns() >= until_ns) {
            break;
        }
    }
    struct answer *a = pending_take(&client->pending);
    *ret_answer = a ? &a->shown : NULL;
    return KILN_OK;
}

size_t kiln_client_pending(const struct kiln_client *client)
{
    size_t n = client->pending.jobs;
    for (const struct answer *a = client->pending.first; a; a = a->next) {
        n += a->shown.count;
    }
    return n;
}

int kiln_client_fd(const struct kiln_client *client)
{
    int fd = -1;
    size_t bytes = sizeof fd;
    return zmq_getsockopt(client->socket, ZMQ_FD, &fd, &bytes) == 0 ? fd : -1;
}

/* ---- statuses ---- */

const char *kiln_status_name(int status)
{
    return status_name(status);
}

const char *kiln_status_sentence(int status)
{
    return status_sentence(status);
}

int kiln_status_retryable(int status)
{
    return status_retryable(status);
}
