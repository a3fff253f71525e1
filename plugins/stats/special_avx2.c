/* SPDX-License-Identifier: MPL-2.0 */
/* The special functions for the processors of kernels_avx2.c. */
#include "kernels.h"

#ifdef KERNELS_X86
#define SIMD_AVX2
#define SPECIAL      special_avx2
#define SPECIAL_NAME "avx2"
#include "special_body.h"
#endif
