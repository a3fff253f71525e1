/* SPDX-License-Identifier: MPL-2.0 */
#include "sliding.h"

#include <string.h>

#include "kernel.h"

/* Up to here doubling is the faster way. */
enum { SHORT_WINDOW = 512, DIGITS = 10 };

static size_t chunk_values(size_t longest)
{
    return KERNEL_CHUNK + least(longest, SHORT_WINDOW) - 1;
}

size_t sliding_most(size_t longest)
{
    return longest <= SHORT_WINDOW ? KERNEL_CHUNK : longest;
}

size_t sliding_values(size_t longest)
{
    return sliding_most(longest) + longest - 1;
}

size_t sliding_work(size_t longest)
{
    return (DIGITS - 1) * chunk_values(longest);
}

static size_t block_left(size_t period, uint64_t number, size_t left)
{
    return least(left, period - (size_t) (number % period));
}

size_t sliding_piece(size_t longest, uint64_t number, size_t left)
{
    return longest <= SHORT_WINDOW ? least(left, KERNEL_CHUNK) : block_left(longest, number, left);
}

/* ---- short ----------------------------------------------------------------------------------- */

/* level[d][i] = x[i] + .. + x[i + 2^d - 1], for all d with 2^d <= longest. */
KERNEL static void make_levels(const double *restrict x, size_t length, size_t longest, double *restrict work,
                               const double **restrict level)
{
    size_t stride = length + longest - 1, count = stride;
    level[0] = x;
    for (size_t d = 1, half = 1; 2 * half <= longest; d++, half *= 2) {
        const double *restrict narrow = level[d - 1];
        double *restrict wide = work + (d - 1) * stride;
        count -= half;
        for (size_t i = 0; i < count; i++) {
            wide[i] = narrow[i] + narrow[i + half];
        }
        level[d] = wide;
    }
}

KERNEL static void add_up(const double *const *restrict part, size_t parts, size_t length,
                          double *restrict out)
{
    const double *a = part[0], *b = part[1], *c = part[2];
    if (parts == 1) {
        memcpy(out, a, length * sizeof(double));
        return;
    }
    if (parts == 2) {
        for (size_t i = 0; i < length; i++) {
            out[i] = a[i] + b[i];
        }
        return;
    }
    for (size_t i = 0; i < length; i++) {
        out[i] = a[i] + b[i] + c[i];
    }
    for (size_t p = 3; p < parts; p++) {
        const double *d = part[p];
        for (size_t i = 0; i < length; i++) {
            out[i] += d[i];
        }
    }
}

/* Up to KERNEL_CHUNK windows; x begins `longest` - 1 before. */
static void sum_short(const double *x, size_t length, const size_t *periods, size_t count, double *work,
                      double *const *out, size_t at)
{
    const double *level[DIGITS] = {NULL}, *part[DIGITS] = {NULL};
    size_t longest = periods[count - 1];
    make_levels(x, length, longest, work, level);
    for (size_t w = 0; w < count; w++) {
        size_t parts = 0, offset = longest - periods[w];
        for (size_t d = 0; d < DIGITS; d++) {
            if (periods[w] >> d & 1) {
                part[parts++] = level[d] + offset;
                offset += (size_t) 1 << d;
            }
        }
        add_up(part, parts, length, out[w] + at);
    }
}

/* ---- long ------------------------------------------------------------------------------------ */

/* The window of the bar at place p of its block: the bars from place p + 1 of the block before, and those up to p. x holds the
 * bars from `period` - 1 before the piece on; the piece lies in one block and begins at `place` in it. */
static void sum_block(const double *restrict x, size_t length, size_t period, size_t place,
                      double *restrict out)
{
    const double *block = x + (period - 1 - place);
    double tail = 0.0, head = 0.0;
    /* The tail of place p begins at x[p - place]; the block before ends at x[period - 2 - place]. */
    for (size_t age = period - place; age-- > 0;) {
        if (age + place < period - 1) {
            tail += x[age];
        }
        if (age < length) {
            out[age] = tail;
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

static void sum_long(const double *x, size_t length, size_t period, uint64_t number, double *out)
{
    for (size_t some, i = 0; i < length; i += some) {
        some = block_left(period, number + i, length - i);
        sum_block(x + i, some, period, (size_t) ((number + i) % period), out + i);
    }
}

void sliding_sums(const double *x, size_t length, const size_t *periods, size_t count, uint64_t number,
                  double *work, double *const *out)
{
    size_t longest = periods[count - 1];
    for (; count > 0 && periods[count - 1] > SHORT_WINDOW; count--) {
        size_t period = periods[count - 1];
        sum_long(x + (longest - period), length, period, number, out[count - 1]);
    }
    if (count > 0) {
        const double *near = x + (longest - periods[count - 1]);
        for (size_t some, i = 0; i < length; i += some) {
            some = least(KERNEL_CHUNK, length - i);
            sum_short(near + i, some, periods, count, work, out, i);
        }
    }
}
