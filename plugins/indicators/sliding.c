/* SPDX-License-Identifier: MPL-2.0 */
#include "sliding.h"

#include <string.h>

#include "kernel.h"

/* Up to here doubling is the faster way, and the bars before a piece are few beside it. */
enum { SHORT_WINDOW = KERNEL_CHUNK };

size_t sliding_most(size_t period)
{
    return period <= SHORT_WINDOW ? KERNEL_CHUNK : period;
}

size_t sliding_values(size_t period)
{
    return sliding_most(period) + period - 1;
}

size_t sliding_work(size_t period)
{
    return 2 * sliding_values(least(period, SHORT_WINDOW));
}

size_t sliding_piece(size_t period, uint64_t number, size_t left)
{
    return least(left, period <= SHORT_WINDOW ? KERNEL_CHUNK : period - (size_t) (number % period));
}

ALWAYS_INLINE void add_pairs(const double *restrict narrow, size_t width, size_t count, double *restrict wide)
{
    for (size_t i = 0; i < count; i++) {
        wide[i] = narrow[i] + narrow[i + width];
    }
}

/* Before each round narrow[i] is the sum of `width` values from x[i] on, and out[i] the sum of the first `done`. */
KERNEL static void sum_doubling(const double *restrict x, size_t length, size_t period, double *restrict work,
                                double *restrict out)
{
    const double *narrow = x;
    size_t done = 0, turn = 0, count = length + period - 1;
    for (size_t width = 1; width <= period; width *= 2) {
        if (period & width && done == 0) {
            memcpy(out, narrow, length * sizeof(double));
            done = width;
        } else if (period & width) {
            for (size_t i = 0; i < length; i++) {
                out[i] += narrow[i + done];
            }
            done += width;
        }
        if (2 * width <= period) {
            double *wide = work + turn * (length + period - 1);
            count -= width;
            add_pairs(narrow, width, count, wide);
            narrow = wide;
            turn ^= 1;
        }
    }
}

/* The window of the bar at place p of its block: the bars from place p + 1 of the block before, and those up to p. x holds the
 * bars from `period` - 1 before the piece on; the piece lies in one block and begins at `place` in it. */
static void sum_blocks(const double *restrict x, size_t length, size_t period, size_t place,
                       double *restrict out)
{
    const double *block = x + (period - 1 - place);
    double tail = 0.0, head = 0.0;
    /* The tail of place p begins at x[p - place]; the block before ends at x[period - 2 - place]. */
    for (size_t p = period - 1; p >= place; p--) {
        if (p < period - 1) {
            tail += x[p - place];
        }
        if (p - place < length) {
            out[p - place] = tail;
        }
        if (p == 0) {
            break;
        }
    }
    for (size_t p = 0; p < place; p++) {
        head += block[p];
    }
    for (size_t i = 0; i < length; i++) {
        head += block[place + i];
        out[i] += head;
    }
}

void sliding_sum(const double *x, size_t length, size_t period, uint64_t number, double *work, double *out)
{
    if (period <= SHORT_WINDOW) {
        sum_doubling(x, length, period, work, out);
    } else {
        sum_blocks(x, length, period, (size_t) (number % period), out);
    }
}
