/* SPDX-License-Identifier: MPL-2.0 */
/* Gemm, y = alpha A B + beta C, and kiln.Dense: the same followed by an activation, made by fusing.
 *
 * Of floats, a constant B is laid out for the kernels once, with alpha in it, and a constant C that is the same in
 * all rows becomes a bias with beta in it. What else C may be is written to y first, to which the product is added then. */
#include "../kernel/gemm.h"

#include <string.h>

#include "product.h"

struct gemm_op {
    struct gemm g;
    size_t m, k, n;
    float alpha, beta;
    int64_t c_row, c_column; /* steps of C; 0 where it is broadcast */
    struct product_steps steps;
    bool packed, turned; /* B is laid out; A is transposed, and turned into scratch memory */
    bool c;              /* is written to y first */
    size_t turned_bytes;
};

#define WRITE_C(NAME, TYPE, PRODUCT)                                                                         \
    static void NAME(const struct gemm_op *p, const TYPE *c, TYPE *y)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < p->m; i++, y += p->n, c += p->c_row) {                                        \
            for (size_t j = 0; j < p->n; j++) {                                                              \
                const TYPE x = c[(int64_t) j * p->c_column];                                                 \
                y[j] = PRODUCT;                                                                              \
            }                                                                                                \
        }                                                                                                    \
    }

WRITE_C(write_floats, float, p->beta *x)

static int run_floats(const struct step *s, struct run *r)
{
    const struct gemm_op *p = s->state;
    const float *a = s->in[0]->data;
    float *y = s->out[0]->data;
    if (s->out[0]->count == 0) {
        return KILN_OK;
    }
    struct gemm other;
    const struct gemm *g = &p->g;
    char *scratch = r->scratch;
    if (p->turned) {
        float *to = (float *) (void *) scratch;
        for (size_t i = 0; i < p->m; i++) {
            for (size_t l = 0; l < p->k; l++) {
                to[i * p->k + l] = a[l * p->m + i];
            }
        }
        a = to;
        scratch += p->turned_bytes;
    }
    if (!p->packed) {
        const size_t step_k = (size_t) p->steps.b_k, step_n = (size_t) p->steps.b_column;
        if (step_n == 1 && p->alpha == 1) {
            gemm_place(&other, p->k, p->n, s->in[1]->data, scratch);
        } else {
            gemm_pack(&other, p->k, p->n, s->in[1]->data, step_k, step_n, p->alpha, scratch);
        }
        other.bias = g->bias;
        other.add = g->add;
        other.act = g->act;
        other.act_a = g->act_a;
        other.act_b = g->act_b;
        g = &other;
    }
    if (p->c) {
        write_floats(p, s->in[2]->data, y);
    }
    gemm_run(g, p->m, a, p->k, y, p->n);
    return KILN_OK;
}

/* Types for which no kernels were made. alpha and beta are floats also beside whole numbers. */
#define ADD_C(NAME, TYPE)                                                                                    \
    static void NAME(const struct gemm_op *p, const TYPE *c, TYPE *y)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < p->m && p->n > 0; i++, y += p->n) {                                           \
            for (size_t j = 0; j < p->n; j++) {                                                              \
                TYPE sum = p->alpha == 1 ? y[j] : (TYPE) ((double) p->alpha * (double) y[j]);                \
                if (c) {                                                                                     \
                    const TYPE x = c[(int64_t) i * p->c_row + (int64_t) j * p->c_column];                    \
                    sum += p->beta == 1 ? x : (TYPE) ((double) p->beta * (double) x);                        \
                }                                                                                            \
                y[j] = sum;                                                                                  \
            }                                                                                                \
        }                                                                                                    \
    }

ADD_C(add_doubles, double)

static int run_doubles(const struct step *s, struct run *r)
{
    (void) r;
    const struct gemm_op *p = s->state;
    product_of(DT_F64, p->m, p->k, p->n, s->in[0]->data, s->in[1]->data, s->out[0]->data, p->steps);
    add_doubles(p, p->c ? s->in[2]->data : NULL, s->out[0]->data);
    return KILN_OK;
}

