/* SPDX-License-Identifier: MPL-2.0 */
/* heap - boxes of search.c that wait to be split, the one with the largest bound first. The memory is the
 * caller's. */
#ifndef STAKING_HEAP_H
#define STAKING_HEAP_H

#include <stddef.h>

struct heap_entry {
    double bound;
    size_t box;
};

void heap_push(struct heap_entry *heap, size_t *count, struct heap_entry entry);

/* *count is more than 0. */
struct heap_entry heap_pop(struct heap_entry *heap, size_t *count);

#endif
