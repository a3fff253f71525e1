/* SPDX-License-Identifier: MPL-2.0 */
/* bins - intervals of equal width, and the one a value lies in. */
#ifndef BINS_H
#define BINS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bin i is edges[i] <= v < edges[i + 1], the last one with its upper edge. What lies in none gets the number
 * `count`. */
struct bins {
    const double *edges; /* count + 1 of them, ascending */
    size_t count;
    double first, last, per_unit; /* outer edges; bins in a unit of the values */
    double doubt; /* how near to an edge, in bins, only a comparison with it can tell; 0.5 always */
};

/* Tables of counters that are used in turn, so that equal bins in a row need not wait for each other. */
enum { BINS_TABLES = 4 };

static inline size_t bins_find(const struct bins *b, double v)
{
    if (!(v >= b->first && v <= b->last)) {
        return b->count;
    }
    const double place = (v - b->first) * b->per_unit;
    const size_t nearest = place < (double) b->count ? (size_t) lrint(place) : b->count; /* edge */
    size_t i = nearest - (v < b->edges[nearest]);
    i -= i == b->count;
    if (b->doubt < 0.5) {
        return i;
    }
    while (v < b->edges[i]) { /* bins hardly wider than rounding errors */
        i--;
    }
    while (i + 1 < b->count && v >= b->edges[i + 1]) {
        i++;
    }
    return i;
}

/* For each of n values the number of edges, ascending, that are less than it, or with `or_equal` not greater. NaN
 * are greater than all numbers, on both sides. Four searches go on at once, without branches. */
void bins_search(const double *edges, size_t n_edges, const double *v, size_t n, bool or_equal, int64_t *ret);

/* Index of the first edge that is less than the one before (or with `falling` greater), or NaN before a number;
 * n when there is none. */
size_t bins_disorder(const double *edges, size_t n, bool falling);

#endif
