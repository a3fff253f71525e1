/* SPDX-License-Identifier: MPL-2.0 */
/* random - uniform and normal numbers for simulations: equal seeds give equal numbers on every machine.
 *
 *     random_seed()      a stream
 *     random_uniform()   the next number of [0, 1), of 52 bits
 *     random_normal()    the next standard normal
 *
 * Eight xoshiro256++ generators (Blackman and Vigna) advance side by side, so that a block of numbers is
 * made with vector instructions; their states are taken in turn from one splitmix64 of the seed. Normals
 * are Box and Muller's, whose logarithm, sine and cosine are series of additions, multiplications and
 * divisions here: a mathematical library may differ in the last bit from another one, and so might the
 * vector versions of this code if anything were fused. A stream serves uniforms or normals, not both. */
#ifndef STAKING_RANDOM_H
#define STAKING_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_LANES 8
#define RANDOM_BLOCK 512

struct random {
    uint64_t state[4][RANDOM_LANES];
    size_t used; /* of the block */
    double block[RANDOM_BLOCK];
};

/* Streams of one seed are told apart by their number. */
void random_seed(struct random *random, uint64_t seed, uint64_t stream);

void random_fill_uniform(struct random *random);
void random_fill_normal(struct random *random);

static inline double random_uniform(struct random *r)
{
    if (r->used == RANDOM_BLOCK) {
        random_fill_uniform(r);
    }
    return r->block[r->used++];
}

static inline double random_normal(struct random *r)
{
    if (r->used == RANDOM_BLOCK) {
        random_fill_normal(r);
    }
    return r->block[r->used++];
}

#endif
