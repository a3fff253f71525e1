/* SPDX-License-Identifier: MPL-2.0 */
#include "columns.h"

enum { POLL_VALUES = 1 << 20 };

static void join(struct moments *into, const struct moments *later, int powers)
{
    if (powers > 1) {
        *into = moments_join(into, later);
    } else {
        into->n += later->n;
        into->sum += later->sum;
        into->min = later->min < into->min ? later->min : into->min;
        into->max = later->max > into->max ? later->max : into->max;
    }
}

/* As a binary counter is raised: `levels` rows of all columns hold the joined moments of 1, 2, 4 .. blocks,
 * where the bit of the number of blocks so far is set. */
static void add_block(struct moments *held, size_t columns, size_t blocks, struct moments *strip,
                      size_t first, size_t width, int powers)
{
    for (; blocks & 1; blocks >>= 1, held += columns) {
        for (size_t j = 0; j < width; j++) {
            join(&held[first + j], &strip[j], powers);
            strip[j] = held[first + j];
        }
    }
    for (size_t j = 0; j < width; j++) {
        held[first + j] = strip[j];
    }
}

/* From the smallest part, which came last, to the largest. */
static struct moments total(const struct moments *held, size_t columns, size_t blocks, int powers)
{
    while (!(blocks & 1)) {
        blocks >>= 1;
        held += columns;
    }
    struct moments sum = *held;
    while (blocks >>= 1) {
        held += columns;
        if (blocks & 1) {
            struct moments larger = *held;
            join(&larger, &sum, powers);
            sum = larger;
        }
    }
    return sum;
}

int columns_moments(struct kiln_call *call, const double *x, size_t rows, size_t columns, int powers,
                    struct reduction *ret)
{
    const struct kernels *k = call->state;
    const size_t blocks = (rows - 1) / KERNEL_ROWS + 1;
    size_t levels = 1;
    while (blocks >> levels) {
        levels++;
    }
    struct moments *held = call->host->alloc(call, levels * columns * sizeof *held), strip[KERNEL_COLUMNS];
    if (!held) {
        return KILN_RESOURCE;
    }
    size_t since_poll = 0;
    for (size_t b = 0; b < blocks; b++) {
        const size_t at = b * KERNEL_ROWS, count = rows - at < KERNEL_ROWS ? rows - at : KERNEL_ROWS;
        for (size_t j = 0; j < columns; j += KERNEL_COLUMNS) {
            const size_t width = columns - j < KERNEL_COLUMNS ? columns - j : KERNEL_COLUMNS;
            k->columns(x + at * columns + j, count, columns, width, powers, strip);
            add_block(held, columns, b, strip, j, width, powers);
        }
        since_poll += count * columns;
        if (since_poll > POLL_VALUES) {
            since_poll = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
        }
    }
    for (size_t j = 0; j < columns; j++) {
        ret[j] = (struct reduction){.m = total(held + j, columns, blocks, powers), .scale = 1};
    }
    return KILN_OK;
}
