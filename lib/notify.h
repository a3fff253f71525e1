/* SPDX-License-Identifier: MPL-2.0 */
/* notify - tells the service manager how the daemon is: systemd's notification protocol, one datagram a line or more.
 *
 * Written against sd_notify(3), whose protocol is a documented promise, instead of linking libsystemd: every worker is
 * this same binary, and would map its five libraries for nothing. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends "READY=1", "STATUS=...", ... to $NOTIFY_SOCKET; does nothing when there is none. Never waits: false when the
 * manager is behind with reading, so that it must be said again later. */
bool notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often WATCHDOG=1 is expected, halved to be safe; 0: never. */
int64_t notify_watchdog_ns(void);

#endif
