/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for x86-64 processors with AVX-512 (F, DQ, BW, VL and VNNI). */
#if defined(__x86_64__)
#define SIMD_AVX512
#define SIMD_VNNI
#define KERNELS      kernels_vnni
#define KERNELS_NAME "vnni"
#define KERNELS_RUN_HERE                                                                                     \
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&                               \
        __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&                        \
        __builtin_cpu_supports("avx512vl")
#include "body.h"
#endif
