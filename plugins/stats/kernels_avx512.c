/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for x86-64 processors with AVX-512 (F, DQ and VL). */
#include "kernels.h"

#ifdef KERNELS_X86
#define SIMD_AVX512
#define KERNELS      kernels_avx512
#define KERNELS_NAME "avx512"
#define KERNELS_RUN_HERE                                                                                     \
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&                               \
        __builtin_cpu_supports("avx512vl")
#include "kernels_body.h"
#endif
