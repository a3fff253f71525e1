/* SPDX-License-Identifier: MPL-2.0 */
/* Gather, GatherElements, GatherND: elements by their indices. */
#include <string.h>

#include "axes.h"
#include "indices.h"

struct gather {
    size_t size;               /* of an element */
    int64_t outer, dim, inner; /* around the axis that is indexed */
    int axis, depth;           /* depth: indices that make a tuple (GatherND) */
    int64_t stride[TENSOR_RANK], dims[TENSOR_RANK];
};

static struct gather *new_gather(struct step *s, int axis)
{
    const struct tensor *x = s->in[0];
    struct gather *g = plan_alloc(s->plan, sizeof(*g));
    if (g) {
        g->axis = axis;
        g->size = dtype_size(x->dtype);
        g->outer = tensor_rows(x, axis);
        g->dim = axis < x->rank ? x->dims[axis] : 1;
        g->inner = tensor_inner(x, axis + 1);
        s->state = g;
    }
    return g;
}

/* ---- Gather: whole slices */

static int run_gather(const struct step *s, struct run *r)
{
    const struct gather *g = s->state;
    const struct tensor *indices = s->in[1];
    const size_t bytes = (size_t) g->inner * g->size;
    const char *from = s->in[0]->data;
    char *to = s->out[0]->data;
    for (int64_t o = 0; o < g->outer && s->out[0]->count > 0; o++, from += (size_t) g->dim * bytes) {
        for (int64_t i = 0; i < indices->count; i++, to += bytes) {
            const int64_t at = indices_at(indices, i, g->dim);
            if (at < 0) {
                return indices_outside(r, indices, i, g->dim);
            }
            memcpy(to, from + (size_t) at * bytes, bytes);
        }
    }
    return KILN_OK;
}

static int plan_gather(struct step *s)
{
    const struct tensor *x = s->in[0], *indices = s->in[1];
    int axis;
    int rc = axis_read(s, 0, x->rank, &axis);
    rc = rc ? rc : indices_check(s, 1);
    if (rc) {
        return rc;
    }
    int64_t dims[2 * TENSOR_RANK];
    int rank = 0;
    for (int d = 0; d < x->rank; d++) {
        if (d != axis) {
            dims[rank++] = x->dims[d];
        }
        for (int i = 0; d == axis && i < indices->rank; i++) {
            dims[rank++] = indices->dims[i];
        }
    }
    s->run = run_gather;
    return new_gather(s, axis) ? step_output(s, 0, x->dtype, rank, dims) : KILN_RESOURCE;
}

/* ---- GatherElements: each element of the output has an index of its own along the axis */

static void copy_element(char *to, const char *from, size_t size)
{
    if (size == 4) {
        memcpy(to, from, 4);
    } else if (size == 8) {
        memcpy(to, from, 8);
    } else {
        memcpy(to, from, size);
    }
}

static int run_elements(const struct step *s, struct run *r)
{
    const struct gather *g = s->state;
    const struct tensor *indices = s->in[1];
    const char *from = s->in[0]->data;
    char *to = s->out[0]->data;
    int64_t index[TENSOR_RANK] = {0}, base = 0; /* of all axes but the indexed one */
    for (int64_t i = 0; i < indices->count; i++) {
        const int64_t at = indices_at(indices, i, g->dim);
        if (at < 0) {
            return indices_outside(r, indices, i, g->dim);
        }
        copy_element(to + (size_t) i * g->size, from + (size_t) (base + at * g->stride[g->axis]) * g->size,
                     g->size);
        for (int d = indices->rank - 1; d >= 0; d--) {
            const int64_t stride = d == g->axis ? 0 : g->stride[d];
            base += stride;
            if (++index[d] < indices->dims[d]) {
                break;
            }
            base -= stride * index[d];
            index[d] = 0;
        }
    }
    return KILN_OK;
}

