/* SPDX-License-Identifier: MPL-2.0 */
#include "select.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { SAMPLE_MOST = 512 }; /* values in a sample */

struct selection {
    const struct kernels *k;
    const size_t *ranks;
    double *ret;
};

/* A range of the sorted order: its values lie in `values` in any order; `into` and `spare` have room for
 * them. */
struct range {
    const double *values;
    double *into, *spare;
    size_t n;
    size_t from;        /* rank of its smallest value */
    size_t first, last; /* ranks[first] .. ranks[last - 1] lie in it */
    unsigned patience;
};

static void select_range(const struct selection *s, struct range r);

size_t select_scratch_bytes(size_t n)
{
    return 2 * n * sizeof(double);
}

/* The middle one of the wanted ranks, as a place in the range. */
static size_t target(const struct selection *s, const struct range *r)
{
    return s->ranks[r->first + (r->last - r->first) / 2] - r->from;
}

/* A value of the range that is probably close to the target, on its far side seen from the nearer end: then
 * the target falls in the smaller part. The sample is drawn by a generator with a fixed start. */
static __attribute__((noinline)) double sampled_pivot(const struct selection *s, const struct range *r)
{
    size_t size = (size_t) sqrt((double) r->n);
    size = size < 15 ? 15 : size > SAMPLE_MOST ? SAMPLE_MOST : size;
    double sample[SAMPLE_MOST], scratch[2 * SAMPLE_MOST], pivot;
    uint64_t state = 0x9e3779b97f4a7c15u ^ r->n;
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        sample[i] = r->values[(size_t) (((state >> 32) * (uint64_t) r->n) >> 32)];
    }
    const double share = ((double) target(s, r) + 0.5) / (double) r->n;
    const double margin = 0.8 * sqrt(share * (1 - share) * (double) size) + 0.5;
    const double place = share * (double) size + (share < 0.5 ? margin : -margin);
    const size_t rank = place < 0 ? 0 : place > (double) (size - 1) ? size - 1 : (size_t) place;
    select_range(&(struct selection){s->k, &rank, &pivot},
                 (struct range){sample, scratch, scratch + SAMPLE_MOST, size, 0, 0, 1, SELECT_PATIENCE});
    return pivot;
}

/* Doubles in order, as integers in the same order. */
static int64_t key_of(double v)
{
    int64_t bits;
    v += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static double of_key(int64_t key)
{
    double v;
    int64_t bits = key < 0 ? INT64_MIN - key : key;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Halfway between the smallest and the largest value of the range, by representable numbers: at most 64 such
 * splits can follow each other. Above the smallest, unless all are equal. */
static double halving_pivot(const struct range *r)
{
    double min = r->values[0], max = min;
    for (size_t i = 1; i < r->n; i++) {
        min = r->values[i] < min ? r->values[i] : min;
        max = r->values[i] > max ? r->values[i] : max;
    }
    const int64_t low = key_of(min), high = key_of(max);
    return of_key(high - (int64_t) (((uint64_t) high - (uint64_t) low) / 2));
}

/* The part of a split range that starts at place `at` and holds n values, with the ranks first..last - 1. */
static struct range part(const struct range *r, size_t at, size_t n, size_t first, size_t last)
{
    const unsigned patience = r->patience && n > r->n - r->n / 8 ? r->patience - 1 : r->patience;
    return (struct range){r->into + at, r->spare + at, r->into + at, n, r->from + at, first, last, patience};
}

static size_t ranks_below(const struct selection *s, const struct range *r, size_t rank)
{
    size_t i = r->first;
    while (i < r->last && s->ranks[i] < rank) {
        i++;
    }
    return i;
}

static void select_range(const struct selection *s, struct range r)
{
    while (r.first < r.last) {
        if (r.n <= KERNEL_ORDER) {
            double sorted[KERNEL_ORDER];
            s->k->order(r.values, r.n, sorted);
            for (size_t i = r.first; i < r.last; i++) {
                s->ret[i] = sorted[s->ranks[i] - r.from];
            }
            return;
        }
        const double pivot = r.patience ? sampled_pivot(s, &r) : halving_pivot(&r);
        size_t less = s->k->split(r.values, r.n, pivot, r.into);
        if (less == 0) { /* the pivot is the smallest value: set it and its equals aside */
            less = pivot < HUGE_VAL ? s->k->split(r.values, r.n, nextafter(pivot, HUGE_VAL), r.into) : r.n;
            const size_t middle = ranks_below(s, &r, r.from + less);
            for (; r.first < middle; r.first++) {
                s->ret[r.first] = pivot;
            }
            r = part(&r, less, r.n - less, r.first, r.last);
            continue;
        }
        const size_t middle = ranks_below(s, &r, r.from + less);
        if (r.first < middle) {
            select_range(s, part(&r, 0, less, r.first, middle));
        }
        r = part(&r, less, r.n - less, middle, r.last);
    }
}

void select_ranks(const struct kernels *k, const double *x, size_t n, const size_t *ranks, size_t n_ranks,
                  unsigned patience, double *scratch, double *ret)
{
    select_range(&(struct selection){k, ranks, ret},
                 (struct range){x, scratch, scratch + n, n, 0, 0, n_ranks, patience});
}
