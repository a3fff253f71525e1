/* SPDX-License-Identifier: MPL-2.0 */
#include "refusals.h"

#include "clock.h"
#include "log.h"

enum { A_SECOND = 10 };

bool refusals_log(struct refusals *r, int64_t now_ns, const char *event)
{
    if (now_ns - r->since_ns >= CLOCK_S) {
        if (r->n > A_SECOND) {
            log_warning(event, "more=%llu", (unsigned long long) (r->n - A_SECOND));
        }
        *r = (struct refusals){.since_ns = now_ns};
    }
    return ++r->n <= A_SECOND;
}
