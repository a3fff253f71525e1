/* SPDX-License-Identifier: MPL-2.0 */
/* rank_set - a set of small numbers, kept as bits in two levels, with a finger on one of its members.
 *
 * Ranks come and go; the finger knows how many members lie below it, so that the k-th member is found by walking
 * from where it was asked for last. Inserting, removing and a step of the walk take constant time but for
 * stretches of thousands of absent numbers. */
#ifndef RANK_SET_H
#define RANK_SET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rank_set {
    uint64_t *words, *groups; /* bit w of groups: words[w] is not 0 */
    size_t size;              /* members */
    size_t finger, below;     /* a member, unless the set is empty; members less than it */
};

static inline size_t rank_set_words(size_t n) /* 64-bit words of memory for numbers less than n */
{
    return n / 64 + n / 4096 + 2;
}

static inline void rank_set_init(struct rank_set *s, size_t n, uint64_t *memory)
{
    memset(memory, 0, rank_set_words(n) * sizeof *memory);
    *s = (struct rank_set){.words = memory, .groups = memory + n / 64 + 1};
}

/* The next member from `rank` on, which there is. */
static inline size_t rank_set_up(const struct rank_set *s, size_t rank)
{
    size_t word = rank / 64;
    const uint64_t here = s->words[word] & (UINT64_MAX << rank % 64);
    if (here) {
        return 64 * word + (size_t) __builtin_ctzll(here);
    }
    word++;
    size_t group = word / 64;
    uint64_t bits = s->groups[group] & (UINT64_MAX << word % 64);
    while (!bits) {
        bits = s->groups[++group];
    }
    word = 64 * group + (size_t) __builtin_ctzll(bits);
    return 64 * word + (size_t) __builtin_ctzll(s->words[word]);
}

/* The last member up to `rank`, which there is. */
static inline size_t rank_set_down(const struct rank_set *s, size_t rank)
{
    size_t word = rank / 64;
    const uint64_t here = s->words[word] & (UINT64_MAX >> (63 - rank % 64));
    if (here) {
        return 64 * word + 63 - (size_t) __builtin_clzll(here);
    }
    word--;
    size_t group = word / 64;
    uint64_t bits = s->groups[group] & (UINT64_MAX >> (63 - word % 64));
    while (!bits) {
        bits = s->groups[--group];
    }
    word = 64 * group + 63 - (size_t) __builtin_clzll(bits);
    return 64 * word + 63 - (size_t) __builtin_clzll(s->words[word]);
}

static inline void rank_set_insert(struct rank_set *s, size_t rank)
{
    s->words[rank / 64] |= (uint64_t) 1 << rank % 64;
    s->groups[rank / 4096] |= (uint64_t) 1 << rank / 64 % 64;
    if (s->size++ == 0) {
        s->finger = rank;
        s->below = 0;
    }
    s->below += rank < s->finger;
}

static inline void rank_set_remove(struct rank_set *s, size_t rank)
{
    s->words[rank / 64] &= ~((uint64_t) 1 << rank % 64);
    if (!s->words[rank / 64]) {
        s->groups[rank / 4096] &= ~((uint64_t) 1 << rank / 64 % 64);
    }
    s->size--;
    s->below -= rank < s->finger;
    if (rank == s->finger && s->size > 0) {
        if (s->below == s->size) { /* it was the greatest */
            s->finger = rank_set_down(s, rank);
            s->below--;
        } else {
            s->finger = rank_set_up(s, rank);
        }
    }
}

/* Puts the finger on the member with k members below it; k is less than the size. */
static inline size_t rank_set_find(struct rank_set *s, size_t k)
{
    for (; s->below < k; s->below++) {
        s->finger = rank_set_up(s, s->finger + 1);
    }
    for (; s->below > k; s->below--) {
        s->finger = rank_set_down(s, s->finger - 1);
    }
    return s->finger;
}

#endif
