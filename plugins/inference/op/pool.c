/* SPDX-License-Identifier: MPL-2.0 */
/* MaxPool, AveragePool, LpPool, their global forms, and MaxUnpool. */
#include <math.h>
#include <string.h>

#include "window.h"

struct pool {
    struct window w;
    size_t planes; /* n times channels */
    bool count_pads, columns_first;
    double p;
};

/* The kernel's elements from `from` to before `to` that lie within the axis, for output position o. */
struct span {
    int64_t start, from, to;
};

static struct span span_of(const struct window *w, int axis, int64_t o)
{
    struct span a = {.start = o * w->stride[axis] - w->begin[axis], .to = w->kernel[axis]};
    const int64_t d = w->dilation[axis];
    a.from = a.start < 0 ? (-a.start + d - 1) / d : 0;
    const int64_t last = w->in[axis] - a.start; /* k d < last */
    a.to = last <= 0 ? 0 : (last + d - 1) / d < a.to ? (last + d - 1) / d : a.to;
    a.to = a.to < a.from ? a.from : a.to;
    return a;
}

/* How many of the kernel's elements lie within the padded axis. */
static int64_t span_padded(const struct window *w, int axis, int64_t o)
{
    const int64_t room = w->in[axis] + w->begin[axis] + w->end[axis] - o * w->stride[axis],
                  d = w->dilation[axis];
    const int64_t n = (room + d - 1) / d;
    return n < w->kernel[axis] ? n : w->kernel[axis];
}

/* Runs `EACH` for the element `x` at `at` of the plane, between BEFORE and AFTER of each output position. */
#define OVER_WINDOWS(TYPE, BEFORE, EACH, AFTER)                                                              \
    for (int64_t i0 = 0; i0 < w->out[0]; i0++) {                                                             \
        const struct span a0 = span_of(w, 0, i0);                                                            \
        for (int64_t i1 = 0; i1 < w->out[1]; i1++) {                                                         \
            const struct span a1 = span_of(w, 1, i1);                                                        \
            for (int64_t i2 = 0; i2 < w->out[2]; i2++) {                                                     \
                const struct span a2 = span_of(w, 2, i2);                                                    \
                BEFORE;                                                                                      \
                for (int64_t k0 = a0.from; k0 < a0.to; k0++) {                                               \
                    for (int64_t k1 = a1.from; k1 < a1.to; k1++) {                                           \
                        const int64_t row =                                                                  \
                            ((a0.start + k0 * w->dilation[0]) * w->in[1] + a1.start + k1 * w->dilation[1]) * \
                                w->in[2] +                                                                   \
                            a2.start;                                                                        \
                        for (int64_t k2 = a2.from; k2 < a2.to; k2++) {                                       \
                            const int64_t at = row + k2 * w->dilation[2];                                    \
                            const TYPE x = from[at];                                                         \
                            EACH;                                                                            \
                        }                                                                                    \
                    }                                                                                        \
                }                                                                                            \
                AFTER;                                                                                       \
            }                                                                                                \
        }                                                                                                    \
    }

static int64_t columns_first(const struct window *w, int64_t at)
{
    const int64_t a2 = at % w->in[2], a1 = at / w->in[2] % w->in[1], a0 = at / w->in[2] / w->in[1];
    return a0 + (a1 + a2 * w->in[1]) * w->in[0];
}

#define MAX_POOL(NAME, TYPE, LEAST)                                                                          \
    static void NAME(const struct pool *p, const struct window *w, size_t plane, const TYPE *from, TYPE *to, \
                     int64_t *index)                                                                         \
    {                                                                                                        \
        OVER_WINDOWS(                                                                                        \
            TYPE, TYPE most = LEAST; int64_t where = -1,                                                     \
                                     if (x > most || where < 0 || x != x) {                                  \
                                         most = most != most ? most : x;                                     \
                                         where = at;                                                         \
                                     },                                                                      \
                                     *to++ = most;                                                           \
            if (index) {                                                                                     \
                where = where < 0 ? 0 : where;                                                               \
                *index++ =                                                                                   \
                    (int64_t) plane * w->in_size + (p->columns_first ? columns_first(w, where) : where);     \
            })                                                                                               \
    }

