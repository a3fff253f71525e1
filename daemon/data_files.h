/* SPDX-License-Identifier: MPL-2.0 */
/* data_files - the files that a plugin reads beside its code: models, tables.
 *
 * A worker reads them when it starts, and never again: so they belong to its generation as the code does. What lies in
 * the folders (names, sizes, times and numbers of the files, not their contents, which may be gigabytes) goes into
 * the build id; when it changed, a reload starts a new generation. */
#ifndef DATA_FILES_H
#define DATA_FILES_H

#include "conf.h"
#include "watch.h"

enum { DATA_FILES_HASH = 16, DATA_FILES_MOST = 100000, DATA_FILES_DEPTH = 8 };

/* What lies in the folders and below them; links are not followed. A folder that is not there is a state like any other. Beyond
 * so many files, and deeper, nothing is looked at. */
void data_files_hash(const struct conf_texts *folders, unsigned char ret_hash[DATA_FILES_HASH]);

/* Watches the folders and those below them. Again after each change: there may be new ones. */
void data_files_watch(const struct conf_texts *folders, const struct watch *watch);

#endif
