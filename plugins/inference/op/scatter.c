/* SPDX-License-Identifier: MPL-2.0 */
/* Scatter, ScatterElements, ScatterND: a copy of the input in which elements, by their indices, are replaced or joined by
 * updates: added, multiplied, or the extreme of both. */
#include <string.h>

#include "axes.h"
#include "indices.h"
#include "loop.h"

typedef void join_fn(void *to, const void *from, int64_t n, size_t size);

struct scatter {
    join_fn *join;
    size_t size;
    int axis;
    int64_t inner; /* elements of one update (ScatterND) */
    int depth;     /* indices of a tuple */
    int64_t stride[TENSOR_RANK];
};

static void replace(void *to, const void *from, int64_t n, size_t size)
{
    memcpy(to, from, (size_t) n * size);
}

#define JOIN(NAME, t, EXPR)                                                                                  \
    static void NAME##_##t(void *to, const void *from, int64_t n, size_t size)                               \
    {                                                                                                        \
        T_##t *y = to;                                                                                       \
        const T_##t *x = from;                                                                               \
        (void) size;                                                                                         \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const T_##t a = y[i], b = x[i];                                                                  \
            y[i] = ST_##t(EXPR);                                                                             \
        }                                                                                                    \
    }
#define FLOATS(t, D)                                                                                         \
    JOIN(add, t, a + b)                                                                                      \
    JOIN(mul, t, a *b)                                                                                       \
    JOIN(max, t, (a > b || a != a ? a : b))                                                                  \
    JOIN(min, t, (a < b || a != a ? a : b))
