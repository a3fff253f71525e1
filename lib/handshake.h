/* SPDX-License-Identifier: MPL-2.0 */
/* handshake - what became of a client socket's connections, so that a refused key is a sentence and not a silence.
 *
 * A PAIR on the socket's monitor. libzmq reconnects by itself for ever, whatever the broker says; this tells why.
 *
 *     handshake_watch(&h, context, socket, "inproc://m1")
 *     poll h.monitor;  handshake_hear(&h);
 *     if (handshake_refused(&h)) { err_set(... handshake_reason(&h)) }
 *     handshake_done(&h, socket)      before the socket is closed */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stdbool.h>

enum handshake_state {
    HANDSHAKE_NONE,   /* nothing was heard yet */
    HANDSHAKE_GOOD,   /* the last one succeeded */
    HANDSHAKE_DENIED, /* the broker said that this key may not */
    HANDSHAKE_UNLIKE, /* one side wants keys and the other does not */
    HANDSHAKE_DROPPED, /* the other side closed the connection: a wrong server key looks like this, and so does no broker */
};

struct handshake {
    void *monitor; /* NULL: not watched */
    enum handshake_state state;
    unsigned failures; /* since the last good one */
    bool ended;        /* a connection ended; the owner clears it */
};

/* 0, or -1 with zmq_errno(). */
int handshake_watch(struct handshake *h, void *context, void *socket, const char *name);
void handshake_done(struct handshake *h, void *socket);

/* Takes what happened since. */
void handshake_hear(struct handshake *h);

/* Trying again will not help: the broker itself refused. */
bool handshake_refused(const struct handshake *h);

/* Half a sentence behind "the broker at ...", or NULL when no handshake failed. keyed: the socket is one of CURVE. */
const char *handshake_reason(const struct handshake *h, bool keyed);

#endif
