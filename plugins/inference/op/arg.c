/* SPDX-License-Identifier: MPL-2.0 */
/* ArgMax, ArgMin, CumSum, CumProd: along one axis, every line by itself. */
#include <string.h>

#include "axes.h"
#include "loop.h"

struct lines { /* of n elements that lie `inner` apart */
    void (*fn)(const struct lines *l, const void *in, void *out);
    int64_t outer, n, inner;
    bool last;               /* of equal ones, the last */
    bool exclusive, reverse; /* CumSum, CumProd */
};

static int run_lines(const struct step *s, struct run *r)
{
    const struct lines *l = s->state;
    (void) r;
    if (s->out[0]->count > 0) {
        l->fn(l, s->in[0]->data, s->out[0]->data);
    }
    return KILN_OK;
}

static struct lines *plan_lines(struct step *s, int axis)
{
    const struct tensor *x = s->in[0];
    struct lines *l = plan_alloc(s->plan, sizeof(*l));
    if (l) {
        l->outer = tensor_rows(x, axis);
        l->n = x->rank ? x->dims[axis] : 1;
        l->inner = tensor_inner(x, axis + 1);
        s->state = l;
        s->run = run_lines;
    }
    return l;
}

/* ---- ArgMax, ArgMin. NaN beats all numbers, the first NaN of a line wins, as in NumPy. */

#define ARG(NAME, t, BETTER)                                                                                 \
    static void NAME##_##t(const struct lines *l, const void *in, void *out)                                 \
    {                                                                                                        \
        const T_##t *x = in;                                                                                 \
        int64_t *to = out;                                                                                   \
        for (int64_t o = 0; o < l->outer; o++, x += (l->n - 1) * l->inner) {                                 \
            for (int64_t k = 0; k < l->inner; k++, x++) {                                                    \
                T_##t best = *x;                                                                             \
                int64_t at = 0;                                                                              \
                for (int64_t i = 1; i < l->n; i++) {                                                         \
                    const T_##t v = x[i * l->inner];                                                         \
                    const bool better = BETTER || (v == best && l->last);                                    \
                    best = better ? v : best;                                                                \
                    at = better ? i : at;                                                                    \
                }                                                                                            \
                *to++ = at;                                                                                  \
            }                                                                                                \
        }                                                                                                    \
    }
#define FLOATS(t, D)                                                                                         \
    ARG(greatest, t, v > best || (v != v && best == best))                                                   \
    ARG(least, t, v < best || (v != v && best == best))
#define WHOLES(t, D)                                                                                         \
    ARG(greatest, t, v > best)                                                                               \
    ARG(least, t, v < best)
FOR_FLOAT(FLOATS)
FOR_INTEGER(WHOLES)

typedef void lines_fn(const struct lines *l, const void *in, void *out);
#define ROW_greatest(t, D) [D] = greatest_##t,
#define ROW_least(t, D)    [D] = least_##t,
static lines_fn *const greatest[DT_END] = {FOR_NUMERIC(ROW_greatest)};
static lines_fn *const least[DT_END] = {FOR_NUMERIC(ROW_least)};

static int plan_arg(struct step *s, lines_fn *const *fns)
{
    const struct tensor *x = s->in[0];
    int axis = 0;
    int rc = x->rank ? axis_read(s, 0, x->rank, &axis) : KILN_OK;
    if (rc) {
        return rc;
    }
    if (x->dtype >= DT_END || !fns[x->dtype]) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    int64_t dims[TENSOR_RANK];
    int rank = 0;
    for (int d = 0; d < x->rank; d++) {
        if (d != axis || step_int(s, "keepdims", 1)) {
            dims[rank++] = d == axis ? 1 : x->dims[d];
        }
    }
    struct lines *l = plan_lines(s, axis);
    if (!l) {
        return KILN_RESOURCE;
    }
    l->fn = fns[x->dtype];
    l->last = step_int(s, "select_last_index", 0) != 0;
    if (l->n == 0 && l->outer * l->inner > 0) {
        return step_fail(s, "axis %d has no elements to choose from", axis);
    }
    return step_output(s, 0, DT_I64, rank, dims);
}

