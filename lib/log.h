/* SPDX-License-Identifier: MPL-2.0 */
/* log - one event, one line of key=value words on stderr.
 *
 *     level=info prog=kiln-broker pid=71 event=worker_joined wid=box.72 plugin=stats
 *
 * `event` is one word; the format is more words "key=%s"; text that may hold blanks goes through %s inside double
 * quotes made by log_quote. When stderr is systemd's journal a line goes there as a record with a field for each word
 * (log_journal.h) instead; a journal that takes no records gets lines that start with their syslog priority, "<6>".
 * Only programs log (main loops and what they decide); lib and plugins never do. */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_open(const char *program, enum log_level least); /* once at start, and after a fork */
void log_open_at(const char *program, enum log_level least,
                 const char *journal); /* the same; its socket, for tests */
int log_level_parse(const char *name); /* "debug".."error", or -1 */

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...)   log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)    log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_error(event, ...)   log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)

/* The text in double quotes, with quotes, backslashes and control characters escaped; cut to fit. Returns a
 * buffer of the calling thread that the fourth next call uses again. */
const char *log_quote(const char *text);

#endif
