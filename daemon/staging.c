/* SPDX-License-Identifier: MPL-2.0 */
#include "staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sodium.h>

#include "data_files.h"
#include "signature.h"

enum { COPY_BYTES = 65536, DIGEST_BYTES = STAGING_DIGEST_CHARS / 2, FILE_MOST_MB = 1024 };

/* ---- the folder ---- */

static int make_folders(const char *dir, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s", dir) >= (int) sizeof path) {
        return err_set(err, KILN_INVALID, "run_dir", "run_dir is longer than %d bytes", PATH_MAX);
    }
    for (char *at = path + 1;; at++) {
        char was = *at;
        if (was != '/' && was != '\0') {
            continue;
        }
        *at = '\0';
        /* Folders on the way are for everybody to pass, as /run is; the last is ours alone. */
        if (mkdir(path, was ? 0755 : 0700) < 0 && errno != EEXIST) {
            return err_set(err, KILN_INVALID, "run_dir", "folder %s cannot be made: %s", path,
                           strerror(errno));
        }
        if (!was) {
            return 0;
        }
        *at = was;
    }
}

static int check_folder(const char *dir, struct err *err)
{
    struct stat s;
    struct statvfs fs;
    if (stat(dir, &s) < 0 || statvfs(dir, &fs) < 0) {
        return err_set(err, KILN_INVALID, "run_dir", "folder %s cannot be read: %s", dir, strerror(errno));
    }
    if (!S_ISDIR(s.st_mode)) {
        return err_set(err, KILN_INVALID, "run_dir", "%s is not a folder", dir);
    }
    if (s.st_uid != geteuid() || (s.st_mode & 022)) {
        return err_set(
            err, KILN_INVALID, "run_dir",
            "folder %s has owner %u and mode %04o, expected owner %u and no write permission for others", dir,
            (unsigned) s.st_uid, (unsigned) s.st_mode & 07777, (unsigned) geteuid());
    }
    if (fs.f_flag & ST_NOEXEC) {
        return err_set(err, KILN_INVALID, "run_dir",
                       "folder %s is mounted noexec, expected a file system from which plugins can be mapped",
                       dir);
    }
    return 0;
}

/* One daemon a folder: the next would delete what the first has staged. */
static int lock(const char *dir, int *ret_fd, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
        bool taken = fd >= 0 && errno == EWOULDBLOCK;
        err_set(err, KILN_INVALID, "run_dir", "%s cannot be locked: %s", path,
                taken ? "another kilnd runs there; give each a run_dir of its own" : strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return KILN_INVALID;
    }
    *ret_fd = fd;
    return 0;
}

int staging_open(const char *dir, int *ret_lock_fd, struct err *err)
{
    if (sodium_init() < 0) {
        return err_set(err, KILN_INTERNAL, NULL, "libsodium cannot be initialised");
    }
    int status = make_folders(dir, err);
    status = status ? status : check_folder(dir, err);
    int lock_fd = -1;
    status = status ? status : lock(dir, &lock_fd, err);
    if (status) {
        return status;
    }
    DIR *d = opendir(dir);
    if (!d) {
        close(lock_fd);
        return err_set(err, KILN_INVALID, "run_dir", "folder %s cannot be read: %s", dir, strerror(errno));
    }
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] != '.' || strncmp(e->d_name, ".new-", 5) == 0) {
            unlinkat(dirfd(d), e->d_name, 0);
        }
    }
    closedir(d);
    *ret_lock_fd = lock_fd;
    return 0;
}

/* ---- one file ---- */

static bool trusted_owner(const struct stat *s)
{
    return s->st_uid == 0 || s->st_uid == geteuid();
}

static bool trusted(const struct stat *s)
{
    return trusted_owner(s) && !(s->st_mode & 022);
}

static int distrust(const char *what, const char *path, const struct stat *s, struct err *err)
{
    char owner[32] = "0";
    if (geteuid() != 0) {
        snprintf(owner, sizeof owner, "0 or %u", (unsigned) geteuid());
    }
    return err_set(
        err, KILN_DENIED, "file",
        "%s %s has owner %u and mode %04o, expected owner %s and no write permission for group and others "
        "(chmod go-w)",
        what, path, (unsigned) s->st_uid, (unsigned) s->st_mode & 07777, owner);
}

/* Opens the folder below `parent`, or the root, and judges it: whoever may write to a folder may replace what lies in it. One on
 * the way may be open to all, as /tmp is, if it is sticky: then only the owner of what lies there replaces that. */
static int enter_folder(int parent, const char *name, const char *path, bool last, int *ret_fd,
                        struct err *err)
{
    struct stat s;
    int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) < 0) {
        err_set(err, KILN_INVALID, "file", "plugin file %s cannot be opened: %s", path, strerror(errno));
    } else if (!trusted(&s) && (last || !(s.st_mode & S_ISVTX) || !trusted_owner(&s))) {
        distrust("folder of plugin file", path, &s, err);
    } else {
        *ret_fd = fd;
        return 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return KILN_DENIED;
}

/* Opens the last folder of `real`, every one on the way by the descriptor of the one before: what was judged is what is used.
 * Leaves the name of the file in *ret_name. */
static int enter_folders(char *real, int *ret_fd, const char **ret_name, struct err *err)
{
    int at = -1, next = -1;
    char *end = strrchr(real, '/');
    int status = enter_folder(AT_FDCWD, "/", "/", end == real, &at, err);
    for (char *part = real + 1; !status && part < end;) {
        char *slash = strchr(part, '/');
        *slash = '\0';
        status = enter_folder(at, part, real, slash == end, &next, err);
        close(at);
        at = next;
        *slash = '/';
        part = slash + 1;
    }
    *ret_name = end + 1;
    if (!status) {
        *ret_fd = at;
    }
    return status;
}

