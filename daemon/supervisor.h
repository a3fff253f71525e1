/* SPDX-License-Identifier: MPL-2.0 */
/* supervisor - the daemon's own process: one loop over signals, its workers' channels, the broker link and time.
 *
 * It starts workers and sees to them, and never maps a plugin. SIGHUP reads the configuration again and swaps what
 * changed; SIGTERM or SIGINT drains and ends it, a second one hastens that. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "config.h"

/* Takes the configuration over, which was read from config_path and is read from there again at SIGHUP. Runs until told to
 * stop. 0, or a status with a sentence when it could not start. */
int supervisor_run(const char *config_path, struct daemon_config **config, struct err *err);

#endif
