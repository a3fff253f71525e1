/* SPDX-License-Identifier: MPL-2.0 */
/* Conv and its fused form kiln.Conv: act(conv(x, w) + b), of float32 and float64.
 *
 * A convolution is a product of the weights, one row for each output channel, with a matrix that has one column for each
 * output position and in it all that the kernel covers there. That matrix is never there as a whole: blocks of
 * it are laid out as the kernels want them, and used while they are in the cache. */
#include <string.h>

#include "../kernel/kernels.h"
#include "window.h"

enum { BLOCK_FLOATS = 1 << 16 }; /* of the matrix at a time: 256 KiB */

/* The input of a group with its padding, in which every row of that matrix lies in one piece for one row of the output. Along the last axis
 * elements that are `stride` apart lie together. */
struct padded {
    bool used;
    size_t rows[2];           /* of the first two axes */
    size_t phase, row, image; /* elements: of one phase, of a row, of a channel */
    size_t *places;           /* of each row of the matrix */
};

struct conv {
    struct padded padded;
    struct window w;
    size_t samples, groups;
    size_t channels_in, channels_out; /* of each group */
    size_t k;                         /* rows of the matrix: channels_in times the kernel's elements */
    size_t panels, width;             /* of a block; columns of a panel */
    bool direct;                      /* the matrix is the input itself */
    struct gemm g;
};

/* Positions that lie next to each other in one row of the output. */
struct run_of {
    int64_t o0, o1, o2;
    size_t lane, n;
};

/* `n` elements of a row of x at positions first, first + stride ..., zeros outside of 0 .. in - 1. */
static void copy_row(const float *x, int64_t in, int64_t first, int64_t stride, size_t n, float *to)
{
    int64_t from = first >= 0 ? 0 : (-first + stride - 1) / stride;
    int64_t until = first >= in ? 0 : (in - first + stride - 1) / stride;
    from = from < (int64_t) n ? from : (int64_t) n;
    until = until < (int64_t) n ? until : (int64_t) n;
    until = until < from ? from : until;
    for (int64_t i = 0; i < from; i++) {
        to[i] = 0;
    }
    if (stride == 1) {
        for (int64_t i = from; i < until; i++) {
            to[i] = x[first + i];
        }
    } else {
        for (int64_t i = from; i < until; i++) {
            to[i] = x[first + i * stride];
        }
    }
    for (int64_t i = until; i < (int64_t) n; i++) {
        to[i] = 0;
    }
}

/* One panel: `columns` positions from `at`, all rows. */
static void fill_panel(const struct conv *p, const float *x, int64_t at, size_t columns, float *to)
{
    const struct window *w = &p->w;
    struct run_of runs[64]; /* a panel has at most 32 columns */
    size_t n = 0;
    for (size_t lane = 0; lane < columns; n++) {
        const int64_t o2 = at % w->out[2], left = w->out[2] - o2;
        runs[n] =
            (struct run_of){at / w->out[2] / w->out[1], at / w->out[2] % w->out[1], o2, lane, columns - lane};
        runs[n].n = (int64_t) runs[n].n > left ? (size_t) left : runs[n].n;
        lane += runs[n].n;
        at += (int64_t) runs[n].n;
    }
    for (size_t c = 0; c < p->channels_in; c++, x += w->in_size) {
        for (int64_t k0 = 0; k0 < w->kernel[0]; k0++) {
            for (int64_t k1 = 0; k1 < w->kernel[1]; k1++) {
                for (int64_t k2 = 0; k2 < w->kernel[2]; k2++, to += p->width) {
                    for (size_t i = 0; i < n; i++) {
                        const int64_t i0 = runs[i].o0 * w->stride[0] - w->begin[0] + k0 * w->dilation[0];
                        const int64_t i1 = runs[i].o1 * w->stride[1] - w->begin[1] + k1 * w->dilation[1];
                        const int64_t i2 = runs[i].o2 * w->stride[2] - w->begin[2] + k2 * w->dilation[2];
                        if (i0 < 0 || i0 >= w->in[0] || i1 < 0 || i1 >= w->in[1]) {
                            memset(to + runs[i].lane, 0, runs[i].n * sizeof *to);
                            continue;
                        }
                        copy_row(x + (i0 * w->in[1] + i1) * w->in[2], w->in[2], i2, w->stride[2], runs[i].n,
                                 to + runs[i].lane);
                    }
                    for (size_t lane = columns; lane < p->width; lane++) {
                        to[lane] = 0;
                    }
                }
            }
        }
    }
}

