/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels for x86-64 processors with AVX2 and FMA. */
#if defined(__x86_64__)
#define SIMD_AVX2
#define KERNELS          kernels_avx2
#define KERNELS_NAME     "avx2"
#define KERNELS_RUN_HERE __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
#include "body.h"
#endif
