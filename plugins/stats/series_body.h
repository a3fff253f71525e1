/* SPDX-License-Identifier: MPL-2.0 */
/* The vector kernels of histograms and filters, included by kernels_body.h. */
#include "bins.h"
#include "simd.h"

SIMD_BEGIN

enum { COUNT_BLOCK = 128 };

/* The bin of each of a block's values, most of them by arithmetic: the nearest whole number to half a bin below
 * its place. When the place is too close to an edge, the whole block is done again by comparison. */
SIMD_INLINE vec count_places(const double *x, const struct bins *b, vec farthest, int32_t *places)
{
    const vec magic = v_set(0x1.8p52), shift = v_set(-0.5) - v_set(b->first) * v_set(b->per_unit);
    const vec place = v_fma(v_load(x), v_set(b->per_unit), shift), past = place - ((place + magic) - magic);
    v_store_places(places, place, (int32_t) b->count);
    return v_max(v_max(past, -past), farthest);
}

static __attribute__((noinline)) void count_again(const double *x, const struct bins *b, int32_t *places)
{
    for (size_t i = 0; i < COUNT_BLOCK; i++) {
        places[i] = (int32_t) bins_find(b, x[i]);
    }
}

/* Places are found and counted in one loop, but a block apart: the one has to do with arithmetic, the other with
 * memory. */
static void count(const double *x, size_t n, const struct bins *b, uint32_t *tables)
{
    int32_t buffers[2][COUNT_BLOCK], *now = buffers[0], *before = buffers[1];
    const size_t stride = b->count + 1, blocks = n / COUNT_BLOCK;
    uint32_t *t0 = tables, *t1 = t0 + stride, *t2 = t1 + stride, *t3 = t2 + stride;
    for (size_t i = 0; i < COUNT_BLOCK; i++) {
        before[i] = (int32_t) b->count; /* what lies outside is not looked at */
    }
    double rest[COUNT_BLOCK];
    for (size_t i = 0; i < COUNT_BLOCK; i++) {
        rest[i] = i < n % COUNT_BLOCK ? x[blocks * COUNT_BLOCK + i] : (double) NAN; /* which lies in no bin */
    }
    for (size_t k = 0; k <= blocks + 1; k++) { /* after the rest once more, to count it */
        const double *from = k < blocks ? x + k * COUNT_BLOCK : rest;
        vec farthest = v_set(0);
        for (size_t i = 0; i < COUNT_BLOCK; i += 8) {
            for (size_t j = i; j < i + 8; j += W) {
                farthest = count_places(from + j, b, farthest, now + j);
            }
            for (size_t j = i; j < i + 8; j += 4) {
                t0[before[j]]++;
                t1[before[j + 1]]++;
                t2[before[j + 2]]++;
                t3[before[j + 3]]++;
            }
        }
        if (v_greatest(farthest) >= 0.5 - b->doubt) {
            count_again(from, b, now);
        }
        int32_t *other = before;
        before = now;
        now = other;
    }
}

/* Four vectors of sums at once, which share each weight. */
static void slide(const double *x, size_t n, const double *weights, size_t m, double *out)
{
    size_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W) {
        vec a = v_set(0), b = a, c = a, d = a;
        for (size_t j = 0; j < m; j++) {
            const vec w = v_set(weights[j]);
            const double *p = x + i + j;
            a = v_fma(w, v_load(p), a);
            b = v_fma(w, v_load(p + W), b);
            c = v_fma(w, v_load(p + 2 * W), c);
            d = v_fma(w, v_load(p + 3 * W), d);
        }
        v_store(out + i, a);
        v_store(out + i + W, b);
        v_store(out + i + 2 * W, c);
        v_store(out + i + 3 * W, d);
    }
    for (; i < n; i += W) {
        const size_t rest = n - i < W ? n - i : W;
        vec a = v_set(0);
        for (size_t j = 0; j < m; j++) {
            a = v_fma(v_set(weights[j]), v_part(x + i + j, rest, 0), a);
        }
        v_store_part(out + i, rest, a);
    }
}

SIMD_END
