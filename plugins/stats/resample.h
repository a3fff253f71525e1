/* SPDX-License-Identifier: MPL-2.0 */
/* resample - values drawn again from a sample, the same on all machines.
 *
 * Place j of resample r is floor(n u / 2^64), u = mix(key + (j + 1) G), key = mix(seed + (r + 1) G), all modulo 2^64, with G =
 * 0x9e3779b97f4a7c15 and SplitMix64's finalizer mix (Steele, Lea and Flood 2014): each place can be computed alone, in any
 * order. */
#ifndef RESAMPLE_H
#define RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define RESAMPLE_GOLDEN 0x9e3779b97f4a7c15u

static inline uint64_t resample_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t resample_key(uint64_t seed, uint64_t resample)
{
    return resample_mix(seed + (resample + 1) * RESAMPLE_GOLDEN);
}

static inline size_t resample_place(uint64_t key, uint64_t j, uint64_t n)
{
    __extension__ typedef unsigned __int128 wide;
    return (size_t) (((wide) resample_mix(key + (j + 1) * RESAMPLE_GOLDEN) * n) >> 64);
}

#endif
