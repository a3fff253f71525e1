/* SPDX-License-Identifier: MPL-2.0 */
/* What models lie in a folder: see store.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

enum { PATH = 4096, MOST_NAME = 64, MOST_MODELS = 10000 };

/* Letters, digits, and . _ - inside: what a caller can write and a log can show. */
static bool is_name(const char *text, size_t bytes)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return bytes && bytes <= MOST_NAME && *text != '.' && strspn(text, fine) >= bytes;
}

/* 1 to 10^18 without sign or leading zeros: one number is one folder. -1: no version. */
static int64_t version_of(const char *text)
{
    const size_t n = strlen(text);
    return n && n <= 18 && *text != '0' && strspn(text, "0123456789") == n ? strtoll(text, NULL, 10) : -1;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int add_file(struct store *s, const char *name, int64_t version, const char *path, struct refusal *why)
{
    struct served *added;
    if (s->n >= MOST_MODELS) {
        return refuse(why, KILN_INVALID, "the folder of models has more than %d", MOST_MODELS);
    }
    if (store_add(s, name, version, path, &added)) {
        return refuse_memory(why, "the list of models");
    }
    if (access(path, R_OK) != 0) {
        added->state = SERVED_FAILED;
        refuse(&added->why, KILN_INVALID, "%.300s cannot be read: %s", path, strerror(errno));
    }
    return KILN_OK;
}

static int scan_versions(struct store *s, const char *name, const char *folder, struct refusal *why)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return refuse(why, KILN_INVALID, "%.300s cannot be read: %s", folder, strerror(errno));
    }
    int rc = KILN_OK;
    const struct dirent *e;
    while (rc == KILN_OK && (e = readdir(dir))) {
        char path[PATH + 300];
        const int64_t version = version_of(e->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (version > 0 && is_folder(path)) {
            snprintf(path, sizeof path, "%s/%s/model.onnx", folder, e->d_name);
            rc = add_file(s, name, version, path, why);
        }
    }
    closedir(dir);
    return rc;
}

static int scan_entry(struct store *s, const char *folder, const char *file, struct refusal *why)
{
    char path[PATH], name[MOST_NAME + 1];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int) sizeof path) {
        return refuse(why, KILN_INVALID, "%.300s: a path is too long", folder);
    }
    size_t stem = strlen(file);
    const bool flat = stem > 5 && strcmp(file + stem - 5, ".onnx") == 0 && !is_folder(path);
    stem -= flat ? 5 : 0;
    const bool int8 =
        flat && stem > 5 && memcmp(file + stem - 5, ".int8", 5) == 0; /* goes with the file without */
    if (int8 || (!flat && !is_folder(path)) || *file == '.') {
        return KILN_OK;
    }
    if (!is_name(file, stem)) {
        return refuse(why, KILN_INVALID,
                      "%.300s: \"%.100s\" is no name for a model, expected up to %d letters, digits, \".\", "
                      "\"_\" and \"-\"",
                      folder, file, MOST_NAME);
    }
    memcpy(name, file, stem);
    name[stem] = 0;
    return flat ? add_file(s, name, 1, path, why) : scan_versions(s, name, path, why);
}

int store_scan(struct store *s, const char *folder, struct refusal *why)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return refuse(why, KILN_INVALID, "folder is %.300s, which cannot be read: %s", folder,
                      strerror(errno));
    }
    int rc = KILN_OK;
    const struct dirent *e;
    while (rc == KILN_OK && (e = readdir(dir))) {
        rc = scan_entry(s, folder, e->d_name, why);
    }
    closedir(dir);
    return rc;
}
