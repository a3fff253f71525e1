/* SPDX-License-Identifier: MPL-2.0 */
/* Concat and Split: pieces of one tensor along one axis. A piece is, for each index of the axes before, one run of bytes. */
#include <string.h>

#include "axes.h"

struct piece {
    size_t at, bytes; /* of a run of the whole */
};

struct pieces {
    int64_t outer;
    size_t whole; /* bytes of one run of the joined tensor */
    int n;
    struct piece of[];
};

/* The pieces, which have sizes[k] of the axis each. */
static int plan_pieces(struct step *s, const struct tensor *whole, int axis, int n, const int64_t *sizes)
{
    struct pieces *p = plan_alloc(s->plan, sizeof(*p) + (size_t) n * sizeof(p->of[0]));
    if (!p) {
        return KILN_RESOURCE;
    }
    const size_t one = (size_t) tensor_inner(whole, axis + 1) * dtype_size(whole->dtype);
    p->outer = tensor_rows(whole, axis);
    p->n = n;
    for (int k = 0; k < n; k++) {
        p->of[k] = (struct piece){p->whole, (size_t) sizes[k] * one};
        p->whole += p->of[k].bytes;
    }
    s->state = p;
    return KILN_OK;
}

/* Runs of `bytes`, one every `to_next` and `from_next`. */
static void copy_runs(char *to, size_t to_next, const char *from, size_t from_next, size_t bytes,
                      int64_t runs)
{
    for (int64_t i = 0; i < runs && bytes > 0; i++) {
        memcpy(to + (size_t) i * to_next, from + (size_t) i * from_next, bytes);
    }
}

/* ---- Concat */

static int run_concat(const struct step *s, struct run *r)
{
    const struct pieces *p = s->state;
    (void) r;
    for (int k = 0; k < p->n; k++) {
        const struct piece *piece = &p->of[k];
        copy_runs((char *) s->out[0]->data + piece->at, p->whole, s->in[k]->data, piece->bytes, piece->bytes,
                  p->outer);
    }
    return KILN_OK;
}

static bool continues(const struct tensor *t, const struct tensor *first, int axis)
{
    bool fits = t && t->dtype == first->dtype && t->rank == first->rank;
    for (int d = 0; fits && d < t->rank; d++) {
        fits = d == axis || t->dims[d] == first->dims[d];
    }
    return fits;
}

static int plan_concat(struct step *s)
{
    const struct tensor *first = s->in[0];
    int axis;
    int rc =
        step_has(s, "axis") ? axis_read(s, 0, first->rank, &axis) : step_fail(s, "has no attribute axis");
    int64_t *sizes = rc ? NULL : plan_alloc(s->plan, (size_t) s->n_in * sizeof(*sizes)), dims[TENSOR_RANK];
    if (!sizes) {
        return rc ? rc : KILN_RESOURCE;
    }
    memcpy(dims, first->dims, sizeof(dims));
    dims[axis] = 0;
    for (int k = 0; k < s->n_in; k++) {
        const struct tensor *t = s->in[k];
        if (!continues(t, first, axis) || __builtin_add_overflow(dims[axis], t->dims[axis], &dims[axis])) {
            char one[80], other[80] = "";
            return step_fail(s, "input %d, %s, does not continue %s along axis %d", k,
                             t ? tensor_text(t, other, sizeof(other)) : "absent",
                             tensor_text(first, one, sizeof(one)), axis);
        }
        sizes[k] = t->dims[axis];
    }
    rc = step_output(s, 0, first->dtype, first->rank, dims);
    if (rc || !s->out[0]) {
        return rc;
    }
    s->alias = s->n_in == 1 ? 0 : -1;
    s->run = run_concat;
    return plan_pieces(s, s->out[0], axis, s->n_in, sizes);
}

/* ---- Split */

static int run_split(const struct step *s, struct run *r)
{
    const struct pieces *p = s->state;
    (void) r;
    for (int k = 0; k < p->n; k++) {
        const struct piece *piece = &p->of[k];
        if (s->out[k]) {
            copy_runs(s->out[k]->data, piece->bytes, (const char *) s->in[0]->data + piece->at, p->whole,
                      piece->bytes, p->outer);
        }
    }
    return KILN_OK;
}

/* Equal sizes; with num_outputs (opset 18) the last ones may be smaller. */
static int equal_sizes(struct step *s, int64_t dim, int64_t *sizes)
{
    const int64_t n = step_int(s, "num_outputs", s->n_out), each = dim / s->n_out + (dim % s->n_out != 0);
    if (n != s->n_out || (dim % n && !step_has(s, "num_outputs"))) {
        return step_fail(s, "an axis of %lld is to be split into %lld equal parts for %d outputs",
                         (long long) dim, (long long) n, s->n_out);
    }
    for (int k = 0; k < s->n_out; k++) {
        sizes[k] = dim < each ? dim : each;
        dim -= sizes[k];
    }
    return KILN_OK;
}

static int plan_split(struct step *s, int64_t n, const int64_t *given)
{
    const struct tensor *x = s->in[0];
    int axis;
    int rc = axis_read(s, 0, x->rank, &axis);
    int64_t *sizes = rc ? NULL : plan_alloc(s->plan, (size_t) s->n_out * sizeof(*sizes)), dims[TENSOR_RANK];
    if (!sizes) {
        return rc ? rc : KILN_RESOURCE;
    }
    memcpy(dims, x->dims, sizeof(dims));
    int64_t left = x->dims[axis];
    rc = given && n != s->n_out
             ? step_fail(s, "split has %lld elements for %d outputs", (long long) n, s->n_out)
         : given ? KILN_OK
                 : equal_sizes(s, left, sizes);
    for (int k = 0; k < s->n_out && rc == KILN_OK; k++) {
        sizes[k] = dims[axis] = given ? given[k] : sizes[k];
        if (sizes[k] < 0 || sizes[k] > left) {
            return step_fail(s, "split has %lld where %lld are left", (long long) sizes[k], (long long) left);
        }
        left -= sizes[k];
        rc = step_output(s, k, x->dtype, x->rank, dims);
    }
    if (rc || left) {
        return rc ? rc : step_fail(s, "split leaves %lld of axis %d", (long long) left, axis);
    }
    s->run = run_split;
    return plan_pieces(s, x, axis, s->n_out, sizes);
}

static int plan_split_attribute(struct step *s)
{
    const int64_t *given;
    const int64_t n = (int64_t) step_ints(s, "split", &given);
    return plan_split(s, n, given);
}

static int plan_split_input(struct step *s)
{
    const struct tensor *given = s->n_in > 1 ? s->in[1] : NULL;
    if (!given) {
        return plan_split(s, 0, NULL);
    }
    if (given->dtype != DT_I64 || given->rank != 1) {
        char text[80];
        return step_fail(s, "split is %s, expected a list of int64", tensor_text(given, text, sizeof(text)));
    }
    return given->data ? plan_split(s, given->count, given->data) : step_needs(s, 1);
}

static const struct op ops[] = {
    {"", "Concat", 4, 1, -1, 1, 1, plan_concat},
    {"", "Split", 2, 1, 1, 1, -1, plan_split_attribute},
    {"", "Split", 13, 1, 2, 1, -1, plan_split_input},
};

const struct op_table op_join = {ops, sizeof(ops) / sizeof(ops[0])};
