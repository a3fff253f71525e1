/* SPDX-License-Identifier: MPL-2.0 */
/* heap - indices in an order given by a function; the first of the heap comes last in that order. */
#ifndef INFERENCE_OP_HEAP_H
#define INFERENCE_OP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a comes before b. Never true for a == b; a total order. */
typedef bool heap_before_fn(const void *of, int64_t a, int64_t b);

/* Restores the order below `at`, the only place where it may be wrong. */
static inline void heap_sink(int64_t *heap, int64_t n, int64_t at, heap_before_fn *before, const void *of)
{
    const int64_t moved = heap[at];
    for (int64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        child += child + 1 < n && before(of, heap[child], heap[child + 1]);
        if (!before(of, moved, heap[child])) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static inline void heap_make(int64_t *heap, int64_t n, heap_before_fn *before, const void *of)
{
    for (int64_t at = n / 2; at-- > 0;) {
        heap_sink(heap, n, at, before, of);
    }
}

/* A heap becomes a sorted list. */
static inline void heap_sort(int64_t *heap, int64_t n, heap_before_fn *before, const void *of)
{
    while (n > 1) {
        const int64_t last = heap[0];
        heap[0] = heap[--n];
        heap[n] = last;
        heap_sink(heap, n, 0, before, of);
    }
}

#endif
