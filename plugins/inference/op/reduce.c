/* SPDX-License-Identifier: MPL-2.0 */
/* Reductions over axes: sums, means, products, norms, extremes.
 *
 * Every one is a map of the elements, an operation that gathers them, and a finish. Floats are gathered in doubles,
 * whole numbers in 64 bits, which wrap. Neighbouring axes that are all reduced, or all kept, are one; what is innermost
 * is a kernel's loop: over a row that becomes one number, or over columns that are gathered side by side. */
#include <math.h>
#include <string.h>

#include "../graph.h"
#include "axes.h"
#include "loop.h"

typedef union {
    double f;
    int64_t i;
    uint64_t u;
} gathered;

/* Gathers x[0 .. n-1] into acc[0] (a row), or each into its own acc[i] (columns). shift is taken off before an exponential. */
typedef void gather_fn(void *acc, const double *shift, const void *x, int64_t n);

enum finish { AS_IT_IS, DIVIDED, ROOT, LOGARITHM, LOGARITHM_SHIFTED };

typedef void finish_fn(void *out, const void *acc, const double *shift, int64_t n, int64_t of,
                       enum finish how);

struct gather {
    gather_fn *row, *columns;
    gathered first;
};

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

/* ---- kernels */

typedef double G_f32, G_f64;
typedef int64_t G_i8, G_i32, G_i64;
typedef uint64_t G_u8, G_u32, G_u64;

#define FOR_REDUCED(X)                                                                                       \
    X(i8, DT_I8)                                                                                             \
    X(i32, DT_I32) X(i64, DT_I64) X(u8, DT_U8) X(u32, DT_U32) X(u64, DT_U64) X(f32, DT_F32) X(f64, DT_F64)

/* x mapped by MAP and gathered with g by JOIN. Rows take lanes, so that sums do not wait for each other. */
#define GATHER(NAME, t, FIRST, MAP, JOIN)                                                                    \
    static void NAME##_row_##t(void *acc, const double *shift, const void *from, int64_t n)                  \
    {                                                                                                        \
        enum { LANES = 8 };                                                                                  \
        const T_##t *p = from;                                                                               \
        G_##t lane[LANES], *to = acc;                                                                        \
        int64_t i = 0;                                                                                       \
        (void) shift;                                                                                        \
        for (int k = 0; k < LANES; k++) {                                                                    \
            lane[k] = FIRST;                                                                                 \
        }                                                                                                    \
        for (; i + LANES <= n; i += LANES) {                                                                 \
            for (int k = 0; k < LANES; k++) {                                                                \
                const G_##t x = MAP((G_##t) p[i + k], *shift), g = lane[k];                                  \
                lane[k] = JOIN;                                                                              \
            }                                                                                                \
        }                                                                                                    \
        for (; i < n; i++) {                                                                                 \
            const G_##t x = MAP((G_##t) p[i], *shift), g = lane[0];                                          \
            lane[0] = JOIN;                                                                                  \
        }                                                                                                    \
        for (int k = 0; k < LANES; k++) {                                                                    \
            const G_##t x = lane[k], g = *to;                                                                \
            *to = JOIN;                                                                                      \
        }                                                                                                    \
    }                                                                                                        \
    static void NAME##_columns_##t(void *acc, const double *shift, const void *from, int64_t n)              \
    {                                                                                                        \
        const T_##t *p = from;                                                                               \
        G_##t *to = acc;                                                                                     \
        (void) shift;                                                                                        \
        LOOP for (int64_t i = 0; i < n; i++)                                                                 \
        {                                                                                                    \
            const G_##t x = MAP((G_##t) p[i], shift[i]), g = to[i];                                          \
            to[i] = JOIN;                                                                                    \
        }                                                                                                    \
    }

#define ITSELF(v, s)         (v)
#define SQUARE(v, s)         ((v) * (v))
#define MAGNITUDE(v, s)      ((v) < 0 ? -(v) : (v))
#define EXPONENTIAL(v, s)    exp((v) - (s))
#define SQUARE_WHOLE(v, s)   ((int64_t) ((uint64_t) (v) * (uint64_t) (v)))
#define MAGNITUDE_BITS(v, s) ((int64_t) ((v) < 0 ? 0 - (uint64_t) (v) : (uint64_t) (v)))
#define SUM_WHOLE            (int64_t)((uint64_t) g + (uint64_t) x)
#define PRODUCT_WHOLE        (int64_t)((uint64_t) g * (uint64_t) x)
#define GREATER              (x > g ? x : g)
#define LESSER               (x < g ? x : g)