static void fill_padded(const struct conv *p, const float *x, float *to)
{
    const struct window *w = &p->w;
    const struct padded *d = &p->padded;
    for (size_t c = 0; c < p->channels_in; c++, x += w->in_size) {
        for (size_t i = 0; i < d->rows[0] * d->rows[1]; i++) {
            const int64_t i0 = (int64_t) (i / d->rows[1]) - w->begin[0],
                          i1 = (int64_t) (i % d->rows[1]) - w->begin[1];
            const bool outside = i0 < 0 || i0 >= w->in[0] || i1 < 0 || i1 >= w->in[1];
            const float *row = outside ? NULL : x + (i0 * w->in[1] + i1) * w->in[2];
            for (int64_t phase = 0; phase < w->stride[2]; phase++, to += d->phase) {
                if (outside) {
                    memset(to, 0, d->phase * sizeof *to);
                } else {
                    copy_row(row, w->in[2], phase - w->begin[2], w->stride[2], d->phase, to);
                }
            }
        }
    }
    memset(to, 0, 4 * kernels()->lanes * sizeof *to); /* the last tile may read on */
}

static int run_padded(const struct conv *p, struct run *r, const float *x, const float *weights,
                      const float *bias, float *y)
{
    const struct window *w = &p->w;
    const struct padded *d = &p->padded;
    struct gemm g = p->g;
    const float *from = r->scratch;
    fill_padded(p, x, r->scratch);
    g.k = p->k;
    g.n = (size_t) w->out[2];
    g.places = d->places;
    g.row_bias = bias;
    for (int64_t o0 = 0; o0 < w->out[0]; o0++) {
        for (int64_t o1 = 0; o1 < w->out[1]; o1++, y += g.n) {
            g.b = from + ((size_t) (o0 * w->stride[0]) * d->rows[1] + (size_t) (o1 * w->stride[1])) * d->row;
            gemm_run(&g, p->channels_out, weights, p->k, y, (size_t) w->out_size);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* One group of one sample. */
static int run_group(const struct conv *p, struct run *r, const float *x, const float *weights,
                     const float *bias, float *y)
{
    struct gemm g = p->g;
    const size_t positions = (size_t) p->w.out_size, size = p->k * p->width;
    if (p->padded.used) {
        return run_padded(p, r, x, weights, bias, y);
    }
    if (p->direct) {
        gemm_place(&g, p->k, positions, x, r->scratch);
        g.act = p->g.act;
        g.act_a = p->g.act_a;
        g.act_b = p->g.act_b;
        g.row_bias = bias;
        gemm_run(&g, p->channels_out, weights, p->k, y, positions);
        return KILN_OK;
    }
    float *const block = r->scratch;
    g.k = p->k;
    g.b = block;
    g.panel = size;
    g.row = g.last_row = p->width;
    g.row_bias = bias;
    for (size_t at = 0; at < positions; at += g.n) {
        g.n = positions - at < p->panels * p->width ? positions - at : p->panels * p->width;
        g.full = g.n - g.n % p->width;
        g.last = block + g.full / p->width * size;
        for (size_t i = 0; i < g.n; i += p->width) {
            const size_t columns = g.n - i < p->width ? g.n - i : p->width;
            fill_panel(p, x, (int64_t) (at + i), columns, block + i / p->width * size);
        }
        gemm_run(&g, p->channels_out, weights, p->k, y + at, positions);
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int run_floats(const struct step *s, struct run *r)
{
    const struct conv *p = s->state;
    const float *x = s->in[0]->data;
    const float *bias = s->n_in > 2 && s->in[2] ? s->in[2]->data : NULL;
    float *y = s->out[0]->data;
    for (size_t i = 0; i < p->samples; i++) {
        const float *weights = s->in[1]->data;
        for (size_t group = 0; group < p->groups; group++) {
            const int status = run_group(p, r, x, weights, bias ? bias + group * p->channels_out : NULL, y);
            if (status != KILN_OK) {
                return status;
            }
            x += p->channels_in * (size_t) p->w.in_size;
            y += p->channels_out * (size_t) p->w.out_size;
            weights += p->channels_out * p->k;
        }
    }
    return KILN_OK;
}

/* One output element of doubles, from the first channel of its group. */
static double one_double(const struct conv *p, const double *x, const double *weights, int64_t position)
{
    const struct window *w = &p->w;
    const int64_t o2 = position % w->out[2], o1 = position / w->out[2] % w->out[1],
                  o0 = position / w->out[2] / w->out[1];
    double sum = 0;
    for (size_t c = 0; c < p->channels_in; c++, x += w->in_size) {
        for (int64_t k = 0; k < w->kernel_size; k++) {
            const int64_t i2 = o2 * w->stride[2] - w->begin[2] + k % w->kernel[2] * w->dilation[2];
            const int64_t i1 =
                o1 * w->stride[1] - w->begin[1] + k / w->kernel[2] % w->kernel[1] * w->dilation[1];
            const int64_t i0 =
                o0 * w->stride[0] - w->begin[0] + k / w->kernel[2] / w->kernel[1] * w->dilation[0];
            const double weight = *weights++;
            if (i0 >= 0 && i0 < w->in[0] && i1 >= 0 && i1 < w->in[1] && i2 >= 0 && i2 < w->in[2]) {
                sum += weight * x[(i0 * w->in[1] + i1) * w->in[2] + i2];
            }
        }
    }
    return sum;
}

static int run_doubles(const struct step *s, struct run *r)
{
    const struct conv *p = s->state;
    const double *bias = s->n_in > 2 && s->in[2] ? s->in[2]->data : NULL;
    double *y = s->out[0]->data;
    for (size_t i = 0; i < p->samples * p->groups * p->channels_out; i++) {
        const size_t channel = i % (p->groups * p->channels_out), group = i / p->channels_out;
        const double *x = (const double *) s->in[0]->data + group * p->channels_in * (size_t) p->w.in_size;
        const double *weights = (const double *) s->in[1]->data + channel * p->k;
        for (int64_t at = 0; at < p->w.out_size; at++) {
            *y++ = one_double(p, x, weights, at) + (bias ? bias[channel] : 0);
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int check_inputs(struct step *s, int64_t groups)
{
    const struct tensor *x = s->in[0], *w = s->in[1];
    char shape_x[80], shape_w[80];
    if (!dtype_is_float(x->dtype) || w->dtype != x->dtype || x->rank < 3 || x->rank != w->rank) {
        return step_fail(
            s,
            "input is %s with weights %s, expected the same float type and number of dimensions, from 3 on",
            tensor_text(x, shape_x, sizeof shape_x), tensor_text(w, shape_w, sizeof shape_w));
    }
    if (groups < 1 || groups > w->dims[0] || w->dims[0] % groups != 0 || x->dims[1] % groups != 0 ||
        w->dims[1] != x->dims[1] / groups) {
        return step_fail(s, "input %s, weights %s and %lld groups do not go together",
                         tensor_text(x, shape_x, sizeof shape_x), tensor_text(w, shape_w, sizeof shape_w),
                         (long long) groups);
    }
    const struct tensor *bias = s->n_in > 2 ? s->in[2] : NULL;
    if (bias && (bias->dtype != x->dtype || bias->count != w->dims[0])) {
        return step_fail(s, "bias is %s, expected %s[%lld]", tensor_text(bias, shape_x, sizeof shape_x),
                         dtype_name(x->dtype), (long long) w->dims[0]);
    }
    return KILN_OK;
}

static size_t reach_of(const struct window *w, int i)
{
    return (size_t) ((w->out[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1);
}

/* Not where the input would become much larger, or rows of the output fill a vector badly: then blocks are better. */
static int plan_padded(struct step *s, struct conv *p)
{
    const struct window *w = &p->w;
    struct padded d = {.rows = {reach_of(w, 0), reach_of(w, 1)}};
    const size_t lanes = kernels()->lanes, out = (size_t) w->out[2], stride = (size_t) w->stride[2];
    const size_t most = 4 * p->channels_in * (size_t) w->in_size + BLOCK_FLOATS;
    d.phase = (reach_of(w, 2) + stride - 1) / stride;
    if (p->direct || p->k == 0 || 4 * out < 3 * ((out + lanes - 1) / lanes * lanes) ||
        __builtin_mul_overflow(d.phase, stride, &d.row) ||
        __builtin_mul_overflow(d.row, d.rows[1], &d.image) ||
        __builtin_mul_overflow(d.image, d.rows[0], &d.image) || d.image > most / p->channels_in) {
        return KILN_OK;
    }
    d.places = plan_alloc(s->plan, p->k * sizeof *d.places);
    if (!d.places) {
        return KILN_RESOURCE;
    }
    for (size_t k = 0; k < p->k; k++) {
        const int64_t at = (int64_t) (k % (size_t) w->kernel_size), k2 = at % w->kernel[2] * w->dilation[2];
        const int64_t k1 = at / w->kernel[2] % w->kernel[1] * w->dilation[1];
        const int64_t k0 = at / w->kernel[2] / w->kernel[1] * w->dilation[0];
        d.places[k] = k / (size_t) w->kernel_size * d.image +
                      ((size_t) k0 * d.rows[1] + (size_t) k1) * d.row + (size_t) k2 % stride * d.phase +
                      (size_t) k2 / stride;
    }
    d.used = true;
    p->padded = d;
    s->scratch_bytes = (p->channels_in * d.image + 4 * lanes) * sizeof(float);
    return KILN_OK;
}

static void plan_blocks(struct step *s, struct conv *p)
{
    const struct window *w = &p->w;
    const size_t positions = (size_t) w->out_size;
    p->direct = w->kernel_size == 1;
    for (int i = 0; i < WINDOW_AXES; i++) {
        p->direct = p->direct && w->stride[i] == 1 && w->begin[i] == 0 && w->end[i] == 0;
    }
    p->width = 2 * kernels()->lanes;
    const size_t wanted = (positions + p->width - 1) / p->width,
                 room = BLOCK_FLOATS / (p->width * (p->k + 1)) + 1;
    p->panels = wanted < room ? wanted : room;
    s->scratch_bytes =
        p->direct ? gemm_place_bytes(p->k, positions) : p->panels * p->width * p->k * sizeof(float);
}

static int plan_with(struct step *s, int act)
{
    const struct tensor *x = s->in[0], *weights = s->in[1];
    const int64_t groups = step_int(s, "group", 1);
    int status = check_inputs(s, groups);
    struct conv *p = plan_alloc(s->plan, sizeof *p);
    if (status != KILN_OK || !p) {
        return status != KILN_OK ? status : KILN_RESOURCE;
    }
    if ((status = window_plan(s, x, weights->dims + 2, &p->w)) != KILN_OK ||
        (status = window_output(s, x, x->dtype, weights->dims[0], &p->w, 0)) != KILN_OK) {
        return status;
    }
    p->groups = (size_t) groups;
    p->channels_in = (size_t) weights->dims[1];
    p->channels_out = (size_t) (weights->dims[0] / groups);
    p->k = p->channels_in * (size_t) p->w.kernel_size;
    p->samples = s->out[0]->count ? (size_t) x->dims[0] : 0;
    p->g.act = (enum act_kind) act;
    p->g.act_a = step_float(s, "act_a", 0);
    p->g.act_b = step_float(s, "act_b", 0);
    s->state = p;
    if (x->dtype == DT_F64) {
        s->run = run_doubles;
        return act == ACT_NONE ? KILN_OK : step_fail(s, "activation of float64");
    }
    plan_blocks(s, p);
    s->run = run_floats;
    return s->out[0]->count ? plan_padded(s, p) : KILN_OK;
}

static int plan_conv(struct step *s)
{
    return plan_with(s, ACT_NONE);
}

static int plan_fused(struct step *s)
{
    const int64_t act = step_int(s, "act", ACT_NONE);
    return act >= 0 && act < ACT_KINDS ? plan_with(s, (int) act) : step_fail(s, "no such activation");
}

static const struct op ops[] = {
    {"", "Conv", 1, 2, 3, 1, 1, plan_conv},
    {"kiln", "Conv", 1, 2, 3, 1, 1, plan_fused},
};

const struct op_table op_conv = {ops, sizeof ops / sizeof *ops};
