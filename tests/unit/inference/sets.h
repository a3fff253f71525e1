/* SPDX-License-Identifier: MPL-2.0 */
/* sets - a check in every set of kernels that this machine can run, and numbers for it. */
#ifndef SETS_H
#define SETS_H

#include <stdlib.h>

#include "../seeded.h"
#include "kernel/kernels.h"

static uint64_t sets_seed = 7;

static inline uint32_t noise(void)
{
    return (uint32_t) (seeded_u64(&sets_seed) >> 33);
}

/* From -1 to 1; exactly so many, so that reading or writing beyond them shows. */
static inline float *floats(size_t n)
{
    float *x = malloc(n * sizeof *x + 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float) (noise() % 2001) / 1000 - 1;
    }
    return x;
}

static inline void each_set(void (*check)(void))
{
    for (size_t s = 0; kernels_all[s]; s++) {
        if (kernels_use(kernels_all[s]->name)) {
            check();
        }
    }
    assert_true(kernels_use(NULL));
}

#endif
