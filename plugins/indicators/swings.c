/* SPDX-License-Identifier: MPL-2.0 */
#include "swings.h"

#include <string.h>

#include "extremes.h"
#include "kernel.h"

ALWAYS_INLINE void compare(const double *restrict x, const double *restrict before,
                           const double *restrict after, size_t n, bool highest, uint8_t *restrict mark)
{
    for (size_t i = 0; i < n; i++) {
        mark[i] = highest ? (x[i] > before[i]) & (x[i] > after[i]) : (x[i] < before[i]) & (x[i] < after[i]);
    }
}

KERNEL static void compare_highs(const double *x, const double *before, const double *after, size_t n,
                                 uint8_t *mark)
{
    compare(x, before, after, n, true, mark);
}

KERNEL static void compare_lows(const double *x, const double *before, const double *after, size_t n,
                                uint8_t *mark)
{
    compare(x, before, after, n, false, mark);
}

void swings_mark(const double *x, size_t n, size_t half, bool highest, double *room, uint8_t *mark)
{
    memset(mark, 0, n);
    if (n < 2 * half + 1) {
        return;
    }
    /* room[i]: the extreme of the `half` bars up to bar i */
    (highest ? extremes_max : extremes_min)(x, half - 1, n, half, room);
    (highest ? compare_highs : compare_lows)(x + half, room + half - 1, room + 2 * half, n - 2 * half,
                                             mark + half);
}
