/* SPDX-License-Identifier: MPL-2.0 */
/* ConvTranspose, of float32 and float64: each input element adds the kernel, times itself, to the output.
 *
 * What all input positions add to one kernel element is a row of a product, of the weights turned round with the input; it is computed row
 * by row of output channels, and then added where it belongs. */
#include "../kernel/gemm.h"
#include "product.h"
#include "window.h"

#include <string.h>

struct transposed {
    struct window w; /* `in` is the input, `out` the output: strides multiply positions of the input */
    size_t samples, groups, channels_in, channels_out; /* channels of each group */
    size_t turned_at, last_at;                         /* in scratch, behind products */
};

/* The input positions of the last axis whose k2-th output is inside: from *ret_first, so many. */
static int64_t inside(const struct window *w, int64_t k2, int64_t *ret_first)
{
    const int64_t at = k2 * w->dilation[2] - w->begin[2], stride = w->stride[2];
    const int64_t first = at < 0 ? (-at + stride - 1) / stride : 0;
    const int64_t end = at < w->out[2] ? (w->out[2] - at + stride - 1) / stride : 0;
    *ret_first = first;
    return (end < w->in[2] ? end : w->in[2]) - first;
}

/* y[out] += products[kernel][in], of one output channel. */
#define ADD_UP(NAME, TYPE)                                                                                   \
    static void NAME(const struct window *w, const TYPE *products, TYPE *y)                                  \
    {                                                                                                        \
        for (int64_t k = 0; k < w->kernel_size; k++) {                                                       \
            const int64_t k2 = k % w->kernel[2], k1 = k / w->kernel[2] % w->kernel[1];                       \
            const int64_t k0 = k / w->kernel[2] / w->kernel[1], stride = w->stride[2];                       \
            int64_t first;                                                                                   \
            const int64_t n = inside(w, k2, &first);                                                         \
            const int64_t o2 = first * stride - w->begin[2] + k2 * w->dilation[2];                           \
            for (int64_t i = 0; i < w->in[0] * w->in[1]; i++, products += w->in[2]) {                        \
                const int64_t o0 = i / w->in[1] * w->stride[0] - w->begin[0] + k0 * w->dilation[0];          \
                const int64_t o1 = i % w->in[1] * w->stride[1] - w->begin[1] + k1 * w->dilation[1];          \
                if (o0 < 0 || o0 >= w->out[0] || o1 < 0 || o1 >= w->out[1] || n <= 0) {                      \
                    continue;                                                                                \
                }                                                                                            \
                TYPE *row = y + (o0 * w->out[1] + o1) * w->out[2] + o2;                                      \
                const TYPE *from = products + first;                                                         \
                for (int64_t j = 0; j < n; j++) {                                                            \
                    row[j * stride] += from[j];                                                              \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }

ADD_UP(add_floats, float)
ADD_UP(add_doubles, double)

static void start(const struct step *s, char *y, size_t channel, int64_t n)
{
    const struct tensor *bias = s->n_in > 2 ? s->in[2] : NULL;
    for (int64_t i = 0; i < n; i++) {
        if (s->out[0]->dtype == DT_F32) {
            ((float *) (void *) y)[i] = bias ? ((const float *) bias->data)[channel] : 0;
        } else {
            ((double *) (void *) y)[i] = bias ? ((const double *) bias->data)[channel] : 0;
        }
    }
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Weights [channels_in][channels_out * kernel] of a group, turned round. */
static void turn(const struct transposed *p, const float *weights, float *to)
{
    const size_t columns = p->channels_out * (size_t) p->w.kernel_size;
    for (size_t j = 0; j < columns; j++) {
        for (size_t c = 0; c < p->channels_in; c++) {
            *to++ = weights[c * columns + j];
        }
    }
}

static int run_floats(const struct step *s, struct run *r)
{
    const struct transposed *p = s->state;
    const size_t in = (size_t) p->w.in_size, kernel = (size_t) p->w.kernel_size, out = (size_t) p->w.out_size;
    const size_t each = p->channels_out * kernel * p->channels_in;
    float *const products = r->scratch;
    float *const turned = (float *) (void *) ((char *) r->scratch + p->turned_at);
    void *const last = (char *) r->scratch + p->last_at;
    const float *x = s->in[0]->data;
    float *y = s->out[0]->data;
    for (size_t group = 0; group < p->groups; group++) {
        turn(p, (const float *) s->in[1]->data + group * each, turned + group * each);
    }
    for (size_t i = 0; i < p->samples * p->groups; i++, x += p->channels_in * in) {
        struct gemm g;
        gemm_place(&g, p->channels_in, in, x, last);
        for (size_t c = 0; c < p->channels_out; c++, y += out) {
            const size_t channel = i % p->groups * p->channels_out + c;
            gemm_run(&g, kernel, turned + channel * kernel * p->channels_in, p->channels_in, products, in);
            start(s, (char *) y, channel, p->w.out_size);
            add_floats(&p->w, products, y);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* One output channel: weights[channels_in][channels_out][kernel], of which those of this channel are a column. */
static int run_doubles(const struct step *s, struct run *r)
{
    const struct transposed *p = s->state;
    const enum dtype dtype = s->out[0]->dtype;
    const size_t size = dtype_size(dtype), out = (size_t) p->w.out_size, in = (size_t) p->w.in_size;
    const size_t kernel = (size_t) p->w.kernel_size;
    const struct product_steps steps = {1, (int64_t) (p->channels_out * kernel), (int64_t) in, 1};
    char *y = s->out[0]->data;
    for (size_t i = 0; i < p->samples * p->groups * p->channels_out; i++, y += out * size) {
        const size_t channel = i % (p->groups * p->channels_out), group = channel / p->channels_out;
        const size_t of_group = channel % p->channels_out;
        const char *x = (const char *) s->in[0]->data + i / p->channels_out * p->channels_in * in * size;
        const char *weights = (const char *) s->in[1]->data +
                              (group * p->channels_in * p->channels_out + of_group) * kernel * size;
        product_of(dtype, kernel, p->channels_in, in, weights, x, r->scratch, steps);
        start(s, y, channel, p->w.out_size);
        add_doubles(&p->w, r->scratch, (double *) (void *) y);
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* What `output_shape` and auto_pad ask for is reached by padding. */
static int set_output(struct step *s, struct window *w)
{
    const int64_t *shape, *more;
    size_t n_shape = step_ints(s, "output_shape", &shape);
    const size_t n_more = step_ints(s, "output_padding", &more), axes = (size_t) w->axes;
    if (n_shape == axes + 2) { /* older exporters give all dimensions */
        shape += 2;
        n_shape = axes;
    }
    if ((n_shape && n_shape != axes) || (n_more && n_more != axes)) {
        return step_fail(s, "output_shape has %zu values, output_padding %zu; expected %zu", n_shape, n_more,
                         axes);
    }
    w->out_size = 1;
    for (int i = 0; i < WINDOW_AXES; i++) {
        const int axis = i - (WINDOW_AXES - w->axes);
        const int64_t pad = axis >= 0 && n_more ? more[axis] : 0;
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        if (pad < 0 || pad > w->stride[i] + w->dilation[i] || w->in[i] < 1) {
            return step_fail(s, "output_padding %lld of an axis of %lld", (long long) pad,
                             (long long) w->in[i]);
        }
        const int64_t whole = (w->in[i] - 1) * w->stride[i] + reach + pad;
        const bool same = w->auto_pad == PAD_UPPER || w->auto_pad == PAD_LOWER;
        if (axis >= 0 && (n_shape || same)) {
            const int64_t wanted = n_shape ? shape[axis] : w->in[i] * w->stride[i];
            if (wanted < 1 || wanted > whole + w->stride[i]) {
                return step_fail(s, "output_shape has %lld, expected 1 .. %lld", (long long) wanted,
                                 (long long) whole);
            }
            const int64_t total = wanted < whole ? whole - wanted : 0;
            w->begin[i] = w->auto_pad == PAD_UPPER ? total / 2 : total - total / 2;
            w->end[i] = total - w->begin[i];
            w->out[i] = wanted;
        } else {
            w->out[i] = whole - w->begin[i] - w->end[i];
        }
        if (w->out[i] < 1 || __builtin_mul_overflow(w->out_size, w->out[i], &w->out_size)) {
            return step_fail(s, "an output axis of %lld", (long long) w->out[i]);
        }
    }
    return KILN_OK;
}

/* Products of one channel; for floats the weights turned round and the end of the input as gemm_place wants it, too. */
static int plan_memory(struct step *s, struct transposed *p)
{
    const size_t in = (size_t) p->w.in_size, size = dtype_size(s->in[0]->dtype);
    size_t products;
    if (__builtin_mul_overflow(in * size, (size_t) p->w.kernel_size, &products) || products > SIZE_MAX / 4) {
        return step_fail(s, "an input and a kernel of more than 2^62 bytes together");
    }
    p->turned_at = aligned(products);
    p->last_at = p->turned_at + aligned(tensor_bytes(s->in[1]));
    s->scratch_bytes =
        s->in[0]->dtype == DT_F32 ? p->last_at + gemm_place_bytes(p->channels_in, in) : products;
    return KILN_OK;
}

static int plan_transposed(struct step *s)
{
    const struct tensor *x = s->in[0], *weights = s->in[1], *bias = s->n_in > 2 ? s->in[2] : NULL;
    const int64_t groups = step_int(s, "group", 1);
    char shape_x[80], shape_w[80];
    if (!dtype_is_float(x->dtype) || weights->dtype != x->dtype || x->rank < 3 || x->rank != weights->rank ||
        groups < 1 || groups > x->dims[1] || x->dims[1] % groups != 0 || weights->dims[0] != x->dims[1] ||
        (bias && (bias->dtype != x->dtype || bias->count != weights->dims[1] * groups))) {
        return step_fail(s, "input %s, weights %s, %lld groups and bias do not go together",
                         tensor_text(x, shape_x, sizeof shape_x),
                         tensor_text(weights, shape_w, sizeof shape_w), (long long) groups);
    }
    struct transposed *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    int status = window_read(s, x, weights->dims + 2, &p->w);
    if (status != KILN_OK || (status = set_output(s, &p->w)) != KILN_OK ||
        (status = window_output(s, x, x->dtype, weights->dims[1] * groups, &p->w, 0)) != KILN_OK) {
        return status;
    }
    p->samples = s->out[0]->count ? (size_t) x->dims[0] : 0;
    p->groups = (size_t) groups;
    p->channels_in = (size_t) (x->dims[1] / groups);
    p->channels_out = (size_t) weights->dims[1];
    s->state = p;
    s->run = x->dtype == DT_F32 ? run_floats : run_doubles;
    return plan_memory(s, p);
}

static const struct op ops[] = {
    {"", "ConvTranspose", 1, 2, 3, 1, 1, plan_transposed},
};

const struct op_table op_conv_transpose = {ops, sizeof ops / sizeof *ops};