/* Whole numbers: without alpha and beta in wrap-around arithmetic, else with both as doubles. */
static int run_whole(const struct step *s, struct run *r)
{
    (void) r;
    const struct gemm_op *p = s->state;
    const struct tensor *c = p->c ? s->in[2] : NULL;
    product_of(s->out[0]->dtype, p->m, p->k, p->n, s->in[0]->data, s->in[1]->data, s->out[0]->data, p->steps);
    const size_t size = dtype_size(s->out[0]->dtype);
    for (size_t i = 0; i < p->m && p->n > 0; i++) {
        for (size_t j = 0; j < p->n; j++) {
            char *y = (char *) s->out[0]->data + (i * p->n + j) * size;
            uint64_t sum = (uint64_t) tensor_int(s->out[0], (int64_t) (i * p->n + j));
            if (c) {
                sum += (uint64_t) tensor_int(c, (int64_t) i * p->c_row + (int64_t) j * p->c_column);
            }
            const uint32_t low = (uint32_t) sum;
            memcpy(y, size == 4 ? (const void *) &low : (const void *) &sum, size);
        }
    }
    return KILN_OK;
}

/* The steps of C against y[m][n]. What is one row may have any number of dimensions. */
static int plan_c(struct step *s, struct gemm_op *p)
{
    const struct tensor *c = s->in[2];
    const int64_t rows = c->rank > 1 ? c->dims[c->rank - 2] : 1,
                  columns = c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const bool one_row = c->count == columns;
    if ((c->rank > 2 && !one_row) || (rows != 1 && (size_t) rows != p->m) ||
        (columns != 1 && (size_t) columns != p->n)) {
        char shape[80];
        return step_fail(s, "C is %s, expected what broadcasts to [%zu,%zu]",
                         tensor_text(c, shape, sizeof shape), p->m, p->n);
    }
    p->c_row = rows == 1 ? 0 : columns;
    p->c_column = columns == 1 ? 0 : 1;
    p->c = true;
    return KILN_OK;
}

static int plan_bias(struct step *s, struct gemm_op *p)
{
    if (!p->c) {
        return KILN_OK;
    }
    if (p->c_row != 0 || !step_is_constant(s, 2)) {
        p->g.add = true;
        return KILN_OK;
    }
    void **slot = step_shared(s, 1);
    if (!*slot) {
        float *bias = model_alloc(s, sizeof *bias * (p->n + 1));
        if (!bias) {
            return KILN_RESOURCE;
        }
        const float *c = s->in[2]->data;
        for (size_t j = 0; j < p->n; j++) {
            bias[j] = p->beta * c[(int64_t) j * p->c_column];
        }
        *slot = bias;
    }
    p->g.bias = *slot;
    p->c = false;
    return KILN_OK;
}

static int plan_floats(struct step *s, struct gemm_op *p)
{
    const struct product_steps t = p->steps;
    s->run = run_floats;
    if (p->turned) {
        p->turned_bytes = (p->m * p->k * sizeof(float) + 63) / 64 * 64;
        s->scratch_bytes = p->turned_bytes;
    }
    if (!step_is_constant(s, 1)) {
        const size_t place = gemm_place_bytes(p->k, p->n), pack = gemm_bytes(p->k, p->n);
        s->scratch_bytes += t.b_column == 1 && p->alpha == 1 ? place : pack;
        return plan_bias(s, p);
    }
    void **slot = step_shared(s, 0);
    if (!*slot) {
        char *memory = model_alloc(s, 128 + gemm_bytes(p->k, p->n));
        if (!memory) {
            return KILN_RESOURCE;
        }
        gemm_pack((struct gemm *) (void *) memory, p->k, p->n, s->in[1]->data, (size_t) t.b_k,
                  (size_t) t.b_column, p->alpha, memory + 128);
        *slot = memory;
    }
    const struct gemm act = p->g;
    memcpy(&p->g, *slot, sizeof p->g);
    p->g.act = act.act;
    p->g.act_a = act.act_a;
    p->g.act_b = act.act_b;
    p->packed = true;
    return plan_bias(s, p);
}

static int plan_others(struct step *s, struct gemm_op *p)
{
    const enum dtype dtype = s->in[0]->dtype;
    if (p->g.act != ACT_NONE) {
        return step_fail(s, "activation of %s", dtype_name(dtype));
    }
    s->run = dtype == DT_F64 ? run_doubles : run_whole;
    if (dtype != DT_F64 && (p->alpha != 1 || (p->c && p->beta != 1))) {
        return step_fail(s, "alpha is %g, beta is %g, expected 1 for inputs of %s", (double) p->alpha,
                         (double) p->beta, dtype_name(dtype));
    }
    return KILN_OK;
}

