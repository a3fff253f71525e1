/* SPDX-License-Identifier: MPL-2.0 */
/* dealer - a DEALER socket to the broker that can be thrown away and made anew.
 *
 * Used by a worker (worker_link) and by the supervisor (link). A DEALER that reconnected by itself is a stranger
 * to the broker, and what waits in it is meant for a broker that is gone; so the owner opens a new one, at once when
 * the connection was seen to end (dealer_ended), else after a silence, and says hello again.
 *
 * The descriptor of dealer_fd is edge-triggered: receive until there is nothing left, send nothing after that, then poll. */
#ifndef DEALER_H
#define DEALER_H

#include <stdbool.h>
#include <stdint.h>

#include <zmq.h>

#include "buf.h"
#include "curve.h"
#include "err.h"
#include "handshake.h"

struct dealer {
    void *context;
    void *socket;
    struct handshake handshake;
    char endpoint[256];
    struct curve_keys keys; /* kept: every new socket needs them */
    int64_t opened_ns;
    uint64_t opened;           /* sockets made so far */
    unsigned drops;            /* not told yet */
    enum handshake_state told; /* by dealer_refusal, since the last good handshake */
};

/* keys are copied, and wiped with the dealer; NULL: none. KILN_INVALID when ZeroMQ does not take the endpoint. The broker need not be there. */
int dealer_init(struct dealer *d, const char *endpoint, const struct curve_keys *keys, struct err *err);
/* linger_ms: how long messages not yet sent may hold up the end. */
void dealer_done(struct dealer *d, int linger_ms);

/* A new socket; what was in the old one is dropped. */
void dealer_reopen(struct dealer *d);

int dealer_fd(const struct dealer *d);
int dealer_monitor_fd(const struct dealer *d);

/* True when the connection of this socket has ended since it was opened. Call when dealer_monitor_fd is readable. */
bool dealer_ended(struct dealer *d);

/* How old a socket must be before a new one is made in its place: longer when the broker refused us, who will again. */
int64_t dealer_pause_ns(const struct dealer *d);

/* Why the broker does not let us in, when that is so and was not told before: half a sentence behind "the broker"; else NULL. */
const char *dealer_refusal(struct dealer *d);

/* A header without payloads. 0 or -1 (the pipe is full: the broker is away and long has been). */
int dealer_send_header(struct dealer *d, const struct buf *header);

#endif
