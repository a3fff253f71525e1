/* SPDX-License-Identifier: MPL-2.0 */
/* Pad: constant, reflect, edge, wrap; negative pads cut off. For every axis a table says where each index of the output comes
 * from, -1 for the constant. */
#include <string.h>

#include "axes.h"

struct pad {
    int rank;
    size_t size;
    const int64_t *from[TENSOR_RANK]; /* dims[d] of the output each */
    int64_t stride[TENSOR_RANK];      /* of the input */
    int64_t first, run; /* along the last axis: where neighbours begin, and how many there are */
    union {
        float f32;
        double f64;
        char bytes[16];
    } value; /* for the constant, when no input has it */
};

static void fill(char *to, const char *value, size_t size, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + (size_t) i * size, value, size);
    }
}

/* One line along the last axis; NULL: all constant. */
static void pad_line(const struct pad *p, char *to, const char *line, const char *value, int64_t n)
{
    const int64_t *from = p->from[p->rank - 1];
    if (!line) {
        fill(to, value, p->size, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        if (i == p->first && p->run > 0) {
            memcpy(to + (size_t) i * p->size, line + (size_t) from[i] * p->size, (size_t) p->run * p->size);
            i += p->run - 1;
        } else {
            memcpy(to + (size_t) i * p->size, from[i] < 0 ? value : line + (size_t) from[i] * p->size,
                   p->size);
        }
    }
}

static int run_pad(const struct step *s, struct run *r)
{
    const struct pad *p = s->state;
    const struct tensor *out = s->out[0];
    const char *value = s->n_in > 2 && s->in[2] ? s->in[2]->data : p->value.bytes;
    const int64_t n = p->rank > 0 && out->count > 0 ? out->dims[p->rank - 1] : 0;
    int64_t index[TENSOR_RANK] = {0};
    char *to = out->data;
    (void) r;
    for (int64_t left = out->count; left > 0; left -= n, to += (size_t) n * p->size) {
        int64_t at = 0;
        bool inside = true;
        for (int d = 0; d < p->rank - 1; d++) {
            const int64_t from = p->from[d][index[d]];
            inside = inside && from >= 0;
            at += from * p->stride[d];
        }
        pad_line(p, to, inside ? (const char *) s->in[0]->data + (size_t) at * p->size : NULL, value, n);
        for (int d = p->rank - 2; d >= 0 && ++index[d] == out->dims[d]; d--) {
            index[d] = 0;
        }
    }
    return KILN_OK;
}

/* ---- where an index comes from */

typedef int64_t from_fn(int64_t i, int64_t dim); /* for i outside of 0 .. dim - 1, dim > 0 */

static int64_t from_nowhere(int64_t i, int64_t dim)
{
    (void) i, (void) dim;
    return -1;
}

static int64_t from_edge(int64_t i, int64_t dim)
{
    return i < 0 ? 0 : dim - 1;
}

static int64_t from_wrap(int64_t i, int64_t dim)
{
    return (i % dim + dim) % dim;
}

static int64_t from_reflection(int64_t i, int64_t dim)
{
    if (dim == 1) {
        return 0;
    }
    const int64_t period = 2 * (dim - 1), k = (i % period + period) % period;
    return k < dim ? k : period - k;
}

static const struct {
    const char *name;
    from_fn *from;
} modes[] = {
    {"constant", from_nowhere},
    {"edge", from_edge},
    {"reflect", from_reflection},
    {"wrap", from_wrap},
};

static from_fn *find_mode(struct step *s)
{
    const struct text mode = step_text(s, "mode", "constant");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (text_is(mode, modes[i].name)) {
            return modes[i].from;
        }
    }
    return NULL;
}

static int64_t *plan_axis(struct step *s, from_fn *from, int64_t dim, int64_t before, int64_t n)
{
    int64_t *table = plan_alloc(s->plan, (size_t) n * sizeof(*table));
    for (int64_t i = 0; i < n && table; i++) {
        const int64_t at = i - before;
        table[i] = at >= 0 && at < dim ? at : from(at, dim);
    }
    return table;
}

