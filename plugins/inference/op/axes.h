/* SPDX-License-Identifier: MPL-2.0 */
/* axes - lists of whole numbers that a node has as an attribute in older opsets and as an input in newer ones. */
#ifndef INFERENCE_OP_AXES_H
#define INFERENCE_OP_AXES_H

#include "../op.h"

struct ints {
    bool given;
    int n;
    int64_t of[2 * TENSOR_RANK];
};

/* The list that input `input` has, or, when that is -1, attribute `name`. A list longer than `most` is refused under its name.
 * KILN_OK, or what plan() is to return: the elements may have to be waited for. */
int ints_read(struct step *s, int input, const char *name, int most, struct ints *ret);
/* One whole number: input `input`, of one element. */
int ints_read_one(struct step *s, int input, const char *name, int64_t *ret);

struct axes {
    bool given;
    int n;
    int of[TENSOR_RANK]; /* as given, 0 .. rank-1 */
    bool has[TENSOR_RANK];
};

/* The same as axes of a tensor of this rank, each at most once. */
int axes_read(struct step *s, int input, int rank, struct axes *ret);

/* An attribute "axis" of a tensor of this rank, or the refusal (KILN_OK otherwise). */
int axis_read(struct step *s, int64_t fallback, int rank, int *ret);

#endif