#define GATHER_FLOAT(t, D)                                                                                   \
    GATHER(sum, t, 0, ITSELF, g + x)                                                                         \
    GATHER(product, t, 1, ITSELF, g *x)                                                                      \
    GATHER(squares, t, 0, SQUARE, g + x)                                                                     \
    GATHER(magnitudes, t, 0, MAGNITUDE, g + x)                                                               \
    GATHER(exponentials, t, 0, EXPONENTIAL, g + x)                                                           \
    GATHER(greatest, t, -HUGE_VAL, ITSELF, (x > g || x != x ? x : g))                                        \
    GATHER(least, t, HUGE_VAL, ITSELF, (x < g || x != x ? x : g))
#define GATHER_SIGNED(t, D)                                                                                  \
    GATHER(sum, t, 0, ITSELF, SUM_WHOLE)                                                                     \
    GATHER(product, t, 1, ITSELF, PRODUCT_WHOLE)                                                             \
    GATHER(squares, t, 0, SQUARE_WHOLE, SUM_WHOLE)                                                           \
    GATHER(magnitudes, t, 0, MAGNITUDE_BITS, SUM_WHOLE)                                                      \
    GATHER(greatest, t, LEAST_##t, ITSELF, GREATER)                                                          \
    GATHER(least, t, MOST_##t, ITSELF, LESSER)
#define GATHER_UNSIGNED(t, D)                                                                                \
    GATHER(sum, t, 0, ITSELF, g + x)                                                                         \
    GATHER(product, t, 1, ITSELF, g *x)                                                                      \
    GATHER(squares, t, 0, SQUARE, g + x)                                                                     \
    GATHER(greatest, t, LEAST_##t, ITSELF, GREATER)                                                          \
    GATHER(least, t, MOST_##t, ITSELF, LESSER)
FOR_FLOAT(GATHER_FLOAT)
GATHER_SIGNED(i8, )
GATHER_SIGNED(i32, )
GATHER_SIGNED(i64, )
GATHER_UNSIGNED(u8, )
GATHER_UNSIGNED(u32, )
GATHER_UNSIGNED(u64, )

/* ---- from what was gathered to elements */

/* Roots and logarithms of whole numbers go through doubles; what then is no number of the type is 0. */
static double whole(double v)
{
    return v > -0x1p31 && v < 0x1p32 ? v : 0;
}

#define DIVIDE_FLOAT(g, of) ((g) / (double) (of))
#define DIVIDE_WHOLE(g, of) ((of) ? (g) / (of) : 0)
#define DIVIDE_BITS(g, of)  ((of) ? (g) / (uint64_t) (of) : 0)
#define FINISH(t, DIVIDE, FIT)                                                                               \
    static T_##t finished_##t(G_##t g, double shift, int64_t of, enum finish how)                            \
    {                                                                                                        \
        if (how == AS_IT_IS) {                                                                               \
            return ST_##t(g);                                                                                \
        }                                                                                                    \
        if (how == DIVIDED) {                                                                                \
            return ST_##t(DIVIDE(g, of));                                                                    \
        }                                                                                                    \
        const double v = how == ROOT ? sqrt((double) g) : log((double) g);                                   \
        return ST_##t(FIT(how == LOGARITHM_SHIFTED ? v + shift : v));                                        \
    }                                                                                                        \
    static void finish_##t(void *out, const void *acc, const double *shift, int64_t n, int64_t of,           \
                           enum finish how)                                                                  \
    {                                                                                                        \
        const G_##t *g = acc;                                                                                \
        T_##t *y = out;                                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            y[i] = finished_##t(g[i], how == LOGARITHM_SHIFTED ? shift[i] : 0, of, how);                     \
        }                                                                                                    \
    }
FINISH(f32, DIVIDE_FLOAT, )
FINISH(f64, DIVIDE_FLOAT, )
FINISH(i8, DIVIDE_WHOLE, whole)
FINISH(i32, DIVIDE_WHOLE, whole)
FINISH(i64, DIVIDE_WHOLE, whole)
FINISH(u8, DIVIDE_BITS, whole)
FINISH(u32, DIVIDE_BITS, whole)
FINISH(u64, DIVIDE_BITS, whole)

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

#define WITH(NAME, t, FIRST)                                                                                 \
    {                                                                                                        \
        NAME##_row_##t, NAME##_columns_##t, FIRST                                                            \
    }
#define F(V)                                                                                                 \
    {                                                                                                        \
        .f = V                                                                                               \
    }
#define I(V)                                                                                                 \
    {                                                                                                        \
        .i = V                                                                                               \
    }
#define U(V)                                                                                                 \
    {                                                                                                        \
        .u = V                                                                                               \
    }

struct kind { /* of reduction: how it gathers, by type */
    const char *name;
    enum finish how;
    struct gather by[DT_END];
};

#define FLOATS(NAME, FIRST) [DT_F32] = WITH(NAME, f32, F(FIRST)), [DT_F64] = WITH(NAME, f64, F(FIRST))
#define WHOLES(NAME, FIRST)                                                                                  \
    [DT_I8] = WITH(NAME, i8, I(FIRST)), [DT_I32] = WITH(NAME, i32, I(FIRST)),                                \
    [DT_I64] = WITH(NAME, i64, I(FIRST)), [DT_U8] = WITH(NAME, u8, U(FIRST)),                                \
    [DT_U32] = WITH(NAME, u32, U(FIRST)), [DT_U64] = WITH(NAME, u64, U(FIRST))
#define EXTREMES(NAME, BOUND)                                                                                \
    [DT_I8] = WITH(NAME, i8, I(BOUND##_i8)), [DT_I32] = WITH(NAME, i32, I(BOUND##_i32)),                     \
    [DT_I64] = WITH(NAME, i64, I(BOUND##_i64)), [DT_U8] = WITH(NAME, u8, U(BOUND##_u8)),                     \
    [DT_BOOL] = WITH(NAME, u8, U(BOUND##_b8)), [DT_U32] = WITH(NAME, u32, U(BOUND##_u32)),                   \
    [DT_U64] = WITH(NAME, u64, U(BOUND##_u64)), [DT_F32] = WITH(NAME, f32, F(BOUND##_f64)),                  \
    [DT_F64] = WITH(NAME, f64, F(BOUND##_f64))
#define MAGNITUDES                                                                                           \
    FLOATS(magnitudes, 0), [DT_I8] = WITH(magnitudes, i8, I(0)), [DT_I32] = WITH(magnitudes, i32, I(0)),     \
                           [DT_I64] = WITH(magnitudes, i64, I(0)), [DT_U8] = WITH(sum, u8, U(0)),            \
                           [DT_U32] = WITH(sum, u32, U(0)), [DT_U64] = WITH(sum, u64, U(0))
#define LEAST_b8 0
#define MOST_b8  1

enum { REDUCE_MAX }; /* its row */

static const struct kind kinds[] = {
    {"ReduceMax", AS_IT_IS, {EXTREMES(greatest, LEAST)}},
    {"ReduceSum", AS_IT_IS, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceMean", DIVIDED, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceProd", AS_IT_IS, {FLOATS(product, 1), WHOLES(product, 1)}},
    {"ReduceMin", AS_IT_IS, {EXTREMES(least, MOST)}},
    {"ReduceL1", AS_IT_IS, {MAGNITUDES}},
    {"ReduceL2", ROOT, {FLOATS(squares, 0), WHOLES(squares, 0)}},
    {"ReduceSumSquare", AS_IT_IS, {FLOATS(squares, 0), WHOLES(squares, 0)}},
    {"ReduceLogSum", LOGARITHM, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceLogSumExp", LOGARITHM_SHIFTED, {FLOATS(exponentials, 0)}},
};

#define ROW_FINISH(t, D) [D] = finish_##t,
static finish_fn *const finishes[DT_END] = {FOR_REDUCED(ROW_FINISH)[DT_BOOL] = finish_u8};

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

static const struct kind *kind_of(const struct step *s)
{
    for (size_t i = 0;; i++) {
        if (strcmp(kinds[i].name, s->node->op->name) == 0) {
            return &kinds[i];
        }
    }
}

static int plan(struct step *s, int input)
{
    const struct tensor *x = s->in[0];
    const struct kind *kind = kind_of(s);
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
    p->greatest = kinds[REDUCE_MAX].by[x->dtype];
    p->finish = finishes[x->dtype];
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
