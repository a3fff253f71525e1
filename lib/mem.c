/* SPDX-License-Identifier: MPL-2.0 */
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
