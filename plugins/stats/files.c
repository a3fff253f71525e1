/* SPDX-License-Identifier: MPL-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next of the folders, without slashes at its end ("/" becomes ""). False: no more. */
static bool next_dir(const char **dirs, const char **ret, size_t *ret_length)
{
    while (**dirs == ':') {
        (*dirs)++;
    }
    size_t length = strcspn(*dirs, ":");
    *ret = *dirs;
    *dirs += length;
    const bool any = length > 0;
    while (length && (*ret)[length - 1] == '/') {
        length--;
    }
    *ret_length = length;
    return any;
}

int files_check_dirs(struct kiln_call *call, const char *dirs)
{
    const char *dir;
    size_t length;
    while (next_dir(&dirs, &dir, &length)) {
        if (dir[0] != '/' || length >= PATH_MAX) {
            return call->host->fail(call, KILN_INVALID, "data_dirs",
                                    "data_dirs names %.*s, expected absolute folders separated by colons",
                                    (int) (length < 200 ? length : 200), dir);
        }
        char name[PATH_MAX];
        struct stat st;
        snprintf(name, sizeof name, "%.*s", (int) length, dir);
        if (stat(length ? name : "/", &st) != 0 || !S_ISDIR(st.st_mode)) {
            return call->host->fail(call, KILN_INVALID, "data_dirs",
                                    "data_dirs names %.200s, which is not there or no folder", name);
        }
    }
    return KILN_OK;
}

/* The folder that the path lies below, opened, and the rest of the path; -1 when there is none. */
static int open_dir(const char *dirs, const char *path, const char **ret_rest)
{
    const char *dir;
    size_t length;
    while (next_dir(&dirs, &dir, &length)) {
        char name[PATH_MAX];
        if (length >= sizeof name || strncmp(path, dir, length) != 0 || path[length] != '/') {
            continue;
        }
        memcpy(name, dir, length);
        name[length] = 0;
        *ret_rest = path + length + 1;
        return open(length ? name : "/",
                    O_PATH | O_DIRECTORY | O_CLOEXEC); /* the configuration may name a link */
    }
    errno = EACCES;
    return -1;
}

/* Takes the next name of a path. False when it is empty, ".", "..", or too long. */
static bool next_name(const char **path, char name[NAME_MAX + 1])
{
    const size_t length = strcspn(*path, "/");
    if (length == 0 || length > NAME_MAX) {
        return false;
    }
    memcpy(name, *path, length);
    name[length] = 0;
    *path += length;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Opens the rest of a path below `dir`, which it closes. -1 with errno. */
static int walk(int dir, const char *rest)
{
    for (;;) {
        char name[NAME_MAX + 1];
        int fd = -1, error = EACCES;
        if (next_name(&rest, name)) {
            const bool last = *rest == 0;
            struct stat st;
            /* Only what is a regular file is opened: to open a device or a pipe can do something. */
            if (last && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
                errno = S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
            } else {
                fd = openat(dir, name,
                            O_CLOEXEC | O_NOFOLLOW |
                                (last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY));
            }
            error = errno;
        }
        close(dir);
        if (fd < 0 || *rest == 0) {
            errno = error;
            return fd;
        }
        rest++; /* the slash */
        dir = fd;
    }
}

static const char *why(int error)
{
    switch (error) {
    case ENOENT:
        return "there is no such file";
    case ELOOP:
    case ENOTDIR:
        return "it leads through a symbolic link or something that is no folder";
    case EINVAL:
        return "it is not a regular file";
    default:
        return "it may not be read";
    }
}

int file_open(struct kiln_call *call, const char *field, const char *path, const char *dirs, struct file *ret)
{
    const char *rest = NULL;
    if (path[0] != '/') {
        return call->host->fail(call, KILN_INVALID, field, "%s is %s, expected an absolute path", field,
                                path);
    }
    int fd = open_dir(dirs ? dirs : "", path, &rest);
    if (!rest) {
        return call->host->fail(
            call, KILN_INVALID, field,
            "%s is %s, expected a file below a folder that the plugin's option data_dirs names%s", field,
            path, dirs && *dirs ? "" : " (it names none)");
    }
    fd = fd < 0 ? fd : walk(fd, rest);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
        errno = EINVAL;
    }
    if (fd < 0) {
        return call->host->fail(call, KILN_INVALID, field, "%s is %s: %s, expected a readable file", field,
                                path, why(errno));
    }
    (void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret = (struct file){.fd = fd, .bytes = (uint64_t) st.st_size};
    return KILN_OK;
}

void file_close(struct file *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
}

int file_read(struct kiln_call *call, const struct file *f, uint64_t offset, void *to, size_t bytes)
{
    if (f->fd < 0) {
        memcpy(to, f->memory + offset, bytes);
        return KILN_OK;
    }
    size_t done = 0;
    while (done < bytes) {
        const ssize_t got = pread(f->fd, (char *) to + done, bytes - done, (off_t) (offset + done));
        if (got > 0) {
            done += (size_t) got;
        } else if (got == 0 || errno != EINTR) {
            return call->host->fail(call, KILN_FAILED, NULL, "byte %llu of the file cannot be read: %s",
                                    (unsigned long long) (offset + done),
                                    got == 0 ? "the file became shorter" : strerror(errno));
        }
    }
    return KILN_OK;
}
