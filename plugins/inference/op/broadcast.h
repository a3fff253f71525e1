/* SPDX-License-Identifier: MPL-2.0 */
/* broadcast - how inputs of other shapes are walked beside one output.
 *
 * broadcast_shape() finds the shape of the output after NumPy's rule, broadcast_plan() the fewest loops that walk it:
 * axes along which every input either goes on or repeats become one. An inner loop therefore sees strides of 0
 * (the input repeats one element) or 1 only, and is called once for every row:
 *
 *     struct broadcast_row row = {0};
 *     do { kernel(out + row.out, in0 + row.in[0], in1 + row.in[1], b->n); } while (broadcast_next(b, &row)); */
#ifndef INFERENCE_OP_BROADCAST_H
#define INFERENCE_OP_BROADCAST_H

#include "../op.h"

enum { BROADCAST_IN = 3 };

struct broadcast {
    int64_t n;                                 /* elements of a row */
    int8_t step[BROADCAST_IN];                 /* 0 or 1: how input k goes on within a row */
    bool empty;                                /* there is nothing to walk */
    int rank;                                  /* of the loops over rows; 0: one row */
    int64_t dims[TENSOR_RANK];                 /* outermost first */
    int64_t stride[BROADCAST_IN][TENSOR_RANK]; /* in elements */
};

struct broadcast_row {
    int64_t out, in[BROADCAST_IN]; /* where the row begins, in elements */
    int64_t index[TENSOR_RANK];
};

/* The shape of inputs 0 .. n-1 together. KILN_OK, or the refusal to return. */
int broadcast_shape(struct step *s, int n, int *ret_rank, int64_t *ret_dims);
/* The loops over an output of these dimensions, with n <= BROADCAST_IN inputs that broadcast to it. */
void broadcast_plan(struct broadcast *b, int rank, const int64_t *dims, const struct tensor *const *in,
                    int n);
/* false when the row was the last one. */
bool broadcast_next(const struct broadcast *b, struct broadcast_row *row);

/* An output of this type with the broadcast shape of inputs 0 .. n-1; in-place in the first input that allows it. */
int broadcast_output(struct step *s, int n, enum dtype dtype);

#endif
