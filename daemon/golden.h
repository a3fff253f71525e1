/* SPDX-License-Identifier: MPL-2.0 */
/* golden - the worked examples of a function: JSON with generated data, and the judgement of an answer. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <kiln/plugin.h>

#include "buf.h"
#include "err.h"

struct golden {
    const struct kiln_golden *row;
    char title[80];      /* example "moments of 1..10", or: example 2 */
    struct buf args;     /* msgpack */
    struct buf expected; /* msgpack; empty when there is nothing to compare */
};

/* {"$linspace":[from,to,n]} and {"$normal":[n,seed]} become lists. $normal is splitmix64 seeded with `seed`,
 * pairs of its numbers through Box and Muller: the same on every machine. KILN_INVALID when it is no JSON. */
int golden_parse(const struct kiln_golden *row, size_t index, struct golden *ret_golden, struct err *err);
void golden_done(struct golden *g);
void golden_forget(void); /* frees generated arrays, which are kept from one example to the next */

/* 0 when every member of the msgpack map `expected` is in `actual` and within atol + rtol |expected|; else
 * KILN_INTERNAL, "mean is 5.6, expected 5.5 within 1e-12". NaN and nil are equal. */
int golden_compare(const void *expected, size_t expected_bytes, const void *actual, size_t actual_bytes,
                   double rtol, double atol, struct err *err);

#endif
