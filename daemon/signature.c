/* SPDX-License-Identifier: MPL-2.0 */
#include "signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#define UNTRUSTED "untrusted comment: "
#define TRUSTED   "trusted comment: "

enum { FILE_BYTES = 8192, ID_BYTES = 8, LINES = 4 };

/* As they lie in the decoded lines. */
struct public_key {
    unsigned char kind[2]; /* "Ed" */
    unsigned char id[ID_BYTES];
    unsigned char key[crypto_sign_PUBLICKEYBYTES];
};

struct signed_hash {
    unsigned char kind[2]; /* "ED": of a hash; "Ed", of the whole file, is what old versions made */
    unsigned char id[ID_BYTES];
    unsigned char signature[crypto_sign_BYTES];
};

_Static_assert(sizeof(struct public_key) == 42 && sizeof(struct signed_hash) == 74, "no holes");

static bool decode(const char *text, void *out, size_t bytes)
{
    size_t got = 0;
    return sodium_base642bin(out, bytes, text, strlen(text), "", &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == bytes;
}

static bool decode_key(const char *text, struct public_key *ret_key)
{
    return decode(text, ret_key, sizeof *ret_key) && memcmp(ret_key->kind, "Ed", 2) == 0;
}

bool signature_is_key(const char *text)
{
    struct public_key k;
    return decode_key(text, &k);
}

/* A number, as minisign shows it. */
static const char *show_id(const unsigned char id[ID_BYTES], char out[2 * ID_BYTES + 1])
{
    for (int i = 0; i < ID_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02X", id[ID_BYTES - 1 - i]);
    }
    return out;
}

/* Cuts it into its four lines. */
static bool cut(char *text, char *lines[LINES])
{
    for (int i = 0; i < LINES; i++) {
        size_t n = strcspn(text, "\n");
        bool more = text[n] == '\n';
        lines[i] = text;
        text[n] = '\0';
        if (n > 0 && text[n - 1] == '\r') {
            text[n - 1] = '\0';
        }
        if (!more && i < LINES - 1) {
            return false;
        }
        text += n + more;
    }
    return strncmp(lines[0], UNTRUSTED, strlen(UNTRUSTED)) == 0 &&
           strncmp(lines[2], TRUSTED, strlen(TRUSTED)) == 0;
}

static bool find_key(const struct conf_texts *keys, const unsigned char id[ID_BYTES],
                     struct public_key *ret_key)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (decode_key(keys->items[i], ret_key) && memcmp(ret_key->id, id, ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The second signature is of the first and the trusted comment, so that neither can be put beside another. */
static bool comment_holds(const struct signed_hash *s, const char *comment, const unsigned char *signature,
                          const unsigned char *key)
{
    unsigned char both[sizeof s->signature + FILE_BYTES];
    size_t n = strlen(comment);
    if (n > FILE_BYTES) {
        return false;
    }
    memcpy(both, s->signature, sizeof s->signature);
    memcpy(both + sizeof s->signature, comment, n);
    return crypto_sign_verify_detached(signature, both, sizeof s->signature + n, key) == 0;
}

static int refuse(const char *path, const char *why, struct err *err)
{
    return err_set(err, KILN_DENIED, "file", "signature %s %s", path, why);
}

int signature_judge(const struct conf_texts *keys, const char *path, char *text,
                    const unsigned char hash[SIGNATURE_HASH_BYTES], struct err *err)
{
    char *lines[LINES], id[2 * ID_BYTES + 1];
    struct signed_hash s;
    struct public_key key;
    unsigned char of_comment[crypto_sign_BYTES];
    if (!cut(text, lines) || !decode(lines[1], &s, sizeof s) ||
        !decode(lines[3], of_comment, sizeof of_comment)) {
        return refuse(path, "is none of minisign, or is cut short: expected its four lines", err);
    }
    if (memcmp(s.kind, "ED", 2) != 0) {
        return refuse(path, "is of the old kind (minisign -l), expected one of a hash: minisign -Sm", err);
    }
    if (!find_key(keys, s.id, &key)) {
        return err_set(err, KILN_DENIED, "file",
                       "signature %s was made with key %s, expected one of the %zu in daemon.trusted_keys",
                       path, show_id(s.id, id), keys->n);
    }
    if (crypto_sign_verify_detached(s.signature, hash, SIGNATURE_HASH_BYTES, key.key)) {
        return refuse(path, "does not fit the file: either was changed since it was signed", err);
    }
    return comment_holds(&s, lines[2] + strlen(TRUSTED), of_comment, key.key)
               ? 0
               : refuse(path, "has a trusted comment that was changed since it was signed", err);
}

int signature_check(const struct conf_texts *keys, const char *file,
                    const unsigned char hash[SIGNATURE_HASH_BYTES], struct err *err)
{
    char path[PATH_MAX + 16], text[FILE_BYTES + 1];
    snprintf(path, sizeof path, "%s.minisig", file);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_BYTES);
    int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return err_set(
            err, KILN_DENIED, "file",
            "plugin file %s has no signature that can be read, and daemon.trusted_keys asks for one: "
            "%s: %s (minisign -Sm %s)",
            file, path, strerror(why), file);
    }
    text[n] = '\0';
    return signature_judge(keys, path, text, hash, err);
}
