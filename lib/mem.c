/* SPDX-License-Identifier: MPL-2.0 */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int (*mem_fault)(size_t bytes);

static void *must(void *block, size_t bytes)
{
    if (!block) {
        fprintf(stderr, "out of memory for %zu bytes\n", bytes);
        abort();
    }
    return block;
}

void *mem_alloc(size_t bytes)
{
    return must(calloc(1, bytes ? bytes : 1), bytes);
}

void *mem_grow(void *block, size_t bytes)
{
    return must(realloc(block, bytes ? bytes : 1), bytes);
}

char *mem_text(const char *text)
{
    return text ? must(strdup(text), strlen(text)) : NULL;
}

void *mem_try(size_t bytes)
{
    return mem_fault && mem_fault(bytes) ? NULL : calloc(1, bytes ? bytes : 1);
}

void *mem_try_grow(void *block, size_t bytes)
{
    return mem_fault && mem_fault(bytes) ? NULL : realloc(block, bytes ? bytes : 1);
}

void mem_free(void *block)
{
    free(block);
}

void *mem_try_pages(size_t bytes)
{
    if ((mem_fault && mem_fault(bytes)) || bytes > SIZE_MAX / 4) {
        return NULL;
    }
    unsigned char *map =
        mmap(NULL, bytes + MEM_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        return NULL;
    }
    size_t before = -(uintptr_t) map % MEM_HUGE; /* mmap aligns to small pages only */
    if (before) {
        munmap(map, before);
    }
    munmap(map + before + bytes, MEM_HUGE - before);
    madvise(map + before, bytes, MADV_HUGEPAGE);
    return map + before;
}

void mem_free_pages(void *block, size_t bytes)
{
    if (block) {
        munmap(block, bytes);
    }
}
