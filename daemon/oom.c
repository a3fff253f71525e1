/* SPDX-License-Identifier: MPL-2.0 */
#include "oom.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

void oom_offer(int more)
{
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char text[16] = "";
    int score = 0;
    if (fd < 0) {
        return;
    }
    if (read(fd, text, sizeof text - 1) > 0 && sscanf(text, "%d", &score) == 1) {
        int n = snprintf(text, sizeof text, "%d", score + more > 1000 ? 1000 : score + more);
        if (pwrite(fd, text, (size_t) n, 0) < 0) {
            score = 0; /* the default order stands; not worth refusing to work */
        }
    }
    close(fd);
}

/* The line "oom_kill N", which all three kinds of files have. */
static bool read_count(int fd, uint64_t *ret_count)
{
    char text[16384];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    unsigned long long count = 0;
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (sscanf(at, "oom_kill %llu", &count) == 1) {
            *ret_count = count;
            return true;
        }
    }
    return false;
}

static bool try(struct oom *o, const char *path)
{
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd >= 0 && !read_count(o->fd, &o->seen)) {
        close(o->fd);
        o->fd = -1;
    }
    return o->fd >= 0;
}

/* One line of /proc/self/cgroup: "0::/path" of the unified tree, "4:memory:/path" of the memory controller's own. */
static bool try_group(struct oom *o, char *line)
{
    char path[PATH_MAX + 64];
    char *tree = strchr(line, ':'), *group = tree ? strchr(tree + 1, ':') : NULL;
    if (!group) {
        return false;
    }
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(tree, ":") == 0) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", group);
    } else if (strcmp(tree, ":memory") == 0) {
        snprintf(path, sizeof path, "/sys/fs/cgroup/memory%s/memory.oom_control", group);
    } else {
        return false;
    }
    return try(o, path);
}

void oom_watch(struct oom *o)
{
    char line[PATH_MAX];
    bool found = false;
    *o = (struct oom){.fd = -1};
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && !found && fgets(line, sizeof line, f)) {
        found = try_group(o, line);
    }
    if (f) {
        fclose(f);
    }
    if (!found) {
        try(o, "/proc/vmstat");
    }
}

void oom_done(struct oom *o)
{
    if (o->fd >= 0) {
        close(o->fd);
    }
    *o = (struct oom){.fd = -1};
}

bool oom_struck(struct oom *o, int64_t now_ns)
{
    uint64_t before = o->seen;
    if (o->fd >= 0 && read_count(o->fd, &o->seen) && o->seen > before) {
        o->grown_ns = now_ns;
    }
    return o->grown_ns && now_ns - o->grown_ns <= CLOCK_S;
}
