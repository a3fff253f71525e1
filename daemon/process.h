/* SPDX-License-Identifier: MPL-2.0 */
/* process - one worker process: started from our own binary, and how it ended.
 *
 *     process_start(board_fd, plugin, &process, &err);   runs `kilnd --worker <plugin>`
 *     channel_send_order(process.channel, ...)
 *     process_ended(&process, &how)                      after SIGCHLD
 *     process_kill(&process) */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct process {
    pid_t pid;   /* 0: none */
    int channel; /* -1: closed */
};

/* The child gets the channel and the scoreboard as CHANNEL_FD and CHANNEL_BOARD_FD, our standard error as
 * standard output and error, /dev/null as input, and no other descriptor. */
int process_start(int board_fd, const char *plugin, struct process *ret_process, struct err *err);
void process_kill(const struct process *p);

struct ending {
    int code;       /* exit status, or -1 when a signal ended it */
    int signal;     /* or 0 */
    bool stopped;   /* by that signal, and not ended: it is still there */
    char cause[96]; /* "signal 11 (Segmentation fault)", "exit status 3" */
};

/* True once, when the process is over; it is reaped, and *p holds no process any more (its channel stays to be read). True
 * also each time it was stopped by a signal: then only `signal`, `stopped` and `cause` say something. */
bool process_ended(struct process *p, struct ending *ret_ending);
void process_close(struct process *p); /* the channel */

#endif
