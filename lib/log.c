/* SPDX-License-Identifier: MPL-2.0 */
#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "log_journal.h"

static const char *const names[] = {"debug", "info", "warning", "error"};
static const int priorities[] = {7, 6, 4, 3};

static char program[32] = "kiln";
static enum log_level least = LOG_LEVEL_INFO;
static bool to_journal;
static int journal_fd = -1;

void log_open(const char *name, enum log_level level)
{
    log_open_at(name, level, LOG_JOURNAL_SOCKET);
}

void log_open_at(const char *name, enum log_level level, const char *journal)
{
    snprintf(program, sizeof program, "%s", name);
    least = level;
    if (journal_fd >= 0) {
        close(journal_fd);
    }
    to_journal = log_journal_is_stderr();
    journal_fd = to_journal ? log_journal_open(journal) : -1;
}

int log_level_parse(const char *name)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* One write, so that lines of several processes do not mix. A full or closed stderr loses the line: nobody waits for whoever should
 * read it, since a plugin may have filled it. Where the kernel cannot write so (a file), it does not wait either. */
static void put(char *line, size_t length)
{
    line[length++] = '\n';
    struct iovec part = {line, length};
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT) < 0 && poll(&p, 1, 0) > 0 && p.revents & POLLOUT &&
        write(STDERR_FILENO, line, length) < 0) {
        return;
    }
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (level < least) {
        return;
    }
    char line[2048];
    size_t n = 0;
    if (to_journal) {
        n += (size_t) snprintf(line, sizeof line, "<%d>", priorities[level]);
    }
    n += (size_t) snprintf(line + n, sizeof line - n, "level=%s prog=%s pid=%d ", names[level], program,
                           (int) getpid());
    size_t words = n; /* what the journal does not know anyway */
    n += (size_t) snprintf(line + n, sizeof line - n, "event=%s ", event);
    va_list ap;
    va_start(ap, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, ap);
    va_end(ap);
    n += more > 0 ? (size_t) more : 0;
    n = n < sizeof line - 2 ? n : sizeof line - 2;
    if (journal_fd < 0 ||
        !log_journal_send(journal_fd, program, priorities[level], line + words, n - words)) {
        put(line, n);
    }
}

const char *log_quote(const char *text)
{
    static _Thread_local char buffers[4][700];
    static _Thread_local unsigned turn;
    char *out = buffers[turn++ % 4];
    size_t at = 0;
    out[at++] = '"';
    for (; *text && at < sizeof buffers[0] - 6; text++) {
        unsigned char c = (unsigned char) *text;
        if (c == '"' || c == '\\') {
            out[at++] = '\\';
            out[at++] = (char) c;
        } else if (c < 0x20 || c == 0x7f) {
            at += (size_t) snprintf(out + at, 5, "\\x%02x", c);
        } else {
            out[at++] = (char) c;
        }
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