/* pads: those before for each axis, then those after. */
static int plan_pad(struct step *s, const int64_t *pads, float value)
{
    const struct tensor *x = s->in[0];
    const int rank = x->rank;
    from_fn *from = find_mode(s);
    int64_t dims[TENSOR_RANK];
    if (!from) {
        return step_fail(s, "attribute mode is none of constant, edge, reflect, wrap");
    }
    for (int d = 0; d < rank; d++) {
        const int64_t before = pads[d], after = pads[rank + d], most = INT64_MAX / 8;
        dims[d] = before > -most && before < most && after > -most && after < most && x->dims[d] < most
                      ? x->dims[d] + before + after
                      : -1;
        if (dims[d] < 0 || (from != from_nowhere && x->dims[d] == 0 && dims[d] > 0)) {
            return step_fail(s, "pads has %lld and %lld for an axis of %lld", (long long) before,
                             (long long) after, (long long) x->dims[d]);
        }
    }
    int rc = step_output(s, 0, x->dtype, rank, dims);
    if (rc || !s->out[0]) {
        return rc;
    }
    if (rank == 0) {
        s->alias = 0;
        return KILN_OK;
    }
    struct pad *p = plan_alloc(s->plan, sizeof(*p));
    if (!p) {
        return KILN_RESOURCE;
    }
    if (x->dtype == DT_F64) {
        p->value.f64 = (double) value;
    } else if (x->dtype == DT_F32) {
        p->value.f32 = value;
    }
    p->rank = rank;
    p->size = dtype_size(x->dtype);
    for (int d = 0; d < rank && s->out[0]->count > 0; d++) {
        p->stride[d] = tensor_inner(x, d + 1);
        p->from[d] = plan_axis(s, from, x->dims[d], pads[d], dims[d]);
        if (!p->from[d]) {
            return KILN_RESOURCE;
        }
    }
    const int64_t before = pads[rank - 1], cut = before < 0 ? -before : 0, inside = x->dims[rank - 1] - cut;
    p->first = before > 0 ? before : 0;
    p->run = inside < dims[rank - 1] - p->first ? inside : dims[rank - 1] - p->first;
    s->state = p;
    s->run = run_pad;
    return KILN_OK;
}

static int plan_pad_attribute(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct ints pads;
    int rc = ints_read(s, -1, "pads", 2 * TENSOR_RANK, &pads);
    if (rc) {
        return rc;
    }
    const float value = step_float(s, "value", 0);
    if (pads.n != 2 * x->rank) {
        return step_fail(s, "pads has %d elements for an input of rank %d", pads.n, x->rank);
    }
    if (value != 0 && !dtype_is_float(x->dtype)) {
        return step_fail(s, "attribute value is %g, expected 0 for an input of type %s", (double) value,
                         dtype_name(x->dtype));
    }
    return plan_pad(s, pads.of, value);
}

static int plan_pad_input(struct step *s)
{
    const struct tensor *x = s->in[0], *value = s->n_in > 2 ? s->in[2] : NULL;
    struct ints pads;
    struct axes axes;
    int64_t all[2 * TENSOR_RANK] = {0};
    int rc = ints_read(s, 1, "pads", 2 * TENSOR_RANK, &pads);
    rc = rc ? rc : axes_read(s, 3, x->rank, &axes);
    if (rc) {
        return rc;
    }
    const int n = axes.given ? axes.n : x->rank;
    if (pads.n != 2 * n) {
        return step_fail(s, "pads has %d elements for %d axes", pads.n, n);
    }
    if (value && (value->dtype != x->dtype || value->count != 1)) {
        char text[80];
        return step_fail(s, "constant_value is %s, expected one %s", tensor_text(value, text, sizeof(text)),
                         dtype_name(x->dtype));
    }
    for (int i = 0; i < n; i++) {
        const int axis = axes.given ? axes.of[i] : i;
        all[axis] = pads.of[i];
        all[x->rank + axis] = pads.of[n + i];
    }
    return plan_pad(s, all, 0);
}

static const struct op ops[] = {
    {"", "Pad", 2, 1, 1, 1, 1, plan_pad_attribute},
    {"", "Pad", 11, 2, 4, 1, 1, plan_pad_input},
};

const struct op_table op_pad = {ops, sizeof(ops) / sizeof(ops[0])};
