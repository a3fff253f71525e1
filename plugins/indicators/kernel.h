/* SPDX-License-Identifier: MPL-2.0 */
/* kernel - what every kernel of this plugin is built with.
 *
 * A kernel is arithmetic on clean series: no NaN, equal lengths, a period that fits. It writes the values from its
 * lookback on and nothing before; series.h finds the clean part of what a caller sent and blanks the rest. Kernels know
 * nothing of slots, contracts or the host, so that one job, a bundle of indicators and a live stream can share them.
 *
 * Bits. A kernel's value at bar i depends on the bars up to i and on the bar the series began at, never on the
 * length of the series, the vector width or the compiler: every rounding is written out. Products and sums are fused only where
 * mul_add() says so. The forms that end in _part compute a part of a series and give the same bits, however it is cut. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h> /* and with it __GLIBC__ */

/* Compiled for every x86-64 machine and again for those with AVX2 and FMA; the choice is made when the plugin is loaded, which
 * is before a sanitizer is ready, so sanitized builds do without. So does clang, whose clones of a function cannot be
 * called from another file (before version 18). */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__clang__) &&                \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNEL __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define KERNEL
#endif

/* For the inner parts of kernels: they must become part of each version of the kernel. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* GCC in ISO mode never fuses by itself; clang has to be told. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

/* Some bars of a series: begin .. end-1, of which bar i has the number origin + i. Numbers count from the first bar there ever was;
 * bars before `begin` have been computed earlier, and may be read as far as a kernel says. */
struct part {
    size_t begin, end;
    uint64_t origin;
};

/* All of a series of n bars. */
static inline struct part part_whole(size_t n)
{
    return (struct part){.end = n};
}

/* Index of the bar with this number; begin or end where it lies outside. */
static inline size_t part_index(struct part part, uint64_t number)
{
    return number < part.origin + part.begin ? part.begin
           : number > part.origin + part.end ? part.end
                                             : (size_t) (number - part.origin);
}

/* The bars of a part with at least this number. */
static inline struct part part_from(struct part part, uint64_t number)
{
    part.begin = part_index(part, number);
    return part;
}

/* Place of the first bar in its block, when blocks of `length` bars begin at bar number `first` (which is not after it). */
static inline size_t part_place(struct part part, uint64_t first, size_t length)
{
    return (size_t) ((part.origin + part.begin - first) % length);
}

/* Bars worked on at once by kernels that have a vector stage and a serial stage: small enough for both to
 * stay in the first-level cache. */
enum { KERNEL_CHUNK = 128 };

/* a b + c in one rounding. Without FMA in hardware it is a call into libm: slower, the same bits. */
ALWAYS_INLINE double mul_add(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
