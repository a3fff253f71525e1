/* SPDX-License-Identifier: MPL-2.0 */
/* ConvInteger and QLinearConv. All that the kernel covers at one output position becomes a row of bytes, with the input's
 * zero point where it reaches beyond; the rows times the weights, laid out for the kernels, are the sums. */
#include <math.h>
#include <string.h>

#include "quantized.h"
#include "window.h"

enum { QCONV_ROWS = 64 }; /* positions at a time */

struct qconv {
    struct window w;
    size_t samples, groups, channels_in, channels_out, k; /* channels of each group */
    bool x_signed, w_signed, linear;
    int x_zero_in, w_in, w_zero_in;
    int32_t *x_zero, *w_zero;
    size_t w_zero_step;
    size_t each;  /* bytes of one group's weights as they are laid out */
    char *packed; /* NULL: in each run, in scratch */
    size_t rows_at, sums_at, prepared_at;
    double low, high;
};

static void fill_row(const struct qconv *p, const uint8_t *x, int64_t position, uint8_t outside, uint8_t *to)
{
    const struct window *w = &p->w;
    const int64_t o2 = position % w->out[2], o1 = position / w->out[2] % w->out[1],
                  o0 = position / w->out[2] / w->out[1];
    for (size_t c = 0; c < p->channels_in; c++, x += w->in_size) {
        for (int64_t k0 = 0; k0 < w->kernel[0]; k0++) {
            const int64_t i0 = o0 * w->stride[0] - w->begin[0] + k0 * w->dilation[0];
            for (int64_t k1 = 0; k1 < w->kernel[1]; k1++) {
                const int64_t i1 = o1 * w->stride[1] - w->begin[1] + k1 * w->dilation[1];
                const bool row = i0 >= 0 && i0 < w->in[0] && i1 >= 0 && i1 < w->in[1];
                const int64_t i2 = o2 * w->stride[2] - w->begin[2];
                for (int64_t k2 = 0; k2 < w->kernel[2]; k2++) {
                    const int64_t at = i2 + k2 * w->dilation[2];
                    *to++ =
                        row && at >= 0 && at < w->in[2] ? x[(i0 * w->in[1] + i1) * w->in[2] + at] : outside;
                }
            }
        }
    }
}

static void pack_group(const struct step *s, const struct qconv *p, size_t group, char *at)
{
    const struct bytes weights = {(const char *) s->in[p->w_in]->data + group * p->channels_out * p->k,
                                  p->w_signed, p->w_zero + group * p->channels_out * p->w_zero_step,
                                  p->w_zero_step};
    int8_pack((struct int8 *) (void *) at, p->k, p->channels_out, weights, 1, p->k, at + 64);
}

/* Sums of some positions, [position][channel], to [channel][position] of the output. */
static void put(const struct step *s, const struct qconv *p, const int32_t *sums, size_t group, size_t first,
                size_t n, size_t at)
{
    const size_t positions = (size_t) p->w.out_size;
    for (size_t c = 0; c < p->channels_out; c++, at += positions) {
        if (!p->linear) {
            int32_t *y = (int32_t *) s->out[0]->data + at + first;
            for (size_t i = 0; i < n; i++) {
                y[i] = sums[i * p->channels_out + c];
            }
            continue;
        }
        const size_t channel = group * p->channels_out + c;
        const struct tensor *scale = s->in[4], *zero = s->in[7], *bias = s->n_in > 8 ? s->in[8] : NULL;
        const float times =
            *(const float *) s->in[1]->data * ((const float *) scale->data)[scale->count > 1 ? channel : 0];
        const float by = *(const float *) s->in[6]->data;
        const uint32_t add = bias ? ((const uint32_t *) bias->data)[channel] : 0;
        float row[QCONV_ROWS];
        for (size_t i = 0; i < n; i++) {
            row[i] = (float) (int32_t) ((uint32_t) sums[i * p->channels_out + c] + add) * times;
        }
        const struct int8_type type = {
            .scale = by, .zero = (float) tensor_int(zero, 0), .low = (float) p->low, .high = (float) p->high};
        int8_quantize(row, n, &type, (char *) s->out[0]->data + at + first);
    }
}

