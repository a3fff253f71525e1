/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for x86-64 processors with AVX-512 (F, DQ, BW and VL). */
#if defined(__x86_64__)
#define SIMD_AVX512
#define KERNELS      kernels_avx512
#define KERNELS_NAME "avx512"
#define KERNELS_RUN_HERE                                                                                     \
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&                               \
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
#include "body.h"
#endif
