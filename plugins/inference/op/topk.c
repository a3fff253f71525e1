/* SPDX-License-Identifier: MPL-2.0 */
/* TopK: the k greatest or least along an axis, best first; of equal ones the first. NaN is greater than all numbers. The best
 * k so far are a heap whose first is the worst of them. */
#include <string.h>

#include "axes.h"
#include "heap.h"
#include "loop.h"

struct line {
    const void *x;
    int64_t inner; /* distance of neighbours */
};

#define BEFORE(t, D)                                                                                         \
    static bool greater_##t(const void *of, int64_t a, int64_t b)                                            \
    {                                                                                                        \
        const struct line *l = of;                                                                           \
        const T_##t x = ((const T_##t *) l->x)[a * l->inner], y = ((const T_##t *) l->x)[b * l->inner];      \
        return x > y || (x != x && y == y) || (a < b && (x == y || (x != x && y != y)));                     \
    }                                                                                                        \
    static bool less_##t(const void *of, int64_t a, int64_t b)                                               \
    {                                                                                                        \
        const struct line *l = of;                                                                           \
        const T_##t x = ((const T_##t *) l->x)[a * l->inner], y = ((const T_##t *) l->x)[b * l->inner];      \
        return x < y || (y != y && x == x) || (a < b && (x == y || (x != x && y != y)));                     \
    }
FOR_NUMERIC(BEFORE)
#define ROW_GREATER(t, D) [D] = greater_##t,
#define ROW_LESS(t, D)    [D] = less_##t,
static heap_before_fn *const greater[DT_END] = {FOR_NUMERIC(ROW_GREATER)};
static heap_before_fn *const less[DT_END] = {FOR_NUMERIC(ROW_LESS)};

struct topk {
    heap_before_fn *before;
    int64_t outer, n, inner, k;
    size_t size;
};

static void best_of_line(const struct topk *t, const struct line *l, int64_t *heap)
{
    for (int64_t i = 0; i < t->k; i++) {
        heap[i] = i;
    }
    heap_make(heap, t->k, t->before, l);
    for (int64_t i = t->k; i < t->n; i++) {
        if (t->before(l, i, heap[0])) {
            heap[0] = i;
            heap_sink(heap, t->k, 0, t->before, l);
        }
    }
    heap_sort(heap, t->k, t->before, l);
}

static int run_topk(const struct step *s, struct run *r)
{
    const struct topk *t = s->state;
    int64_t *heap = r->scratch;
    struct tensor *values = s->out[0], *indices = s->n_out > 1 ? s->out[1] : NULL;
    for (int64_t line = 0; line < t->outer * t->inner && t->k > 0; line++) {
        const int64_t o = line / t->inner, i = line % t->inner;
        const char *x = (const char *) s->in[0]->data + (size_t) (o * t->n * t->inner + i) * t->size;
        best_of_line(t, &(struct line){x, t->inner}, heap);
        for (int64_t k = 0; k < t->k; k++) {
            const int64_t to = (o * t->k + k) * t->inner + i;
            if (values) {
                memcpy((char *) values->data + (size_t) to * t->size,
                       x + (size_t) (heap[k] * t->inner) * t->size, t->size);
            }
            if (indices) {
                ((int64_t *) indices->data)[to] = heap[k];
            }
        }
    }
    return KILN_OK;
}

static int plan_topk(struct step *s, int64_t k)
{
    const struct tensor *x = s->in[0];
    heap_before_fn *const *by = step_int(s, "largest", 1) ? greater : less;
    int axis;
    int rc = axis_read(s, -1, x->rank, &axis);
    if (rc) {
        return rc;
    }
    if (x->dtype >= DT_END || !by[x->dtype]) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    if (k < 0 || k > x->dims[axis]) {
        return step_fail(s, "k is %lld for an axis of %lld", (long long) k, (long long) x->dims[axis]);
    }
    struct topk *t = plan_alloc(s->plan, sizeof(*t));
    if (!t) {
        return KILN_RESOURCE;
    }
    *t = (struct topk){by[x->dtype],        tensor_rows(x, axis), x->dims[axis], tensor_inner(x, axis + 1), k,
                       dtype_size(x->dtype)};
    s->state = t;
    s->run = run_topk;
    s->scratch_bytes = (size_t) k * sizeof(int64_t);
    int64_t dims[TENSOR_RANK];
    memcpy(dims, x->dims, sizeof(dims));
    dims[axis] = k;
    rc = step_output(s, 0, x->dtype, x->rank, dims);
    return rc ? rc : step_output(s, 1, DT_I64, x->rank, dims);
}

static int plan_topk_attribute(struct step *s)
{
    return plan_topk(s, step_int(s, "k", -1));
}

static int plan_topk_input(struct step *s)
{
    int64_t k;
    int rc = ints_read_one(s, 1, "k", &k);
    return rc ? rc : plan_topk(s, k);
}

static const struct op ops[] = {
    {"", "TopK", 1, 1, 1, 1, 2, plan_topk_attribute},
    {"", "TopK", 10, 2, 2, 1, 2, plan_topk_input},
};

const struct op_table op_topk = {ops, sizeof(ops) / sizeof(ops[0])};
