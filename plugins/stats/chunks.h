/* SPDX-License-Identifier: MPL-2.0 */
/* chunks - statistics of consecutive parts of data that comes in pieces, and of the whole.
 *
 *     struct chunks c;
 *     chunks_init(call, &c, ..)         then for each piece in order:
 *     chunks_add(call, &c, x, n)
 *     chunks_finish(call, &c, ..)
 *
 * The chunks are the rows of the table at `table` among the results: rows CHUNK_ROWS, in this order. Without
 * a table there is one chunk, the whole. */
#ifndef CHUNKS_H
#define CHUNKS_H

#include <kiln/plugin.h>

#include "tally.h"

#define CHUNK_ROWS                                                                                           \
    {.name = "chunks", .kind = KILN_TABLE, .shape = "k", .help = "each part in its order"},                  \
        {.name = "chunks[].offset",                                                                          \
         .kind = KILN_ARRAY,                                                                                 \
         .dtype = KILN_I64,                                                                                  \
         .shape = "k",                                                                                       \
         .help = "place of its first value"},                                                                \
        {.name = "chunks[].count",                                                                           \
         .kind = KILN_ARRAY,                                                                                 \
         .dtype = KILN_I64,                                                                                  \
         .shape = "k",                                                                                       \
         .help = "its values, without those left out"},                                                      \
        {.name = "chunks[].mean", .kind = KILN_ARRAY, .shape = "k", .help = "arithmetic mean"},              \
        {.name = "chunks[].std", .kind = KILN_ARRAY, .shape = "k", .help = "standard deviation"},            \
        {.name = "chunks[].min", .kind = KILN_ARRAY, .shape = "k", .help = "smallest value"},                \
    {                                                                                                        \
        .name = "chunks[].max", .kind = KILN_ARRAY, .shape = "k", .help = "largest value"                    \
    }

/* How n values are divided: the first `longer` parts have size + 1 values, the others size. */
struct division {
    int64_t n, count, size, longer;
};

struct division divide_by_size(int64_t n, int64_t size);   /* the last part may be shorter */
struct division divide_in_parts(int64_t n, int64_t parts); /* as numpy.array_split: parts may be empty */

struct chunks {
    const struct kernels *k;
    const char *field; /* the argument that values come from */
    enum nan_policy policy;
    double ddof;
    struct division division;
    struct tally whole, part;
    double *scratch;         /* TALLY_PIECE values */
    int64_t *offset, *count; /* columns; NULL without a table */
    double *mean, *std, *min, *max;
    int64_t at, from, index; /* the next value, the present part's first one, its number */
};

/* table: index of the row "chunks", or -1. */
int chunks_init(struct kiln_call *call, struct chunks *c, const char *field, int table,
                const struct division *division, enum nan_policy policy, double ddof);
int chunks_add(struct kiln_call *call, struct chunks *c, const double *x, size_t n);

/* Ends the last parts, once all n values were added. */
void chunks_finish(struct chunks *c);

#endif
