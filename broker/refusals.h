/* SPDX-License-Identifier: MPL-2.0 */
/* refusals - keeps a peer that talks nonsense from filling the disk with our complaints. */
#ifndef REFUSALS_H
#define REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

/* Of one kind, in the current second. */
struct refusals {
    int64_t since_ns;
    uint64_t n;
};

/* Whether this one is to be logged: ten a second are. What was left out is told, as `event`, when it is over. */
bool refusals_log(struct refusals *r, int64_t now_ns, const char *event);

#endif
