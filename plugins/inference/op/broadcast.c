/* SPDX-License-Identifier: MPL-2.0 */
#include "broadcast.h"

#include <string.h>

static int refuse(struct step *s, int n)
{
    char text[3][80] = {"", "", ""};
    for (int k = 0; k < n && k < 3; k++) {
        tensor_text(s->in[k], text[k], sizeof(text[k]));
    }
    return step_fail(s, "inputs %s, %s%s%s do not broadcast: dimensions must be equal or 1", text[0], text[1],
                     n > 2 ? ", " : "", n > 2 ? text[2] : "");
}

int broadcast_shape(struct step *s, int n, int *ret_rank, int64_t *ret_dims)
{
    int rank = 0;
    for (int k = 0; k < n; k++) {
        rank = s->in[k]->rank > rank ? s->in[k]->rank : rank;
    }
    int64_t dims[TENSOR_RANK];
    for (int d = 0; d < rank; d++) {
        dims[d] = 1;
        for (int k = 0; k < n; k++) {
            int own = d - (rank - s->in[k]->rank);
            int64_t dim = own < 0 ? 1 : s->in[k]->dims[own];
            if (dim != 1 && dims[d] != 1 && dim != dims[d]) {
                return refuse(s, n);
            }
            dims[d] = dim == 1 ? dims[d] : dim;
        }
    }
    memcpy(ret_dims, dims, (size_t) rank * sizeof(*dims));
    *ret_rank = rank;
    return KILN_OK;
}

int broadcast_output(struct step *s, int n, enum dtype dtype)
{
    int rank;
    int64_t dims[TENSOR_RANK];
    int rc = broadcast_shape(s, n, &rank, dims);
    rc = rc ? rc : step_output(s, 0, dtype, rank, dims);
    if (rc || !s->out[0]) {
        return rc;
    }
    for (int k = 0; k < n && s->inplace < 0; k++) {
        if (tensor_same_shape(s->in[k], s->out[0]) && dtype_size(s->in[k]->dtype) == dtype_size(dtype)) {
            s->inplace = (int8_t) k;
        }
    }
    return KILN_OK;
}

/* The elements between neighbours of axis d of the output within input t, 0 where t repeats. */
static int64_t stride_of(const struct tensor *t, int rank, int d)
{
    int own = d - (rank - t->rank);
    return own < 0 || t->dims[own] == 1 ? 0 : tensor_inner(t, own + 1);
}

static void add_axis(struct broadcast *b, int64_t dim, const int64_t *stride, int n)
{
    bool joins = b->rank > 0;
    for (int k = 0; k < n && joins; k++) {
        joins = b->stride[k][b->rank - 1] == stride[k] * dim;
    }
    if (!joins) {
        b->dims[b->rank++] = 1;
    }
    b->dims[b->rank - 1] *= dim;
    for (int k = 0; k < n; k++) {
        b->stride[k][b->rank - 1] = stride[k];
    }
}

void broadcast_plan(struct broadcast *b, int rank, const int64_t *dims, const struct tensor *const *in, int n)
{
    *b = (struct broadcast){.n = 1};
    for (int d = 0; d < rank; d++) {
        int64_t stride[BROADCAST_IN] = {0};
        for (int k = 0; k < n; k++) {
            stride[k] = stride_of(in[k], rank, d);
        }
        b->empty = b->empty || dims[d] == 0;
        if (dims[d] > 1) {
            add_axis(b, dims[d], stride, n);
        }
    }
    if (b->empty) {
        b->rank = 0;
        b->n = 0;
    } else if (b->rank > 0) {
        b->n = b->dims[--b->rank]; /* the innermost: dense inputs go on by 1 there, or repeat */
        for (int k = 0; k < n; k++) {
            b->step[k] = (int8_t) b->stride[k][b->rank];
        }
    }
}

bool broadcast_next(const struct broadcast *b, struct broadcast_row *row)
{
    row->out += b->n;
    for (int d = b->rank - 1; d >= 0; d--) {
        if (++row->index[d] < b->dims[d]) {
            for (int k = 0; k < BROADCAST_IN; k++) {
                row->in[k] += b->stride[k][d];
            }
            return true;
        }
        row->index[d] = 0;
        for (int k = 0; k < BROADCAST_IN; k++) {
            row->in[k] -= b->stride[k][d] * (b->dims[d] - 1);
        }
    }
    return false;
}
