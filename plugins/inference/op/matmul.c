/* SPDX-License-Identifier: MPL-2.0 */
/* MatMul.
 *
 * A right-hand side that is a constant is laid out for the kernels once for all plans. */
#include "../kernel/gemm.h"
#include "product.h"

struct matmul {
    struct gemm g;
    size_t m, k, n;
    size_t batches;
    const int64_t *left, *right; /* where the matrices of each batch begin */
    bool packed;
};

static int run_floats(const struct step *s, struct run *r)
{
    const struct matmul *p = s->state;
    const float *x = s->in[0]->data, *w = s->in[1]->data;
    float *y = s->out[0]->data;
    if (p->packed) {
        gemm_run(&p->g, p->m, x, p->k, y, p->n);
        return KILN_OK;
    }
    struct gemm g;
    for (size_t i = 0; i < p->batches; i++, y += p->m * p->n) {
        if (i == 0 || p->right[i] != p->right[i - 1]) {
            gemm_place(&g, p->k, p->n, w + p->right[i], r->scratch);
        }
        gemm_run(&g, p->m, x + p->left[i], p->k, y, p->n);
        if (i % 64 == 63 && run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int run_others(const struct step *s, struct run *r)
{
    const struct matmul *p = s->state;
    const size_t size = dtype_size(s->out[0]->dtype);
    const struct product_steps steps = {(int64_t) p->k, 1, (int64_t) p->n, 1};
    for (size_t i = 0; i < p->batches; i++) {
        const char *x = s->in[0]->data, *w = s->in[1]->data;
        product_of(s->out[0]->dtype, p->m, p->k, p->n, x + (size_t) p->left[i] * size,
                   w + (size_t) p->right[i] * size, (char *) s->out[0]->data + i * p->m * p->n * size, steps);
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* A constant right-hand side without batches. */
static int plan_packed(struct step *s, struct matmul *p)
{
    void **slot = step_shared(s, 0);
    struct gemm *g = *slot;
    if (!g) {
        char *memory = model_alloc(s, 128 + gemm_bytes(p->k, p->n));
        if (!memory) {
            return KILN_RESOURCE;
        }
        g = (struct gemm *) (void *) memory;
        gemm_pack(g, p->k, p->n, s->in[1]->data, p->n, 1, 1, memory + 128);
        *slot = g;
    }
    p->g = *g;
    p->packed = true;
    return KILN_OK;
}

static int plan_matmul(struct step *s)
{
    struct product_shape shape;
    int status = product_shape(s, s->in[0], s->in[1], &shape);
    if (status != KILN_OK) {
        return status;
    }
    const enum dtype dtype = s->in[0]->dtype;
    if (s->in[1]->dtype != dtype || !product_has(dtype)) {
        return step_fail(
            s,
            "inputs are %s and %s, expected the same type of float32, float64, int32, int64, uint32, uint64",
            dtype_name(dtype), dtype_name(s->in[1]->dtype));
    }
    if ((status = step_output(s, 0, dtype, shape.rank, shape.dims)) != KILN_OK) {
        return status;
    }
    struct matmul *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    *p = (struct matmul){.m = shape.m,
                         .k = shape.k,
                         .n = shape.n,
                         .batches = shape.batches,
                         .left = shape.left,
                         .right = shape.right};
    s->state = p;
    s->run = dtype == DT_F32 ? run_floats : run_others;
    if (dtype != DT_F32) {
        return KILN_OK;
    }
    if (s->in[1]->rank <= 2 && step_is_constant(s, 1)) {
        return plan_packed(s, p);
    }
    s->scratch_bytes = gemm_place_bytes(p->k, p->n);
    return KILN_OK;
}

static const struct op ops[] = {
    {"", "MatMul", 1, 2, 2, 1, 1, plan_matmul},
};

const struct op_table op_matmul = {ops, sizeof ops / sizeof *ops};
