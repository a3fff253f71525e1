/* SPDX-License-Identifier: MPL-2.0 */
/* status - the rows of kiln/status.h as functions. */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include <kiln/status.h>

const char *status_name(int status);     /* "ok"; "internal" for a number that is none */
const char *status_sentence(int status); /* "done" */
bool status_retryable(int status);
int status_exit(int status); /* exit status of the command line tool */

/* The status of a name of `bytes` bytes, or -1. */
int status_parse(const char *name, size_t bytes);

#endif
