/* SPDX-License-Identifier: MPL-2.0 */
#include "gate.h"

#include <pwd.h>
#include <stdlib.h>

#include "backend.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* ---- opening ---- */

static int find_user(const char *name, uid_t *ret_uid)
{
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    struct passwd *found;
    if (strcmp(name, "@broker") == 0) {
        *ret_uid = geteuid();
    } else if (name[0] >= '0' && name[0] <= '9' && !*end && number < UINT32_MAX) {
        *ret_uid = (uid_t) number;
    } else if ((found = getpwnam(name))) {
        *ret_uid = found->pw_uid;
    } else {
        return KILN_INVALID;
    }
    return 0;
}

static int read_admins(struct gate *g, const struct conf_texts *names, struct err *err)
{
    g->admins = mem_alloc((names->n + 1) * sizeof *g->admins);
    g->admins[g->n_admins++] = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (find_user(names->items[i], &g->admins[g->n_admins++])) {
            return err_set(
                err, KILN_INVALID, "ipc_admins",
                "broker.ipc_admins holds \"%.60s\", expected a user of this machine, a number, or @broker",
                names->items[i]);
        }
    }
    return 0;
}

static int open_keys(struct broker *b, struct err *err)
{
    struct gate *g = &b->gate;
    struct curve_pair own;
    int status = keyring_load(b->config.keys, &g->keyring, err);
    status = status ? status : curve_read_secret(b->config.key, &own, err);
    if (status) {
        return status;
    }
    memcpy(g->secret_key, own.secret_key, sizeof g->secret_key);
    log_info("keys", "public_key=%s producers=%zu workers=%zu admins=%zu", own.public_key,
             keyring_count(g->keyring, ROLE_PRODUCER), keyring_count(g->keyring, ROLE_WORKER),
             keyring_count(g->keyring, ROLE_ADMIN));
    curve_wipe(&own, sizeof own);
    /* Before any endpoint: a handshake that finds no handler is let in. */
    g->zap = zsock_new(ZMQ_REP);
    if (!g->zap || zsock_bind(g->zap, "inproc://zeromq.zap.01")) {
        return err_set(err, KILN_INTERNAL, NULL, "no handler of handshakes: %s", zmq_strerror(zmq_errno()));
    }
    return 0;
}

int gate_open(struct broker *b, struct err *err)
{
    int status = read_admins(&b->gate, &b->config.ipc_admins, err);
    if (!status && b->config.key[0]) {
        status = open_keys(b, err);
    }
    if (status) {
        gate_close(b);
    }
    return status;
}

void gate_close(struct broker *b)
{
    struct gate *g = &b->gate;
    zsock_destroy(&g->front_monitor);
    zsock_destroy(&g->back_monitor);
    zsock_destroy(&g->zap);
    keyring_free(&g->keyring);
    curve_wipe(g->secret_key, sizeof g->secret_key);
    mem_free(g->admins);
    *g = (struct gate){0};
}

int gate_guard(struct broker *b, zsock_t *socket, const char *domain, struct err *err)
{
    if (!b->gate.keyring) {
        log_warning("tcp_is_open", "socket=%s why=%s", domain,
                    log_quote("broker.insecure_tcp: whoever reaches this endpoint may use it, unencrypted"));
        return 0;
    }
    void *s = zsock_resolve(socket);
    /* An address that is taken is the owner's: with keys nobody takes over the connection, and the answers, of another. */
    zsock_set_router_handover(socket, 0);
    zsock_set_zap_domain(socket, domain);
    return curve_serve(s, b->gate.secret_key)
               ? err_set(err, KILN_INVALID, "key", "the broker's key is not taken by libzmq: %s",
                         zmq_strerror(zmq_errno()))
               : 0;
}

static zsock_t *open_monitor(void *socket, const char *name)
{
    /* Refused keys are counted where they are refused. */
    enum {
        EVENTS = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
    };
    zsock_t *monitor = zmq_socket_monitor(socket, name, EVENTS) ? NULL : zsock_new(ZMQ_PAIR);
    if (monitor) {
        zsock_set_rcvhwm(monitor,
                         0); /* libzmq's I/O thread waits when a monitor is full, and with it every peer */
        if (zsock_connect(monitor, "%s", name)) {
            zsock_destroy(&monitor);
        }
    }
    return monitor;
}

static bool any_tcp(const struct conf_texts *endpoints)
{
    bool any = false;
    for (size_t i = 0; i < endpoints->n; i++) {
        any = any || curve_wanted(endpoints->items[i]);
    }
    return any;
}

