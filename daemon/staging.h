/* SPDX-License-Identifier: MPL-2.0 */
/* staging - private copies of plugin files, named by what is in them.
 *
 * A worker never opens the file an administrator may overwrite: it opens <dir>/<digest>.so, a copy that nobody changes.
 * So overwriting a plugin in place cannot touch running code, and equal path with new contents is new code. The
 * digest (BLAKE2b, 128 bits, 32 hexadecimal digits) is the plugin's build id.
 *
 *     staging_open("/var/lib/kiln/kilnd/staged", &lock_fd, &err);   makes the folder, private to us
 *     staging_copy(dir, "/usr/lib/kiln/plugins/stats.so", &staged, &err);
 *     staging_drop(&staged);                                when the last generation that uses it is gone */
#ifndef STAGING_H
#define STAGING_H

#include <stddef.h>

#include "conf.h"
#include "data_files.h"
#include "err.h"

enum { STAGING_DIGEST_CHARS = 32 };

struct staged {
    char digest[STAGING_DIGEST_CHARS + 1];
    char path[1280];
    size_t bytes;
    unsigned char data[DATA_FILES_HASH]; /* what lay in its folders of data */
};

/* Makes `dir` (its parents too), owner only, and empties it of copies an earlier daemon left. Refuses a folder that
 * belongs to somebody else, that others may write, or from which no code may be mapped (mounted noexec). The folder is
 * ours until *ret_lock_fd is closed: a second daemon is refused. */
int staging_open(const char *dir, int *ret_lock_fd, struct err *err);

/* Checks owner and mode of the file and of its folder, copies and hashes it in one pass. With keys (may be NULL or empty): only
 * what one of them has signed (signature.h). With folders of data (may be empty), what lies in them is part of the digest (data_files.h). */
int staging_copy(const char *dir, const char *path, const struct conf_texts *keys,
                 const struct conf_texts *data, struct staged *ret_staged, struct err *err);

/* Data are not copied: code that was staged earlier has its own again only while they lie there unchanged. */
bool staging_has_its_data(const struct staged *staged, const struct conf_texts *data);

void staging_drop(struct staged *staged);

#endif
