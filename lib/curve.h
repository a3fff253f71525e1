/* SPDX-License-Identifier: MPL-2.0 */
/* curve - the keys of CURVE, ZeroMQ's encryption: key pairs, and the files they are kept in.
 *
 * A key is 40 characters of Z85. A pair is two files, NAME.key (public, for the other side) and NAME.key_secret (mode
 * 0600), in the format of CZMQ's certificates, which zcert, zauth and pyzmq's zmq.auth read and write as well. They are read
 * here and not by CZMQ because libkiln needs libzmq alone, and because what zcert read stays in memory when it is freed.
 *
 *     struct curve_keys keys;
 *     curve_client_keys("/etc/kiln/alice.key_secret", "/etc/kiln/broker.key", &keys, &err)
 *     curve_use(socket, &keys)      before zmq_connect
 *     curve_wipe(&keys, sizeof keys)
 *
 * No sentence of this file ever quotes a secret. */
#ifndef CURVE_H
#define CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum { CURVE_TEXT = 41, CURVE_NAME = 64 };

struct curve_pair {
    char public_key[CURVE_TEXT], secret_key[CURVE_TEXT];
};

/* What a client of CURVE needs; server_key "": none, do without. */
struct curve_keys {
    struct curve_pair own;
    char server_key[CURVE_TEXT];
};

/* What a public file says. name and role are "" when it does not. */
struct curve_public {
    char key[CURVE_TEXT], name[CURVE_NAME], role[16];
};

int curve_make(struct curve_pair *ret_pair, struct err *err);

/* Writes STEM.key and STEM.key_secret; KILN_CONFLICT when either is there already, and then neither is touched. The last
 * part of the stem is the name. */
int curve_write(const char *stem, const char *role, const struct curve_pair *pair, struct err *err);

/* The file must be a regular file that nobody but its owner can read (of root's, our group as well). */
int curve_read_secret(const char *path, struct curve_pair *ret_pair, struct err *err);
int curve_read_public(const char *path, struct curve_public *ret_public, struct err *err);

/* key_path: a secret file; server: a public key, or the public file it is in. Messages call the two `key_name` and
 * `server_name`. */
int curve_client_keys(const char *key_path, const char *server, const char *key_name, const char *server_name,
                      struct curve_keys *ret_keys, struct err *err);

/* 40 characters that decode as Z85. */
bool curve_valid(const char *text);

/* Makes a socket a client of CURVE; with no server_key it does nothing. 0, or -1 with zmq_errno(). */
int curve_use(void *socket, const struct curve_keys *keys);

/* Makes what is bound from now on a server of CURVE. 0, or -1. */
int curve_serve(void *socket, const char *secret_key);

void curve_wipe(void *data, size_t bytes);

/* "tcp://..." : the only transport that CURVE is for here; sockets of ipc are guarded by their modes. */
bool curve_wanted(const char *endpoint);

#endif