static int plan_arg_max(struct step *s)
{
    return plan_arg(s, greatest);
}

static int plan_arg_min(struct step *s)
{
    return plan_arg(s, least);
}

/* ---- CumSum and CumProd, in place too: along a line, or line by line where these lie apart. Floats go through doubles. */

#define CUMULATE(NAME, t, SUM, FIRST, OP)                                                                    \
    static void NAME##_##t(const struct lines *l, const void *in, void *out)                                 \
    {                                                                                                        \
        const int64_t first = l->reverse ? (l->n - 1) * l->inner : 0,                                        \
                      step = l->reverse ? -l->inner : l->inner;                                              \
        for (int64_t k = 0; k < l->outer * l->inner; k++) {                                                  \
            const int64_t from = k / l->inner * l->n * l->inner + k % l->inner + first;                      \
            const T_##t *x = (const T_##t *) in + from;                                                      \
            T_##t *y = (T_##t *) out + from;                                                                 \
            SUM sum = FIRST;                                                                                 \
            for (int64_t i = 0; i < l->n; i++) {                                                             \
                const SUM before = sum;                                                                      \
                sum OP(SUM) x[i * step];                                                                     \
                y[i * step] = (T_##t)(l->exclusive ? before : sum);                                          \
            }                                                                                                \
        }                                                                                                    \
    }
#define CUMULATE_ALL(NAME, FIRST, OP)                                                                        \
    CUMULATE(NAME, f32, double, FIRST, OP)                                                                   \
    CUMULATE(NAME, f64, double, FIRST, OP)                                                                   \
    CUMULATE(NAME, i32, uint32_t, FIRST, OP)                                                                 \
    CUMULATE(NAME, u32, uint32_t, FIRST, OP)                                                                 \
    CUMULATE(NAME, i64, uint64_t, FIRST, OP)                                                                 \
    CUMULATE(NAME, u64, uint64_t, FIRST, OP)
CUMULATE_ALL(cumsum, 0, +=)
CUMULATE_ALL(cumprod, 1, *=)

typedef lines_fn *const cumulate_fns[DT_END];
#define CUMULATE_FNS(NAME)                                                                                   \
    {                                                                                                        \
        [DT_F32] = NAME##_f32, [DT_F64] = NAME##_f64, [DT_I32] = NAME##_i32, [DT_U32] = NAME##_u32,          \
        [DT_I64] = NAME##_i64, [DT_U64] = NAME##_u64,                                                        \
    }

static int plan_cumulate(struct step *s, cumulate_fns fns)
{
    const struct tensor *x = s->in[0];
    int64_t wanted;
    int rc = ints_read_one(s, 1, "axis", &wanted);
    if (rc) {
        return rc;
    }
    const int axis = axis_of(wanted, x->rank);
    if (axis < 0) {
        return step_fail(s, "axis is %lld, expected %d to %d", (long long) wanted, -x->rank, x->rank - 1);
    }
    if (x->dtype >= DT_END || !fns[x->dtype]) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    struct lines *l = plan_lines(s, axis);
    if (!l) {
        return KILN_RESOURCE;
    }
    l->fn = fns[x->dtype];
    l->exclusive = step_int(s, "exclusive", 0) != 0;
    l->reverse = step_int(s, "reverse", 0) != 0;
    s->inplace = 0;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

static int plan_cumsum(struct step *s)
{
    static cumulate_fns fns = CUMULATE_FNS(cumsum);
    return plan_cumulate(s, fns);
}

static int plan_cumprod(struct step *s)
{
    static cumulate_fns fns = CUMULATE_FNS(cumprod);
    return plan_cumulate(s, fns);
}

static const struct op ops[] = {
    {"", "ArgMax", 1, 1, 1, 1, 1, plan_arg_max},
    {"", "ArgMin", 1, 1, 1, 1, 1, plan_arg_min},
    {"", "CumSum", 11, 2, 2, 1, 1, plan_cumsum},
    {"", "CumProd", 26, 2, 2, 1, 1, plan_cumprod},
};

const struct op_table op_arg = {ops, sizeof(ops) / sizeof(ops[0])};
