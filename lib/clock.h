/* SPDX-License-Identifier: MPL-2.0 */
/* clock - monotonic time in nanoseconds, the only time inside the programs. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S  INT64_C(1000000000)

static inline int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * CLOCK_S + t.tv_nsec;
}

#endif
