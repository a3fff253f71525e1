/* SPDX-License-Identifier: MPL-2.0 */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "simd.h"

const struct kernels *const kernels_all[] = {
    &kernels_plain,
#ifdef KERNELS_X86
    &kernels_avx2,  &kernels_avx512, &kernels_vnni,
#endif
    NULL,
};

const struct kernels *kernels_chosen;

const struct kernels *kernels_find(const char *name)
{
    for (size_t i = 0; kernels_all[i]; i++) {
        if (strcmp(kernels_all[i]->name, name) == 0) {
            return kernels_all[i];
        }
    }
    return NULL;
}

bool kernels_use(const char *name)
{
    const struct kernels *chosen = NULL;
    for (size_t i = 0; kernels_all[i]; i++) {
        const struct kernels *k = kernels_all[i];
        if ((!name || strcmp(k->name, name) == 0) && k->runs_here()) {
            chosen = k;
        }
    }
    if (chosen) {
        __atomic_store_n(&kernels_chosen, chosen, __ATOMIC_RELAXED);
    }
    return chosen;
}

const struct kernels *kernels_choose(void)
{
    const char *name = getenv("KILN_INFERENCE_KERNELS");
    if (!name || !kernels_use(name)) {
        kernels_use(NULL);
    }
    return kernels_chosen;
}

void act_map(enum act_kind kind, const float *x, float *y, size_t n, float a, float b)
{
    kernels()->act[kind](x, y, n, a, b);
}

float act_exp_sum(const float *x, float *y, size_t n, float shift)
{
    return kernels()->exp_sum(x, y, n, shift);
}
