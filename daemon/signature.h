/* SPDX-License-Identifier: MPL-2.0 */
/* signature - whether a plugin file was signed by somebody we trust: the format of minisign, which any system has or can have.
 *
 *     minisign -G                         makes a pair of keys; the public one, "RW...", goes into daemon.trusted_keys
 *     minisign -Sm stats.so               writes stats.so.minisig, which stays beside the file
 *
 * What is judged is a digest of the bytes that were copied, so nobody can change the file between the check and its use. */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <stdbool.h>

#include "conf.h"
#include "err.h"

enum { SIGNATURE_HASH_BYTES = 64 }; /* BLAKE2b-512 of the file */

bool signature_is_key(const char *text); /* a public key as minisign writes it */

/* 0 when `file`.minisig is a signature of the hash by one of the keys; KILN_DENIED says what is wrong. */
int signature_check(const struct conf_texts *keys, const char *file,
                    const unsigned char hash[SIGNATURE_HASH_BYTES], struct err *err);

/* The same for a signature file that was read: `text` ends with a NUL and is cut into lines. `path` is for messages. */
int signature_judge(const struct conf_texts *keys, const char *path, char *text,
                    const unsigned char hash[SIGNATURE_HASH_BYTES], struct err *err);

#endif
