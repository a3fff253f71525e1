/* SPDX-License-Identifier: MPL-2.0 */
#include "heap.h"

void heap_push(struct heap_entry *heap, size_t *count, struct heap_entry entry)
{
    size_t i = (*count)++;
    for (; i > 0 && heap[(i - 1) / 2].bound < entry.bound; i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = entry;
}

struct heap_entry heap_pop(struct heap_entry *heap, size_t *count)
{
    struct heap_entry first = heap[0], last = heap[--*count];
    size_t i = 0;
    for (size_t child = 1; child < *count; child = 2 * i + 1) {
        child += child + 1 < *count && heap[child + 1].bound > heap[child].bound;
        if (!(heap[child].bound > last.bound)) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}
