/* SPDX-License-Identifier: MPL-2.0 */
#include "log_journal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { RECORD_BYTES = 8192, NAME_BYTES = 64, FIELDS_MOST = 32, WAIT_MS = 100 };

/* A record under construction; what does not fit is left out, field by field. */
struct record {
    char data[RECORD_BYTES];
    size_t bytes;
};

bool log_journal_is_stderr(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat s;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &s) == 0 &&
           s.st_dev == device && s.st_ino == inode;
}

int log_journal_open(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path) {
        return -1;
    }
    memcpy(to.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *) &to, sizeof to) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- fields ---- */

static void add(struct record *r, const char *name, const char *value, size_t bytes)
{
    size_t name_bytes = strlen(name);
    if (name_bytes + bytes + 2 > sizeof r->data - r->bytes) {
        return;
    }
    memcpy(r->data + r->bytes, name, name_bytes);
    r->bytes += name_bytes;
    r->data[r->bytes++] = '=';
    memcpy(r->data + r->bytes, value, bytes);
    r->bytes += bytes;
    r->data[r->bytes++] = '\n';
}

/* "KILN_" and the key in capitals; false when the journal would not take it. */
static bool field_name(const char *key, size_t bytes, char *out)
{
    static const char prefix[] = "KILN_";
    size_t at = sizeof prefix - 1;
    if (bytes == 0 || at + bytes >= NAME_BYTES) {
        return false;
    }
    memcpy(out, prefix, at);
    for (size_t i = 0; i < bytes; i++) {
        char c = key[i];
        bool lower = c >= 'a' && c <= 'z';
        if (!lower && c != '_' && !(c >= '0' && c <= '9')) {
            return false;
        }
        out[at++] = lower ? (char) (c - 'a' + 'A') : c;
    }
    out[at] = '\0';
    return true;
}

/* Takes the value at *at, quoted or up to the next blank, and steps behind it. Escapes of quotes and backslashes are
 * undone; those of control characters stay, so that a field is one line. */
static size_t take_value(const char **at, const char *end, char *out)
{
    size_t n = 0;
    bool quoted = *at < end && **at == '"';
    *at += quoted;
    while (*at < end && **at != (quoted ? '"' : ' ')) {
        bool escaped = quoted && **at == '\\' && end - *at > 1 && ((*at)[1] == '"' || (*at)[1] == '\\');
        *at += escaped;
        out[n++] = *(*at)++;
    }
    *at += quoted && *at < end;
    return n;
}

static void add_words(struct record *r, const char *line, size_t bytes)
{
    const char *at = line, *end = line + bytes;
    char value[RECORD_BYTES], name[NAME_BYTES];
    for (int i = 0; i < FIELDS_MOST && at < end; i++) {
        const char *key = at;
        while (at < end && *at != '=' && *at != ' ') {
            at++;
        }
        if (at < end && *at == '=') {
            size_t key_bytes = (size_t) (at++ - key);
            size_t n = take_value(&at, end, value);
            if (field_name(key, key_bytes, name)) {
                add(r, name, value, n);
            }
        }
        while (at < end && *at == ' ') {
            at++;
        }
    }
}

/* ---- sending ---- */

static bool put(int fd, const struct record *r, int wait_ms)
{
    if (write(fd, r->data, r->bytes) >= 0) {
        return true;
    }
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    return errno == EAGAIN && wait_ms && poll(&room, 1, wait_ms) > 0 && write(fd, r->data, r->bytes) >= 0;
}

bool log_journal_send(int fd, const char *program, int priority, const char *line, size_t bytes)
{
    static unsigned long lost;
    struct record r;
    char number[24];
    r.bytes = 0;
    bytes = bytes < RECORD_BYTES / 2 ? bytes : RECORD_BYTES / 2;
    add(&r, "MESSAGE", line, bytes);
    add(&r, "PRIORITY", number, (size_t) snprintf(number, sizeof number, "%d", priority));
    add(&r, "SYSLOG_IDENTIFIER", program, strlen(program));
    if (lost) {
        add(&r, "KILN_LINES_LOST", number, (size_t) snprintf(number, sizeof number, "%lu", lost));
    }
    add_words(&r, line, bytes);
    if (put(fd, &r, lost ? 0 : WAIT_MS)) {
        lost = 0;
        return true;
    }
    bool behind = errno == EAGAIN;
    lost += behind;
    return behind;
}