static int open_in(int folder, const char *name, const char *path, int *ret_fd, struct err *err)
{
    struct stat s;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &s) < 0) {
        err_set(err, KILN_INVALID, "file", "plugin file %s cannot be opened: %s", path, strerror(errno));
    } else if (!S_ISREG(s.st_mode) || s.st_size < 1 || s.st_size > (off_t) FILE_MOST_MB << 20) {
        err_set(err, KILN_INVALID, "file",
                "plugin file %s is %s of %lld bytes, expected a file of 1 byte to %d MiB", path,
                S_ISREG(s.st_mode) ? "a file" : "no regular file", (long long) s.st_size, FILE_MOST_MB);
    } else if (!trusted(&s)) {
        distrust("plugin file", path, &s, err);
    } else {
        *ret_fd = fd;
        return 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return KILN_DENIED;
}

/* Opens the file that `path` leads to, if nobody but us and root can have put it there. */
static int open_checked(const char *path, int *ret_fd, struct err *err)
{
    char real[PATH_MAX];
    int folder = -1;
    const char *name = NULL;
    if (!realpath(path, real)) {
        return err_set(err, KILN_INVALID, "file", "plugin file %s cannot be opened: %s", path,
                       strerror(errno));
    }
    int status = enter_folders(real, &folder, &name, err);
    if (!status) {
        status = open_in(folder, name, path, ret_fd, err);
        close(folder);
    }
    return status;
}

/* Of the bytes as they were copied. */
struct hashes {
    unsigned char digest[DIGEST_BYTES], of_signature[SIGNATURE_HASH_BYTES];
};

/* Copies all of `from` to `to`; -1 with errno. */
static int copy(int from, int to, struct hashes *ret_hashes, size_t *ret_bytes)
{
    static unsigned char chunk[COPY_BYTES]; /* the supervisor has one thread and a small stack budget */
    crypto_generichash_state hash, of_signature;
    crypto_generichash_init(&hash, NULL, 0, DIGEST_BYTES);
    crypto_generichash_init(&of_signature, NULL, 0, SIGNATURE_HASH_BYTES);
    size_t total = 0;
    for (;;) {
        ssize_t n = read(from, chunk, sizeof chunk);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        crypto_generichash_update(&hash, chunk, (unsigned long long) n);
        crypto_generichash_update(&of_signature, chunk, (unsigned long long) n);
        for (ssize_t at = 0; at < n;) {
            ssize_t put = write(to, chunk + at, (size_t) (n - at));
            if (put < 0 && errno != EINTR) {
                return -1;
            }
            at += put > 0 ? put : 0;
        }
        total += (size_t) n;
    }
    crypto_generichash_final(&hash, ret_hashes->digest, DIGEST_BYTES);
    crypto_generichash_final(&of_signature, ret_hashes->of_signature, SIGNATURE_HASH_BYTES);
    *ret_bytes = total;
    return 0;
}

/* The build id of code and data together. */
static void add_data(const struct conf_texts *folders, unsigned char digest[DIGEST_BYTES],
                     unsigned char ret_data[DATA_FILES_HASH])
{
    unsigned char both[DIGEST_BYTES + DATA_FILES_HASH];
    memcpy(both, digest, DIGEST_BYTES);
    data_files_hash(folders, ret_data);
    memcpy(both + DIGEST_BYTES, ret_data, DATA_FILES_HASH);
    crypto_generichash(digest, DIGEST_BYTES, both, sizeof both, NULL, 0);
}

bool staging_has_its_data(const struct staged *staged, const struct conf_texts *data)
{
    unsigned char now[DATA_FILES_HASH] = {0};
    if (data->n) {
        data_files_hash(data, now);
    }
    return memcmp(now, staged->data, sizeof now) == 0;
}

int staging_copy(const char *dir, const char *path, const struct conf_texts *keys,
                 const struct conf_texts *data, struct staged *ret_staged, struct err *err)
{
    struct staged made = {0};
    char temporary[1280];
    struct hashes hashes;
    int from = -1;
    int status = open_checked(path, &from, err);
    if (status) {
        return status;
    }
    snprintf(temporary, sizeof temporary, "%s/.new-XXXXXX", dir);
    int to = mkostemp(temporary, O_CLOEXEC);
    /* Read-only for us too: nothing may change a file that is mapped. A crash may lose it: the next start copies anew. */
    if (to < 0 || copy(from, to, &hashes, &made.bytes) < 0 || fchmod(to, 0500) < 0) {
        err_set(err, KILN_INTERNAL, "run_dir", "plugin file %s cannot be copied to %s: %s", path, dir,
                strerror(errno));
        status = KILN_INTERNAL;
        goto fail;
    }
    if (keys && keys->n && (status = signature_check(keys, path, hashes.of_signature, err))) {
        goto fail;
    }
    if (data && data->n) {
        add_data(data, hashes.digest, made.data);
    }
    sodium_bin2hex(made.digest, sizeof made.digest, hashes.digest, sizeof hashes.digest);
    snprintf(made.path, sizeof made.path, "%s/%s.so", dir, made.digest);
    if (rename(temporary, made.path) < 0) {
        err_set(err, KILN_INTERNAL, "run_dir", "plugin copy %s cannot be named: %s", made.path,
                strerror(errno));
        status = KILN_INTERNAL;
        goto fail;
    }
    close(from);
    close(to);
    *ret_staged = made;
    return 0;
fail:
    if (to >= 0) {
        unlink(temporary);
        close(to);
    }
    close(from);
    return status;
}

void staging_drop(struct staged *staged)
{
    if (staged->path[0]) {
        unlink(staged->path);
        *staged = (struct staged){0};
    }
}
