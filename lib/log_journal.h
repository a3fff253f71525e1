/* SPDX-License-Identifier: MPL-2.0 */
/* log_journal - log lines as records of systemd's journal, a field for each word.
 *
 *     event=worker_died wid=box.72 cause="signal 9 (Killed)"
 *
 * becomes MESSAGE (the line), PRIORITY, SYSLOG_IDENTIFIER, KILN_EVENT=worker_died, KILN_WID=box.72 and
 * KILN_CAUSE=signal 9 (Killed).
 *
 * Written against the journal's native protocol, a documented promise, instead of linking libsystemd: every worker is the same
 * binary as its supervisor, and would map its five libraries for nothing. Used by log alone. */
#ifndef LOG_JOURNAL_H
#define LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* True when stderr is the stream that the service manager connected to the journal ($JOURNAL_STREAM names it), and not a
 * file or a pipe that stderr was sent to since. */
bool log_journal_is_stderr(void);

/* Connects; a descriptor that is closed when another program is started, or -1. Before a sandbox forbids sockets. */
int log_journal_open(const char *path);

/* One line without its end. Hardly waits: a journal that does not read costs its writer a tenth of a second once, and then
 * the lines, whose number the next record tells as KILN_LINES_LOST. False when there is nobody to send to. */
bool log_journal_send(int fd, const char *program, int priority, const char *line, size_t bytes);

#endif
