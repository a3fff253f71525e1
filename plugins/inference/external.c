/* SPDX-License-Identifier: MPL-2.0 */
/* Data of tensors in files of their own, which lie in the model's folder or below, and nowhere else. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read.h"

enum { PATH_BYTES = 1024 };

/* Component by component, following no link, so that no location leads out of the folder. -1: errno says
 * why; EXDEV: it would. */
static int open_beneath(int folder, const char *location)
{
    char path[PATH_BYTES];
    if (!*location || *location == '/' || strlen(location) >= sizeof path) {
        errno = EXDEV;
        return -1;
    }
    strcpy(path, location);
    int at = dup(folder);
    char *rest = NULL;
    for (char *part = strtok_r(path, "/", &rest); part && at >= 0; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, "..") == 0) {
            close(at);
            errno = EXDEV;
            return -1;
        }
        const bool last = strspn(rest ? rest : "", "/") == strlen(rest ? rest : "");
        const int next = openat(
            at, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (last ? 0 : O_DIRECTORY));
        const int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}

static int read_all(int file, char *data, size_t bytes, int64_t offset)
{
    while (bytes) {
        const ssize_t n = pread(file, data, bytes, offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : ENODATA;
        }
        data += n;
        offset += n;
        bytes -= (size_t) n;
    }
    return 0;
}

int external_read(int folder, const char *location, int64_t offset, int64_t length, void *data, size_t bytes,
                  const char *what, struct refusal *why)
{
    if (folder < 0) {
        return refuse(why, KILN_INVALID,
                      "%s: its data is in the file \"%.100s\", but this model has no folder", what, location);
    }
    const int file = open_beneath(folder, location);
    struct stat about;
    if (file < 0) {
        const bool out = errno == EXDEV || errno == ELOOP;
        return refuse(why, KILN_INVALID, "%s: its data is in \"%.100s\", which %s", what, location,
                      out ? "is not inside of the model's folder" : strerror(errno));
    }
    int rc = KILN_OK;
    if (fstat(file, &about) < 0 || !S_ISREG(about.st_mode)) {
        rc = refuse(why, KILN_INVALID, "%s: its data is in \"%.100s\", which is no ordinary file", what,
                    location);
    } else if (offset < 0 || (length >= 0 && (size_t) length != bytes)) {
        rc = refuse(why, KILN_INVALID,
                    "%s: its data is said to be %lld bytes from %lld, expected %zu from 0 or later", what,
                    (long long) length, (long long) offset, bytes);
    } else if (offset > about.st_size || bytes > (size_t) (about.st_size - offset)) {
        rc = refuse(why, KILN_INVALID,
                    "%s: its data is %zu bytes from %lld of \"%.100s\", which has %lld bytes", what, bytes,
                    (long long) offset, location, (long long) about.st_size);
    } else {
        const int error = read_all(file, data, bytes, offset);
        if (error) {
            rc = refuse(why, KILN_INVALID, "%s: its data cannot be read from \"%.100s\": %s", what, location,
                        strerror(error));
        }
    }
    close(file);
    return rc;
}
