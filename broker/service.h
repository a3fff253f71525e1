/* SPDX-License-Identifier: MPL-2.0 */
/* service - what the broker tells its service manager, and SIGHUP.
 *
 *     service_begin(b, path)  ->  READY=1
 *     ...                         WATCHDOG=1 and STATUS=..., from the broker's own loop: one that hangs says nothing
 *     service_reload(b)       ->  RELOADING=1, then READY=1
 *     service_end(b)          ->  STOPPING=1 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>

#include "timers.h"

struct broker;

struct service {
    const char *config_path; /* NULL: there is no file */
    struct timer timer;
    int64_t every_ns;
    char said[256];    /* the last STATUS */
    char refusal[200]; /* why the last reload changed nothing; "" when it did */
    bool unsaid_ready; /* the manager has not taken it yet */
};

/* config_path is borrowed. */
void service_begin(struct broker *b, const char *config_path);
void service_end(struct broker *b);

/* Reads the configuration again and takes over what may change while the broker runs. A wrong one, or one that would change
 * more, changes nothing. */
void service_reload(struct broker *b);

#endif
