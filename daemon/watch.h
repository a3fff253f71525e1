/* SPDX-License-Identifier: MPL-2.0 */
/* watch - tells when files in the folders of plugin files were written or renamed.
 *
 *     watch_open(&w)                     fd -1 when the kernel offers none: then nothing is ever told
 *     watch_folder_of(&w, path)          again after each change of the configuration; a folder is watched once
 *     watch_folder(&w, path)             likewise, for all that happens in it
 *     watch_hear(&w, now)                when w.fd is readable
 *     if (watch_due(&w, now)) ...        once, when it has been quiet for a while: a file is written in many steps
 *     watch_close(&w) */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
    int fd;
    int64_t due_ns; /* when to tell; INT64_MAX: nothing happened */
};

void watch_open(struct watch *w);
void watch_close(struct watch *w);

/* The folder in which `path` lies, and the one in which the file lies that it leads to. */
void watch_folder_of(const struct watch *w, const char *path);

/* A folder of data: everything that happens to the files in it is told. */
void watch_folder(const struct watch *w, const char *folder);

void watch_hear(struct watch *w, int64_t now_ns);
bool watch_due(struct watch *w, int64_t now_ns);

#endif
