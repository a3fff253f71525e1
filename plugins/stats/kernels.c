/* SPDX-License-Identifier: MPL-2.0 */
#include "kernels.h"

#include <string.h>

const struct kernels *const kernels_all[] = {
    &kernels_plain, &kernels_baseline,
#ifdef KERNELS_X86
    &kernels_avx2,  &kernels_avx512,
#endif
    NULL,
};

const struct kernels *kernels_best(void)
{
    const struct kernels *best = &kernels_baseline;
    for (size_t i = 0; kernels_all[i]; i++) {
        if (kernels_all[i]->runs_here()) {
            best = kernels_all[i];
        }
    }
    return best;
}

const struct kernels *kernels_find(const char *name)
{
    for (size_t i = 0; kernels_all[i]; i++) {
        if (strcmp(kernels_all[i]->name, name) == 0) {
            return kernels_all[i];
        }
    }
    return NULL;
}