#define WHOLES(t, D)                                                                                         \
    JOIN(add, t, (U_##t) a + (U_##t) b)                                                                      \
    JOIN(mul, t, (U_##t) a *(U_##t) b)                                                                       \
    JOIN(max, t, (a > b ? a : b))                                                                            \
    JOIN(min, t, (a < b ? a : b))
FOR_FLOAT(FLOATS)
FOR_INTEGER(WHOLES)
#define ROW_add(t, D) [D] = add_##t,
#define ROW_mul(t, D) [D] = mul_##t,
#define ROW_max(t, D) [D] = max_##t,
#define ROW_min(t, D) [D] = min_##t,

static const struct {
    const char *name;
    join_fn *of[DT_END];
} reductions[] = {
    {"add", {FOR_NUMERIC(ROW_add)}},
    {"mul", {FOR_NUMERIC(ROW_mul)}},
    {"max", {FOR_NUMERIC(ROW_max)}},
    {"min", {FOR_NUMERIC(ROW_min)}},
};

/* What "reduction" asks for; NULL when there is none of that name, or for that type. */
static join_fn *find_join(struct step *s)
{
    const struct text name = step_text(s, "reduction", "none");
    if (text_is(name, "none")) {
        return replace;
    }
    for (size_t i = 0; i < sizeof(reductions) / sizeof(reductions[0]); i++) {
        if (text_is(name, reductions[i].name) && s->in[0]->dtype < DT_END) {
            return reductions[i].of[s->in[0]->dtype];
        }
    }
    return NULL;
}

/* Inputs: data, indices, updates. What is common to all. */
static int plan_scatter(struct step *s, run_fn *run, int axis, int depth)
{
    const struct tensor *x = s->in[0];
    struct scatter *p = plan_alloc(s->plan, sizeof(*p));
    join_fn *join = find_join(s);
    if (!p) {
        return KILN_RESOURCE;
    }
    if (!join || s->in[2]->dtype != x->dtype) {
        const struct text name = step_text(s, "reduction", "none");
        return step_fail(s, "updates of %s with reduction \"%.*s\" do not go into %s",
                         dtype_name(s->in[2]->dtype), (int) (name.bytes < 20 ? name.bytes : 20), name.chars,
                         dtype_name(x->dtype));
    }
    p->join = join;
    p->size = dtype_size(x->dtype);
    p->axis = axis;
    p->depth = depth;
    p->inner = tensor_inner(x, depth);
    for (int d = 0; d < x->rank; d++) {
        p->stride[d] = tensor_inner(x, d + 1);
    }
    s->state = p;
    s->run = run;
    s->inplace = 0;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

static void begin(const struct step *s)
{
    if (s->out[0]->data != s->in[0]->data && s->out[0]->count > 0) {
        memcpy(s->out[0]->data, s->in[0]->data, tensor_bytes(s->out[0]));
    }
}

static int run_elements(const struct step *s, struct run *r)
{
    const struct scatter *p = s->state;
    const struct tensor *x = s->in[0], *indices = s->in[1];
    const char *from = s->in[2]->data;
    char *to = s->out[0]->data;
    int64_t index[TENSOR_RANK] = {0}, base = 0; /* of all axes but the indexed one */
    begin(s);
    for (int64_t i = 0; i < indices->count; i++) {
        const int64_t at = indices_at(indices, i, x->dims[p->axis]);
        if (at < 0) {
            return indices_outside(r, indices, i, x->dims[p->axis]);
        }
        p->join(to + (size_t) (base + at * p->stride[p->axis]) * p->size, from + (size_t) i * p->size, 1,
                p->size);
        for (int d = indices->rank - 1; d >= 0; d--) {
            const int64_t stride = d == p->axis ? 0 : p->stride[d];
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

static int refuse_shapes(struct step *s)
{
    char of[80], by[80], updates[80];
    return step_fail(s, "indices %s and updates %s do not fit %s", tensor_text(s->in[1], by, sizeof(by)),
                     tensor_text(s->in[2], updates, sizeof(updates)), tensor_text(s->in[0], of, sizeof(of)));
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
    bool fits = indices->rank == x->rank && tensor_same_shape(indices, s->in[2]);
    for (int d = 0; fits && d < x->rank; d++) {
        fits = d == axis || indices->dims[d] <= x->dims[d];
    }
    return fits ? plan_scatter(s, run_elements, axis, 0) : refuse_shapes(s);
}

static int run_tuples(const struct step *s, struct run *r)
{
    const struct scatter *p = s->state;
    const struct tensor *x = s->in[0], *indices = s->in[1];
    const int64_t tuples = s->in[2]->count > 0 ? s->in[2]->count / p->inner : 0;
    const char *from = s->in[2]->data;
    char *to = s->out[0]->data;
    begin(s);
    for (int64_t i = 0; i < tuples; i++) {
        int64_t at = 0;
        for (int k = 0; k < p->depth; k++) {
            const int64_t one = indices_at(indices, i * p->depth + k, x->dims[k]);
            if (one < 0) {
                return indices_outside(r, indices, i * p->depth + k, x->dims[k]);
            }
            at += one * p->stride[k];
        }
        p->join(to + (size_t) at * p->size, from + (size_t) (i * p->inner) * p->size, p->inner, p->size);
    }
    return KILN_OK;
}

static int plan_tuples(struct step *s)
{
    const struct tensor *x = s->in[0], *indices = s->in[1], *updates = s->in[2];
    int rc = indices_check(s, 1);
    if (rc) {
        return rc;
    }
    const int n = indices->rank - 1; /* axes of tuples */
    const int64_t depth = n >= 0 ? indices->dims[n] : 0;
    bool fits = depth >= 1 && depth <= x->rank && updates->rank == n + x->rank - depth;
    for (int d = 0; fits && d < updates->rank; d++) {
        fits = updates->dims[d] == (d < n ? indices->dims[d] : x->dims[d - n + (int) depth]);
    }
    return fits ? plan_scatter(s, run_tuples, 0, (int) depth) : refuse_shapes(s);
}

static const struct op ops[] = {
    {"", "Scatter", 9, 3, 3, 1, 1, plan_elements},
    {"", "ScatterElements", 11, 3, 3, 1, 1, plan_elements},
    {"", "ScatterND", 11, 3, 3, 1, 1, plan_tuples},
};

const struct op_table op_scatter = {ops, sizeof(ops) / sizeof(ops[0])};
