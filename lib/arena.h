/* SPDX-License-Identifier: MPL-2.0 */
/* arena - the memory of one job: blocks aligned to 64 bytes, freed all at once, counted against a cap.
 *
 * Every block stands between guards: a head before it and a pattern behind it. arena_check() finds out
 * whether somebody (a plugin) wrote outside its block. What the arena knows about itself is kept apart from
 * the blocks, so that such a write cannot lead it astray.
 *
 *     arena_init, arena_alloc ..., arena_check, arena_reset (use again), arena_done
 *
 * A reset keeps the memory for the next job: fresh memory costs a page fault every 4 KiB, more than most arithmetic on
 * it. arena_trim, now and then, gives back what no job since the last trim has needed. */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARENA_ALIGN = 64, ARENA_CHUNKS = 40 };

struct arena_chunk {
    void *block;         /* as allocated; NULL: whole pages */
    unsigned char *data; /* aligned */
    size_t bytes, used;
};

struct arena {
    size_t cap;     /* most bytes in all, guards included */
    size_t spent;   /* of the cap */
    size_t peak;    /* most that was spent since the last trim */
    uint32_t n, at; /* chunks there are; the one being filled */
    bool refused;   /* a request since the last reset found no memory */
    struct arena_chunk chunks[ARENA_CHUNKS];
};

void arena_init(struct arena *a, size_t cap);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);

/* Of an arena that is not in use: resets it, and keeps about `keep` bytes, or more when a job has needed more. */
void arena_trim(struct arena *a, size_t keep);

/* Uninitialised bytes; never NULL for 0 bytes unless the cap is spent. `label` names the block in
 * arena_check; it is borrowed and may be NULL. NULL when the cap or the memory of the machine is spent. */
void *arena_alloc(struct arena *a, size_t bytes, const char *label);

/* A block of arena_alloc (or NULL) made at least `bytes` long: what it held is kept; it may move. Grows by
 * half again or more. */
void *arena_grow(struct arena *a, void *block, size_t bytes, const char *label);

/* A NUL-terminated copy. */
char *arena_text(struct arena *a, const char *text, size_t bytes);

/* True when all guards are whole; else *ret_label is the label of the block at fault (may be NULL). */
bool arena_check(const struct arena *a, const char **ret_label);

#endif
