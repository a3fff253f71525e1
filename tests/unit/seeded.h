/* SPDX-License-Identifier: MPL-2.0 */
/* seeded - numbers for property tests: the same from every run (splitmix64). */
#ifndef SEEDED_H
#define SEEDED_H

#include <stdint.h>

static inline uint64_t seeded_u64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. n-1 */
static inline uint64_t seeded_below(uint64_t *state, uint64_t n)
{
    return seeded_u64(state) % n;
}

/* 0 <= x < 1 */
static inline double seeded_unit(uint64_t *state)
{
    return (double) (seeded_u64(state) >> 11) * 0x1p-53;
}

#endif
