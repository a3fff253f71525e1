/* SPDX-License-Identifier: MPL-2.0 */
#include "arena.h"

#include <string.h>

#include "mem.h"

/* Stands before each block, 64 bytes. The guards next to the block are its last words. */
struct head {
    uint64_t magic;
    uint64_t bytes; /* as asked for, or grown to */
    const char *label;
    uint64_t check; /* magic ^ bytes ^ label */
    uint64_t guard[4];
};

_Static_assert(sizeof(struct head) == ARENA_ALIGN, "blocks follow their heads aligned");

#define MAGIC     UINT64_C(0x6b696c6e2d61726e)
#define TAIL_WORD UINT64_C(0xa7a7a7a7a7a7a7a7)
#define GUARD     UINT64_C(0xdbc5a3b7e9d1f38b)

enum { TAIL = 16, FIRST_CHUNK = 32 * 1024, STEPS = 8, BIGGEST_STEP = FIRST_CHUNK << STEPS };

static size_t span(size_t bytes) /* head, block, tail */
{
    return sizeof(struct head) + (bytes + TAIL + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

static void seal(struct head *h, size_t bytes, const char *label)
{
    h->magic = MAGIC;
    h->bytes = bytes;
    h->label = label;
    h->check = MAGIC ^ bytes ^ (uintptr_t) label;
    h->guard[0] = h->guard[1] = h->guard[2] = h->guard[3] = GUARD;
    unsigned char *block = (unsigned char *) (h + 1);
    memset(block + bytes, 0xa7, span(bytes) - sizeof *h - bytes);
}

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
}

static void free_chunk(struct arena_chunk *c)
{
    if (c->block) {
        mem_free(c->block);
    } else {
        mem_free_pages(c->data, c->bytes);
    }
}

void arena_done(struct arena *a)
{
    for (uint32_t i = 0; i < a->n; i++) {
        free_chunk(&a->chunks[i]);
    }
    arena_init(a, a->cap);
}

void arena_reset(struct arena *a)
{
    for (uint32_t i = 0; i < a->n; i++) {
        a->chunks[i].used = 0;
    }
    a->peak = a->spent > a->peak ? a->spent : a->peak;
    a->at = 0;
    a->spent = 0;
    a->refused = false;
}

void arena_trim(struct arena *a, size_t keep)
{
    arena_reset(a);
    size_t kept = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        size_t bytes = a->chunks[i].bytes;
        if (kept < a->peak || (bytes <= keep && kept <= keep - bytes)) {
            kept += bytes;
            a->chunks[n++] = a->chunks[i];
        } else {
            free_chunk(&a->chunks[i]);
        }
    }
    a->n = n;
    a->peak = 0;
}

/* Frees the chunks that are too small for what is asked for: else an arena that serves all sizes would collect them. */
static void free_empty(struct arena *a)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->chunks[i].used == 0) {
            free_chunk(&a->chunks[i]);
        } else {
            a->chunks[n++] = a->chunks[i];
        }
    }
    a->n = n;
}

