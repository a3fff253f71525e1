/* SPDX-License-Identifier: MPL-2.0 */
#include "pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALONE 1
#endif
#endif
#ifndef ALONE
#define ALONE 0
#endif

/* Under AddressSanitizer every block is one of its own, so that whoever leaves his is seen. */
enum { ALIGNMENT = 64, CHUNK_BYTES = ALONE ? 0 : 4096 };

struct chunk {
    struct chunk *next;
    size_t bytes;
    char room[ALIGNMENT - sizeof(struct chunk *) - sizeof(size_t)]; /* so that what follows is aligned */
};

bool budget_take(struct budget *b, size_t bytes)
{
    for (struct budget *at = b; at; at = at->parent) {
        while (bytes > at->limit || at->used > at->limit - bytes) {
            if (!at->make_room || !at->make_room(at->arg, bytes)) {
                return false;
            }
        }
    }
    for (struct budget *at = b; at; at = at->parent) {
        at->used += bytes;
    }
    return true;
}

void budget_give(struct budget *b, size_t bytes)
{
    for (; b; b = b->parent) {
        b->used -= bytes;
    }
}

void pool_init(struct pool *p, struct budget *budget)
{
    *p = (struct pool){.budget = budget};
}

void pool_done(struct pool *p)
{
    while (p->chunks) {
        struct chunk *chunk = p->chunks;
        p->chunks = chunk->next;
        free(chunk);
    }
    if (p->budget) {
        budget_give(p->budget, p->bytes);
    }
    *p = (struct pool){.budget = p->budget};
}

void pool_reuse(struct pool *to, struct pool *from)
{
    struct chunk **largest = &from->chunks;
    for (struct chunk **at = largest; *at; at = &(*at)->next) {
        largest = (*at)->bytes > (*largest)->bytes ? at : largest;
    }
    struct chunk *chunk = ALONE ? NULL : *largest;
    if (chunk) {
        *largest = chunk->next;
        from->bytes -= chunk->bytes;
        budget_give(from->budget, chunk->bytes);
        if (budget_take(to->budget, chunk->bytes)) {
            chunk->next = to->chunks;
            to->chunks = chunk;
            to->bytes += chunk->bytes;
            to->spare = (char *) (chunk + 1);
            to->spare_end = (char *) chunk + chunk->bytes;
        } else {
            free(chunk);
        }
    }
    pool_done(from);
}

static struct chunk *add_chunk(struct pool *p, size_t bytes)
{
    const size_t whole = bytes > CHUNK_BYTES / 4 || ALONE ? sizeof(struct chunk) + bytes : CHUNK_BYTES;
    if (!budget_take(p->budget, whole)) {
        return NULL;
    }
    void *block;
    if (posix_memalign(&block, ALIGNMENT, whole) != 0) {
        budget_give(p->budget, whole);
        return NULL;
    }
    struct chunk *chunk = block;
    chunk->bytes = whole;
    chunk->next = p->chunks;
    p->chunks = chunk;
    p->bytes += whole;
    return chunk;
}

/* From the room between *at and end, if there is enough. */
static char *cut(char **at, char *end, size_t bytes, size_t alignment)
{
    const size_t skip = -(uintptr_t) *at & (alignment - 1), left = (size_t) (end - *at);
    if (!*at || left < skip || left - skip < bytes) {
        return NULL;
    }
    char *data = *at + skip;
    *at = data + bytes;
    return data;
}

static void *take(struct pool *p, size_t bytes, size_t alignment)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    char *data = bytes > CHUNK_BYTES / 4 ? cut(&p->spare, p->spare_end, bytes, alignment) : NULL;
    data = data ? data : cut(&p->at, p->end, bytes, alignment);
    if (!data) {
        struct chunk *chunk = add_chunk(p, bytes);
        if (!chunk) {
            return NULL;
        }
        data = (char *) (chunk + 1);
        char *end = (char *) chunk + chunk->bytes;
        if (end - (data + bytes) > p->end - p->at) {
            p->at = data + bytes;
            p->end = end;
        }
    }
    return data;
}

static void *take_zeroed(struct pool *p, size_t bytes, size_t alignment)
{
    bytes += !bytes;
    void *data = take(p, bytes, alignment);
    return data ? memset(data, 0, bytes) : NULL;
}

void *pool_alloc(struct pool *p, size_t bytes)
{
    return take_zeroed(p, bytes, ALIGNMENT);
}

void *pool_small(struct pool *p, size_t bytes)
{
    return take_zeroed(p, bytes, 16);
}

void *pool_array(struct pool *p, size_t n, size_t size)
{
    return size && n > SIZE_MAX / 2 / size ? NULL : pool_small(p, n * size);
}

void *pool_raw(struct pool *p, size_t n, size_t size)
{
    return size && n > SIZE_MAX / 2 / size ? NULL : take(p, n ? n * size : 1, 16);
}

char *pool_string(struct pool *p, const char *text, size_t bytes)
{
    char *copy = take(p, bytes + 1, 1);
    if (copy && bytes) { /* none may be at NULL */
        memcpy(copy, text, bytes);
    }
    if (copy) {
        copy[bytes] = 0;
    }
    return copy;
}