int gate_watch(struct broker *b, struct err *err)
{
    struct gate *g = &b->gate;
    bool front = any_tcp(&b->config.frontend), back = any_tcp(&b->config.backend);
    curve_wipe(g->secret_key, sizeof g->secret_key);
    g->front_monitor = front ? open_monitor(b->front, "inproc://gate-front") : NULL;
    g->back_monitor = back ? open_monitor(b->back, "inproc://gate-back") : NULL;
    return (front && !g->front_monitor) || (back && !g->back_monitor)
               ? err_set(err, KILN_INTERNAL, NULL, "no monitor of handshakes: %s", zmq_strerror(zmq_errno()))
               : 0;
}

/* ---- messages ---- */

/* libzmq says of a peer at a socket file "localhost:UID:GID:PID", and of others a numeric address. */
static bool local_uid(const char *address, uid_t *ret_uid)
{
    static const char head[] = "localhost:";
    char *end;
    if (strncmp(address, head, sizeof head - 1) != 0) {
        return false;
    }
    unsigned long uid = strtoul(address + sizeof head - 1, &end, 10);
    *ret_uid = (uid_t) uid;
    return end != address + sizeof head - 1 && *end == ':';
}

void gate_speaker(const struct broker *b, zmq_msg_t *header, struct speaker *ret_speaker)
{
    const struct gate *g = &b->gate;
    struct speaker s = {.user = "", .key = ""};
    const char *address = zmq_msg_gets(header, "Peer-Address");
    if (address && local_uid(address, &s.uid)) {
        s.local = true;
        s.roles = ROLE_PRODUCER | ROLE_WORKER;
        for (size_t i = 0; i < g->n_admins; i++) {
            s.roles |= g->admins[i] == s.uid ? ROLE_ADMIN : 0;
        }
    } else if (!g->keyring) {
        s.roles = ROLE_PRODUCER | ROLE_WORKER;
    } else {
        const char *key = address ? zmq_msg_gets(header, "User-Id") : NULL;
        const struct user *u = key ? keyring_find(g->keyring, key) : NULL;
        if (u) {
            s.user = u->name;
            s.key = u->key;
            s.roles = u->roles;
        }
    }
    *ret_speaker = s;
}

int gate_check(const struct speaker *s, unsigned roles, const char *op, struct err *err)
{
    if (s->roles & roles) {
        return 0;
    }
    if (s->local) {
        return err_set(err, KILN_DENIED, "op",
                       "\"%s\" is for admins: user %u is neither root nor in broker.ipc_admins", op,
                       (unsigned) s->uid);
    }
    if (!s->roles) {
        return err_set(err, KILN_DENIED, "op", "\"%s\" by a key that is in no list of the broker any more",
                       op);
    }
    return err_set(err, KILN_DENIED, "op", "\"%s\" is for %s, and %s%s is %s", op,
                   roles & ROLE_PRODUCER ? "producers and admins"
                   : roles & ROLE_WORKER ? "workers"
                                         : "admins",
                   s->user[0] ? "the key " : "who comes by tcp without a key", s->user, roles_text(s->roles));
}

/* ---- reloading ---- */

static bool revoked(const struct broker *b, const char *key)
{
    const struct user *u = key[0] ? keyring_find(b->gate.keyring, key) : NULL;
    return key[0] && !(u && (u->roles & ROLE_WORKER));
}

static void lose_revoked(struct broker *b)
{
    size_t n;
    struct worker **workers = (struct worker **) peers_all(b->peers.workers, &n);
    for (size_t i = 0; i < n; i++) {
        if (revoked(b, workers[i]->key)) {
            backend_lose(b, workers[i], "its key was taken from the list");
        }
    }
    mem_free(workers);
    struct node **nodes = (struct node **) peers_all(b->peers.nodes, &n);
    for (size_t i = 0; i < n; i++) {
        if (revoked(b, nodes[i]->key)) {
            log_warning("node_lost", "wid=%s why=%s", nodes[i]->wid,
                        log_quote("its key was taken from the list"));
            b->counters.nodes_lost++;
            backend_lose_node(b, nodes[i], "its key was taken from the list");
        }
    }
    mem_free(nodes);
}

int gate_read(const struct broker *b, struct keyring **ret_keyring, struct err *err)
{
    return b->gate.keyring ? keyring_load(b->config.keys, ret_keyring, err) : 0;
}

void gate_take(struct broker *b, struct keyring **keyring)
{
    struct gate *g = &b->gate;
    struct keyring *made = *keyring;
    *keyring = NULL;
    if (!made) {
        return;
    }
    b->now_ns = clock_ns();
    keyring_free(&g->keyring);
    g->keyring = made;
    lose_revoked(b);
    log_info("keys_reloaded", "producers=%zu workers=%zu admins=%zu", keyring_count(made, ROLE_PRODUCER),
             keyring_count(made, ROLE_WORKER), keyring_count(made, ROLE_ADMIN));
}

const struct user *gate_first(struct broker *b)
{
    return b->gate.keyring ? keyring_first(b->gate.keyring) : NULL;
}

const struct user *gate_next(struct broker *b)
{
    return keyring_next(b->gate.keyring);
}
