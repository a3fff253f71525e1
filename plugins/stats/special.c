/* SPDX-License-Identifier: MPL-2.0 */
#include "special.h"

#include <string.h>

const struct special *special_for(const struct kernels *k)
{
    static const struct special *const all[] = {
        &special_plain,
        &special_baseline,
#ifdef KERNELS_X86
        &special_avx2,
        &special_avx512,
#endif
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i]->name, k->name) == 0) {
            return all[i];
        }
    }
    return &special_plain;
}