static int run_qconv(const struct step *s, struct run *r)
{
    const struct qconv *p = s->state;
    char *scratch = r->scratch;
    quantized_read_zeros(s, p->x_zero_in, p->x_zero);
    if (!p->packed) {
        quantized_read_zeros(s, p->w_zero_in, p->w_zero);
        for (size_t g = 0; g < p->groups; g++) {
            pack_group(s, p, g, scratch + g * p->each);
        }
    }
    const char *packed = p->packed ? p->packed : scratch;
    uint8_t *rows = (uint8_t *) scratch + p->rows_at;
    int32_t *sums = (int32_t *) (void *) (scratch + p->sums_at);
    const size_t positions = (size_t) p->w.out_size;
    for (size_t i = 0; i < p->samples * p->groups; i++) {
        const size_t group = i % p->groups;
        const uint8_t *x = (const uint8_t *) s->in[0]->data + i * p->channels_in * (size_t) p->w.in_size;
        struct int8 g;
        memcpy(&g, packed + group * p->each, sizeof g);
        for (size_t at = 0; at < positions; at += QCONV_ROWS) {
            const size_t n = positions - at < QCONV_ROWS ? positions - at : QCONV_ROWS;
            for (size_t j = 0; j < n; j++) {
                fill_row(p, x, (int64_t) (at + j), (uint8_t) p->x_zero[0], rows + j * p->k);
            }
            const struct int8_out out = {.y = sums, .ld = p->channels_out};
            int8_run(&g, n, (struct bytes){rows, p->x_signed, p->x_zero, 0}, p->k, &out,
                     scratch + p->prepared_at);
            put(s, p, sums, group, at, n, i * p->channels_out * positions);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int plan_memory(struct step *s, struct qconv *p)
{
    const bool constant = step_is_constant(s, p->w_in) && (p->w_zero_in >= s->n_in || !s->in[p->w_zero_in] ||
                                                           step_is_constant(s, p->w_zero_in));
    p->each = 64 + aligned(int8_bytes(p->k, p->channels_out));
    size_t all;
    if (__builtin_mul_overflow(p->each, p->groups, &all)) {
        return step_fail(s, "weights of more than 2^64 bytes");
    }
    p->rows_at = constant ? 0 : all;
    p->sums_at = p->rows_at + aligned(QCONV_ROWS * p->k);
    p->prepared_at = p->sums_at + aligned(QCONV_ROWS * p->channels_out * sizeof(int32_t));
    s->scratch_bytes = p->prepared_at + int8_scratch(p->k);
    if (!constant) {
        return KILN_OK;
    }
    void **slot = step_shared(s, 0);
    if (!*slot) {
        char *memory = model_alloc(s, all);
        if (!memory) {
            return KILN_RESOURCE;
        }
        quantized_read_zeros(s, p->w_zero_in, p->w_zero);
        for (size_t g = 0; g < p->groups; g++) {
            pack_group(s, p, g, memory + g * p->each);
        }
        *slot = memory;
    }
    p->packed = *slot;
    return KILN_OK;
}

static int check_linear(struct step *s, size_t channels, struct qconv *p)
{
    int status = quantized_scale(s, 1, 1);
    if (status == KILN_OK) {
        status = quantized_scale(s, 4, channels);
    }
    if (status == KILN_OK) {
        status = quantized_scale(s, 6, 1);
    }
    if (status != KILN_OK) {
        return status;
    }
    const struct tensor *zero = s->in[7], *bias = s->n_in > 8 ? s->in[8] : NULL;
    if (!zero || !quantized_byte(zero->dtype) || zero->count != 1) {
        return step_fail(s, "y_zero_point is not one number of uint8 or int8");
    }
    if (bias && (bias->dtype != DT_I32 || (size_t) bias->count != channels)) {
        return step_fail(s, "bias is not %zu numbers of int32", channels);
    }
    quantized_range(zero->dtype, &p->low, &p->high);
    return KILN_OK;
}

static int plan_with(struct step *s, bool linear)
{
    struct qconv *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    p->linear = linear;
    p->w_in = linear ? 3 : 1;
    p->x_zero_in = 2;
    p->w_zero_in = linear ? 5 : 3;
    const struct tensor *x = s->in[0], *weights = s->in[p->w_in];
    const int64_t groups = step_int(s, "group", 1);
    if (!weights || !quantized_byte(x->dtype) || !quantized_byte(weights->dtype) || x->rank < 3 ||
        weights->rank != x->rank || groups < 1 || groups > weights->dims[0] ||
        weights->dims[0] % groups != 0 || x->dims[1] % groups != 0 ||
        weights->dims[1] != x->dims[1] / groups) {
        char shape[80];
        return step_fail(s,
                         "input %s, weights and %lld groups do not go together; expected uint8 or int8 from "
                         "3 dimensions on",
                         tensor_text(x, shape, sizeof shape), (long long) groups);
    }
    size_t unused;
    int status = quantized_zeros(s, p->x_zero_in, x->dtype, 1, &p->x_zero, &unused);
    if (status != KILN_OK ||
        (status = quantized_zeros(s, p->w_zero_in, weights->dtype, (size_t) weights->dims[0], &p->w_zero,
                                  &p->w_zero_step)) != KILN_OK ||
        (linear && (status = check_linear(s, (size_t) weights->dims[0], p)) != KILN_OK) ||
        (status = window_plan(s, x, weights->dims + 2, &p->w)) != KILN_OK ||
        (status = window_output(s, x, linear ? s->in[7]->dtype : DT_I32, weights->dims[0], &p->w, 0)) !=
            KILN_OK) {
        return status;
    }
    p->x_signed = x->dtype == DT_I8;
    p->w_signed = weights->dtype == DT_I8;
    p->groups = (size_t) groups;
    p->channels_in = (size_t) weights->dims[1];
    p->channels_out = (size_t) (weights->dims[0] / groups);
    p->k = p->channels_in * (size_t) p->w.kernel_size;
    p->samples = s->out[0]->count ? (size_t) x->dims[0] : 0;
    s->state = p;
    s->run = run_qconv;
    return plan_memory(s, p);
}

static int plan_integer(struct step *s)
{
    return plan_with(s, false);
}

static int plan_linear(struct step *s)
{
    return plan_with(s, true);
}

static const struct op ops[] = {
    {"", "ConvInteger", 10, 2, 4, 1, 1, plan_integer},
    {"", "QLinearConv", 10, 8, 9, 1, 1, plan_linear},
};

const struct op_table op_qconv = {ops, sizeof ops / sizeof *ops};
