/* SPDX-License-Identifier: MPL-2.0 */
#include "dealer.h"

#include <assert.h>
#include <stdio.h>

#include "clock.h"
#include "wire.h"

/* Messages that may wait in one direction. Far more than credit and unacknowledged results can ever be, so that the
 * limit is met only when the broker is away. */
enum { WATERMARK = 20000, RECONNECT_MS = 20, RECONNECT_MOST_MS = 200, DROPS_UNSAID = 3 };
enum { REOPEN_MS = 200, REFUSED_MS = 2000 };

static void set(void *socket, int option, int value)
{
    int failed = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(!failed);
}

static int open_socket(struct dealer *d)
{
    char name[48];
    snprintf(name, sizeof name, "inproc://monitor-%llu", (unsigned long long) d->opened++);
    d->opened_ns = clock_ns();
    d->socket = zmq_socket(d->context, ZMQ_DEALER);
    assert(d->socket);
    set(d->socket, ZMQ_LINGER, 0);
    set(d->socket, ZMQ_SNDHWM, WATERMARK);
    set(d->socket, ZMQ_RCVHWM, WATERMARK);
    set(d->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(d->socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MOST_MS);
    set(d->socket, ZMQ_TCP_KEEPALIVE, 1);
    int failed =
        handshake_watch(&d->handshake, d->context, d->socket, name) || curve_use(d->socket, &d->keys);
    assert(!failed);
    return zmq_connect(d->socket, d->endpoint);
}

static void close_socket(struct dealer *d, int linger_ms)
{
    handshake_done(&d->handshake, d->socket);
    set(d->socket, ZMQ_LINGER, linger_ms);
    zmq_close(d->socket);
    d->socket = NULL;
}

int dealer_init(struct dealer *d, const char *endpoint, const struct curve_keys *keys, struct err *err)
{
    *d = (struct dealer){.context = zmq_ctx_new()};
    assert(d->context);
    snprintf(d->endpoint, sizeof d->endpoint, "%s", endpoint);
    if (keys) {
        d->keys = *keys;
    }
    if (open_socket(d)) {
        err_set(err, KILN_INVALID, "broker",
                "broker is \"%s\", expected an endpoint such as ipc:///run/kiln/work.sock: %s", endpoint,
                zmq_strerror(zmq_errno()));
        dealer_done(d, 0);
        return KILN_INVALID;
    }
    return 0;
}

void dealer_done(struct dealer *d, int linger_ms)
{
    if (d->socket) {
        close_socket(d, linger_ms);
    }
    if (d->context) {
        zmq_ctx_term(d->context);
    }
    curve_wipe(&d->keys, sizeof d->keys);
    *d = (struct dealer){0};
}

void dealer_reopen(struct dealer *d)
{
    close_socket(d, 0);
    int failed = open_socket(d); /* the endpoint was good before */
    assert(!failed);
}

static int fd_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    return fd;
}

int dealer_fd(const struct dealer *d)
{
    return fd_of(d->socket);
}

int dealer_monitor_fd(const struct dealer *d)
{
    return fd_of(d->handshake.monitor);
}

bool dealer_ended(struct dealer *d)
{
    handshake_hear(&d->handshake);
    bool ended = d->handshake.ended;
    d->handshake.ended = false;
    return ended;
}

int64_t dealer_pause_ns(const struct dealer *d)
{
    return (handshake_refused(&d->handshake) ? REFUSED_MS : REOPEN_MS) * CLOCK_MS;
}

const char *dealer_refusal(struct dealer *d)
{
    const struct handshake *h = &d->handshake;
    if (h->state == HANDSHAKE_GOOD) {
        d->told = HANDSHAKE_GOOD;
    }
    /* A connection that was dropped once may be a broker that is just starting or stopping. */
    const char *reason = handshake_reason(h, d->keys.server_key[0] != '\0');
    if (!reason || h->state == d->told || (h->state == HANDSHAKE_DROPPED && d->drops++ < DROPS_UNSAID)) {
        return NULL;
    }
    d->told = h->state;
    d->drops = 0;
    return reason;
}

int dealer_send_header(struct dealer *d, const struct buf *header)
{
    assert(!header->failed); /* a few hundred bytes: out of memory ends the process, as with mem_alloc */
    return frame_send(d->socket, header->data, header->bytes, 0);
}