static int check_inputs(struct step *s)
{
    const enum dtype dtype = s->in[0]->dtype;
    if (!product_has(dtype)) {
        return step_fail(s, "input A is %s, expected float32, float64, int32, int64, uint32 or uint64",
                         dtype_name(dtype));
    }
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] && s->in[i]->dtype != dtype) {
            return step_fail(s, "input %d is %s, expected %s as A", i, dtype_name(s->in[i]->dtype),
                             dtype_name(dtype));
        }
    }
    return KILN_OK;
}

/* A and B as matrices. kiln.Dense is MatMul as well: there all dimensions of A but the last are rows. */
static int read_shapes(struct step *s, struct gemm_op *p, bool dense)
{
    const struct tensor *a = s->in[0], *b = s->in[1];
    const bool turn_a = step_int(s, "transA", 0) != 0, turn_b = step_int(s, "transB", 0) != 0;
    if (b->rank != 2 || a->rank < 1 || (a->rank != 2 && (!dense || turn_a))) {
        return step_fail(s, "inputs A and B have %d and %d dimensions, expected 2", a->rank, b->rank);
    }
    const int64_t rows = tensor_rows(a, a->rank - 1), last = a->dims[a->rank - 1];
    p->m = (size_t) (turn_a ? last : rows);
    p->k = (size_t) (turn_a ? rows : last);
    p->n = (size_t) b->dims[!turn_b];
    if ((int64_t) p->k != b->dims[turn_b]) {
        return step_fail(s, "rows of A have %zu elements, columns of B %lld, expected the same number", p->k,
                         (long long) b->dims[turn_b]);
    }
    p->turned = turn_a;
    p->steps = (struct product_steps){turn_a ? 1 : (int64_t) p->k, turn_a ? (int64_t) p->m : 1,
                                      turn_b ? 1 : (int64_t) p->n, turn_b ? (int64_t) p->k : 1};
    return KILN_OK;
}

static int set_output(struct step *s, const struct gemm_op *p)
{
    const struct tensor *a = s->in[0], *c = s->n_in > 2 ? s->in[2] : NULL;
    int64_t dims[TENSOR_RANK];
    const int rank = c && c->rank > a->rank ? c->rank : a->rank, more = rank - a->rank;
    for (int i = 0; i < rank; i++) { /* a bias may have more dimensions, all 1 */
        dims[i] = i < more ? 1 : a->dims[i - more];
    }
    if (p->turned) {
        dims[rank - 2] = (int64_t) p->m;
    }
    dims[rank - 1] = (int64_t) p->n;
    return step_output(s, 0, a->dtype, rank, dims);
}

static int plan_with(struct step *s, enum act_kind act, bool dense)
{
    int status = check_inputs(s);
    struct gemm_op *p = plan_alloc(s->plan, sizeof *p);
    if (status != KILN_OK || !p) {
        return status != KILN_OK ? status : KILN_RESOURCE;
    }
    if ((status = read_shapes(s, p, dense)) != KILN_OK || (status = set_output(s, p)) != KILN_OK) {
        return status;
    }
    p->alpha = step_float(s, "alpha", 1);
    p->beta = step_float(s, "beta", 1);
    p->g.act = act;
    p->g.act_a = step_float(s, "act_a", 0);
    p->g.act_b = step_float(s, "act_b", 0);
    s->state = p;
    if (s->n_in > 2 && s->in[2] && (status = plan_c(s, p)) != KILN_OK) {
        return status;
    }
    return s->in[0]->dtype == DT_F32 ? plan_floats(s, p) : plan_others(s, p);
}

static int plan_gemm(struct step *s)
{
    return plan_with(s, ACT_NONE, false);
}

static int plan_dense(struct step *s)
{
    const int64_t act = step_int(s, "act", ACT_NONE);
    return act >= 0 && act < ACT_KINDS ? plan_with(s, (enum act_kind) act, true)
                                       : step_fail(s, "no such activation");
}

static const struct op ops[] = {
    {"", "Gemm", 1, 2, 3, 1, 1, plan_gemm},
    {"kiln", "Dense", 1, 2, 3, 1, 1, plan_dense},
};

const struct op_table op_gemm = {ops, sizeof ops / sizeof *ops};