MAX_POOL(max_floats, float, -INFINITY)
MAX_POOL(max_doubles, double, (double) -INFINITY)
MAX_POOL(max_u8, uint8_t, 0)
MAX_POOL(max_i8, int8_t, INT8_MIN)

#define MAX_PLANE(FN, TYPE)                                                                                  \
    FN(p, &p->w, i, (const TYPE *) s->in[0]->data + i * in, (TYPE *) s->out[0]->data + i * out,              \
       index ? index + i * out : NULL)

static int run_max(const struct step *s, struct run *r)
{
    const struct pool *p = s->state;
    int64_t *index = s->n_out > 1 && s->out[1] ? s->out[1]->data : NULL;
    const size_t in = (size_t) p->w.in_size, out = (size_t) p->w.out_size;
    for (size_t i = 0; i < p->planes; i++) {
        switch ((int) s->in[0]->dtype) {
        case DT_F32:
            MAX_PLANE(max_floats, float);
            break;
        case DT_F64:
            MAX_PLANE(max_doubles, double);
            break;
        case DT_U8:
            MAX_PLANE(max_u8, uint8_t);
            break;
        default:
            MAX_PLANE(max_i8, int8_t);
        }
        if (i % 64 == 63 && run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

#define AVERAGE_POOL(NAME, TYPE)                                                                             \
    static void NAME(const struct pool *p, const struct window *w, const TYPE *from, TYPE *to)               \
    {                                                                                                        \
        OVER_WINDOWS(                                                                                        \
            TYPE, TYPE sum = 0, sum += x,                                                                    \
            int64_t n = (a0.to - a0.from) * (a1.to - a1.from) * (a2.to - a2.from);                           \
            if (p->count_pads) {                                                                             \
                n = span_padded(w, 0, i0) * span_padded(w, 1, i1) * span_padded(w, 2, i2);                   \
            } *to++ = sum / (TYPE) n)                                                                        \
    }

AVERAGE_POOL(average_floats, float)
AVERAGE_POOL(average_doubles, double)

#define LP_POOL(NAME, TYPE)                                                                                  \
    static void NAME(const struct pool *p, const struct window *w, const TYPE *from, TYPE *to)               \
    {                                                                                                        \
        OVER_WINDOWS(TYPE, double sum = 0,                                                                   \
                     sum += p->p == 2 ? (double) x * (double) x : pow(fabs((double) x), p->p),               \
                     *to++ = (TYPE) (p->p == 2 ? sqrt(sum) : pow(sum, 1 / p->p)))                            \
    }

LP_POOL(lp_floats, float)
LP_POOL(lp_doubles, double)

#define RUN_FLOATS(NAME, FLOATS, DOUBLES)                                                                    \
    static int NAME(const struct step *s, struct run *r)                                                     \
    {                                                                                                        \
        const struct pool *p = s->state;                                                                     \
        const size_t in = (size_t) p->w.in_size, out = (size_t) p->w.out_size;                               \
        for (size_t i = 0; i < p->planes; i++) {                                                             \
            if (s->in[0]->dtype == DT_F32) {                                                                 \
                FLOATS(p, &p->w, (const float *) s->in[0]->data + i * in,                                    \
                       (float *) s->out[0]->data + i * out);                                                 \
            } else {                                                                                         \
                DOUBLES(p, &p->w, (const double *) s->in[0]->data + i * in,                                  \
                        (double *) s->out[0]->data + i * out);                                               \
            }                                                                                                \
            if (i % 64 == 63 && run_cancelled(r)) {                                                          \
                return KILN_CANCELLED;                                                                       \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }

RUN_FLOATS(run_average, average_floats, average_doubles)
RUN_FLOATS(run_lp, lp_floats, lp_doubles)

static int plan_pool(struct step *s, run_fn *run, bool bytes, bool global)
{
    const struct tensor *x = s->in[0];
    if (!dtype_is_float(x->dtype) && !(bytes && (x->dtype == DT_U8 || x->dtype == DT_I8))) {
        return step_fail(s, "input is %s, expected float32%s", dtype_name(x->dtype),
                         bytes ? ", float64, uint8 or int8" : " or float64");
    }
    struct pool *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    if (global) { /* whatever the number of axes: one window over all */
        if (x->rank < 2) {
            return step_fail(s, "input has %d dimensions, expected at least 2", x->rank);
        }
        const int64_t all = tensor_inner(x, 2);
        p->w = (struct window){.in = {1, 1, all},
                               .kernel = {1, 1, all},
                               .stride = {1, 1, 1},
                               .dilation = {1, 1, 1},
                               .out = {1, 1, 1}};
        p->w.in_size = all;
        p->w.out_size = 1;
    } else {
        const int status = window_plan(s, x, NULL, &p->w);
        if (status != KILN_OK) {
            return status;
        }
    }
    p->count_pads = step_int(s, "count_include_pad", 0) != 0;
    p->columns_first = step_int(s, "storage_order", 0) != 0;
    p->p = (double) step_int(s, "p", 2);
    s->state = p;
    s->run = run;
    if (global) {
        int64_t dims[TENSOR_RANK] = {x->dims[0], x->dims[1]};
        for (int i = 2; i < x->rank; i++) {
            dims[i] = 1;
        }
        const int status = step_output(s, 0, x->dtype, x->rank, dims);
        p->planes = status == KILN_OK ? (size_t) s->out[0]->count : 0;
        return status;
    }
    const int status = window_output(s, x, x->dtype, x->dims[1], &p->w, 0);
    p->planes = status == KILN_OK && p->w.out_size ? (size_t) (s->out[0]->count / p->w.out_size) : 0;
    return status == KILN_OK && s->n_out > 1 ? window_output(s, x, DT_I64, x->dims[1], &p->w, 1) : status;
}

#define POOL(NAME, RUN, BYTES, GLOBAL)                                                                       \
    static int NAME(struct step *s)                                                                          \
    {                                                                                                        \
        return plan_pool(s, RUN, BYTES, GLOBAL);                                                             \
    }
POOL(plan_max, run_max, true, false)
POOL(plan_average, run_average, false, false)
POOL(plan_lp, run_lp, false, false)
POOL(plan_global_max, run_max, false, true)
POOL(plan_global_average, run_average, false, true)
POOL(plan_global_lp, run_lp, false, true)

/* ---- MaxUnpool --------------------------------------------------------------------------------- */

struct unpool {
    int64_t plane_in, plane_out,
        plane_known; /* elements of a plane: here, of the output, of what the indices count in */
    int64_t known[WINDOW_AXES], out[WINDOW_AXES];
};

static int run_unpool(const struct step *s, struct run *r)
{
    const struct unpool *p = s->state;
    const int64_t *index = s->in[1]->data;
    const size_t size = dtype_size(s->in[0]->dtype), n = (size_t) s->in[0]->count;
    const int64_t planes = p->plane_in ? s->in[0]->count / p->plane_in : 0;
    memset(s->out[0]->data, 0, tensor_bytes(s->out[0]));
    for (size_t i = 0; i < n; i++) {
        const int64_t at = index[i], in_plane = p->plane_known ? at % p->plane_known : 0;
        if (at < 0 || at >= planes * p->plane_known) {
            return run_fail(r, "index %lld, expected 0 .. %lld", (long long) at,
                            (long long) (planes * p->plane_known - 1));
        }
        const int64_t a2 = in_plane % p->known[2], a1 = in_plane / p->known[2] % p->known[1];
        const int64_t a0 = in_plane / p->known[2] / p->known[1];
        if (a0 >= p->out[0] || a1 >= p->out[1] || a2 >= p->out[2]) {
            return run_fail(r, "index %lld lies outside of the output", (long long) at);
        }
        const int64_t to = at / p->plane_known * p->plane_out + (a0 * p->out[1] + a1) * p->out[2] + a2;
        memcpy((char *) s->out[0]->data + (size_t) to * size, (const char *) s->in[0]->data + i * size, size);
    }
    return KILN_OK;
}

static int plan_unpool(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct window w;
    if (s->in[1]->dtype != DT_I64 || !tensor_same_shape(x, s->in[1])) {
        return step_fail(s, "indices are %s, expected int64 in the shape of the first input",
                         dtype_name(s->in[1]->dtype));
    }
    int status = window_read(s, x, NULL, &w);
    struct unpool *p = plan_alloc(s->plan, sizeof *p);
    if (status != KILN_OK || !p) {
        return status != KILN_OK ? status : KILN_RESOURCE;
    }
    int64_t dims[TENSOR_RANK] = {x->dims[0], x->dims[1]};
    for (int i = 0; i < WINDOW_AXES; i++) {
        p->known[i] = p->out[i] = (w.in[i] - 1) * w.stride[i] + w.kernel[i] - w.begin[i] - w.end[i];
        if (p->known[i] < 1) {
            return step_fail(s, "an output axis of %lld", (long long) p->known[i]);
        }
    }
    if (s->n_in > 2 && s->in[2]) {
        if (!s->in[2]->data) {
            return step_needs(s, 2);
        }
        if (s->in[2]->dtype != DT_I64 || s->in[2]->count != x->rank) {
            return step_fail(s, "output_shape has %lld elements, expected %d", (long long) s->in[2]->count,
                             x->rank);
        }
        for (int i = 0; i < w.axes; i++) {
            p->out[WINDOW_AXES - w.axes + i] = tensor_int(s->in[2], 2 + i);
        }
        if (tensor_int(s->in[2], 0) != x->dims[0] || tensor_int(s->in[2], 1) != x->dims[1]) {
            return step_fail(s, "output_shape begins with other numbers than the input's shape");
        }
    }
    for (int i = 0; i < w.axes; i++) {
        dims[2 + i] = p->out[WINDOW_AXES - w.axes + i];
    }
    s->state = p;
    s->run = run_unpool;
    p->plane_in = w.in_size;
    if ((status = step_output(s, 0, x->dtype, x->rank, dims)) != KILN_OK) {
        return status;
    }
    p->plane_out = p->out[0] * p->out[1] * p->out[2];
    return __builtin_mul_overflow(p->known[0], p->known[1], &p->plane_known) ||
                   __builtin_mul_overflow(p->plane_known, p->known[2], &p->plane_known) ||
                   (s->in[0]->count && p->plane_known > INT64_MAX / s->in[0]->count)
               ? step_fail(s, "an output of more than 2^63 elements")
               : KILN_OK;
}

static const struct op ops[] = {
    {"", "MaxPool", 1, 1, 1, 1, 2, plan_max},
    {"", "AveragePool", 1, 1, 1, 1, 1, plan_average},
    {"", "LpPool", 2, 1, 1, 1, 1, plan_lp},
    {"", "GlobalMaxPool", 1, 1, 1, 1, 1, plan_global_max},
    {"", "GlobalAveragePool", 1, 1, 1, 1, 1, plan_global_average},
    {"", "GlobalLpPool", 2, 1, 1, 1, 1, plan_global_lp},
    {"", "MaxUnpool", 9, 2, 3, 1, 1, plan_unpool},
};

const struct op_table op_pool = {ops, sizeof ops / sizeof *ops};
