/* SPDX-License-Identifier: MPL-2.0 */
/* MatMulInteger, QLinearMatMul, and what fusing makes of products between DequantizeLinear and QuantizeLinear:
 *
 *   kiln.QDense   x, x_scale, x_zero, w, w_scale, w_zero, [bias], [y_scale, y_zero]: bytes in, w constant; bytes out, or floats where
 *                 no y_scale is. bias and activation (act, act_a, act_b) are of floats.
 *   kiln.DynamicDense   x, w, w_scale, [bias]: floats in and out; each row of x is quantised by itself. w is int8 and constant. */
#include "product.h"
#include "quantized.h"

#include <math.h>
#include <string.h>

#include "../kernel/act.h"

struct qmatmul {
    struct int8 g;
    size_t m, k, n, batches;
    const int64_t *left, *right;
    bool packed, x_signed, w_signed;
    int x_zero_in, w_zero_in; /* inputs with zero points */
    int32_t *x_zero, *w_zero;
    size_t x_zero_step, w_zero_step;
    size_t sums_at, rows_at; /* bytes in scratch, behind what is laid out there */
    /* what becomes of the sums */
    int x_scale_in, w_scale_in, bias_in, y_scale_in, y_zero_in; /* 0: none */
    size_t turn_k, turn_n;                                      /* steps of w */
    double low, high;
    struct int8_type type;
    enum act_kind act;
    float act_a, act_b;
    float low_act, high_act; /* an activation that is bounds needs no step of its own */
};

static struct bytes left_of(const struct step *s, const struct qmatmul *p, size_t batch)
{
    return (struct bytes){(const char *) s->in[0]->data + p->left[batch], p->x_signed, p->x_zero,
                          p->x_zero_step};
}

static struct bytes right_of(const struct step *s, const struct qmatmul *p, int w, size_t batch)
{
    return (struct bytes){(const char *) s->in[w]->data + p->right[batch], p->w_signed, p->w_zero,
                          p->w_zero_step};
}

static struct int8_end end_of(const struct step *s, const struct qmatmul *p, float times)
{
    const struct tensor *scale = s->in[p->w_scale_in];
    return (struct int8_end){.scale = scale->data,
                             .scale_step = scale->count > 1,
                             .times = times,
                             .low = p->low_act,
                             .high = p->high_act,
                             .bias = p->bias_in && s->in[p->bias_in] ? s->in[p->bias_in]->data : NULL};
}

/* Sums of one row become floats: times the scales, plus the bias, activated. */
static void finish_floats(const struct qmatmul *p, const int32_t *sums, const struct int8_end *end, float *y)
{
    int8_to_floats(sums, p->n, end, y);
    act_apply(p->act, y, p->n, p->act_a, p->act_b);
}

/* The type of y; made in the plan where that is possible. */
static struct int8_type type_of(const struct step *s, const struct qmatmul *p)
{
    if (!p->y_scale_in || p->type.product) {
        return p->type;
    }
    const struct tensor *zero = p->y_zero_in < s->n_in ? s->in[p->y_zero_in] : NULL;
    return (struct int8_type){.scale = *(const float *) s->in[p->y_scale_in]->data,
                              .zero = zero ? (float) tensor_int(zero, 0) : 0,
                              .low = (float) p->low,
                              .high = (float) p->high};
}

enum { FINISH_ROWS = 24 }; /* sums of so many rows at a time, which stay in the cache */

/* Where an activation is more than bounds: the sums become floats in place, row by row. */
static void run_activated(const struct qmatmul *p, const struct int8 *g, const struct bytes *x,
                          const struct int8_out *to, char *scratch)
{
    int32_t *sums = (int32_t *) (void *) (scratch + p->sums_at);
    for (size_t row = 0; row < p->m; row += FINISH_ROWS) {
        const size_t rows = p->m - row < FINISH_ROWS ? p->m - row : FINISH_ROWS;
        struct bytes part = *x;
        part.data = (const char *) x->data + row * p->k;
        part.zero = x->zero + row * x->zero_step;
        int8_run(g, rows, part, p->k, &(struct int8_out){.y = sums, .ld = p->n}, scratch + p->rows_at);
        for (size_t j = 0; j < rows; j++) {
            const size_t at = (row + j) * p->n;
            float *floats = to->type ? (float *) (void *) (sums + j * p->n) : (float *) to->y + at;
            finish_floats(p, sums + j * p->n, to->end, floats);
            if (to->type) {
                int8_quantize(floats, p->n, to->type, (char *) to->y + at);
            }
        }
    }
}

