/* SPDX-License-Identifier: MPL-2.0 */
/* files - files of numbers below the folders that the option data_dirs names.
 *
 * A path is walked from such a folder name by name, each opened without following links: neither "..", nor a
 * symbolic link, nor one that appears meanwhile leads out of the folder. Only regular files are opened, and
 * read with pread(), never mapped: a file that shrinks meanwhile is an error, not a signal. */
#ifndef FILES_H
#define FILES_H

#include <kiln/plugin.h>
#include <stdint.h>

/* The option, as a row of the plugin's table. */
#define FILES_OPTIONS                                                                                        \
    {                                                                                                        \
        .name = "data_dirs", .kind = KILN_STRING,                                                            \
        .help = "absolute folders, separated by colons, below which files may be read; absent: none"         \
    }

/* An open file, or bytes in memory as if they were one. */
struct file {
    int fd; /* -1: memory */
    const unsigned char *memory;
    uint64_t bytes;
};

/* Opens `path`, an argument called `field`, for reading. dirs: the option. */
int file_open(struct kiln_call *call, const char *field, const char *path, const char *dirs,
              struct file *ret);
void file_close(struct file *f);

/* Reads exactly `bytes` at `offset`; KILN_FAILED when they are not there any more. */
int file_read(struct kiln_call *call, const struct file *f, uint64_t offset, void *to, size_t bytes);

/* KILN_OK when all folders are absolute. */
int files_check_dirs(struct kiln_call *call, const char *dirs);

#endif