static int plan_elements(struct step *s)
{
    const struct tensor *x = s->in[0], *indices = s->in[1];
    int axis;
    int rc = axis_read(s, 0, x->rank, &axis);
    rc = rc ? rc : indices_check(s, 1);
    if (rc) {
        return rc;
    }
    bool fits = indices->rank == x->rank;
    for (int d = 0; d < x->rank && fits; d++) {
        fits = d == axis || indices->dims[d] <= x->dims[d];
    }
    if (!fits) {
        char of[80], by[80];
        return step_fail(s, "indices %s do not fit %s along axis %d", tensor_text(indices, by, sizeof(by)),
                         tensor_text(x, of, sizeof(of)), axis);
    }
    struct gather *g = new_gather(s, axis);
    if (!g) {
        return KILN_RESOURCE;
    }
    for (int d = 0; d < x->rank; d++) {
        g->stride[d] = tensor_inner(x, d + 1);
    }
    s->run = run_elements;
    return step_output(s, 0, x->dtype, indices->rank, indices->dims);
}

/* ---- GatherND: tuples of indices, for each of the first batch_dims axes on their own */

static int run_tuples(const struct step *s, struct run *r)
{
    const struct gather *g = s->state;
    const struct tensor *indices = s->in[1];
    const size_t bytes = (size_t) g->inner * g->size;
    const int64_t tuples = s->out[0]->count > 0 ? s->out[0]->count / g->inner : 0;
    char *to = s->out[0]->data;
    for (int64_t i = 0; i < tuples; i++, to += bytes) {
        int64_t at = i / (tuples / g->outer) * g->dim;
        for (int k = 0; k < g->depth; k++) {
            const int64_t one = indices_at(indices, i * g->depth + k, g->dims[k]);
            if (one < 0) {
                return indices_outside(r, indices, i * g->depth + k, g->dims[k]);
            }
            at += one * g->stride[k];
        }
        memcpy(to, (const char *) s->in[0]->data + (size_t) at * g->size, bytes);
    }
    return KILN_OK;
}

static int plan_tuples(struct step *s)
{
    const struct tensor *x = s->in[0], *indices = s->in[1];
    const int64_t batch = step_int(s, "batch_dims", 0);
    int rc = indices_check(s, 1);
    if (rc) {
        return rc;
    }
    const int64_t depth = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    bool fits =
        batch >= 0 && batch < x->rank && batch < indices->rank && depth >= 1 && depth <= x->rank - batch;
    for (int d = 0; fits && d < batch; d++) {
        fits = x->dims[d] == indices->dims[d];
    }
    if (!fits) {
        char of[80], by[80];
        return step_fail(s, "indices %s do not fit %s with batch_dims %lld",
                         tensor_text(indices, by, sizeof(by)), tensor_text(x, of, sizeof(of)),
                         (long long) batch);
    }
    struct gather *g = new_gather(s, 0);
    if (!g) {
        return KILN_RESOURCE;
    }
    const int first = (int) batch, after = (int) (batch + depth);
    int64_t dims[2 * TENSOR_RANK];
    int rank = 0;
    g->depth = (int) depth;
    g->outer = tensor_rows(x, first);
    g->dim = tensor_inner(x, first); /* elements of one of the outer */
    g->inner = tensor_inner(x, after);
    for (int k = 0; k < g->depth; k++) {
        g->dims[k] = x->dims[first + k];
        g->stride[k] = tensor_inner(x, first + k + 1);
    }
    for (int d = 0; d < indices->rank - 1; d++) {
        dims[rank++] = indices->dims[d];
    }
    for (int d = after; d < x->rank; d++) {
        dims[rank++] = x->dims[d];
    }
    s->run = run_tuples;
    return step_output(s, 0, x->dtype, rank, dims);
}

static const struct op ops[] = {
    {"", "Gather", 1, 2, 2, 1, 1, plan_gather},
    {"", "GatherElements", 11, 2, 2, 1, 1, plan_elements},
    {"", "GatherND", 11, 2, 2, 1, 1, plan_tuples},
};

const struct op_table op_gather = {ops, sizeof(ops) / sizeof(ops[0])};
