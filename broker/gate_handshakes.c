/* SPDX-License-Identifier: MPL-2.0 */
/* The gate while a connection is made: keys are judged, and what never got so far is counted. */
#include "broker.h"
#include "clock.h"
#include "gate.h"
#include "log.h"

enum { TURN_HANDSHAKES = 64 }; /* judged in one turn, so that a flood of them holds up nobody's messages */

static void answer_zap(struct gate *g, zmq_msg_t *request, const char *code, const char *text,
                       const char *user)
{
    frame_send(zsock_resolve(g->zap), "1.0", 3, ZMQ_SNDMORE);
    frame_send(zsock_resolve(g->zap), zmq_msg_data(request), zmq_msg_size(request), ZMQ_SNDMORE);
    frame_send(zsock_resolve(g->zap), code, 3, ZMQ_SNDMORE);
    frame_send(zsock_resolve(g->zap), text, strlen(text), ZMQ_SNDMORE);
    frame_send(zsock_resolve(g->zap), user, strlen(user), ZMQ_SNDMORE);
    frame_send(zsock_resolve(g->zap), "", 0, 0);
}

/* The frames of a request: version, then these. */
enum { ZAP_REQUEST, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_CREDENTIALS, ZAP_FRAMES };

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    return text_is(zmq_msg_data(frame), zmq_msg_size(frame), text);
}

static void take_zap(struct broker *b, struct frames *f)
{
    static const char nobody[] = "an unknown key";
    struct gate *g = &b->gate;
    zmq_msg_t *part = f->payloads;
    char key[CURVE_TEXT] = "";
    if (f->n_payloads != ZAP_FRAMES || !frame_is(&f->header, "1.0")) {
        zmq_msg_t none;
        zmq_msg_init(&none);
        answer_zap(g, f->n_payloads ? &part[ZAP_REQUEST] : &none, "500", "not a request", "");
        zmq_msg_close(&none);
        return;
    }
    const struct user *u = NULL;
    if (frame_is(&part[ZAP_MECHANISM], "CURVE") && zmq_msg_size(&part[ZAP_CREDENTIALS]) == 32) {
        zmq_z85_encode(key, zmq_msg_data(&part[ZAP_CREDENTIALS]), 32);
        u = keyring_find(g->keyring, key);
    }
    bool front = frame_is(&part[ZAP_DOMAIN], GATE_FRONT);
    if (u && (u->roles & (front ? GATE_ROLES_FRONT : ROLE_WORKER))) {
        answer_zap(g, &part[ZAP_REQUEST], "200", "ok", key);
        return;
    }
    b->counters.handshakes_refused++;
    if (refusals_log(&g->refused, b->now_ns, "keys_refused")) {
        log_warning("key_refused", "socket=%s address=%.*s key=%s name=%s role=%s",
                    front ? GATE_FRONT : "backend", (int) zmq_msg_size(&part[ZAP_ADDRESS]),
                    (const char *) zmq_msg_data(&part[ZAP_ADDRESS]), log_quote(key),
                    u ? u->name : log_quote(nobody), u ? log_quote(roles_text(u->roles)) : "none");
    }
    answer_zap(g, &part[ZAP_REQUEST], "400", "this key may not", "");
}

static const char *failure(uint16_t event, uint32_t value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) {
        return "it did not speak ZeroMQ, did not finish in time, or left";
    }
    switch (value) {
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
        return "it does not use keys as this endpoint does";
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
        return "it believes in another key of this broker";
    default:
        return "it broke the rules of the handshake";
    }
}

static void note(struct broker *b, const char *name, uint16_t event, uint32_t value)
{
    struct gate *g = &b->gate;
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        b->counters.connections++;
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        b->counters.handshakes_passed++;
        break;
    case ZMQ_EVENT_ACCEPT_FAILED:
        b->counters.accepts_failed++;
        if (refusals_log(&g->unheard, b->now_ns, "accepts_failed")) {
            log_error("accept_failed", "socket=%s why=%s", name, log_quote(zmq_strerror((int) value)));
        }
        break;
    default:
        b->counters.handshakes_failed++;
        if (refusals_log(&g->failed, b->now_ns, "handshakes_failed")) {
            log_warning("handshake_failed", "socket=%s why=%s", name, log_quote(failure(event, value)));
        }
    }
}

static void hear_monitor(struct broker *b, zsock_t *monitor, const char *name)
{
    char frame[64], endpoint[512];
    void *s = monitor ? zsock_resolve(monitor) : NULL;
    while (s && zmq_recv(s, frame, sizeof frame, ZMQ_DONTWAIT) >= 6) {
        uint16_t event;
        uint32_t value;
        memcpy(&event, frame, sizeof event);
        memcpy(&value, frame + sizeof event, sizeof value);
        int bytes = zmq_recv(s, endpoint, sizeof endpoint, ZMQ_DONTWAIT); /* it comes with the event */
        if (bytes >= 4 && memcmp(endpoint, "tcp:", 4) == 0) {
            note(b, name, event, value);
        }
    }
}

size_t gate_poll(struct broker *b, zmq_pollitem_t items[GATE_POLL_ITEMS])
{
    zsock_t *const sockets[GATE_POLL_ITEMS] = {b->gate.zap, b->gate.front_monitor, b->gate.back_monitor};
    size_t n = 0;
    for (size_t i = 0; i < GATE_POLL_ITEMS; i++) {
        if (sockets[i]) {
            items[n++] = (zmq_pollitem_t){.socket = zsock_resolve(sockets[i]), .events = ZMQ_POLLIN};
        }
    }
    return n;
}

void gate_hear(struct broker *b)
{
    b->now_ns = clock_ns();
    hear_monitor(b, b->gate.front_monitor, GATE_FRONT);
    hear_monitor(b, b->gate.back_monitor, "backend");
    for (int i = 0; b->gate.zap && i < TURN_HANDSHAKES; i++) {
        if (frames_recv(&b->frames, zsock_resolve(b->gate.zap), false) != 1) {
            break;
        }
        take_zap(b, &b->frames);
    }
}
