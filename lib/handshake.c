/* SPDX-License-Identifier: MPL-2.0 */
#include "handshake.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <zmq.h>

enum {
    EVENTS = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

int handshake_watch(struct handshake *h, void *context, void *socket, const char *name)
{
    int none = 0;
    *h = (struct handshake){.monitor = zmq_socket(context, ZMQ_PAIR)};
    if (!h->monitor) {
        return -1;
    }
    zmq_setsockopt(h->monitor, ZMQ_LINGER, &none, sizeof none);
    /* No limit: libzmq's I/O thread waits when a monitor is full, and with it every connection. */
    zmq_setsockopt(h->monitor, ZMQ_RCVHWM, &none, sizeof none);
    if (zmq_socket_monitor(socket, name, EVENTS) || zmq_connect(h->monitor, name)) {
        handshake_done(h, socket);
        return -1;
    }
    handshake_hear(
        h); /* libzmq signals a reader that has found nothing: without this the first event would be silent */
    return 0;
}

void handshake_done(struct handshake *h, void *socket)
{
    if (h->monitor) {
        zmq_socket_monitor(socket, NULL, 0);
        zmq_close(h->monitor);
    }
    *h = (struct handshake){0};
}

static void note(struct handshake *h, uint16_t event, uint32_t value)
{
    switch (event) {
    case ZMQ_EVENT_DISCONNECTED:
        h->ended = true;
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        h->state = HANDSHAKE_GOOD;
        h->failures = 0;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        h->state = HANDSHAKE_DENIED;
        h->failures++;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        h->state = value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? HANDSHAKE_UNLIKE : HANDSHAKE_DROPPED;
        h->failures++;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        h->state = HANDSHAKE_DROPPED;
        h->failures++;
        break;
    default:
        break;
    }
}

void handshake_hear(struct handshake *h)
{
    char frame[512];
    while (h->monitor && zmq_recv(h->monitor, frame, sizeof frame, ZMQ_DONTWAIT) >= 6) {
        uint16_t event;
        uint32_t value;
        memcpy(&event, frame, sizeof event);
        memcpy(&value, frame + sizeof event, sizeof value);
        zmq_recv(h->monitor, frame, sizeof frame, ZMQ_DONTWAIT); /* the endpoint, which comes with it */
        note(h, event, value);
    }
}

bool handshake_refused(const struct handshake *h)
{
    return h->state == HANDSHAKE_DENIED || h->state == HANDSHAKE_UNLIKE;
}

const char *handshake_reason(const struct handshake *h, bool keyed)
{
    switch (h->state) {
    case HANDSHAKE_DENIED:
        return "refused this key: it is in no list of the broker for what this socket is for";
    case HANDSHAKE_UNLIKE:
        return keyed ? "works without keys, and one is given here" : "wants a key, and none is given";
    case HANDSHAKE_DROPPED:
        return keyed ? "closed the connection during the handshake: its key is not the server key given, or "
                       "it is no "
                       "broker"
                     : "closed the connection during the handshake: it may want a key, or is no broker";
    default:
        return NULL;
    }
}
