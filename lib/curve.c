/* SPDX-License-Identifier: MPL-2.0 */
#include "curve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

enum { FILE_BYTES = 8192, PATH_BYTES = 1024 };

void curve_wipe(void *data, size_t bytes)
{
    explicit_bzero(data, bytes);
}

bool curve_wanted(const char *endpoint)
{
    return strncmp(endpoint, "tcp://", 6) == 0;
}

bool curve_valid(const char *text)
{
    uint8_t raw[32];
    bool valid = strlen(text) == CURVE_TEXT - 1 && zmq_z85_decode(raw, text) != NULL;
    curve_wipe(raw, sizeof raw);
    return valid;
}

int curve_make(struct curve_pair *ret_pair, struct err *err)
{
    if (zmq_curve_keypair(ret_pair->public_key, ret_pair->secret_key)) {
        return err_set(err, KILN_INTERNAL, NULL, "no key pair can be made: %s",
                       zmq_errno() == ENOTSUP ? "this libzmq was built without CURVE"
                                              : zmq_strerror(zmq_errno()));
    }
    return 0;
}

/* ---- reading: the part of ZPL that certificates are made of ---- */

struct certificate {
    char name[CURVE_NAME], role[16], public_key[CURVE_TEXT], secret_key[CURVE_TEXT];
};

static int cannot(const char *path, const char *why, struct err *err)
{
    return err_set(err, KILN_INVALID, NULL, "%s: %s", path, why);
}

/* The member that `section` and `key` name, and its size; NULL: of no interest. */
static char *member(struct certificate *c, const char *section, const char *key, size_t *ret_bytes)
{
    const struct {
        const char *section, *key;
        char *at;
        size_t bytes;
    } rows[] = {{"metadata", "name", c->name, sizeof c->name},
                {"metadata", "role", c->role, sizeof c->role},
                {"curve", "public-key", c->public_key, sizeof c->public_key},
                {"curve", "secret-key", c->secret_key, sizeof c->secret_key}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0) {
            *ret_bytes = rows[i].bytes;
            return rows[i].at;
        }
    }
    return NULL;
}

/* Takes one line apart, which it writes to: "section", or "    key = value", the value perhaps in quotes. */
static bool read_line(struct certificate *c, char *line, char section[32])
{
    bool inside = isspace((unsigned char) *line);
    char *key = line + strspn(line, " \t");
    char *end = key + strcspn(key, " \t=#\r");
    char *equals = end + strspn(end, " \t");
    if (*key == '\0' || *key == '#' || *key == '\r') {
        return true;
    }
    if (!inside) {
        *end = '\0';
        snprintf(section, 32, "%s", key);
        return true;
    }
    if (*equals != '=') {
        return false;
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    bool quoted = *value == '"' || *value == '\'';
    char *stop = quoted ? strchr(value + 1, *value) : value + strcspn(value, " \t\r");
    if (!stop) {
        return false;
    }
    *end = *stop = '\0';
    value += quoted;
    size_t room;
    char *to = member(c, section, key, &room);
    if (to && (size_t) (stop - value) >= room) {
        return false;
    }
    if (to) {
        memcpy(to, value, (size_t) (stop - value) + 1);
    }
    return true;
}

static int parse(struct certificate *c, const char *path, char *text, struct err *err)
{
    char section[32] = "";
    int number = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        if (!read_line(c, line, section)) {
            return err_set(err, KILN_INVALID, NULL, "%s:%d: expected KEY = \"VALUE\" as in a certificate",
                           path, number);
        }
    }
    return 0;
}

/* Whoever may read a secret has it. Root may let a group read it, so that a daemon need not own its key. */
static int check_private(const char *path, const struct stat *st, struct err *err)
{
    bool by_group = (st->st_mode & 0070) != 0;
    bool granted = (st->st_mode & 0070) == 0040 && st->st_uid == 0 && geteuid() != 0;
    if ((st->st_mode & 0007) != 0 || (by_group && !granted)) {
        return err_set(
            err, KILN_DENIED, NULL,
            "%s is a secret and its mode is %04o: others may read it, expected 0600 (or 0640 when it is "
            "root's)",
            path, (unsigned) (st->st_mode & 07777));
    }
    return 0;
}

/* Read without buffers of stdio, which nobody could wipe. */
static int read_file(const char *path, struct stat *ret_st, char text[FILE_BYTES], struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st)) {
        int why = errno;
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, KILN_INVALID, NULL, "%s: cannot be read: %s", path, strerror(why));
    }
    int status = S_ISREG(st.st_mode) ? 0 : cannot(path, "is no regular file", err);
    size_t n = 0;
    ssize_t got = 1;
    while (!status && got > 0 && n < FILE_BYTES) {
        got = read(fd, text + n, FILE_BYTES - n);
        n += got > 0 ? (size_t) got : 0;
    }
    close(fd);
    if (!status && got < 0) {
        status = err_set(err, KILN_INVALID, NULL, "%s: cannot be read: %s", path, strerror(errno));
    } else if (!status && (n == FILE_BYTES || memchr(text, '\0', n))) {
        status = cannot(path, n == FILE_BYTES ? "is too large for a certificate" : "is not text", err);
    }
    if (!status) {
        text[n] = '\0';
        *ret_st = st;
    }
    return status;
}

static int read_certificate(const char *path, bool secret, struct certificate *c, struct err *err)
{
    char text[FILE_BYTES];
    struct stat st;
    *c = (struct certificate){0};
    int status = read_file(path, &st, text, err);
    status = status ? status : parse(c, path, text, err);
    if (!status && secret && c->secret_key[0]) {
        status = check_private(path, &st, err);
    }
    curve_wipe(text, sizeof text);
    return status;
}

