/* SPDX-License-Identifier: MPL-2.0 */
/* mem - memory.
 *
 * mem_alloc and mem_grow are for our own, small, fixed needs: they end the process when there is no memory.
 * mem_try and mem_try_grow are for sizes that a peer, a file or a plugin chose: they return NULL.
 * Release with mem_free. All memory of mem_alloc and mem_try is zeroed.
 *
 * mem_try_pages is for large blocks that are written soon: whole pages, huge ones where the machine has them, so that the first
 * write to each does not cost more than the work on it. Release with mem_free_pages, which wants the size again. */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_grow(void *block, size_t bytes); /* like realloc; the new part is not zeroed */
char *mem_text(const char *text);          /* a copy; NULL gives NULL */
void *mem_try(size_t bytes);
void *mem_try_grow(void *block, size_t bytes);
void mem_free(void *block); /* NULL allowed */

#define MEM_HUGE ((size_t) 2 << 20)

void *mem_try_pages(size_t bytes); /* bytes: a multiple of MEM_HUGE; aligned to it */
void mem_free_pages(void *block, size_t bytes);

/* For tests: called before each allocation; returning nonzero makes mem_try and mem_try_grow fail. */
extern int (*mem_fault)(size_t bytes);

#endif
