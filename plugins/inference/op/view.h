/* SPDX-License-Identifier: MPL-2.0 */
/* view - elements of one tensor in another order: transposed, sliced, repeated.
 *
 * A view is a list of axes, outermost first, each with the distance between neighbours in the input; a distance of 0 repeats.
 * view_axis() joins axes that go on evenly, so that copying takes as few loops, and as long rows, as can be. */
#ifndef INFERENCE_OP_VIEW_H
#define INFERENCE_OP_VIEW_H

#include "../op.h"

enum { VIEW_RANK = 2 * TENSOR_RANK };

struct view {
    int rank;
    bool empty;
    int64_t offset; /* of the first element, in elements, as all distances */
    int64_t dims[VIEW_RANK], stride[VIEW_RANK];
};

void view_axis(struct view *v, int64_t dim, int64_t stride);
/* The distance between neighbours along axis d of t. */
int64_t view_stride(const struct tensor *t, int d);

/* Plans s as a copy of input 0 seen this way, or as an alias when that changes nothing. */
int view_plan(struct step *s, const struct view *v, int rank, const int64_t *dims);

#endif