/* Memory for a chunk of at least c->bytes. */
static bool fill_chunk(struct arena_chunk *c)
{
    if (c->bytes >= MEM_HUGE) {
        c->bytes = (c->bytes + MEM_HUGE - 1) / MEM_HUGE * MEM_HUGE;
        c->data = mem_try_pages(c->bytes);
        return c->data != NULL;
    }
    c->block = mem_try(c->bytes + ARENA_ALIGN);
    c->data = (unsigned char *) (((uintptr_t) c->block + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN);
    return c->block != NULL;
}

static bool add_chunk(struct arena *a, size_t need)
{
    free_empty(a);
    if (a->n == ARENA_CHUNKS) {
        return false;
    }
    size_t bytes = a->n < STEPS ? (size_t) FIRST_CHUNK << a->n : BIGGEST_STEP;
    if (a->n + 8 >= ARENA_CHUNKS) {
        bytes = a->chunks[a->n - 1].bytes * 2; /* the last ones double, so that 40 are enough for any cap */
    }
    bytes = bytes < need ? need : bytes;
    if (bytes > a->cap - a->spent && need <= a->cap - a->spent) {
        bytes = a->cap - a->spent; /* never hold more than the cap for one job */
        bytes = bytes / ARENA_ALIGN * ARENA_ALIGN;
        bytes = bytes < need ? need : bytes;
    }
    struct arena_chunk chunk = {.bytes = bytes};
    if (!fill_chunk(&chunk)) {
        return false;
    }
    a->at = a->n;
    a->chunks[a->n++] = chunk;
    return true;
}

void *arena_alloc(struct arena *a, size_t bytes, const char *label)
{
    if (bytes > SIZE_MAX / 4 || span(bytes) > a->cap - a->spent) {
        a->refused = true;
        return NULL;
    }
    size_t need = span(bytes);
    while (a->at < a->n && a->chunks[a->at].bytes - a->chunks[a->at].used < need) {
        a->at++;
    }
    if (a->at >= a->n && !add_chunk(a, need)) {
        a->refused = true;
        return NULL;
    }
    struct arena_chunk *c = &a->chunks[a->at];
    struct head *h = (struct head *) (void *) (c->data + c->used);
    c->used += need;
    a->spent += need;
    seal(h, bytes, label);
    return h + 1;
}

void *arena_grow(struct arena *a, void *block, size_t bytes, const char *label)
{
    if (!block) {
        return arena_alloc(a, bytes, label);
    }
    struct head *h = (struct head *) block - 1;
    if (h->bytes >= bytes) {
        return block;
    }
    if (bytes > SIZE_MAX / 4) {
        a->refused = true;
        return NULL;
    }
    size_t old = h->bytes, ample = old + old / 2 < bytes ? bytes : old + old / 2;
    struct arena_chunk *c = &a->chunks[a->at < a->n ? a->at : a->n - 1];
    if ((unsigned char *) h + span(old) == c->data + c->used) { /* the newest block: stretch it where it is */
        size_t free_bytes = c->bytes - c->used;
        for (int try = 0; try < 2; try++) {
            size_t want = try == 0 ? ample : bytes;
            size_t more = span(want) - span(old);
            if (more <= free_bytes && more <= a->cap - a->spent) {
                c->used += more;
                a->spent += more;
                seal(h, want, label);
                return block;
            }
        }
    }
    bool refused_before = a->refused;
    void *moved = span(ample) <= a->cap - a->spent ? arena_alloc(a, ample, label) : NULL;
    if (!moved) {
        moved = arena_alloc(a, bytes, label);
    }
    if (moved) {
        a->refused = refused_before;
        memcpy(moved, block, old);
    }
    return moved;
}

char *arena_text(struct arena *a, const char *text, size_t bytes)
{
    char *copy = arena_alloc(a, bytes + 1, NULL);
    if (copy) {
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
    }
    return copy;
}

static uint64_t tail_damage(const unsigned char *block, size_t bytes)
{
    uint64_t word, wrong;
    memcpy(&word, block + bytes, 8); /* what does not end on a word; the tail is 16 bytes at least */
    wrong = word ^ TAIL_WORD;
    for (size_t k = span(bytes) - sizeof(struct head) - 8; k > bytes; k -= 8) {
        memcpy(&word, block + k, 8);
        wrong |= word ^ TAIL_WORD;
    }
    return wrong;
}

bool arena_check(const struct arena *a, const char **ret_label)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const struct arena_chunk *c = &a->chunks[i];
        const char *last = NULL; /* a damaged head is the deed of the block before it */
        for (size_t at = 0; at < c->used;) {
            const struct head *h = (const struct head *) (const void *) (c->data + at);
            uint64_t wrong = (h->magic ^ MAGIC) | (h->check ^ MAGIC ^ h->bytes ^ (uintptr_t) h->label);
            if (wrong) {
                *ret_label = last;
                return false;
            }
            wrong =
                (h->guard[0] ^ GUARD) | (h->guard[1] ^ GUARD) | (h->guard[2] ^ GUARD) | (h->guard[3] ^ GUARD);
            if (wrong | tail_damage((const unsigned char *) (h + 1), h->bytes)) {
                *ret_label = h->label;
                return false;
            }
            last = h->label;
            at += span(h->bytes);
        }
    }
    return true;
}