int curve_read_secret(const char *path, struct curve_pair *ret_pair, struct err *err)
{
    struct certificate c;
    char public_key[CURVE_TEXT] = "";
    int status = read_certificate(path, true, &c, err);
    if (!status && (!curve_valid(c.secret_key) || zmq_curve_public(public_key, c.secret_key))) {
        status =
            cannot(path,
                   c.secret_key[0] ? "its secret-key is not 40 characters of Z85"
                                   : "has no secret-key: expected the file NAME.key_secret of kiln keygen",
                   err);
    } else if (!status && c.public_key[0] && strcmp(c.public_key, public_key) != 0) {
        status = cannot(path, "its public-key does not belong to its secret-key", err);
    }
    if (!status) {
        memcpy(ret_pair->public_key, public_key, sizeof public_key);
        memcpy(ret_pair->secret_key, c.secret_key, sizeof c.secret_key);
    }
    curve_wipe(&c, sizeof c);
    return status;
}

int curve_read_public(const char *path, struct curve_public *ret_public, struct err *err)
{
    struct certificate c;
    int status = read_certificate(path, false, &c, err);
    if (!status && !curve_valid(c.public_key)) {
        status =
            err_set(err, KILN_INVALID, NULL, "%s: its public-key is \"%.60s\", expected 40 characters of Z85",
                    path, c.public_key);
    }
    if (!status) {
        *ret_public = (struct curve_public){0};
        memcpy(ret_public->key, c.public_key, sizeof c.public_key);
        memcpy(ret_public->name, c.name, sizeof c.name);
        memcpy(ret_public->role, c.role, sizeof c.role);
    }
    curve_wipe(&c, sizeof c);
    return status;
}

int curve_client_keys(const char *key_path, const char *server, const char *key_name, const char *server_name,
                      struct curve_keys *ret_keys, struct err *err)
{
    bool key = key_path && *key_path, to = server && *server;
    if (!key && !to) {
        *ret_keys = (struct curve_keys){0};
        return 0;
    }
    if (!key || !to) {
        return err_set(
            err, KILN_INVALID, key ? server_name : key_name,
            "%s is given without %s, expected both: one's own secret file and the broker's public key",
            key ? key_name : server_name, key ? server_name : key_name);
    }
    struct curve_keys made = {0};
    struct curve_public broker = {0};
    if (curve_valid(server)) {
        memcpy(broker.key, server, CURVE_TEXT);
    } else if (curve_read_public(server, &broker, err)) {
        return err_prefix(err, "%s is neither a key of 40 characters nor a file that holds one", server_name);
    }
    if (curve_read_secret(key_path, &made.own, err)) {
        return err_prefix(err, "%s", key_name);
    }
    memcpy(made.server_key, broker.key, CURVE_TEXT);
    *ret_keys = made;
    curve_wipe(&made, sizeof made);
    return 0;
}

/* ---- writing ---- */

static int write_file(const char *path, mode_t mode, const char *text, size_t bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return errno == EEXIST
                   ? err_set(err, KILN_CONFLICT, NULL,
                             "%s is there already and is not overwritten: whoever trusts the old key would "
                             "not know "
                             "the new one",
                             path)
                   : err_set(err, KILN_INVALID, NULL, "%s cannot be written: %s", path, strerror(errno));
    }
    int failed = fchmod(fd, mode) || write(fd, text, bytes) != (ssize_t) bytes || fsync(fd);
    int why = errno;
    failed |= close(fd);
    if (failed) {
        unlink(path);
        return err_set(err, KILN_INVALID, NULL, "%s cannot be written: %s", path, strerror(why));
    }
    return 0;
}

static bool good_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n < CURVE_NAME && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

int curve_write(const char *stem, const char *role, const struct curve_pair *pair, struct err *err)
{
    const char *slash = strrchr(stem, '/');
    const char *name = slash ? slash + 1 : stem;
    char open_path[PATH_BYTES], secret_path[PATH_BYTES], text[512];
    if (!good_name(name) || strlen(stem) > PATH_BYTES - 16) {
        return err_set(
            err, KILN_INVALID, "name",
            "the name is \"%.80s\", expected 1 to 63 letters, digits, dots, dashes and underscores", name);
    }
    snprintf(open_path, sizeof open_path, "%s.key", stem);
    snprintf(secret_path, sizeof secret_path, "%s.key_secret", stem);
    static const char head[] =
        "# ZeroMQ CURVE %s, in the format of CZMQ. %s\n\nmetadata\n    name = \"%s\"\n    role = "
        "\"%s\"\ncurve\n    public-key = \"%s\"\n";
    int n =
        snprintf(text, sizeof text, head, "public key", "For the other side.", name, role, pair->public_key);
    int status = write_file(open_path, 0644, text, (size_t) n, err);
    if (status) {
        return status;
    }
    n = snprintf(text, sizeof text, head, "SECRET key", "Give it to nobody.", name, role, pair->public_key);
    n += snprintf(text + n, sizeof text - (size_t) n, "    secret-key = \"%s\"\n", pair->secret_key);
    status = write_file(secret_path, 0600, text, (size_t) n, err);
    curve_wipe(text, sizeof text);
    if (status) {
        unlink(open_path);
    }
    return status;
}

/* ---- sockets ---- */

int curve_use(void *socket, const struct curve_keys *keys)
{
    if (!keys->server_key[0]) {
        return 0;
    }
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->server_key, CURVE_TEXT) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->own.public_key, CURVE_TEXT) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->own.secret_key, CURVE_TEXT)
               ? -1
               : 0;
}

int curve_serve(void *socket, const char *secret_key)
{
    int yes = 1;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, CURVE_TEXT)
               ? -1
               : 0;
}
