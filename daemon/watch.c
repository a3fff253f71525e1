/* SPDX-License-Identifier: MPL-2.0 */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

enum { QUIET_MS = 200 };

void watch_open(struct watch *w)
{
    *w = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .due_ns = INT64_MAX};
    if (w->fd < 0) {
        log_warning("watch_not_possible", "why=%s", log_quote(strerror(errno)));
    }
}

void watch_close(struct watch *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    w->fd = -1;
}

static void add(const struct watch *w, char *path)
{
    char *slash = strrchr(path, '/');
    if (slash) {
        slash[slash == path] = '\0'; /* "/" stays */
        if (inotify_add_watch(w->fd, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
            log_warning("watch_not_possible", "folder=%s why=%s", log_quote(path),
                        log_quote(strerror(errno)));
        }
    }
}

void watch_folder_of(const struct watch *w, const char *path)
{
    char at[PATH_MAX];
    if (w->fd < 0 || strlen(path) >= sizeof at) {
        return;
    }
    if (realpath(path, at)) {
        add(w, at);
    }
    strcpy(at, path);
    add(w, at);
}

void watch_folder(const struct watch *w, const char *folder)
{
    const uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR;
    if (w->fd >= 0 && inotify_add_watch(w->fd, folder, events) < 0) {
        log_warning("watch_not_possible", "folder=%s why=%s", log_quote(folder), log_quote(strerror(errno)));
    }
}

void watch_hear(struct watch *w, int64_t now_ns)
{
    char events[4096];
    while (read(w->fd, events, sizeof events) > 0) {
        w->due_ns = now_ns + QUIET_MS * CLOCK_MS; /* which file it was the digests will tell */
    }
}

bool watch_due(struct watch *w, int64_t now_ns)
{
    bool due = now_ns >= w->due_ns;
    w->due_ns = due ? INT64_MAX : w->due_ns;
    return due;
}
