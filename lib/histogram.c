/* SPDX-License-Identifier: MPL-2.0 */
#include "histogram.h"

/* Least value and width of a bucket, in ns. */
static double bucket_start(uint32_t bucket, double *ret_width)
{
    const double unit = 1u << (HISTOGRAM_LEAST_BIT - HISTOGRAM_SUB_BITS);
    uint32_t octave = bucket >> HISTOGRAM_SUB_BITS, sub = bucket & ((1u << HISTOGRAM_SUB_BITS) - 1);
    if (octave == 0) {
        *ret_width = unit;
        return sub * unit;
    }
    *ret_width = unit * (double) (UINT64_C(1) << (octave - 1));
    return ((1u << HISTOGRAM_SUB_BITS) + sub) * *ret_width;
}

double histogram_quantile(const struct histogram *h, double q)
{
    if (h->count == 0) {
        return 0;
    }
    double rank = q * (double) h->count;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t here = h->buckets[i];
        if (here && (double) (seen + here) >= rank) {
            double width, start = bucket_start(i, &width);
            double inside = (rank - (double) seen) / (double) here;
            double value = start + width * (inside < 0 ? 0 : inside);
            return value < (double) h->max_ns ? value : (double) h->max_ns;
        }
        seen += here;
    }
    return (double) h->max_ns;
}
