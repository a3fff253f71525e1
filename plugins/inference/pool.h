/* SPDX-License-Identifier: MPL-2.0 */
/* pool - memory that is given back all at once, and the budget that it is taken from.
 *
 * Everything whose size a model's file decides comes from a pool: nothing is allocated that no budget
 * allowed. A budget may be part of a larger one; then both must allow it. */
#ifndef INFERENCE_POOL_H
#define INFERENCE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t limit, used;
    struct budget *parent; /* NULL: none */
    /* Asked when `bytes` more are over this budget's limit: false when nothing could be given back. */
    bool (*make_room)(void *arg, size_t bytes);
    void *arg;
};

bool budget_take(struct budget *b, size_t bytes); /* false: nothing was taken */
void budget_give(struct budget *b, size_t bytes);

struct chunk;

struct pool {
    struct budget *budget;
    struct chunk *chunks;
    char *at, *end;          /* the largest room left in one of them */
    char *spare, *spare_end; /* room for large blocks only: small ones would break it up */
    size_t bytes;            /* taken from the budget */
};

void pool_init(struct pool *p, struct budget *budget);
void pool_done(struct pool *p);
void *pool_alloc(struct pool *p, size_t bytes);          /* zeroed, aligned to 64; NULL: over budget */
void *pool_small(struct pool *p, size_t bytes);          /* zeroed, aligned to 16 */
void *pool_array(struct pool *p, size_t n, size_t size); /* pool_small of n * size */
void *pool_raw(struct pool *p, size_t n, size_t size);   /* the same, not zeroed */
char *pool_string(struct pool *p, const char *text, size_t bytes); /* a terminated copy */
/* What is in `from` is done with: its largest piece becomes room for large blocks of `to`, the others are given back. Pages that are
 * there already cost less than new ones. */
void pool_reuse(struct pool *to, struct pool *from);

#endif
