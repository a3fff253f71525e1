/* SPDX-License-Identifier: MPL-2.0 */
/* mem - memory.
 *
 * mem_alloc and mem_grow are for our own, small, fixed needs: they end the process when there is no memory.
 * mem_try and mem_try_grow are for sizes that a peer, a file or a plugin chose: they return NULL.
 * Release with mem_free. All memory of mem_alloc and mem_try is zeroed. */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_grow(void *block, size_t bytes); /* like realloc; the new part is not zeroed */
char *mem_text(const char *text);          /* a copy; NULL gives NULL */
void *mem_try(size_t bytes);
void *mem_try_grow(void *block, size_t bytes);
void mem_free(void *block); /* NULL allowed */

/* For tests: called before each allocation; returning nonzero makes mem_try and mem_try_grow fail. */
extern int (*mem_fault)(size_t bytes);

#endif
