/* SPDX-License-Identifier: MPL-2.0 */
/* denials - system calls that a walled worker was refused: answered and counted here, in the process that holds the listener.
 *
 *     struct denials d = {.fd = listener};
 *     denials_take(&d)       when d.fd is readable or hung up; closes it when nothing more can come
 *     denials_done(&d)
 *
 * A plugin that asks without end must not keep its supervisor busy: after DENIALS_MOST the listener is closed, and the kernel itself
 * refuses (ENOSYS), uncounted. */
#ifndef DENIALS_H
#define DENIALS_H

#include <stddef.h>
#include <stdint.h>

enum { DENIALS_MOST = 1000, DENIALS_CALLS = 64, DENIALS_NAME_BYTES = 32 };

struct denial {
    int call; /* its number */
    uint64_t n;
};

struct denials {
    int fd; /* -1: none */
    uint64_t n;
    struct denial
        calls[DENIALS_CALLS]; /* by kind of call, in the order they were first met; further kinds only in n */
    size_t n_calls;
};

/* Answers what waits. Returns how many kinds of calls were met for the first time: the last ones of `calls`. */
size_t denials_take(struct denials *d);
void denials_done(struct denials *d);

const char *denials_name(int call, char out[DENIALS_NAME_BYTES]); /* "openat"; returns out */

#endif
