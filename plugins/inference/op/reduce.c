/* SPDX-License-Identifier: MPL-2.0 */
/* Reductions over axes: sums, means, products, norms, extremes; gathering.h has what they do with elements.
 *
 * Neighbouring axes that are all reduced, or all kept, are one; what is innermost is a kernel's loop: over a row that becomes
 * one number, or over columns that are gathered side by side. */
#include <math.h>

#include "../graph.h"
#include "axes.h"
#include "gathering.h"

enum { AT_ONCE = 1024 }; /* columns */

struct reduce {
    struct gather gather, greatest; /* the second one first, for its shift, when it is there */
    finish_fn *finish;
    enum finish how;
    bool by_column;
    int64_t of;         /* elements that become one */
    int64_t inner;      /* of a kernel's loop */
    size_t size;        /* of an element */
    int n_kept, n_gone; /* loops around it */
    int64_t kept[TENSOR_RANK], kept_stride[TENSOR_RANK], gone[TENSOR_RANK], gone_stride[TENSOR_RANK];
};

/* ---- running */

static void fill(void *acc, gathered first, int64_t n)
{
    gathered *g = acc;
    for (int64_t i = 0; i < n; i++) {
        g[i] = first;
    }
}

/* Walks all that goes into n neighbouring elements, of which the first comes from x. */
static void gather(const struct reduce *p, const struct gather *by, void *acc, const double *shift,
                   const char *x, int64_t n)
{
    int64_t index[TENSOR_RANK] = {0}, loop = p->by_column ? n : p->inner;
    gather_fn *fn = p->by_column ? by->columns : by->row;
    fill(acc, by->first, n);
    for (int d = 0; d >= 0;) {
        fn(acc, shift, x, loop);
        for (d = p->n_gone - 1; d >= 0; d--) {
            if (++index[d] < p->gone[d]) {
                x += (size_t) p->gone_stride[d] * p->size;
                break;
            }
            x -= (size_t) (p->gone_stride[d] * (p->gone[d] - 1)) * p->size;
            index[d] = 0;
        }
    }
}

static void reduce_some(const struct reduce *p, struct run *r, const char *x, char *y, int64_t n)
{
    gathered *acc = r->scratch;
    double *shift = (double *) r->scratch + AT_ONCE;
    if (p->how == LOGARITHM_SHIFTED) {
        gather(p, &p->greatest, shift, NULL, x, n);
        for (int64_t i = 0; i < n; i++) {
            shift[i] = isinf(shift[i]) ? 0 : shift[i]; /* the logarithm is then infinite by itself */
        }
    }
    gather(p, &p->gather, acc, shift, x, n);
    p->finish(y, acc, shift, n, p->of, p->how);
}

static int run_reduce(const struct step *s, struct run *r)
{
    const struct reduce *p = s->state;
    const int64_t width = p->by_column ? p->inner : 1;
    const char *x = s->in[0]->data;
    char *y = s->out[0]->data;
    int64_t index[TENSOR_RANK] = {0};
    if (p->of == 0) { /* nothing goes into the elements */
        for (int64_t i = 0; i < s->out[0]->count; i++) {
            p->finish(y + (size_t) i * p->size, &p->gather.first, &(double){-HUGE_VAL}, 1, 0, p->how);
        }
        return KILN_OK;
    }
    if (s->out[0]->count == 0) {
        return KILN_OK;
    }
    for (int d = 0; d >= 0;) {
        for (int64_t at = 0; at < width; at += AT_ONCE) {
            int64_t n = width - at < AT_ONCE ? width - at : AT_ONCE;
            reduce_some(p, r, x + (size_t) at * p->size, y + (size_t) at * p->size, n);
        }
        y += (size_t) width * p->size;
        for (d = p->n_kept - 1; d >= 0; d--) {
            if (++index[d] < p->kept[d]) {
                x += (size_t) p->kept_stride[d] * p->size;
                break;
            }
            x -= (size_t) (p->kept_stride[d] * (p->kept[d] - 1)) * p->size;
            index[d] = 0;
        }
    }
    return KILN_OK;
}

