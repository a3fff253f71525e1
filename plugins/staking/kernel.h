/* SPDX-License-Identifier: MPL-2.0 */
/* kernel - marks a function of which the compiler makes one version for each width of vector registers; the loader picks.
 *
 * Left out where it does not serve: clang would fuse multiplications and additions in the wider versions, and results
 * would differ between machines in the last bit; under the sanitizers their run time is not ready when the loader picks. */
#ifndef STAKING_KERNEL_H
#define STAKING_KERNEL_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define KERNEL __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define KERNEL
#endif

#endif
