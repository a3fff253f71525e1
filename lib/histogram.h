/* SPDX-License-Identifier: MPL-2.0 */
/* histogram - durations in nanoseconds, counted in log-linear buckets: 32 to each doubling, so that a quantile is off
 * by at most 1/32; linear in steps of 16 ns below 512 ns; up to over an hour. Fixed size, under 9 KiB, no allocation. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_LEAST_BIT = 9, HISTOGRAM_SUB_BITS = 5, HISTOGRAM_OCTAVES = 33 };
enum { HISTOGRAM_BUCKETS = (HISTOGRAM_OCTAVES + 1) << HISTOGRAM_SUB_BITS };

struct histogram {
    uint64_t count;
    int64_t sum_ns, max_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_bucket(int64_t ns)
{
    /* In units of 2^(LEAST_BIT - SUB_BITS) ns: the first 32 buckets are one unit wide, then 32 to each doubling. */
    uint64_t v = ns > 0 ? (uint64_t) ns >> (HISTOGRAM_LEAST_BIT - HISTOGRAM_SUB_BITS) : 0;
    if (v < 1u << HISTOGRAM_SUB_BITS) {
        return (uint32_t) v;
    }
    unsigned shift = 63 - (unsigned) __builtin_clzll(v) - HISTOGRAM_SUB_BITS;
    uint32_t bucket =
        ((shift + 1) << HISTOGRAM_SUB_BITS) + (uint32_t) ((v >> shift) & ((1u << HISTOGRAM_SUB_BITS) - 1));
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline void histogram_add(struct histogram *h, int64_t ns)
{
    h->count++;
    h->sum_ns += ns > 0 ? ns : 0;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
    h->buckets[histogram_bucket(ns)]++;
}

/* The value below which the share q (0..1) of what was added lies, in ns; 0 when empty. */
double histogram_quantile(const struct histogram *h, double q);

#endif