/* ---- planning */

/* Neighbouring axes of the same fate become one; the innermost is the kernel's. */
static void plan_loops(struct reduce *p, const struct tensor *x, const struct axes *axes)
{
    int64_t dims[TENSOR_RANK];
    bool gone[TENSOR_RANK];
    int n = 0;
    p->of = 1;
    for (int d = 0; d < x->rank; d++) {
        p->of *= axes->has[d] ? x->dims[d] : 1;
        if (x->dims[d] == 1) {
            continue;
        }
        if (n == 0 || gone[n - 1] != axes->has[d]) {
            dims[n] = 1;
            gone[n++] = axes->has[d];
        }
        dims[n - 1] *= x->dims[d];
    }
    p->by_column = n > 0 && !gone[n - 1];
    p->inner = n > 0 ? dims[n - 1] : 1;
    int64_t stride = x->count;
    for (int d = 0; d < n - 1 && x->count > 0; d++) {
        stride /= dims[d];
        int k = gone[d] ? p->n_gone++ : p->n_kept++;
        (gone[d] ? p->gone : p->kept)[k] = dims[d];
        (gone[d] ? p->gone_stride : p->kept_stride)[k] = stride;
    }
}

static int reduced_output(struct step *s, const struct axes *axes)
{
    const struct tensor *x = s->in[0];
    const bool keep = step_int(s, "keepdims", 1) != 0;
    int64_t dims[TENSOR_RANK];
    int rank = 0;
    for (int d = 0; d < x->rank; d++) {
        if (!axes->has[d] || keep) {
            dims[rank++] = axes->has[d] ? 1 : x->dims[d];
        }
    }
    return step_output(s, 0, x->dtype, rank, dims);
}

static int plan(struct step *s, int input)
{
    const struct tensor *x = s->in[0];
    const struct gathering *kind = gathering_find(s->node->op->name);
    struct axes axes;
    int rc = axes_read(s, input, x->rank, &axes);
    if (rc) {
        return rc;
    }
    if (x->dtype >= DT_END || !kind->by[x->dtype].row) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    if (axes.n == 0 && step_int(s, "noop_with_empty_axes", 0)) {
        s->alias = 0;
        return step_output(s, 0, x->dtype, x->rank, x->dims);
    }
    for (int d = 0; d < x->rank; d++) {
        axes.has[d] = axes.has[d] || axes.n == 0;
    }
    struct reduce *p = plan_alloc(s->plan, sizeof(*p));
    if (!p) {
        return KILN_RESOURCE;
    }
    p->gather = kind->by[x->dtype];
    p->greatest = gathering_find("ReduceMax")->by[x->dtype];
    p->finish = gathering_finish(x->dtype);
    p->how = kind->how;
    p->size = dtype_size(x->dtype);
    plan_loops(p, x, &axes);
    s->state = p;
    s->run = run_reduce;
    s->scratch_bytes = 2 * AT_ONCE * sizeof(gathered);
    return reduced_output(s, &axes);
}

static int plan_attribute(struct step *s)
{
    return plan(s, -1);
}

static int plan_input(struct step *s)
{
    return plan(s, 1);
}

static const struct op ops[] = {
    {"", "ReduceSum", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceSum", 13, 1, 2, 1, 1, plan_input},
    {"", "ReduceMean", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceMean", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceProd", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceProd", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceMax", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceMax", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceMin", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceMin", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceL1", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceL1", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceL2", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceL2", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceSumSquare", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceSumSquare", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceLogSum", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceLogSum", 18, 1, 2, 1, 1, plan_input},
    {"", "ReduceLogSumExp", 1, 1, 1, 1, 1, plan_attribute},
    {"", "ReduceLogSumExp", 18, 1, 2, 1, 1, plan_input},
};

const struct op_table op_reduce = {ops, sizeof(ops) / sizeof(ops[0])};