static int run_bytes(const struct step *s, struct run *r)
{
    const struct qmatmul *p = s->state;
    char *scratch = r->scratch;
    struct int8 g = p->g;
    const int w = p->x_scale_in ? 3 : 1;
    quantized_read_zeros(s, p->x_zero_in, p->x_zero);
    if (!p->packed) {
        quantized_read_zeros(s, p->w_zero_in, p->w_zero);
    }
    const size_t each = p->m * p->n * dtype_size(s->out[0]->dtype);
    for (size_t i = 0; i < p->batches; i++) {
        if (!p->packed && (i == 0 || p->right[i] != p->right[i - 1])) {
            int8_pack(&g, p->k, p->n, right_of(s, p, w, i), p->turn_k, p->turn_n, scratch);
        }
        const struct bytes x = left_of(s, p, i);
        struct int8_out out = {.y = (char *) s->out[0]->data + i * each, .ld = p->n};
        if (!p->x_scale_in) {
            int8_run(&g, p->m, x, p->k, &out, scratch + p->rows_at);
            continue;
        }
        const struct int8_end end = end_of(s, p, *(const float *) s->in[p->x_scale_in]->data);
        const struct int8_type type = type_of(s, p);
        out.end = &end;
        out.type = p->y_scale_in ? &type : NULL;
        if (p->act == ACT_NONE) {
            int8_run(&g, p->m, x, p->k, &out, scratch + p->rows_at);
        } else {
            run_activated(p, &g, &x, &out, scratch);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* Each row of floats to bytes, with a scale and a zero point that fit it. */
static int run_dynamic(const struct step *s, struct run *r)
{
    const struct qmatmul *p = s->state;
    char *scratch = r->scratch;
    int32_t *sums = (int32_t *) (void *) (scratch + p->sums_at);
    uint8_t *bytes = (uint8_t *) sums + FINISH_ROWS * p->n * sizeof *sums;
    int32_t zeros[FINISH_ROWS];
    float scales[FINISH_ROWS];
    for (size_t row = 0; row < p->m; row += FINISH_ROWS) {
        const size_t rows = p->m - row < FINISH_ROWS ? p->m - row : FINISH_ROWS;
        const float *x = (const float *) s->in[0]->data + row * p->k;
        for (size_t i = 0; i < rows; i++, x += p->k) {
            int8_dynamic(x, p->k, bytes + i * p->k, &scales[i], &zeros[i]);
        }
        const struct bytes left = {bytes, false, zeros, 1};
        int8_run(&p->g, rows, left, p->k, &(struct int8_out){.y = sums, .ld = p->n}, scratch + p->rows_at);
        for (size_t i = 0; i < rows; i++) {
            const struct int8_end end = end_of(s, p, scales[i]);
            finish_floats(p, sums + i * p->n, &end, (float *) s->out[0]->data + (row + i) * p->n);
        }
    }
    return KILN_OK;
}

/* ---- planning ------------------------------------------------------------------------------------ */

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* A constant right-hand side is laid out once. */
static int plan_right(struct step *s, struct qmatmul *p, int w)
{
    const bool constant =
        s->in[w]->rank <= 2 && step_is_constant(s, w) &&
        (p->w_zero_in >= s->n_in || !s->in[p->w_zero_in] || step_is_constant(s, p->w_zero_in));
    size_t extra = p->x_scale_in || p->act != ACT_NONE ? FINISH_ROWS * p->n * (sizeof(int32_t)) : 0;
    p->sums_at = constant ? 0 : aligned(int8_bytes(p->k, p->n));
    p->rows_at = p->sums_at + aligned(extra);
    s->scratch_bytes = p->rows_at + int8_scratch(p->k);
    if (!constant) {
        return KILN_OK;
    }
    void **slot = step_shared(s, 0);
    if (!*slot) {
        char *memory = model_alloc(s, 64 + aligned(sizeof p->g) + int8_bytes(p->k, p->n));
        if (!memory) {
            return KILN_RESOURCE;
        }
        quantized_read_zeros(s, p->w_zero_in, p->w_zero);
        int8_pack((struct int8 *) (void *) memory, p->k, p->n,
                  (struct bytes){s->in[w]->data, p->w_signed, p->w_zero, p->w_zero_step}, p->turn_k,
                  p->turn_n, memory + aligned(sizeof p->g));
        *slot = memory;
    }
    memcpy(&p->g, *slot, sizeof p->g);
    p->packed = true;
    return KILN_OK;
}

static int plan_product(struct step *s, int w, struct qmatmul **ret, struct product_shape *shape)
{
    struct qmatmul *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    if (!s->in[w] || !quantized_byte(s->in[w]->dtype)) {
        return step_fail(s, "input %d is %s, expected uint8 or int8", w,
                         s->in[w] ? dtype_name(s->in[w]->dtype) : "absent");
    }
    /* the shape of w as it is multiplied: kiln.QDense and kiln.DynamicDense may have it transposed */
    struct tensor right = *s->in[w];
    const bool turned = right.rank == 2 && step_int(s, "transB", 0) != 0;
    if (turned) {
        right.dims[0] = s->in[w]->dims[1];
        right.dims[1] = s->in[w]->dims[0];
    }
    const int status = product_shape(s, s->in[0], &right, shape);
    if (status != KILN_OK) {
        return status;
    }
    p->m = shape->m;
    p->k = shape->k;
    p->n = shape->n;
    p->batches = shape->batches;
    p->left = shape->left;
    p->right = shape->right;
    p->turn_k = turned ? 1 : p->n;
    p->turn_n = turned ? p->k : 1;
    p->x_signed = s->in[0]->dtype == DT_I8;
    p->w_signed = s->in[w]->dtype == DT_I8;
    s->state = p;
    *ret = p;
    return KILN_OK;
}

/* Zero points of rows and columns; `rows`: one for each row is allowed. */
static int plan_zeros(struct step *s, struct qmatmul *p, int x_zero, int w, int w_zero, bool rows)
{
    p->x_zero_in = x_zero;
    p->w_zero_in = w_zero;
    if (!quantized_byte(s->in[0]->dtype)) {
        return step_fail(s, "input 0 is %s, expected uint8 or int8", dtype_name(s->in[0]->dtype));
    }
    const int status =
        quantized_zeros(s, x_zero, s->in[0]->dtype, rows ? p->m : 1, &p->x_zero, &p->x_zero_step);
    return status != KILN_OK ? status
                             : quantized_zeros(s, w_zero, s->in[w]->dtype, p->n, &p->w_zero, &p->w_zero_step);
}

static int plan_integer(struct step *s)
{
    struct qmatmul *p = NULL;
    struct product_shape shape;
    int status = plan_product(s, 1, &p, &shape);
    if (status != KILN_OK || (status = plan_zeros(s, p, 2, 1, 3, true)) != KILN_OK) {
        return status;
    }
    s->run = run_bytes;
    status = plan_right(s, p, 1);
    return status != KILN_OK ? status : step_output(s, 0, DT_I32, shape.rank, shape.dims);
}

static int plan_act(struct step *s, struct qmatmul *p)
{
    const int64_t act = step_int(s, "act", ACT_NONE);
    if (act < 0 || act >= ACT_KINDS) {
        return step_fail(s, "no such activation");
    }
    p->act = (enum act_kind) act;
    p->act_a = step_float(s, "act_a", 0);
    p->act_b = step_float(s, "act_b", 0);
    p->low_act = p->act == ACT_RELU ? 0 : p->act == ACT_CLIP ? p->act_a : -INFINITY;
    p->high_act = p->act == ACT_CLIP ? p->act_b : INFINITY;
    if (p->act == ACT_RELU || p->act == ACT_CLIP) {
        p->act = ACT_NONE;
    }
    return KILN_OK;
}

/* x, x_scale, x_zero, w, w_scale, w_zero; then bias, or not; then y_scale, y_zero */
static int plan_qlinear(struct step *s, bool has_bias)
{
    struct qmatmul *p = NULL;
    struct product_shape shape;
    int status = plan_product(s, 3, &p, &shape);
    if (status != KILN_OK || (status = plan_zeros(s, p, 2, 3, 5, false)) != KILN_OK ||
        (status = quantized_scale(s, 1, 1)) != KILN_OK || (status = quantized_scale(s, 4, p->n)) != KILN_OK ||
        (status = plan_act(s, p)) != KILN_OK) {
        return status;
    }
    p->x_scale_in = 1;
    p->w_scale_in = 4;
    p->bias_in = has_bias && s->n_in > 6 && s->in[6] ? 6 : 0;
    const int y = has_bias ? 7 : 6;
    enum dtype dtype = DT_F32;
    if (s->n_in > y && s->in[y]) {
        p->y_scale_in = y;
        p->y_zero_in = y + 1;
        dtype = s->n_in > y + 1 && s->in[y + 1] ? s->in[y + 1]->dtype : DT_U8;
        if (!quantized_byte(dtype) || (status = quantized_scale(s, y, 1)) != KILN_OK) {
            return status != KILN_OK
                       ? status
                       : step_fail(s, "y's zero point is %s, expected uint8 or int8", dtype_name(dtype));
        }
        quantized_range(dtype, &p->low, &p->high);
        const struct tensor *zero = s->n_in > y + 1 ? s->in[y + 1] : NULL;
        if (s->in[y]->data && (!zero || zero->data)) {
            p->type = type_of(s, p);
            int8_type_fast(&p->type);
        }
    }
    if (p->bias_in && (s->in[6]->dtype != DT_F32 || (size_t) s->in[6]->count != p->n)) {
        return step_fail(s, "bias is not %zu numbers of float32", p->n);
    }
    s->run = run_bytes;
    status = plan_right(s, p, 3);
    return status != KILN_OK ? status : step_output(s, 0, dtype, shape.rank, shape.dims);
}

static int plan_qlinear_matmul(struct step *s)
{
    return plan_qlinear(s, false);
}

static int plan_qdense(struct step *s)
{
    return plan_qlinear(s, true);
}

static int plan_dynamic_dense(struct step *s)
{
    struct qmatmul *p = NULL;
    struct product_shape shape;
    int status = plan_product(s, 1, &p, &shape);
    if (status != KILN_OK || (status = plan_act(s, p)) != KILN_OK ||
        (status = quantized_scale(s, 2, p->n)) != KILN_OK) {
        return status;
    }
    p->w_scale_in = 2;
    p->x_scale_in = 2; /* sums are wanted in scratch */
    p->bias_in = s->n_in > 3 && s->in[3] ? 3 : 0;
    p->w_zero_in = s->n_in; /* none */
    if (s->in[0]->dtype != DT_F32 || !step_is_constant(s, 1) || s->in[1]->rank != 2 ||
        (p->bias_in && (size_t) s->in[3]->count != p->n)) {
        return step_fail(s, "expected floats, a constant matrix and a bias for each of its columns");
    }
    if ((status = quantized_zeros(s, s->n_in, DT_I8, p->n, &p->w_zero, &p->w_zero_step)) != KILN_OK ||
        (status = plan_right(s, p, 1)) != KILN_OK) {
        return status;
    }
    /* the bytes of a few rows lie behind their sums */
    const size_t bytes = aligned(FINISH_ROWS * p->k);
    p->rows_at += bytes;
    s->scratch_bytes += bytes;
    s->run = run_dynamic;
    return step_output(s, 0, DT_F32, shape.rank, shape.dims);
}

static const struct op ops[] = {
    {"", "MatMulInteger", 10, 2, 4, 1, 1, plan_integer},
    {"", "QLinearMatMul", 10, 8, 8, 1, 1, plan_qlinear_matmul},
    {"kiln", "QDense", 1, 6, 9, 1, 1, plan_qdense},
    {"kiln", "DynamicDense", 1, 3, 4, 1, 1, plan_dynamic_dense},
};

const struct op_table op_qmatmul = {ops, sizeof ops / sizeof *ops};
