/* SPDX-License-Identifier: MPL-2.0 */
/* array - numbers on the wire <-> aligned typed arrays (struct kiln_array).
 *
 * Reads a msgpack list of numbers, a list of lists, or a msgpack-numpy map {nd, type, shape, data}; writes
 * the first or the last. The bytes must have passed scan_check(), whose budget bounds what is allocated here.
 *
 * Promotion, exact or refused with the index named:
 *
 *   to a float     integers up to 2^53 (F32: 2^24) in size; null reads as NaN; doubles are rounded to F32,
 *                  but a finite one never becomes infinite
 *   to an integer  integers that fit; floats with a whole value up to 2^53; null is refused
 *   booleans       only to U8
 *
 * Where a list is wanted, a number is taken as a list of one. Complex numbers (<c16) are read as pairs re, im: a
 * last dimension of 2. */
#ifndef ARRAY_H
#define ARRAY_H

#include <kiln/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "scan.h"

struct array_want {
    const char *name;   /* of the argument, for messages */
    uint32_t dtype;     /* enum kiln_dtype */
    uint32_t rank;      /* 1..KILN_MAX_RANK; 0: whatever an nd map says, 1 for a list */
    bool row;           /* with rank 2: one dimension is taken as one row */
    const char *matrix; /* with rank 1: the argument that takes a matrix instead, for messages; NULL: none */
};

/* One number in a map, as msgpack-numpy writes NumPy's: {nd:false, type, data}, or an nd array without dimensions. */
int array_decode_scalar(struct scan *s, const char *name, uint32_t dtype, struct arena *arena,
                        double *ret_f64, int64_t *ret_i64, struct err *err);

/* Consumes one value. *ret_nd (may be NULL) says whether it was an nd map. KILN_INVALID, or KILN_RESOURCE
 * when the arena is spent. Of an empty outer dimension the inner ones are 0. */
int array_decode(struct scan *s, const struct array_want *want, struct arena *arena,
                 struct kiln_array *ret_array, bool *ret_nd, struct err *err);

/* True when the map of `pairs` whose first key follows at s is an nd map: has a key "nd" that is true. */
bool array_is_nd(const struct scan *s, uint32_t pairs);

/* The type that keeps the elements of that nd map as they are: its own, booleans as KILN_U8, other whole numbers as KILN_I64, and
 * KILN_F64 for everything else. */
uint32_t array_nd_dtype(const struct scan *s, uint32_t pairs);

/* True when the map begins like one of msgpack-numpy, well made or not. */
bool array_is_map(const struct scan *s, uint32_t pairs);

size_t array_item_bytes(uint32_t dtype);      /* 8 for KILN_F64; 0 for a number that is no dtype */
const char *array_dtype_name(uint32_t dtype); /* "f64" */

/* Puts one number into element i of data. NULL, or what was expected instead: "a number". */
const char *array_set(const struct token *t, uint32_t dtype, void *data, size_t i);
double array_get(uint32_t dtype, const void *data, size_t i); /* I64 beyond 2^53 is rounded */

/* "x[3]" or "x[1][2]" for element i. Returns out. */
const char *array_path(const char *name, const struct kiln_array *a, int64_t i, char *out, size_t bytes);

void array_put(struct buf *b, const struct kiln_array *a, bool nd);
void array_put_item(struct buf *b, uint32_t dtype, const void *data, size_t i); /* one element; NaN as nil */

#endif
