/* SPDX-License-Identifier: MPL-2.0 */
/* gate - who may speak to the broker, and as what.
 *
 *   tcp   CURVE. Every handshake is put before us (ZAP, ZeroMQ RFC 27): a key of the keyring with a role of that socket
 *         comes in, all else is refused before it has sent a message. Each message is then looked up by the key that
 *         libzmq attaches to it, so that a key which was taken from the lists is refused on the connection it has, too.
 *   ipc   no keys: the modes of the socket files say who may connect. Who is an admin is told by the kernel, which knows the
 *         user at the other end.
 *
 * The ZAP handler is a REP socket in the broker's own loop, not CZMQ's zauth, which is a thread of its own: here nothing
 * is locked, a new keyring takes effect between two turns for handshakes and messages alike, and refusals are counted.
 *
 * What is attached to a message is to be believed only where libzmq itself put it: a peer may send properties of any name in
 * its handshake. The peer's address is always libzmq's; a User-Id is ours on connections of CURVE and the peer's invention
 * on others. So the address is looked at first. */
#ifndef GATE_H
#define GATE_H

#include <czmq.h>

#include "keyring.h"
#include "refusals.h"

struct broker;

#define GATE_FRONT "frontend" /* the domain of ZAP; all else is the backend */

struct gate {
    struct keyring *keyring;     /* NULL: no keys, tcp is open to everyone or not there */
    char secret_key[CURVE_TEXT]; /* until the sockets are bound */
    uid_t *admins;
    size_t n_admins;
    zsock_t *zap, *front_monitor, *back_monitor; /* NULL without tcp; zap: without keys */
    struct refusals refused, failed, unheard;    /* for the log */
};

struct speaker {
    const char *user; /* name of the key; "" when there is none. Valid until the next reload */
    const char *key;  /* likewise */
    unsigned roles;   /* enum role; 0: nobody that we know (any more) */
    bool local;       /* of this machine, through a socket file; then: */
    uid_t uid;
};

/* Before the sockets are made. On failure nothing is left. */
int gate_open(struct broker *b, struct err *err);
void gate_close(struct broker *b);

/* From here on what is bound to the socket wants keys, if there are any. The domain is what ZAP is told. */
int gate_guard(struct broker *b, zsock_t *socket, const char *domain, struct err *err);
/* The sockets are bound: the broker's own secret is not needed any more. */
int gate_watch(struct broker *b, struct err *err);

enum { GATE_POLL_ITEMS = 3, GATE_ROLES_FRONT = ROLE_PRODUCER | ROLE_ADMIN };

/* What there is to wait for: the number of items filled; gate_hear when any of them is ready. */
size_t gate_poll(struct broker *b, zmq_pollitem_t items[GATE_POLL_ITEMS]);
void gate_hear(struct broker *b);

/* Who sent this. `header` is any frame of the message but the route. */
void gate_speaker(const struct broker *b, zmq_msg_t *header, struct speaker *ret_speaker);

/* KILN_DENIED, in a sentence, unless the speaker has one of the roles. */
int gate_check(const struct speaker *s, unsigned roles, const char *op, struct err *err);

/* Reads the lists again (NULL when keys are not used); then takes them over: workers whose key is gone are lost. */
int gate_read(const struct broker *b, struct keyring **ret_keyring, struct err *err);
void gate_take(struct broker *b, struct keyring **keyring);

/* The keys of the lists, one after the other. */
const struct user *gate_first(struct broker *b);
const struct user *gate_next(struct broker *b);

#endif
