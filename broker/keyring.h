/* SPDX-License-Identifier: MPL-2.0 */
/* keyring - whose public keys may speak, and as what: the allow-lists of `broker.keys`.
 *
 * A folder with a file for each key, FOLDER/producers/NAME.key, FOLDER/workers/NAME.key, FOLDER/admins/NAME.key. NAME
 * is what the holder is called in logs and quotas. Letting somebody in is copying a file, shutting somebody out is removing
 * it, and then a SIGHUP. A keyring is read whole or not at all, and never changed. */
#ifndef KEYRING_H
#define KEYRING_H

#include "curve.h"
#include "err.h"

enum role { ROLE_PRODUCER = 1, ROLE_WORKER = 2, ROLE_ADMIN = 4, ROLES = 3 };

struct user {
    char key[CURVE_TEXT], name[CURVE_NAME];
    unsigned roles; /* enum role; a key may stand in several lists, under one name */
};

struct keyring;

/* KILN_INVALID when a file is no key, or one key has two names; KILN_DENIED when others could add to a list. */
int keyring_load(const char *folder, struct keyring **ret_keyring, struct err *err);
void keyring_free(struct keyring **keyring);

/* NULL: nobody's. */
const struct user *keyring_find(struct keyring *k, const char *key);
const struct user *keyring_first(struct keyring *k);
const struct user *keyring_next(struct keyring *k);
size_t keyring_count(struct keyring *k, enum role role);

/* "producer", "producer and admin": for a sentence. */
const char *roles_text(unsigned roles);

#endif
