/* SPDX-License-Identifier: MPL-2.0 */
/* The special functions for the processors of kernels_avx512.c. */
#include "kernels.h"

#ifdef KERNELS_X86
#define SIMD_AVX512
#define SPECIAL      special_avx512
#define SPECIAL_NAME "avx512"
#include "special_body.h"
#endif
